"""Where a relay's store lies, so that the same tests run on each kind of store; and things to put into it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from obdesk.relay.protocol import SourceKind
from obdesk.relay.server import redis, sqlite
from obdesk.relay.server.store import Device, Mail, Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from obdesk.relay.server.store import Store

NOON_US = 1_774_000_000_000_000
"""Some moment of March 2026."""
DAY_US = 24 * 3600 * 1_000_000


class Place(Protocol):
    """Where a store lies."""

    def store(self) -> AbstractAsyncContextManager[Store]:
        """Open the store for a while; what it keeps stays."""
        ...


class SqlitePlace:
    """A file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """See Place."""
        store = await sqlite.open_store(self.path)
        try:
            yield store
        finally:
            await store.close()


class RedisPlace:
    """A database of a Redis."""

    def __init__(self, url: str) -> None:
        self.url = url

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """See Place."""
        store = await redis.open_store(self.url)
        try:
            yield store
        finally:
            await store.close()


def a_source(name: str = "home", kind: SourceKind = SourceKind.PERSONAL) -> Source:
    """Make a source; its id follows from its name."""
    return Source(f"id of {name}", name, kind, (b"locked",))


def address(source: Source) -> bytes:
    """Return the hash of a source's address."""
    return f"address of {source.id}".encode()


def a_device(name: str, source: Source, route: bytes | None = None) -> Device:
    """Make a device; its id follows from its name."""
    return Device(f"id of {name}", source.id, f"key of {name}".encode(), route)


def token(device: Device) -> bytes:
    """Return the hash of a device's token."""
    return f"token of {device.id}".encode()


def mail(device: Device, slot: str = "bank", text: str = "hint") -> Mail:
    """Make a hint for a device; what is sealed tells what it was, as no test opens it."""
    return Mail(device.id, slot.encode(), text.encode(), f"dirty of {device.id}".encode())


async def with_device(store: Store, name: str = "laptop", source: Source | None = None) -> Device:
    """Keep a source and a device of it."""
    owner = source or a_source()
    await store.add_source(owner, address(owner))
    device = a_device(name, owner)
    await store.add_device(device, token(device))
    return device


async def texts(store: Store, device: Device, after: int = 0, limit: int = 100) -> list[str]:
    """Return what waits for a device, oldest first."""
    inbox = await store.inbox(device.id, after, limit)
    return [waiting.sealed.decode() for waiting in inbox.waiting]
