"""The same as `connections`, where httptools reads; it bounds nothing, so the size is counted here too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from obdesk.relay.server import problems
from obdesk.relay.server.connections import QUIET, Head, HeadTooLargeError, is_answering, written

if TYPE_CHECKING:
    import asyncio

    from starlette.responses import Response

    from obdesk.relay.server.settings import Settings

_AROUND: Final = len(b": \r\n")


class GuardedHttpTools(HttpToolsProtocol):
    """Connections read with httptools."""

    def __init__(self, *, settings: Settings, **given: Any) -> None:
        super().__init__(**given)
        self.logger = QUIET
        self._connections_max = settings.connections
        self._head = Head(settings, self.loop, self._is_late)
        self._is_in_head = True
        self._refusal = problems.NOT_HTTP

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Override asyncio.Protocol.connection_made."""
        if len(self.connections) >= self._connections_max:
            transport.abort()
        super().connection_made(transport)
        self._head.expect()

    def data_received(self, data: bytes) -> None:
        """Override asyncio.Protocol.data_received."""
        super().data_received(data)
        if self.transport.is_closing() or not self._is_in_head:
            return
        self._head.expect()
        try:
            self._head.grow(len(data))
        except HeadTooLargeError:
            self._refuse(problems.HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Override HttpToolsProtocol.on_message_begin."""
        super().on_message_begin()
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        """Override HttpToolsProtocol.on_headers_complete."""
        self._is_in_head = False
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
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Override asyncio.Protocol.connection_lost."""
        self._head.done()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Override HttpToolsProtocol.send_400_response."""
        del msg
        self._refuse(self._refusal)

    def _is_late(self) -> None:
        self._refuse(problems.HEAD_TOO_SLOW)

    def _refuse(self, answer: Response) -> None:
        if not self.transport.is_closing():
            if not is_answering(self.cycle):
                self.transport.write(written(answer))
            self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Override HttpToolsProtocol's: the request is answered as any other."""
