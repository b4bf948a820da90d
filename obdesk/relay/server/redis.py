"""The store of a crowd: Redis, which any number of relays on any number of machines share.

All that is done there is done by one script (store.lua), each operation as a whole. Redis must flush its
log before it answers; with other settings it is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from obdesk.relay.protocol import RETENTION_S, SourceKind
from obdesk.relay.server.keys import new_id
from obdesk.relay.server.redis_link import Link
from obdesk.relay.server.redis_wakes import listen
from obdesk.relay.server.store import (
    LIVE_US,
    Broker,
    BrokerStep,
    Code,
    Device,
    Figures,
    Gzip,
    Inbox,
    Kept,
    Source,
    Waiting,
)
from obdesk.relay.server.tasks import Tasks
from obdesk.relay.server.wakes import Wakes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from obdesk.relay.server.store import Mail, Store

_DAY_US = 24 * 3_600 * 1_000_000
_NO_SECRETS = msgspec.msgpack.encode(())


async def open_store(url: str, *, folder: Path | None = None, beside: bool = False) -> Store:
    """Open the store in a Redis (`redis://`, `rediss://` or `unix://`).

    In the folder is kept how far Redis was seen to come (`redis_seen`); the operator's commands, which work
    `beside` those who serve, only read that.

    Raises StoreRefusedError for a Redis that may forget what it confirmed, StoreDownError where it
    cannot be reached.
    """
    store = RedisStore(Link(url, folder, beside=beside))
    try:
        await store.ping()
    except BaseException:  # whatever it was, and it goes on from here: no connection stays open
        await store.close()
        raise
    return store


class RedisStore:
    """A store in Redis (obdesk.relay.server.store.Store)."""

    def __init__(self, link: Link) -> None:
        self._call = link.call
        self._link = link
        self._wakes = Wakes()
        self._tasks = Tasks()
        self._tasks.start(listen(link.connection(), self._wakes))

    async def epoch(self) -> str:
        """See Store."""
        return _text(*await self._call("epoch"))

    async def renew_epoch(self) -> str:
        """See Store."""
        return _text(*await self._call("renew_epoch", new_id()))

    async def add_source(self, source: Source, capability_hash: bytes) -> None:
        """See Store."""
        await self._call(
            "add_source",
            source.id,
            capability_hash,
            source.name,
            source.kind.value,
            msgspec.msgpack.encode(source.secrets),
            source.gzip.value,
            *("" if time is None else time for time in (source.bearer_seen_at_us, source.delivered_at_us)),
            "",
        )

    async def source(self, source_id: str) -> Source | None:
        """See Store."""
        return next(_sources(await self._call("source", source_id)), None)

    async def source_of(self, capability_hash: bytes) -> Source | None:
        """See Store."""
        return next(_sources(await self._call("source_of", capability_hash)), None)

    async def sources(self) -> tuple[Source, ...]:
        """See Store."""
        return tuple(sorted(_sources(await self._call("sources")), key=lambda source: source.name))

    async def remove_source(self, source_id: str, now_us: int) -> bool:
        """See Store."""
        return _flag(await self._call("remove_source", source_id, now_us, _NO_SECRETS))

    async def saw_bearer(self, source_id: str, now_us: int) -> None:
        """See Store."""
        await self._call("saw_bearer", source_id, now_us)

    async def add_code(self, code_hash: bytes, source_id: str, expires_at_us: int) -> None:
        """See Store."""
        await self._call("add_code", code_hash, source_id, expires_at_us)

    async def code(self, code_hash: bytes, now_us: int) -> Code | None:
        """See Store."""
        source_id, device_id, public_key = await self._call("code", code_hash, now_us)
        if source_id is None:
            return None
        return Code(source_id.decode(), None if device_id is None else device_id.decode(), public_key)

    async def spend_code(
        self, code_hash: bytes, device: Device, token_hash: bytes, now_us: int
    ) -> str | None:
        """See Store."""
        (made,) = await self._call("spend_code", code_hash, now_us, *_added(device, token_hash))
        return None if made is None else made.decode()

    async def add_device(self, device: Device, token_hash: bytes) -> None:
        """See Store."""
        await self._call("add_device", *_added(device, token_hash))

    async def device_of(self, token_hash: bytes) -> Device | None:
        """See Store."""
        return next(_devices(await self._call("device_of", token_hash)), None)

    async def devices(self, source_id: str) -> tuple[Device, ...]:
        """See Store."""
        return await self.recipients(source_id, None)

    async def set_route(self, device_id: str, route: bytes) -> None:
        """See Store."""
        await self._call("set_route", device_id, route)

    async def pulled(self, device_id: str, now_us: int) -> None:
        """See Store."""
        await self._call("pulled", device_id, now_us, now_us - LIVE_US)

    async def remove_device(self, device_id: str) -> bool:
        """See Store."""
        return _flag(await self._call("remove_device", device_id))

    async def was_removed(self, device_id: str) -> bool:
        """See Store."""
        return _flag(await self._call("was_removed", device_id))

    async def recipients(self, source_id: str, route: bytes | None) -> tuple[Device, ...]:
        """See Store."""
        if route is None:
            found = await self._call("devices", source_id)
        else:
            found = await self._call("recipients", source_id, route)
        return tuple(_devices(found))

    async def deliver(
        self, source_id: str, payload: bytes | None, mails: Sequence[Mail], now_us: int
    ) -> Kept:
        """See Store."""
        parts = (part for mail in mails for part in (mail.device_id, mail.slot, mail.sealed, mail.dirty))
        told = await self._call("deliver", source_id, b"" if payload is None else payload, now_us, *parts)
        return Kept.STORED if _flag(told) else Kept.DUPLICATE

    async def inbox(self, device_id: str, after: int, limit: int) -> Inbox:
        """See Store."""
        epoch, head, *waiting = await self._call("inbox", device_id, after, limit)
        found = (Waiting(_number(seq), _raw(sealed)) for seq, sealed in _rows(waiting, 2))
        return Inbox(_text(epoch), _number(head), tuple(found))

    async def acknowledge(self, device_id: str, upto: int) -> None:
        """See Store."""
        await self._call("acknowledge", device_id, upto)

    async def wait(self, device_id: str, after: int, timeout_s: float) -> None:
        """See Store."""

        async def has_news() -> bool:
            return _number(*await self._call("has_news", device_id, after)) > 0

        await self._wakes.until(device_id, has_news, timeout_s)

    async def broker(self, device_id: str) -> Broker:
        """See Store."""
        step, user = await self._call("broker", device_id)
        return Broker() if step is None else Broker(BrokerStep(step.decode()), user)

    async def set_broker(self, device_id: str, was: BrokerStep, now: Broker) -> bool:
        """See Store."""
        user = b"" if now.user is None else now.user
        return _flag(await self._call("set_broker", device_id, was.value, now.step.value, user))

    async def purge(self, now_us: int) -> int:
        """See Store."""
        purged = 0
        while some := _number(*await self._call("purge", now_us, now_us - RETENTION_S * 1_000_000)):
            purged += some
        if _flag(await self._call("shorten", now_us, now_us - _DAY_US)):
            await self._link.shorten()
        return purged

    async def figures(self) -> Figures:
        """See Store."""
        sources, devices, waiting, oldest_at_us = await self._call("figures")
        return Figures(_number(sources), _number(devices), _number(waiting), _time(oldest_at_us))

    async def ping(self) -> None:
        """See Store."""
        await self._call("ping")

    async def close(self) -> None:
        """See Store."""
        self._wakes.close()
        await self._tasks.close()
        await self._link.close()


def _added(device: Device, token_hash: bytes) -> tuple[bytes | str, ...]:
    """Return a new device as store.lua takes it."""
    route = b"" if device.route is None else device.route
    return (device.id, device.source_id, device.public_key, route, token_hash, BrokerStep.NONE.value)


def _raw(value: bytes | None) -> bytes:
    assert value is not None, "store.lua returns one"
    return value


def _text(value: bytes | None) -> str:
    return _raw(value).decode()


def _number(value: bytes | None) -> int:
    return int(_raw(value))


def _flag(values: list[bytes | None]) -> bool:
    return values == [b"1"]


def _time(value: bytes | None) -> int | None:
    return None if value is None else int(value)


def _rows(values: list[bytes | None], width: int) -> Iterator[list[bytes | None]]:
    """Yield what belongs together; where a look-up found nothing, the one value is None."""
    for at in range(0, len(values) - width + 1, width):
        yield values[at : at + width]


def _sources(values: list[bytes | None]) -> Iterator[Source]:
    for source_id, name, kind, secrets, gzip, *times in _rows(values, 8):
        yield Source(
            _text(source_id),
            _text(name),
            SourceKind(_text(kind)),
            msgspec.msgpack.decode(_raw(secrets), type=tuple[bytes, ...]),
            Gzip(_text(gzip)),
            *map(_time, times),
        )


def _devices(values: list[bytes | None]) -> Iterator[Device]:
    for device_id, source_id, public_key, route, *numbers in _rows(values, 6):
        yield Device(_text(device_id), _text(source_id), _raw(public_key), route, *map(_time, numbers))
