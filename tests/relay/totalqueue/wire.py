"""A client of HTTP/1.1 over a socket file: one connection, one request at a time, nothing else."""

from __future__ import annotations

import asyncio
from typing import NamedTuple


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    body: bytes


class BrokenError(Exception):
    """No answer came: whether the request was done is not known."""


class Wire:
    """A connection that is made again whenever it broke."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, target: str, headers: str = "", body: bytes = b"") -> Answer:
        """Send a request; raises BrokenError where no answer came."""
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: relay.test\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        )
        try:
            if self._ends is None:
                self._ends = await asyncio.open_unix_connection(self._path)
            reader, writer = self._ends
            writer.write(head.encode() + body)
            return await self._answer(reader)
        except (OSError, EOFError, ValueError) as error:
            self.close()
            raise BrokenError from error

    @staticmethod
    async def _answer(reader: asyncio.StreamReader) -> Answer:
        lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        status = int(lines[0].split()[1])
        lengths = [line for line in lines if line.startswith(b"content-length:")]
        length = int(lengths[0].partition(b":")[2]) if lengths else 0
        return Answer(status, await reader.readexactly(length))

    def close(self) -> None:
        """Close it."""
        ends, self._ends = self._ends, None
        if ends is not None:
            ends[1].close()
