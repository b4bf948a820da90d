"""The same as `connections`, where httptools reads; it bounds nothing, so sizes are counted here too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from obdesk.relay.server import problems
from obdesk.relay.server.connections import Guarded, HeadTooLargeError, is_answering
from obdesk.relay.server.middleware import queue

if TYPE_CHECKING:
    from starlette.types import Scope

_AROUND: Final = len(b": \r\n")
_FRAMING_MAX: Final = 4 * 1024
"""What may come between two parts of a body or after the last: lengths, and trailers that nobody reads."""
_QUEUE_MAX: Final = 16
"""So many requests of a connection may wait for the answer to the one before."""


class _TooManyError(Exception):
    """More requests wait than may."""


class GuardedHttpTools(Guarded, HttpToolsProtocol):
    """Connections read with httptools."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._is_in_head, self._is_in_body, self._has_grown = True, False, False
        self._framing = 0
        self._running: Any = None
        self._refusal = problems.NOT_HTTP

    def connection_lost(self, exc: Exception | None) -> None:
        """Override asyncio.Protocol.connection_lost; the server tells only the request that came last."""
        if is_answering(self._running):
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Override asyncio.Protocol.data_received."""
        self._has_grown = False
        super().data_received(data)
        if self.transport.is_closing():
            return
        # What was answered before it had come has no longer to come than the head of a request.
        if self._is_in_head or not is_answering(self.cycle):
            self._head.expect()
        try:
            self._count(len(data))
        except HeadTooLargeError:
            self._refuse(problems.HEAD_TOO_LARGE)

    def _count(self, size: int) -> None:
        if self._is_in_head:
            self._head.grow(size)
        elif self._is_in_body and not self._has_grown:
            self._framing += size
            if self._framing > _FRAMING_MAX:
                raise HeadTooLargeError

    def on_message_begin(self) -> None:
        """Override HttpToolsProtocol.on_message_begin."""
        super().on_message_begin()
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        """Override HttpToolsProtocol.on_headers_complete."""
        self._is_in_head, self._is_in_body = False, True
        # All of it may have come at once, before anything was counted.
        size = len(self.url) + sum(len(name) + len(value) + _AROUND for name, value in self.headers)
        self._head.done()
        try:
            self._head.grow(size)
        except HeadTooLargeError:
            # The parser turns what is raised in it into an error of its own, which ends in a refusal.
            self._refusal = problems.HEAD_TOO_LARGE
            raise
        finally:
            self._head.done()
        if len(self.pipeline) >= _QUEUE_MAX:
            raise _TooManyError
        super().on_headers_complete()
        # The application has these; a trailer must not be added to them, and few are kept at all.
        self.headers = []
        if self.pipeline:
            queue(cast("Scope", self.scope))

    def on_body(self, body: bytes) -> None:
        """Override HttpToolsProtocol.on_body."""
        self._framing, self._has_grown = 0, True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Override HttpToolsProtocol.on_message_complete."""
        self._framing, self._is_in_body = 0, False
        super().on_message_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _awaits_head(self) -> bool:
        return self._is_in_head

    def send_400_response(self, msg: str) -> None:
        """Override HttpToolsProtocol.send_400_response."""
        del msg
        self._refuse(self._refusal)
