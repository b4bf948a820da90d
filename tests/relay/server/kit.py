"""A relay in this process: its application on a real store, and those who talk to it."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from nacl.public import PrivateKey

from obdesk.relay.protocol import Page, Paired, SourceKind, opened, to_text
from obdesk.relay.server import app, middleware
from obdesk.relay.server.keys import Keys, hashed, new_code
from obdesk.relay.server.limits import Rate
from obdesk.relay.server.metrics import Metrics
from obdesk.relay.server.operating import Operator
from obdesk.relay.server.settings import Settings, StoreUrl
from obdesk.relay.server.signature import Signer, signed_path
from obdesk.relay.server.store import Gzip
from tests.relay.places import NOON_US

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.applications import Starlette

    from obdesk.relay.protocol import Hint
    from obdesk.relay.server.mailbox import Closing
    from obdesk.relay.server.store import Source, Store
    from tests.relay.places import Place

SECRET = "sim_wh_secret_7Qk"
MASTER = bytes(range(32))
WIDE: dict[str, Any] = dict.fromkeys(
    ("deliveries", "device", "address", "failures", "pairings", "users"), Rate(100_000, 1_000_000)
)
"""Limits that no test reaches but those about limits."""
HOUR_US = 3_600 * 1_000_000
NOT_FOUND = (
    b'{"title":"Not found","status":404,"detail":"There is nothing here, or nothing that is yours. Check the'
    b' address, the method and the token."}'
)


@dataclass
class Clock:
    """The relay's wall clock."""

    now_us: int = NOON_US

    def __call__(self) -> int:
        """Return the time."""
        return self.now_us

    def now_s(self) -> float:
        """Return the seconds that only grow."""
        return self.now_us / 1e6

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now_us += int(seconds * 1_000_000)


def dated(time_us: int) -> str:
    """Return a moment as the aggregator writes it."""
    return datetime.fromtimestamp(time_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def signed_headers(path: str, body: bytes, time_us: int, secret: str = SECRET) -> dict[str, str]:
    """Return the headers of a delivery."""
    date = dated(time_us)
    return {
        "BI-Signature-Date": date,
        "BI-Signature": Signer(secret.encode()).sign(path, date, body).decode(),
    }


def connection_synced(
    connection: Any = 311, user: Any = 6120, payload: Any = None, state: Any = None
) -> bytes:
    """Return the body of a delivery."""
    body: dict[str, Any] = {
        "user": {"id": user, "signin": "2026-01-05 09:12:44"},
        "connection": {"id": connection, "id_user": user, "state": state, "accounts": [{"balance": 1520.4}]},
    }
    if payload is not None:
        body["id_webhook_data"] = payload
    return json.dumps(body).encode()


@dataclass
class Desk:
    """A desktop that was paired."""

    http: httpx.AsyncClient
    private_key: bytes
    paired: Paired
    cursor: str

    @property
    def headers(self) -> dict[str, str]:
        """What says who asks."""
        return {"Authorization": f"Bearer {self.paired.token}"}

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the relay for something with this device's token."""
        return await self.http.request(method, path, headers=self.headers, **more)

    async def page(self, wait: int = 0, after: str | None = None, **more: Any) -> Page:
        """Pull once."""
        asked = {"after": after or self.cursor, "wait": wait, **more}
        answer = await self.ask("GET", "/v1/mailbox/events", params=asked)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=Page)

    async def hints(self, wait: int = 0) -> list[Hint]:
        """Pull, open, acknowledge and go on."""
        page = await self.page(wait)
        self.cursor = page.cursor
        answer = await self.ask("POST", "/v1/mailbox/ack", json={"upto": page.cursor})
        assert answer.status_code == 204, answer.text
        return self.opened(page)

    def opened(self, page: Page) -> list[Hint]:
        """Open what a page holds."""
        return [opened(self.private_key, from_base64(each.sealed)) for each in page.entries]


def from_base64(text: str) -> bytes:
    """Return the bytes of base64url without padding."""
    from obdesk.relay.protocol import from_text

    return from_text(text)


