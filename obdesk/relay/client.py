"""The desktop's side of HTTP to a relay: bounded in time and size, and every answer one of a closed set.

Nothing is ever sent twice by itself: whoever asks decides about another try. Whatever a relay says, it can
only make a desktop ask the aggregator, so nothing of an answer is believed beyond its shape.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import httpx
import msgspec
import truststore

from obdesk.domain.addresses import is_loopback, split
from obdesk.domain.errors import causes
from obdesk.domain.mailbox import Trouble
from obdesk.relay.protocol import (
    LIMIT_MAX,
    VERSION,
    WAIT_MAX_S,
    Ack,
    Cursor,
    Page,
    Paired,
    Pairing,
    UserToken,
    UserWish,
)
from obdesk.relay.quiet import quieten_http_logs

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
ANSWER_BYTES_MAX: Final = 256 * 1024
"""A full page of hints takes about a sixth of it."""
TICKET_LENGTH_MAX: Final = 512
"""Tokens, tickets and keys share one entry of a keyring, and those are small."""
TOKEN_LENGTH_MAX: Final = 4_096
RETRY_AFTER_MAX_S: Final = 3_600.0
_SILENCE_S: Final = 10.0
_TOTAL_S: Final = 20.0
"""How long an answer may take in all, beyond the time it was asked to wait: a drip of bytes ends too."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no answer, and when to come again where the relay said so."""

    trouble: Trouble
    after_s: float | None = None


_NO_RELAY: Final = Failed(Trouble.NOT_A_RELAY)


class _TooLargeError(Exception):
    """The answer passed the size limit while it was read."""


_FAILURES = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, _TooLargeError)


def usable_url(text: str) -> str | None:
    """Return a relay's address without a closing slash, None where it cannot be one.

    Only https, or http to this machine, is let through: a bearer goes with every request.
    """
    trimmed = text.strip().rstrip("/")
    parts = split(trimmed)
    if parts is None or not parts.hostname or any(character.isspace() for character in trimmed):
        return None
    if parts.username or parts.password or parts.query or parts.fragment:
        return None
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        return None
    return trimmed


