"""How the relay talks to Redis: operations of many requests in one message, and none done twice by itself.

Nothing is sent again after a failure: whoever asked is told that the store is down, and asks again.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from contextlib import suppress
from hashlib import sha1
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias

from redis.asyncio.connection import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import (
    TimeoutError as NoAnswerError,
)

from obdesk.relay.server.keys import new_id
from obdesk.relay.server.redis_seen import Seen
from obdesk.relay.server.store import MAILBOX_MAX, StoreDownError, StoreRefusedError
from obdesk.relay.server.tasks import Tasks

if TYPE_CHECKING:
    from pathlib import Path

Argument: TypeAlias = bytes | str | int
PURGED_AT_ONCE: Final = 500
"""So much is purged in one operation: Redis does nothing else meanwhile."""
_KEY: Final = "{obdesk-relay}:epoch"
_TOGETHER_MAX: Final = 128
_LINKS: Final = 2
"""While one waits for Redis to flush its log, the other gathers what comes in."""
_PATIENCE_S: Final = 5.0
_NOTHING: Final = 0xFFFFFFFF
_STATE: Final = re.compile(r"[A-Z]{4,} |The user executing the script can't run this command")
_DEMANDS: Final = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
}
"""With any other setting Redis may forget what it has confirmed."""


class Wire(Protocol):
    """What is used of a connection of redis.asyncio, with its types."""

    @property
    def is_connected(self) -> bool:
        """Tell whether it was opened and not closed."""
        ...

    async def connect(self) -> None:
        """Open it."""
        ...

    async def on_connect(self) -> None:
        """Say who is there and choose the database, as the address has it."""
        ...

    async def disconnect(self, *, nowait: bool = False) -> None:
        """Close it, with or without waiting for the other side."""
        ...

    async def can_read(self) -> bool:
        """Tell whether something came, or it ended."""
        ...

    async def send_packed_command(self, command: list[bytes]) -> None:
        """Send what was packed."""
        ...

    async def send_command(self, *args: Argument) -> None:
        """Send one command."""
        ...

    async def read_response(self, *, disconnect_on_error: bool = True) -> Any:
        """Return one answer; raises what Redis says went wrong, or that it said nothing in time."""
        ...


def _script() -> bytes:
    text = files("obdesk.relay.server").joinpath("store.lua").read_text("utf-8")
    for name, value in (("MAILBOX_MAX", MAILBOX_MAX), ("PURGED_AT_ONCE", PURGED_AT_ONCE)):
        text = text.replace(f"@{name}@", str(value))
    return text.encode()


_SENTENCES: Final[tuple[tuple[type[RedisError], str], ...]] = (
    (BusyLoadingError, "Redis is starting"),
    (AuthenticationError, "Redis does not let the relay in: look at the user and the password"),
    (AuthorizationError, "Redis does not let the relay in: look at the user and the password"),
    (NoAnswerError, "Redis does not answer in time"),
    (OutOfMemoryError, "Redis has no memory left (maxmemory)"),
    (ReadOnlyError, "Redis may not be written: this is a replica"),
    (NoScriptError, "Redis was told to forget its scripts"),
    (ResponseError, "Redis refuses what the relay asks for: look at the rights of the relay's user"),
)
"""What tells the operator why the store is down; the first that fits."""


def down(error: Exception) -> StoreDownError:
    """Return why the store is down, as a sentence for the operator."""
    if isinstance(error, StoreDownError):
        return error
    # While it connects, redis.asyncio may wrap what went wrong into a more general error.
    shown = (error.__cause__, error)
    found = (sentence for each in shown for kind, sentence in _SENTENCES if isinstance(each, kind))
    return StoreDownError(next(found, "Redis cannot be reached"))


def _is_about_redis(error: ResponseError) -> bool:
    """Tell an answer about the state or the settings of Redis from one about a mistake of ours."""
    return type(error) is not ResponseError or _STATE.match(str(error)) is not None


def _packed(command: tuple[Argument, ...]) -> bytes:
    """Return a command as it is sent; redis.asyncio can do this, and takes five times as long."""
    parts = [b"*%d\r\n" % len(command)]
    for argument in command:
        raw = argument if isinstance(argument, bytes) else str(argument).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


def _values(answer: bytes) -> list[bytes | None]:
    """Return what store.lua packed."""
    values: list[bytes | None] = []
    at = 0
    while at < len(answer):
        size = int.from_bytes(answer[at : at + 4], "big")
        at += 4
        if size == _NOTHING:
            values.append(None)
        else:
            values.append(answer[at : at + size])
            at += size
    return values


class _Asked(NamedTuple):
    command: bytes
    future: asyncio.Future[bytes]

    def answer(self, result: bytes | Exception) -> None:
        if self.future.done():
            return  # nobody waits any more
        if isinstance(result, Exception):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


class Link:
    """Connections to one Redis, made anew when they end, and the operations that go through them."""

    def __init__(self, url: str, folder: Path | None = None, *, beside: bool = False) -> None:
        """`folder` and `beside` are as in `redis.open_store`.

        Raises StoreRefusedError for what is no address of a Redis.
        """
        try:
            self._pool = ConnectionPool.from_url(
                url,
                protocol=2,
                retry=Retry(NoBackoff(), 0),
                socket_timeout=_PATIENCE_S,
                socket_connect_timeout=_PATIENCE_S,
                redis_connect_func=self._prepare,
            )
        except ValueError as error:
            raise StoreRefusedError("this is no address of a Redis") from error
        self._script = _script()
        # How Redis names a script; nothing is kept secret by it.
        self._script_name = sha1(self._script, usedforsecurity=False).hexdigest()
        self._asked: deque[_Asked] = deque()
        self._something_asked = asyncio.Event()
        self._seen = Seen(url, folder, writes=not beside)
        self._tasks = Tasks()
        for _ in range(_LINKS):
            self._tasks.start(self._serve())

    async def call(self, operation: str, *arguments: Argument) -> list[bytes | None]:
        """Do an operation of store.lua and return the values it returns; raises StoreDownError."""
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        head = ("EVALSHA", self._script_name, 1, _KEY, operation, self._seen.commits, new_id())
        self._asked.append(_Asked(_packed((*head, *arguments)), future))
        self._something_asked.set()
        commits, *values = _values(await future)
        assert commits is not None, "store.lua returns it first"
        self._seen.see(int(commits))
        return values

    def connection(self) -> Wire:
        """Return a connection of its own, not open yet."""
        wire: Wire = self._pool.make_connection()  # type: ignore[no-untyped-call]
        return wire

    async def shorten(self) -> None:
        """Have Redis write its log anew, without what was deleted; where it refuses, its own rules hold."""
        connection = self.connection()
        try:
            await connection.connect()
            await connection.send_command("BGREWRITEAOF")
            await connection.read_response()
        except (RedisError, OSError, StoreDownError):
            pass
        finally:
            await _close(connection)

    async def close(self) -> None:
        """Let go of Redis; what is asked and not answered fails."""
        await self._tasks.close()
        _answer_all(self._asked, StoreDownError("the relay ends"))
        self._seen.close()

    async def _prepare(self, connection: Wire) -> None:
        """Refuse a Redis that forgets, and teach it what the relay does; on each new connection."""
        await connection.on_connect()
        for name, demanded in _DEMANDS.items():
            await connection.send_command("CONFIG", "GET", name)
            try:
                _, kept = await connection.read_response()
            except ResponseError as error:
                raise StoreRefusedError(
                    "Redis does not tell how it keeps what it confirms: let the relay's user run CONFIG GET"
                ) from error
            if kept.decode() != demanded:
                raise StoreRefusedError(
                    f"Redis would forget what it has confirmed: set {name} {demanded} in its configuration"
                )
        await connection.send_command("SCRIPT", "LOAD", self._script)
        await connection.read_response()

    async def _serve(self) -> None:
        connection = self.connection()
        try:
            while True:
                await self._something_asked.wait()
                together = self._together()
                if together:
                    await self._done(connection, together)
        finally:
            await connection.disconnect(nowait=True)

    def _together(self) -> list[_Asked]:
        some = [self._asked.popleft() for _ in range(min(_TOGETHER_MAX, len(self._asked)))]
        if not self._asked:
            self._something_asked.clear()
        return [asked for asked in some if not asked.future.done()]

    async def _done(self, connection: Wire, together: list[_Asked]) -> None:
        waiting = deque(together)
        try:
            await _open(connection)
            await connection.send_packed_command([asked.command for asked in together])
            while waiting:
                answer = await _answer(connection)
                waiting.popleft().answer(answer)
        except (RedisError, OSError, StoreDownError) as error:
            _answer_all(waiting, down(error))
            await _close(connection)
        except Exception as error:  # noqa: BLE001 - a mistake of ours, told to those who wait for it
            _answer_all(waiting, error)
            await _close(connection)
        finally:
            _answer_all(waiting, StoreDownError("the relay ends"))


async def _open(connection: Wire) -> None:
    """Connect, also where Redis has ended the connection since it was used last."""
    if connection.is_connected:
        try:
            if not await connection.can_read():
                return
        except (RedisError, OSError):
            pass
        await _close(connection)
    await connection.connect()


async def _close(connection: Wire) -> None:
    with suppress(RedisError, OSError):
        await connection.disconnect(nowait=True)


async def _answer(connection: Wire) -> bytes | Exception:
    """Return what an operation returned or why it was not done; raises where the connection is at its end."""
    try:
        answer: bytes = await connection.read_response()
        return answer
    except NoScriptError:
        raise  # the next connection brings the script with it
    except ResponseError as error:
        return down(error) if _is_about_redis(error) else error


def _answer_all(asked: deque[_Asked], error: Exception) -> None:
    while asked:
        asked.popleft().answer(error)
