"""A server on loopback that answers exactly what a test tells it to, byte for byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Mapping


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Return the path without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        """Return the query, value-less flags included."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


Writer: TypeAlias = asyncio.StreamWriter
Answer: TypeAlias = bytes | Callable[[Writer, asyncio.Event], Awaitable[None]]
"""Bytes to send as they are, or a function that does worse until the event says that the test is over."""
Script: TypeAlias = Callable[[Asked], Answer]


class ScriptedServer:
    """Answers each request with what its script returns, then closes the connection."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self.greeting = b""
        self.speak: Callable[[asyncio.StreamReader, Writer], Awaitable[None]] = self._speak_http1
        self.port = 0
        self.scheme = "http"
        self.over = asyncio.Event()
        self._writers: set[Writer] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def root(self) -> str:
        """Return the address of the API that this server plays."""
        return f"{self.scheme}://127.0.0.1:{self.port}/2.0"

    def count(self, method: str, end: str) -> int:
        """Return how many requests came to paths that end so."""
        return sum(asked.method == method and asked.path.endswith(end) for asked in self.asked)

    async def handle(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        """Serve one connection."""
        self._writers.add(writer)
        self._idle.clear()
        try:
            await self.speak(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client hung up, as it may
        finally:
            writer.close()
            self._writers.discard(writer)
            if not self._writers:
                self._idle.set()

    async def _speak_http1(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        writer.write(self.greeting)
        asked = await _read_request(reader)
        self.asked.append(asked)
        answer = self.script(asked)
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
        else:
            await answer(writer, self.over)

    async def idle(self) -> None:
        """Wait until nobody is being served any more."""
        await self._idle.wait()

    async def end(self) -> None:
        """Let everybody who is still being served go."""
        self.over.set()
        for writer in self._writers:
            writer.transport.abort()
        await self._idle.wait()


async def _read_request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body)


@asynccontextmanager
async def scripted(script: Script, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedServer]:
    """Serve a script on a free loopback port."""
    server = ScriptedServer(script)
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    server.scheme = "https" if tls else "http"
    try:
        yield server
    finally:
        listener.close()
        await server.end()


def answer(
    body: bytes = b"{}",
    *,
    status: int = 200,
    kind: str | None = "application/json",
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
) -> bytes:
    """Return a whole answer; `length` may lie about the body's."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body) if length is None else length}"]
    if kind is not None:
        lines.append(f"Content-Type: {kind}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += ["Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def answer_json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a value as an answer of the API."""
    return answer(json.dumps(value).encode(), status=status, headers=headers)


def error(code: str, status: int, **more: object) -> bytes:
    """Return an error answer of the API."""
    return answer_json({"code": code, "description": "for developers", "request_id": 42, **more}, status)


HTML = b"<!doctype html><title>Welcome to the hotel</title><p>Please log in to surf.</p>"


def html(status: int = 200) -> bytes:
    """Return a page that some other machine on the way would send."""
    return answer(HTML, status=status, kind="text/html; charset=utf-8")


def in_turn(*answers: Answer) -> Script:
    """Give the answers one after the other, the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]
