"""The relays under test, each a process of its own, and the Redis they may share."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from obdesk.relay.server import redis, sqlite
from obdesk.relay.server.keys import Keys, load_or_make
from tests.relay.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from obdesk.relay.server.store import Store
    from tests.relay.totalqueue.town import Town

_ROOT: Final = Path(__file__).parents[3]
_NO_LIMIT: Final = "1000000/1000000"
_PATIENCE_S: Final = 60


class Relay:
    """`obdesk relay serve` on a socket file."""

    def __init__(self, name: str, folder: Path, store_url: str, key_file: Path) -> None:
        self.socket = str(folder / f"{name}.s")
        self.is_up = asyncio.Event()
        self._log = folder / f"{name}.log"
        self._process: asyncio.subprocess.Process | None = None
        self._command = [
            sys.executable, "-m", "obdesk", "relay", "serve",
            "--store", store_url, "--key-file", str(key_file), "--listen", f"unix:{self.socket}",
        ]  # fmt: skip

    async def start(self) -> None:
        """Start it and return once it answers."""
        limits = {
            f"OBDESK_RELAY_{name}": _NO_LIMIT for name in ("DELIVERIES", "DEVICE", "ADDRESS", "FAILURES")
        }
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, cwd=_ROOT, env={**os.environ, **limits},
                stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self._process.stdout is not None
        async with asyncio.timeout(_PATIENCE_S):
            told = await self._process.stdout.readline()
        assert told.startswith(b"Listening"), self._log.read_text("utf-8", errors="replace")[-2_000:]
        self.is_up.set()

    async def kill(self) -> None:
        """End it as a power cut of the process would."""
        self.is_up.clear()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Relays:
    """All relays on one store."""

    def __init__(self, relays: list[Relay], keys: Keys, redis_server: RedisServer | None) -> None:
        self.relays = relays
        self.keys = keys
        self.redis = redis_server

    async def kill_one(self, number: int) -> None:
        """Kill a relay, or in a fifth of the turns the Redis behind all of them, and start it again."""
        if self.redis is not None and number % 5 == 2:
            await asyncio.to_thread(self._restart_redis, self.redis)
            return
        relay = self.relays[number % len(self.relays)]
        await relay.kill()
        await relay.start()

    @staticmethod
    def _restart_redis(server: RedisServer) -> None:
        server.kill()
        server.start()


async def _opened(kind: str, url: str, folder: Path) -> Store:
    return await (sqlite.open_store(folder / "relay.db") if kind == "sqlite" else redis.open_store(url))


@asynccontextmanager
async def running(kind: str, folder: Path, town: Town) -> AsyncIterator[Relays]:
    """Run relays on a store of a kind with a town in it: one on SQLite, two on Redis."""
    key_file = folder / "key"
    keys = load_or_make(key_file)
    with ExitStack() as stack:
        server, url, names = None, f"sqlite:///{folder}/relay.db", ["one"]
        if kind == "redis":
            server = stack.enter_context(RedisServer(folder))
            url, names = server.url, ["one", "two"]
        store = await _opened(kind, url, folder)
        await town.move_in(store, keys)
        await store.close()
        relays = Relays([Relay(name, folder, url, key_file) for name in names], keys, server)
        try:
            for relay in relays.relays:
                await relay.start()
            yield relays
        finally:
            for relay in relays.relays:
                await relay.kill()