@dataclass
class Kit:
    """The relay and all it is made of."""

    store: Store
    settings: Settings
    app: Starlette
    http: httpx.AsyncClient
    clock: Clock
    metrics: Metrics
    begun: asyncio.Semaphore
    """Released for each pull that begins to wait for news."""
    keys: Keys = field(default_factory=lambda: Keys(MASTER))

    @property
    def operator(self) -> Operator:
        """Its operator."""
        return Operator(self.store, self.keys, self.clock())

    async def source(
        self, name: str = "home", kind: SourceKind = SourceKind.PERSONAL, gzip: Gzip = Gzip.OFF
    ) -> Source:
        """Make a source."""
        return await self.operator.add_source(name, kind, SECRET, gzip)

    async def code(self, source: Source) -> str:
        """Make a code for pairing."""
        code = new_code()
        await self.store.add_code(hashed(code), source.id, self.clock() + HOUR_US)
        return code

    async def desk(self, source: Source, user: str | None = None) -> Desk:
        """Pair a desktop; in a shared source it belongs to a user."""
        private = PrivateKey.generate()
        told = {"publicKey": to_text(bytes(private.public_key)), "code": await self.code(source)}
        answer = await self.http.post("/v1/devices", json=told)
        assert answer.status_code == 200, answer.text
        paired = msgspec.json.decode(answer.content, type=Paired)
        desk = Desk(self.http, bytes(private), paired, paired.cursor)
        if user is not None:
            device = await self.store.device_of(hashed(paired.token))
            assert device is not None
            await self.store.set_route(device.id, self.keys.route(source.id, user))
        return desk

    def path(self, source: Source, event: str = "CONNECTION_SYNCED") -> str:
        """Return the path of a hook."""
        return signed_path(self.keys.capability(source.id), event)

    async def deliver(
        self,
        source: Source,
        body: bytes,
        event: str = "CONNECTION_SYNCED",
        *,
        secret: str = SECRET,
        dated_us: int | None = None,
        **headers: str,
    ) -> httpx.Response:
        """Deliver as the aggregator does."""
        path = self.path(source, event)
        signed = signed_headers(path, body, self.clock() if dated_us is None else dated_us, secret)
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(path, content=body, headers={**signed, **more})

    def waiting(self) -> int:
        """Return how many pulls wait for news."""
        return int(next(iter(self.metrics.long_polls.collect())).samples[0].value)

    def fates(self) -> dict[str, int]:
        """Return how often which reason, or outcome without one, was counted."""
        return {
            sample.labels["reason"] or sample.labels["outcome"]: int(sample.value)
            for family in self.metrics.deliveries.collect()
            for sample in family.samples
            if sample.name.endswith("_total") and sample.value
        }


@asynccontextmanager
async def kit(
    place: Place, *, closing: Closing | None = None, patience_s: float = 60.0, **given: Any
) -> AsyncIterator[Kit]:
    """Put a relay together on a store, for a while; it is as patient as a busy machine needs it."""
    async with place.store() as store:
        unused = {"store": StoreUrl(Path("unused")), "key_file": Path("unused")}
        settings = Settings(**{**unused, **WIDE, **given})
        clock, metrics, keys = Clock(), Metrics(), Keys(MASTER)
        built = app.build(
            settings,
            store,
            keys,
            metrics,
            clock_us=clock,
            now_s=clock.now_s,
            closing=closing,
            patience_s=patience_s,
        )
        transport = httpx.ASGITransport(built, client=("192.0.2.7", 4711))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(middleware, "LIMITED_S", 0.0)
            async with (
                built.router.lifespan_context(built),
                httpx.AsyncClient(transport=transport, base_url="http://relay.test") as http,
            ):
                yield Kit(store, settings, built, http, clock, metrics, _watched(store), keys)


def _watched(store: Store) -> asyncio.Semaphore:
    """Return what is released for each wait that begins at a store."""
    begun, wait = asyncio.Semaphore(0), store.wait

    async def watched(device_id: str, after: int, timeout_s: float) -> None:
        begun.release()
        await wait(device_id, after, timeout_s)

    setattr(store, "wait", watched)  # noqa: B010 - it waits as before
    return begun
