"""The store of a relay on one machine: a SQLite file.

One thread writes, many operations in one commit (`sqlite_writer`). What is read is read in the event loop
itself: a handful of pages that are in memory take less time than handing the question to a thread.
"""

# ruff: noqa: S608 - statements are put together from our own constants; every value is bound

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from obdesk.relay.protocol import SourceKind
from obdesk.relay.server import sqlite_operations as operations
from obdesk.relay.server.sqlite_file import down, open_for_reading, put_away
from obdesk.relay.server.sqlite_writer import Writer
from obdesk.relay.server.store import (
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
from obdesk.relay.server.wakes import Wakes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from obdesk.relay.server.store import Mail, Store

_SOURCE = "id, name, kind, secrets, gzip, bearer_seen_at_us, delivered_at_us, removed_at_us"
_DEVICE = "id, source_id, public_key, route, pulled_at_us, seat"


async def open_store(path: Path, *, beside: bool = False) -> Store:
    """Open the store in a file, making it where there is none.

    A file is served by one process. The operator's commands open it `beside` that one: they may write to
    it, but not deliver, as nobody would be woken. Raises StoreRefusedError where another process serves
    it or a newer release made it, StoreDownError where it cannot be opened.
    """
    writer = Writer(path, beside=beside)
    store = SqliteStore(path, writer)
    try:
        await store.ping()
    except BaseException:  # whatever it was, and it goes on from here: no thread stays behind
        await store.close()
        raise
    return store


class SqliteStore:
    """A store in one file (obdesk.relay.server.store.Store)."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path = path
        self._writer = writer
        self._reader: sqlite3.Connection | None = None
        self._read_opening = 0
        self._wakes = Wakes()

    def _read(self, statement: str, *bound: object) -> list[tuple[Any, ...]]:
        if self._reader is None or self._read_opening != self._writer.openings:
            self._drop_reader()
            self._read_opening = self._writer.openings
            self._reader = open_for_reading(self._path)
        try:
            return self._reader.execute(statement, bound).fetchall()
        except sqlite3.Error as error:
            self._drop_reader()
            raise down(error) from error

    def _drop_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            with suppress(sqlite3.Error):
                reader.close()

    async def epoch(self) -> str:
        """See Store."""
        return str(self._read("SELECT epoch FROM life")[0][0])

    async def renew_epoch(self) -> str:
        """See Store."""
        return await self._writer.do(operations.renew_epoch)

    async def add_source(self, source: Source, capability_hash: bytes) -> None:
        """See Store."""
        await self._writer.do(partial(operations.add_source, source=source, capability_hash=capability_hash))

    async def source(self, source_id: str) -> Source | None:
        """See Store."""
        found = self._read(f"SELECT {_SOURCE} FROM source WHERE id = ? AND removed_at_us IS NULL", source_id)
        return next(map(_source, found), None)

    async def source_of(self, capability_hash: bytes) -> Source | None:
        """See Store."""
        found = self._read(f"SELECT {_SOURCE} FROM source WHERE capability = ?", capability_hash)
        return next(map(_source, found), None)

    async def sources(self) -> tuple[Source, ...]:
        """See Store."""
        return tuple(
            map(
                _source, self._read(f"SELECT {_SOURCE} FROM source WHERE removed_at_us IS NULL ORDER BY name")
            )
        )

    async def remove_source(self, source_id: str, now_us: int) -> bool:
        """See Store."""
        return await self._writer.do(partial(operations.remove_source, source_id=source_id, now_us=now_us))

    async def saw_bearer(self, source_id: str, now_us: int) -> None:
        """See Store."""
        await self._writer.do(partial(operations.saw_bearer, source_id=source_id, now_us=now_us))

    async def add_code(self, code_hash: bytes, source_id: str, expires_at_us: int) -> None:
        """See Store."""
        await self._writer.do(
            partial(
                operations.add_code, code_hash=code_hash, source_id=source_id, expires_at_us=expires_at_us
            )
        )

    async def code(self, code_hash: bytes, now_us: int) -> Code | None:
        """See Store."""
        statement = "SELECT source_id, device_id, public_key FROM code WHERE hash = ? AND expires_at_us > ?"
        return next((Code(*row) for row in self._read(statement, code_hash, now_us)), None)

    async def spend_code(
        self, code_hash: bytes, device: Device, token_hash: bytes, now_us: int
    ) -> str | None:
        """See Store."""
        return await self._writer.do(
            partial(
                operations.spend_code,
                code_hash=code_hash,
                device=device,
                token_hash=token_hash,
                now_us=now_us,
            )
        )

    async def add_device(self, device: Device, token_hash: bytes) -> None:
        """See Store."""
        await self._writer.do(partial(operations.add_device, device=device, token_hash=token_hash))

    async def device_of(self, token_hash: bytes) -> Device | None:
        """See Store."""
        found = self._read(f"SELECT {_DEVICE} FROM device WHERE token = ?", token_hash)
        return next((Device(*row) for row in found), None)

    async def devices(self, source_id: str) -> tuple[Device, ...]:
        """See Store."""
        return await self.recipients(source_id, None)

    async def set_route(self, device_id: str, route: bytes) -> None:
        """See Store."""
        await self._writer.do(partial(operations.set_route, device_id=device_id, route=route))

    async def pulled(self, device_id: str, now_us: int) -> None:
        """See Store."""
        await self._writer.do(partial(operations.pulled, device_id=device_id, now_us=now_us))

    async def remove_device(self, device_id: str) -> bool:
        """See Store."""
        return await self._writer.do(partial(operations.remove_device, device_id=device_id))

    async def was_removed(self, device_id: str) -> bool:
        """See Store."""
        return bool(self._read("SELECT 1 FROM removed WHERE device_id = ?", device_id))

    async def recipients(self, source_id: str, route: bytes | None) -> tuple[Device, ...]:
        """See Store."""
        statement = f"SELECT {_DEVICE} FROM device WHERE source_id = ?"
        if route is None:
            found = self._read(statement, source_id)
        else:
            found = self._read(f"{statement} AND route = ?", source_id, route)
        return tuple(Device(*row) for row in found)

    async def deliver(
        self, source_id: str, payload: bytes | None, mails: Sequence[Mail], now_us: int
    ) -> Kept:
        """See Store."""
        kept = await self._writer.do(
            partial(operations.deliver, source_id=source_id, payload=payload, mails=mails, now_us=now_us)
        )
        if kept is Kept.STORED:
            self._wakes.wake(mail.device_id for mail in mails)
        return kept

    async def inbox(self, device_id: str, after: int, limit: int) -> Inbox:
        """See Store."""
        # One statement sees one state: no hint beyond the head, none of another life.
        rows = self._read(
            "SELECT life.epoch, coalesce(device.head, 0), hint.seq, hint.sealed FROM life"
            " LEFT JOIN device ON device.id = ?"
            " LEFT JOIN hint ON hint.device_id = device.id AND hint.seq > ?"
            " ORDER BY hint.seq LIMIT ?",
            device_id, after, max(limit, 1),
        )  # fmt: skip
        epoch, head = rows[0][:2]
        waiting = (Waiting(seq, sealed) for _, _, seq, sealed in rows[:limit] if seq is not None)
        return Inbox(epoch, head, tuple(waiting))

    async def acknowledge(self, device_id: str, upto: int) -> None:
        """See Store."""
        await self._writer.do(partial(operations.acknowledge, device_id=device_id, upto=upto))

    async def wait(self, device_id: str, after: int, timeout_s: float) -> None:
        """See Store."""

        async def has_news() -> bool:
            found = "SELECT 1 FROM hint WHERE device_id = ? AND seq > ? LIMIT 1"
            return bool(self._read(found, device_id, after))

        await self._wakes.until(device_id, has_news, timeout_s)

    async def broker(self, device_id: str) -> Broker:
        """See Store."""
        found = self._read("SELECT broker, broker_user FROM device WHERE id = ?", device_id)
        return next((Broker(BrokerStep(step), user) for step, user in found), Broker())

    async def set_broker(self, device_id: str, was: BrokerStep, now: Broker) -> bool:
        """See Store."""
        return await self._writer.do(partial(operations.set_broker, device_id=device_id, was=was, now=now))

    async def purge(self, now_us: int) -> int:
        """See Store."""
        purged = 0
        while some := await self._writer.do(partial(operations.purge, now_us=now_us)):
            purged += some
        await asyncio.to_thread(put_away, self._path)
        return purged

    async def figures(self) -> Figures:
        """See Store."""
        statement = (
            "SELECT (SELECT count(*) FROM source WHERE removed_at_us IS NULL),"
            " (SELECT count(*) FROM device), (SELECT count(*) FROM hint),"
            " (SELECT min(received_at_us) FROM hint)"
        )
        return Figures(*self._read(statement)[0])

    async def ping(self) -> None:
        """See Store."""
        await self._writer.do(_nothing)

    async def close(self) -> None:
        """See Store."""
        self._wakes.close()
        self._drop_reader()
        await self._writer.close()


def _nothing(_db: sqlite3.Connection) -> None:
    """Write nothing; the commit itself shows that the store can be written."""


def _source(row: tuple[Any, ...]) -> Source:
    source_id, name, kind, secrets, gzip, *times = row
    kept = msgspec.msgpack.decode(secrets, type=tuple[bytes, ...])
    return Source(source_id, name, SourceKind(kind), kept, Gzip(gzip), *times)