class RelayClient:
    """Asks one relay; `url` has passed `usable_url`."""

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        quieten_http_logs()
        self._root = f"{url}/{VERSION}"
        parts = split(url)
        self._http = httpx.AsyncClient(
            verify=_tls(),
            follow_redirects=False,
            # A proxy of the environment is for the outside; it must not be asked for this machine.
            trust_env=parts is None or not is_loopback(parts.hostname or ""),
            transport=transport,
            limits=httpx.Limits(max_connections=4, max_keepalive_connections=2, keepalive_expiry=60.0),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        )

    async def pair(self, pairing: Pairing) -> Paired | Failed:
        """Become a device of the relay, or announce oneself again with a ticket."""
        answer = await self._send("POST", "/devices", token=None, body=pairing)
        return answer if isinstance(answer, Failed) else paired_in(answer)

    async def pull(self, token: str, after: str, *, wait_s: int, limit: int = LIMIT_MAX) -> Page | Failed:
        """Return what waits after a cursor; where nothing does, wait for it a while."""
        params = {"after": after, "limit": str(limit), "wait": str(min(wait_s, WAIT_MAX_S))}
        answer = await self._send("GET", "/mailbox/events", token=token, params=params, patience_s=wait_s)
        return answer if isinstance(answer, Failed) else page_in(answer)

    async def ack(self, token: str, upto: str) -> Failed | None:
        """Tell the relay that all up to a cursor is kept here; None: it knows."""
        return await self._tell("POST", "/mailbox/ack", token, Ack(upto))

    async def leave(self, token: str) -> Failed | None:
        """Have the relay forget this device with all that waits for it; None: it has."""
        return await self._tell("DELETE", "/devices/me", token, None)

    async def user(self, token: str, *, renew: bool) -> UserToken | Failed:
        """Have the operator make a user at the aggregator, or a new token for the one there is.

        Asked again blindly it may make another user, so nobody does.
        """
        answer = await self._send("POST", "/users", token=token, body=UserWish(renew=renew))
        if isinstance(answer, Failed):
            return answer
        return made_in(answer)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def _tell(self, method: str, path: str, token: str, body: msgspec.Struct | None) -> Failed | None:
        answer = await self._send(method, path, token=token, body=body)
        return answer if isinstance(answer, Failed) else None

    async def _send(
        self,
        method: str,
        path: str,
        *,
        token: str | None,
        body: msgspec.Struct | None = None,
        params: Mapping[str, str] | None = None,
        patience_s: float = 0.0,
    ) -> bytes | Failed:
        """Send one request and return the body of a good answer."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        content = None if body is None else msgspec.json.encode(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        timeout = httpx.Timeout(_SILENCE_S, read=_SILENCE_S + patience_s)
        try:
            async with (
                asyncio.timeout(_TOTAL_S + patience_s),
                self._http.stream(
                    method,
                    f"{self._root}{path}",
                    params=params,
                    content=content,
                    headers=headers,
                    timeout=timeout,
                ) as response,
            ):
                return _judged(response, await _read(response))
        except _FAILURES as error:
            return Failed(_trouble_of(error))


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise _TooLargeError
    return bytes(body)


def _judged(response: httpx.Response, body: bytes) -> bytes | Failed:
    """Return the body of a good answer, or what its status means.

    Only JSON is the relay's own word: a page of HTML comes from a proxy or a portal and decides nothing.
    """
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = kind == "application/json" or kind.endswith("+json")
    status = response.status_code
    after_s = _after_s(response.headers.get("retry-after"))
    packed = response.headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}
    if status == 429:
        return Failed(Trouble.BUSY, after_s)
    if status >= 500:
        return Failed(Trouble.DOWN, after_s)
    if status == 204 or (status < 300 and is_json and not packed):
        return body
    if status < 400 or not is_json:
        return Failed(Trouble.NOT_A_RELAY)
    return Failed(Trouble.UNKNOWN if status in {401, 404, 410} else Trouble.REFUSED)


def _after_s(value: str | None) -> float | None:
    """Return a wish of whole seconds, at most an hour; a date is no form that a relay uses."""
    text = "" if value is None else value.strip()
    if not (text.isascii() and text.isdigit()):
        return None
    return RETRY_AFTER_MAX_S if len(text) > 5 else min(max(float(text), 1.0), RETRY_AFTER_MAX_S)


def _trouble_of(error: BaseException) -> Trouble:
    match error:
        case _TooLargeError() | httpx.InvalidURL() | httpx.UnsupportedProtocol() | httpx.DecodingError():
            return Trouble.NOT_A_RELAY
        case httpx.ConnectError() if any(isinstance(each, ssl.SSLError) for each in causes(error)):
            return Trouble.UNTRUSTED
        case httpx.RemoteProtocolError() | httpx.ReadTimeout() | TimeoutError():
            # Connected, and then silence or nonsense: it is being restarted, or overwhelmed.
            return Trouble.DOWN
        case _:
            return Trouble.OFFLINE


def page_in(body: bytes) -> Page | Failed:
    """Return the page that an answer to a pull holds; what its seals hold shows when they are opened."""
    page = _decoded(body, Page)
    if page is None or len(page.entries) > LIMIT_MAX or Cursor.parse(page.cursor) is None:
        return _NO_RELAY
    return page


def paired_in(body: bytes) -> Paired | Failed:
    """Return what an answer to a pairing holds, if it can be kept and used."""
    paired = _decoded(body, Paired)
    if paired is None or Cursor.parse(paired.cursor) is None:
        return _NO_RELAY
    sound = _is_bearer(paired.token, TICKET_LENGTH_MAX) and _is_bearer(paired.ticket, TICKET_LENGTH_MAX)
    return paired if sound else _NO_RELAY


def made_in(body: bytes) -> UserToken | Failed:
    """Return what an answer of the broker holds, if it can be kept and used."""
    made = _decoded(body, UserToken)
    if made is None or not (made.user.isascii() and made.user.isdecimal() and len(made.user) <= 18):
        return _NO_RELAY
    sound = _is_bearer(made.token, TOKEN_LENGTH_MAX) and _is_bearer(made.ticket, TICKET_LENGTH_MAX)
    return made if sound else _NO_RELAY


def _decoded(body: bytes, shape: type[T]) -> T | None:
    try:
        return msgspec.json.decode(body, type=shape)
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        return None


def _is_bearer(text: str, length_max: int) -> bool:
    """Tell whether a text fits into one header."""
    return 0 < len(text) <= length_max and text.isascii() and text.isprintable() and " " not in text


def _tls() -> ssl.SSLContext:
    """Return TLS 1.2 or better with the certificates the system trusts, a company's own included."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
