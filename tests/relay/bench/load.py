"""A sender that is faster than what it sends to: prepared requests over a few connections, each in turn."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


@dataclass
class Taken:
    """What became of some requests."""

    statuses: dict[int, int] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def rate(self) -> float:
        """How many were answered in a second."""
        return len(self.latencies_s) / self.took_s


class Sender(asyncio.Protocol):
    """One connection: sends a request, waits for its answer, sends the next."""

    def __init__(self, requests: Iterator[bytes], taken: Taken, done: asyncio.Future[None]) -> None:
        self._requests, self._taken, self._done = requests, taken, done
        self._transport: asyncio.WriteTransport | None = None
        self._answer = b""
        self._sent_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Override asyncio.Protocol.connection_made."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        """Override asyncio.Protocol.data_received."""
        self._answer += data
        head, found, body = self._answer.partition(_HEAD_END)
        if not found:
            return
        told = head.lower().partition(_LENGTH)[2].partition(b"\r")[0]
        if len(body) < int(told or b"0"):
            return
        status = int(head[9:12])
        self._taken.statuses[status] = self._taken.statuses.get(status, 0) + 1
        self._taken.latencies_s.append(time.perf_counter() - self._sent_s)
        self._answer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """Override asyncio.Protocol.connection_lost."""
        if not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server hung up"))

    def _next(self) -> None:
        assert self._transport is not None
        request = next(self._requests, None)
        if request is None:
            if not self._done.done():
                self._done.set_result(None)
            self._transport.close()
            return
        self._sent_s = time.perf_counter()
        self._transport.write(request)


async def send(port: int, requests: Iterator[bytes], connections: int) -> Taken:
    """Send all requests over some connections."""
    loop = asyncio.get_running_loop()
    taken = Taken()
    ends = [loop.create_future() for _ in range(connections)]
    began_s = time.perf_counter()
    for done in ends:
        await loop.create_connection(partial(Sender, requests, taken, done), "127.0.0.1", port)
    await asyncio.gather(*ends)
    taken.took_s = time.perf_counter() - began_s
    return taken
