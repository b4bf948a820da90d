"""The same as `connections`, where httptools reads; it bounds nothing, so the size is counted here too."""

from __future__ import annotations

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from obdesk.relay.server import problems
from obdesk.relay.server.connections import Guarded, HeadTooLargeError

_AROUND: Final = len(b": \r\n")


class GuardedHttpTools(Guarded, HttpToolsProtocol):
    """Connections read with httptools."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._is_in_head = True
        self._refusal = problems.NOT_HTTP

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

    def send_400_response(self, msg: str) -> None:
        """Override HttpToolsProtocol.send_400_response."""
        del msg
        self._refuse(self._refusal)
