"""The way back from the person's own browser: a listener on this computer for one answer (RFC 8252, 7.3).

Powens compares redirect addresses exactly, port included, so three ports are registered and tried in
order. The listener hears 127.0.0.1 only, knows one path, takes one answer whose `state` is right, and is
gone after that or after five minutes. Requests are parsed by h11, the parser under httpx and uvicorn,
because a hand-written one is where such listeners go wrong; a whole web server would be more than one
answer needs.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import html
import logging
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import h11

from obdesk.domain.errors import Action, AppError
from obdesk.domain.texts import language, tr

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

PORTS = (47611, 47612, 47613)
PATH = "/callback"
WAIT_S = 300.0
_REQUEST_S = 5.0
_REQUEST_BYTES_MAX = 8_192
_CLIENTS_MAX = 16

_log = logging.getLogger(__name__)

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;"
    "background:#f7f7f5;color:#1c1c1a}main{max-width:26em;padding:2em}h1{font-size:1.4em;margin:0 0 .4em}"
    "p{margin:0;color:#5b5a55}@media(prefers-color-scheme:dark){body{background:#151514;color:#edece8}"
    "p{color:#aaa8a0}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


class PortsTakenError(AppError):
    """None of the registered ports is free."""

    def __init__(self, ports: Sequence[int]) -> None:
        super().__init__(
            title=tr("Your browser has no way back to obdesk"),
            cause=tr(
                "Other programs on this computer use the ports {ports}.",
                ports=", ".join(str(port) for port in ports),
            ),
            next_step=tr("Close the program that uses them, or link the bank inside the window."),
            action=Action.RETRY,
        )


class Loopback:
    """A listener for one answer of the browser."""

    def __init__(self, listening: socket.socket) -> None:
        self._socket = listening
        self._port: int = listening.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._state: str | None = None
        self._answer: asyncio.Future[str] | None = None
        self._used = False
        self._clients: set[asyncio.StreamWriter] = set()
        self._nobody = asyncio.Event()

    @property
    def redirect_uri(self) -> str:
        """The address to hand to `begin_link`; one of the three that are registered."""
        return f"http://127.0.0.1:{self._port}{PATH}"

    async def start(self) -> None:
        """Begin to listen; every request is refused until `wait` says which answer is right."""
        self._server = await asyncio.start_server(self._serve, sock=self._socket)

    async def wait(self, state: str, timeout_s: float = WAIT_S) -> str | None:
        """Return the address the browser came back to, or None when it did not come in time.

        An answer with another `state` gets a page that says so and changes nothing. The port is closed
        when this returns.
        """
        assert self._state is None, "one listener takes one answer"
        self._state = state
        self._answer = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                return await self._answer
        except TimeoutError:
            return None
        finally:
            self.close()

    def close(self) -> None:
        """Stop listening; what is being answered is answered to the end."""
        if self._server is not None:
            self._server.close()

    async def hang_up(self) -> None:
        """Stop listening and let go of everybody who is still connected."""
        self.close()
        while self._clients:
            for writer in self._clients:
                writer.transport.abort()
            self._nobody.clear()
            await self._nobody.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            if len(self._clients) <= _CLIENTS_MAX:
                async with asyncio.timeout(_REQUEST_S):
                    await self._converse(reader, writer)
        except (TimeoutError, OSError):
            _log.info("a request to the callback listener was dropped")
        finally:
            self._clients.discard(writer)
            writer.close()
            if not self._clients:
                self._nobody.set()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=_REQUEST_BYTES_MAX)
        request = await read_request(http, reader)
        accepted = None if request is None else self._judge(request)
        status, page = (200, _thanks(accepted)) if accepted else (400, _refusal())
        if http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headless = request is not None and request.method == b"HEAD"
            writer.write(_response(http, status, b"" if headless else page))
            await writer.drain()
        if accepted and self._answer is not None and not self._answer.done():
            self._answer.set_result(accepted)

    def _judge(self, request: h11.Request) -> str | None:
        """Return the whole address when this is the one answer that is waited for."""
        headers = dict(request.headers)
        if request.method != b"GET" or headers.get(b"host") != f"127.0.0.1:{self._port}".encode():
            return None
        # A browser names what it fetches for: pictures and frames of other sites are no answers.
        if headers.get(b"sec-fetch-dest", b"document") != b"document":
            return None
        target = urlsplit(request.target.decode("ascii", "replace"))
        if target.scheme or target.netloc or target.path != PATH:
            return None
        try:
            states = parse_qs(target.query, strict_parsing=True, max_num_fields=32).get("state", [])
        except ValueError:
            return None
        if self._state is None or self._used or len(states) != 1:
            return None
        if not hmac.compare_digest(states[0].encode(), self._state.encode()):
            _log.info("an answer with another state was refused")
            return None
        self._used = True
        return f"{self.redirect_uri}?{target.query}"


@asynccontextmanager
async def listening(ports: Sequence[int] = PORTS) -> AsyncIterator[Loopback]:
    """Listen on the first free port of `ports`; raise PortsTakenError when none is."""
    loopback = Loopback(_bind(ports))
    try:
        await loopback.start()
        yield loopback
    finally:
        await loopback.hang_up()


def _bind(ports: Sequence[int]) -> socket.socket:
    for port in ports:
        candidate = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
            if exclusive is not None:  # on Windows another program could share the port otherwise
                candidate.setsockopt(socket.SOL_SOCKET, exclusive, 1)
            else:
                candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            candidate.bind(("127.0.0.1", port))
            candidate.listen(_CLIENTS_MAX)
        except OSError:
            candidate.close()
            continue
        candidate.setblocking(False)
        return candidate
    raise PortsTakenError(ports)


async def read_request(http: h11.Connection, reader: asyncio.StreamReader) -> h11.Request | None:
    """Return the head of a small request, or None where it is none."""
    received = 0
    try:
        while received <= _REQUEST_BYTES_MAX:
            event = http.next_event()
            if event is not h11.NEED_DATA:
                return event if isinstance(event, h11.Request) else None
            data = await reader.read(_REQUEST_BYTES_MAX)
            received += len(data)
            http.receive_data(data)
    except h11.RemoteProtocolError:
        return None
    return None


def _response(http: h11.Connection, status: int, page: bytes) -> bytes:
    policy = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(page))),
        ("Content-Security-Policy", policy),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("Connection", "close"),
    ]
    parts = [
        http.send(h11.Response(status_code=status, headers=headers)),
        http.send(h11.Data(data=page)),
        http.send(h11.EndOfMessage()),
    ]
    return b"".join(part for part in parts if part)


def _thanks(address: str) -> bytes:
    if "error" in parse_qs(urlsplit(address).query):
        return _page(tr("Nothing was linked"), tr("You can close this tab and go on in obdesk."))
    return _page(
        tr("You can close this tab"), tr("obdesk has heard from your bank and reads your accounts now.")
    )


def _refusal() -> bytes:
    return _page(
        tr("This is not the answer obdesk waits for"),
        tr("Nothing was linked. Go back to obdesk and start again from there."),
    )


def _page(title: str, sentence: str) -> bytes:
    head = (
        f'<!doctype html><html lang="{language()}"><meta charset="utf-8"><title>{html.escape(title)}</title>'
    )
    body = f"<main><h1>{html.escape(title)}</h1><p>{html.escape(sentence)}</p></main></html>"
    return f"{head}<style>{_STYLE}</style>{body}".encode()
