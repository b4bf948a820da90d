"""One share of a campaign against one relay: its application in this process, on a real store."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from obdesk.relay.protocol import SourceKind
from obdesk.relay.server.keys import hashed
from tests.relay.forgeries.forger import Forger, Sent, genuine
from tests.relay.places import SqlitePlace
from tests.relay.server.kit import Kit, connection_synced, kit

if TYPE_CHECKING:
    from obdesk.relay.server.store import Device
    from tests.relay.server.kit import Desk

HONEST_EVERY: Final = 1_000
"""After so many forgeries one delivery is honest, and must come through."""
_HEARD: Final = 20
_EVENTS: Final = ("CONNECTION_SYNCED", "ACCOUNTS_FETCHED")
_PAUSE_S: Final = 20.0
"""How much time goes by between two looks: some of what was heard grows too old meanwhile."""
REPEATS: Final = "repeated"
"""The one kind that may be answered as if it were taken: the sender's own repeats are, too."""


@dataclass
class Share:
    """What became of some forgeries."""

    answers: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)


class Target:
    """A relay with sources, devices whose mailboxes are empty, and the deliveries that were heard."""

    def __init__(self, relay: Kit, paths: tuple[str, ...], desks: list[Desk], devices: list[Device]) -> None:
        self.relay, self.paths, self.desks, self.devices = relay, paths, desks, devices
        self.heard: list[Sent] = []
        self.honest = 0

    async def send(self, sent: Sent) -> int:
        """Send a request and return the status."""
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
            "server": ("127.0.0.1", 80), "client": ("192.0.2.7", 4711), "root_path": "", "state": {},
            "method": sent.method, "path": sent.path, "raw_path": sent.raw_path, "query_string": sent.query,
            "headers": list(sent.headers),
        }  # fmt: skip
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": sent.body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await self.relay.app(scope, receive, send)
        (status,) = statuses
        return status

    async def deliver(self, path: str, body: bytes) -> Sent:
        """Deliver honestly."""
        sent = genuine(path, body, self.relay.clock())
        assert await self.send(sent) == 200
        self.honest += 1
        return sent

    async def heads(self) -> list[int]:
        """Return the highest number of each mailbox; a hint that is kept always gets a new one."""
        return [(await self.relay.store.inbox(device.id, 0, 1)).head for device in self.devices]


async def _target(relay: Kit) -> Target:
    home, crowd = await relay.source(), await relay.source("crowd", SourceKind.SHARED)
    desks = [await relay.desk(home), await relay.desk(crowd, "3"), await relay.desk(crowd, "5")]
    found = [await relay.store.device_of(hashed(desk.paired.token)) for desk in desks]
    paths = tuple(relay.path(source, event) for source, event in product((home, crowd), _EVENTS))
    target = Target(relay, paths, desks, [device for device in found if device is not None])
    for number, path in product(range(_HEARD), paths):
        payload = None if number % 3 == 0 else 1_000 + len(target.heard)
        body = connection_synced(number, 3 if number % 2 else 5, payload)
        target.heard.append(await target.deliver(path, body))
    for desk in desks:
        assert await desk.hints()
    return target


async def _run(count: int, seed: str) -> Share:
    share = Share()
    with TemporaryDirectory(prefix="obdesk-forgeries-") as folder:
        async with kit(SqlitePlace(Path(folder) / "relay.db")) as relay:
            target = await _target(relay)
            relay.clock.advance(_PAUSE_S)
            forger = Forger(random.Random(seed), target.paths, tuple(target.heard), relay.clock())  # noqa: S311 - repeatable
            before, honest = await target.heads(), target.honest
            for number in range(count):
                kind, sent = forger.make()
                status = await target.send(sent)
                share.answers[f"{kind} {status}"] += 1
                if status >= 500 or (status < 400 and kind != REPEATS):
                    share.complaints.append(f"{seed}, number {number}: {kind} was answered with {status}")
                if number % HONEST_EVERY == HONEST_EVERY - 1:
                    await _examine(target, share, before, f"{seed}, up to number {number}")
                    await _honest(target, number)
                    before, honest = await target.heads(), target.honest
                    relay.clock.advance(_PAUSE_S)
                    forger = replace(forger, now_us=relay.clock())
            await _examine(target, share, before, f"{seed}, at the end")
            kept = relay.fates()["kept"]
            if kept != honest:
                share.complaints.append(f"{seed}: {kept} deliveries were kept of {honest} honest ones")
    return share


async def _examine(target: Target, share: Share, before: list[int], where: str) -> None:
    """Complain if anything new is in any mailbox."""
    if await target.heads() != before:
        share.complaints.append(f"{where}: something came into a mailbox")


async def _honest(target: Target, number: int) -> None:
    """Let an honest delivery through."""
    desk = target.desks[0]
    await target.deliver(target.paths[0], connection_synced(number, payload=2 * 10**9 + number))
    assert [hint.payload_id for hint in await desk.hints()] == [2 * 10**9 + number]


def share(count: int, seed: str) -> Share:
    """Send so many forgeries, the same for the same seed."""
    relay = logging.getLogger("obdesk.relay")
    before = relay.level
    relay.setLevel(logging.ERROR)  # it warns of live tokens, as it should
    try:
        return asyncio.run(_run(count, seed))
    finally:
        relay.setLevel(before)
