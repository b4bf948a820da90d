"""A worker on its socket, from opening the store to the last answer."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import signal
import socket
import sys
import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import uvicorn

from obdesk.relay.server import app, logs
from obdesk.relay.server.connections import GuardedH11
from obdesk.relay.server.keys import BadKeyError, load, load_or_make
from obdesk.relay.server.mailbox import Closing
from obdesk.relay.server.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.applications import Starlette

    from obdesk.relay.server.keys import Keys
    from obdesk.relay.server.settings import Listen, Settings, StoreUrl
    from obdesk.relay.server.store import Source, Store

_BACKLOG: Final = 2_048
_KEEP_ALIVE_S: Final = 30
_ENDING_S: Final = 10
_ENDS: Final = (signal.SIGINT, signal.SIGTERM)


class Server(uvicorn.Server):
    """A server that says when it answers, and lets the long polls go when it is asked to end."""

    def __init__(self, config: uvicorn.Config, closing: Closing, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._closing, self._ready = closing, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Override uvicorn.Server.startup."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Override uvicorn.Server.shutdown."""
        self._closing.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End in order on SIGTERM and SIGINT, and do not raise them again afterwards as uvicorn does."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kept = {number: signal.signal(number, self.handle_exit) for number in _ENDS}
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)


async def open_store(url: StoreUrl, *, folder: Path | None = None, beside: bool = False) -> Store:
    """Open the store at an address; `beside` as in `sqlite.open_store`, `folder` as in `redis.open_store`.

    Raises StoreDownError.
    """
    if url.sqlite is not None:
        from obdesk.relay.server import sqlite

        url.sqlite.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return await sqlite.open_store(url.sqlite, beside=beside)
    from obdesk.relay.server import redis

    assert url.redis is not None, "the settings name one of the two"
    return await redis.open_store(url.redis, folder=folder, beside=beside)


async def keys_of(settings: Settings, store: Store) -> Keys:
    """Return the operator's keys, with which the store was written; made beside a new SQLite store.

    Raises BadKeyError where they do not belong to the store, OSError where they cannot be read.
    """
    sources = await store.sources()
    if settings.store.sqlite is None:
        keys = load(settings.key_file)
    elif sources and not settings.key_file.exists():
        raise BadKeyError(
            f"The key file {settings.key_file} is missing, and without it nothing in this store can be read."
            " Put it back, or begin with an empty store."
        )
    else:
        settings.key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        keys = load_or_make(settings.key_file)
    for source in sources:
        _check(keys, source)
    return keys


def _check(keys: Keys, source: Source) -> None:
    try:
        for locked in source.secrets:
            keys.unlock(locked)
    except BadKeyError as error:
        raise BadKeyError(
            "The key file does not belong to this store: its secrets were locked with another key. Put"
            " back the key file that was there, or begin with an empty store."
        ) from error


def _has(library: str) -> bool:
    return importlib.util.find_spec(library) is not None


def _protocol(settings: Settings) -> Callable[..., asyncio.Protocol]:
    if not _has("httptools"):
        return partial(GuardedH11, settings=settings)
    from obdesk.relay.server.connections_fast import GuardedHttpTools

    return partial(GuardedHttpTools, settings=settings)


def configured(
    application: Starlette, settings: Settings, closing: Closing, ready: Callable[[], object]
) -> Server:
    """Return a server for an application; `ready` is called when it answers."""
    config = uvicorn.Config(
        application,
        http=cast("Any", _protocol(settings)),
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="info",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_ENDING_S,
        h11_max_incomplete_event_size=settings.head_kib * 1024,
    )
    return Server(config, closing, ready)


def listen(where: Listen) -> socket.socket:
    """Return a listening socket; a socket file on which nobody listens is replaced. Raises OSError."""
    if where.path is not None:
        return _listen_on_file(where.path)
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    # With the protocol named asyncio switches Nagle's algorithm off; otherwise each answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((where.host, where.port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _listen_on_file(path: Path) -> socket.socket:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise OSError(f"another program listens on {path}")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o660)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def address_of(listener: socket.socket) -> str:
    """Return where a socket listens, as one writes it."""
    name = listener.getsockname()
    if isinstance(name, str):
        return f"unix:{name}"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"http://{host}:{name[1]}"


async def _serve(settings: Settings, listeners: list[socket.socket], ready: Callable[[], object]) -> None:
    store = await open_store(settings.store, folder=settings.state)
    try:
        keys = await keys_of(settings, store)
        closing = Closing()
        application = app.build(settings, store, keys, Metrics(), closing=closing)
        await configured(application, settings, closing, ready).serve(sockets=listeners)
    finally:
        await store.close()


def serve(
    settings: Settings, listener: socket.socket, ready: Callable[[], object], *, worker: int = 0
) -> None:
    """Be one worker until SIGTERM or SIGINT; raises StoreDownError, BadKeyError or OSError.

    Workers are counted from 0; each has the port of its own for figures that follows from its number.
    """
    listeners, aside = [listener], settings.metrics_listen
    if aside is not None:
        listeners.append(listen(replace(aside, port=aside.port + worker)))
    loop_factory = None
    if _has("uvloop"):
        import uvloop

        loop_factory = uvloop.new_event_loop
    undo = logs.setup(sys.stderr, settings.log_level.upper())
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_serve(settings, listeners, ready))
    finally:
        undo()
