"""Connections that nobody holds without using them: how long and how large the head of a request may be.

The server bounds neither where it reads with httptools, and not the time where it reads with h11. Nor does it
wait for an end of what it has answered already. What it refuses by itself becomes a problem document here, as
all other refusals are.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from obdesk.relay.server import problems
from obdesk.relay.server.middleware import queue

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from starlette.responses import Response

    from obdesk.relay.server.settings import Settings

# Whoever sends nonsense must not fill the log.
QUIET: Final = logging.getLogger("uvicorn.error.connections")
QUIET.setLevel(logging.ERROR)


class HeadTooLargeError(Exception):
    """The head of a request is larger than allowed."""


def is_answering(cycle: Any) -> bool:
    """Tell whether a request of a connection is being answered; the server says None for none so far."""
    return cycle is not None and not cycle.response_complete


class Head:
    """The head of a request on its way, with its deadline."""

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop, late: Callable[[], None]) -> None:
        self._bytes_max = settings.head_kib * 1024
        self._time_s = settings.head_s
        self._loop, self._late = loop, late
        self._timer: asyncio.TimerHandle | None = None
        self._size = 0

    def expect(self) -> None:
        """Let the time run, unless it does."""
        if self._timer is None:
            self._timer = self._loop.call_later(self._time_s, self._late)

    def grow(self, size: int) -> None:
        """Count so many bytes more; raises HeadTooLargeError."""
        self._size += size
        if self._size > self._bytes_max:
            raise HeadTooLargeError

    def done(self) -> None:
        """Stop the time: the head is whole, or the connection over."""
        self._size = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def written(answer: Response) -> bytes:
    """Return a refusal as it goes over the wire."""
    status = f"HTTP/1.1 {answer.status_code} \r\n".encode()
    lines = [b"%s: %s\r\n" % (name, value) for name, value in answer.raw_headers]
    return b"".join([status, *lines, b"connection: close\r\n\r\n", bytes(answer.body)])


class Guarded(ABC):
    """What is the same however heads are read; goes before the server's protocol among the bases."""

    transport: asyncio.Transport
    connections: set[Any]
    cycle: Any

    def __init__(self, *, settings: Settings, **given: Any) -> None:
        super().__init__(**given)
        self.logger = QUIET
        self._connections_max = settings.connections
        self._head = Head(settings, cast("Any", self).loop, self._is_late)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Override asyncio.Protocol.connection_made."""
        if len(self.connections) >= self._connections_max:
            cast("asyncio.Transport", transport).abort()
        cast("Any", super()).connection_made(transport)
        self._head.expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Override asyncio.Protocol.connection_lost."""
        self._head.done()
        cast("Any", super()).connection_lost(exc)

    @abstractmethod
    def _awaits_head(self) -> bool:
        """Tell whether the head of a request is on its way, or none has come at all."""

    def _is_late(self) -> None:
        if self._awaits_head():
            self._refuse(problems.HEAD_TOO_SLOW)
        elif not self.transport.is_closing():
            # It had its answer, and what has come since is the rest of that request or nothing at all.
            self.transport.close()

    def _refuse(self, answer: Response) -> None:
        if not self.transport.is_closing():
            if not is_answering(self.cycle):
                self.transport.write(written(answer))
            self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:  # noqa: B027 - it tells nothing
        """Override the server's: the request is answered as any other."""


class GuardedH11(Guarded, H11Protocol):
    """Connections read with h11, which bounds the size of a head itself, and reads no further than one."""

    def data_received(self, data: bytes) -> None:
        """Override asyncio.Protocol.data_received."""
        super().data_received(data)
        is_first = cast("Any", self.cycle) is None
        begun = self.conn.their_state is h11.IDLE and (is_first or bool(self.conn.trailing_data[0]))
        if self.transport.is_closing() or (is_answering(self.cycle) and not begun):
            self._head.done()
        else:
            self._head.expect()

    def on_response_complete(self) -> None:
        """Override H11Protocol.on_response_complete."""
        super().on_response_complete()
        if is_answering(self.cycle):
            queue(cast("Any", self.scope))

    def _awaits_head(self) -> bool:
        return self.conn.their_state is h11.IDLE

    def send_400_response(self, msg: str) -> None:
        """Override H11Protocol.send_400_response."""
        del msg
        self._refuse(problems.NOT_HTTP)
