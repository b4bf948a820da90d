"""Who is posted about: sources, their users and devices, and lanes in which deliveries follow one another."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nacl.public import PrivateKey

from obdesk.relay.protocol import SourceKind
from obdesk.relay.server.keys import Keys, hashed, new_id, new_secret
from obdesk.relay.server.store import Device, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.relay.server.store import Store

SECRET: Final = "sim_wh_secret_7Qk"
_IN_A_LANE: Final = 10_000_000
_FOLDING: Final = 3
"""So many connections of a lane are posted about again and again."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A device as it knows itself."""

    name: str
    id: str
    token: str
    private_key: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a lane's deliveries are about, and the names of the devices that must hear of it."""

    source: str
    user: str
    desks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Post:
    """One delivery as the aggregator makes it."""

    lane: int
    index: int
    """Its place in the lane; the next one is posted after this one was confirmed."""
    event: str
    connection: str
    user: str

    @property
    def payload_id(self) -> int:
        """Return `id_webhook_data`."""
        return self.lane * _IN_A_LANE + self.index

    def body(self) -> bytes:
        """Return the body, in the shape that the event has at the aggregator."""
        connection, user = int(self.connection), int(self.user)
        match self.event:
            case "CONNECTION_SYNCED":
                about = {"id": connection, "id_user": user, "state": "SCARequired"}
                payload: dict[str, object] = {"user": {"id": user}, "connection": about}
            case "CONNECTION_DELETED":
                payload = {"id": connection, "id_user": user}
            case _:
                payload = {"id": 7, "id_connection": connection, "id_user": user}
        return json.dumps({**payload, "id_webhook_data": self.payload_id}).encode()


def lane_and_index(payload_id: int) -> tuple[int, int]:
    """Return where a payload id belongs."""
    return divmod(payload_id, _IN_A_LANE)


EVENTS: Final = ("CONNECTION_SYNCED", "CONNECTION_DELETED", "ACCOUNT_SYNCED", "ACCOUNT_FOUND")
TARGETS: Final = (
    Target("anna", "11", ("anna's laptop", "anna's desktop")),
    Target("ben", "12", ("ben's laptop",)),
    Target("crowd", "21", ("zoe's laptop",)),
    Target("crowd", "22", ("yan's laptop", "yan's desktop")),
    Target("crowd", "23", ()),
)
"""The last is nobody here: such a delivery is confirmed, and no device may hear of it."""
_KINDS: Final = {"anna": SourceKind.PERSONAL, "ben": SourceKind.PERSONAL, "crowd": SourceKind.SHARED}


class Town:
    """All of them, as a seed has it."""

    def __init__(self, seed: int, lanes: int) -> None:
        self._seed = seed
        self.lanes = tuple(TARGETS[lane % len(TARGETS)] for lane in range(lanes))
        names = [name for target in TARGETS for name in target.desks]
        self.desks = {
            name: Desk(name, new_id(), new_secret(), bytes(PrivateKey.generate())) for name in names
        }

    async def move_in(self, store: Store, keys: Keys) -> None:
        """Put sources and devices into a store."""
        for name, kind in _KINDS.items():
            source = Source(keys.source_id(name), name, kind, (keys.lock(SECRET.encode()),))
            await store.add_source(source, hashed(keys.capability(source.id)))
        for target in TARGETS:
            source_id = keys.source_id(target.source)
            is_shared = _KINDS[target.source] is SourceKind.SHARED
            route = keys.route(source_id, target.user) if is_shared else None
            for name in target.desks:
                desk = self.desks[name]
                public_key = bytes(PrivateKey(desk.private_key).public_key)
                await store.add_device(Device(desk.id, source_id, public_key, route), hashed(desk.token))

    def posts(self, lane: int, count: int) -> Sequence[Post]:
        """Return what is posted in a lane: mostly about connections of their own, some about the same few."""
        rng = random.Random(f"{self._seed} {lane}")  # noqa: S311 - chance, not secrets
        first = (lane + 1) * _IN_A_LANE
        user = self.lanes[lane].user
        return [
            Post(
                lane,
                index,
                rng.choice(EVENTS),
                str(first + (rng.randrange(_FOLDING) if rng.random() < 0.2 else _FOLDING + index)),
                user,
            )
            for index in range(count)
        ]
