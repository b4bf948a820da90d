"""HTTP to the API: one pool, bounded in time, size and tries, with the bearer only where it belongs.

Nothing here knows what an answer means; errors.py does. Only GET and DELETE are ever sent twice: a POST
may make a billable user and a PUT makes the bank work.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import ssl
import zlib
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, assert_never

import httpx
import truststore

from obdesk.domain.outcomes import RetryLater
from obdesk.providers import counting
from obdesk.providers.powens.errors import (
    AnswerTooLargeError,
    AnswerTooSlowError,
    Reply,
    UnknownEncodingError,
    date_of,
    reply_of_exception,
    reply_of_response,
)
from obdesk.providers.powens.quiet import quieten_http_logs

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from obdesk.domain.clock import Clock
    from obdesk.providers.base import Pace
    from obdesk.providers.powens.settings import PowensSettings

_log = logging.getLogger(__name__)
CLOCK_TOLERANCE = timedelta(minutes=5)


class CallKind(Enum):
    """How long an answer may take."""

    READ = "read"
    BANK = "bank"
    """The API asks the bank before it answers, which takes minutes."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long nothing may arrive, and how long one request may take in all: a slow drip ends too."""

    silence_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may cost at most; tests lower the figures."""

    read: Patience = Patience(silence_s=30.0, total_s=60.0)
    bank: Patience = Patience(silence_s=300.0, total_s=330.0)
    connect_s: float = 10.0
    tries: int = 4
    call_s: float = 150.0
    """How long all tries of a call may take together."""
    backoff_s: float = 0.5
    backoff_max_s: float = 20.0
    wait_max_s: float = 60.0
    """What a Retry-After may make us wait inside a call; a longer wish goes back to who asked."""
    rate_after_s: float = 10.0
    rate_min_bytes_s: int = 1_024
    """What a body must bring on average once it has taken longer than that: a drip never looks silent."""
    wire_bytes: int = 16 * 2**20
    decoded_bytes: int = 64 * 2**20

    def patience(self, kind: CallKind) -> Patience:
        """Return the patience with one kind of call."""
        match kind:
            case CallKind.READ:
                return self.read
            case CallKind.BANK:
                return self.bank
            case _:
                assert_never(kind)


_REPEATABLE = frozenset({"GET", "DELETE"})
_FAILURES = (
    httpx.HTTPError,
    httpx.InvalidURL,
    TimeoutError,
    AnswerTooLargeError,
    AnswerTooSlowError,
    UnknownEncodingError,
)


class Client:
    """Sends requests to one API and counts them."""

    def __init__(
        self,
        settings: PowensSettings,
        *,
        clock: Clock,
        rng: random.Random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        transport: httpx.AsyncBaseTransport | None = None,
        limits: Limits | None = None,
        pace: Pace | None = None,
    ) -> None:
        quieten_http_logs()
        self._root = settings.api_url
        self._clock = clock
        self._rng = rng
        self._sleep = sleep
        self._limits = limits or Limits()
        self._pace = pace
        self.requests = 0
        self.clock_behind = timedelta(0)
        self._http = httpx.AsyncClient(
            verify=_tls(),
            http2=importlib.util.find_spec("h2") is not None,
            follow_redirects=False,
            # A proxy of the environment is for the outside; it must not be asked for this machine.
            trust_env=not settings.is_loopback,
            transport=transport,
            limits=httpx.Limits(max_connections=8, max_keepalive_connections=8, keepalive_expiry=30.0),
            headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
        )

    async def send(
        self,
        method: str,
        address: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        bearer: str | None = None,
        kind: CallKind = CallKind.READ,
    ) -> Reply:
        """Send a request and return what became of it, after a few tries where that is harmless.

        `address` is a path below the root, or a whole address that was checked to lie below it.
        """
        url = address if "://" in address else f"{self._root}{address}"
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else None
        started_s = self._clock.monotonic_s()
        tries = 1
        while True:
            if self._pace is not None:
                await self._pace.turn()
            self.requests += 1
            counting.sent_one()
            try:
                reply = await self._send_once(
                    method,
                    url,
                    params=params,
                    json=body,
                    headers=headers,
                    patience=self._limits.patience(kind),
                )
            except _FAILURES as error:
                reply = reply_of_exception(error)
            wait_s = self._wait_s(method, reply, tries, self._clock.monotonic_s() - started_s)
            if wait_s is None:
                return reply
            _log.debug("%s: no use of answer %d; once more in %.1f s", method, reply.status, wait_s)
            await self._sleep(wait_s)
            tries += 1

    async def _send_once(self, method: str, url: str, *, patience: Patience, **content: Any) -> Reply:
        timeout = httpx.Timeout(patience.silence_s, connect=self._limits.connect_s)
        async with (
            asyncio.timeout(patience.total_s),
            self._http.stream(method, url, timeout=timeout, **content) as response,
        ):
            body = await self._read(response)
        now = self._told_time(response.headers)
        return reply_of_response(response.status_code, response.headers, body, now)

    def _told_time(self, headers: httpx.Headers) -> datetime:
        """Return the provider's time, and remember how far ours is behind; a little is only the way."""
        now = self._clock.now()
        told = date_of(headers.get("date"))
        if told is None:
            return now + self.clock_behind
        behind = told - now
        self.clock_behind = behind if abs(behind) > CLOCK_TOLERANCE else timedelta(0)
        return now + self.clock_behind

    async def _read(self, response: httpx.Response) -> bytes:
        """Return the body, never holding more than the limits allow.

        The unpacking is our own because a library's would unfold a small bomb whole before it is counted.
        """
        packing = response.headers.get("content-encoding", "identity").strip().lower()
        if packing not in {"identity", "gzip", "x-gzip", ""}:
            raise UnknownEncodingError
        plain = packing in {"identity", ""}
        limits = self._limits
        unpacker = _Plain() if plain else _Gunzip(limits.decoded_bytes)
        arrived = 0
        # The loop's time, not the program's clock: bytes arrive in real time whatever a test says it is.
        time_s = asyncio.get_running_loop().time
        begun_s = time_s()
        parts: list[bytes] = []
        async for chunk in response.aiter_raw():
            arrived += len(chunk)
            if arrived > limits.wire_bytes:
                raise AnswerTooLargeError
            spent_s = time_s() - begun_s
            if spent_s > limits.rate_after_s and arrived < spent_s * limits.rate_min_bytes_s:
                raise AnswerTooSlowError
            parts.append(unpacker.feed(chunk))
        if arrived:
            unpacker.finish()
        return b"".join(parts)

    def _wait_s(self, method: str, reply: Reply, tries: int, spent_s: float) -> float | None:
        """Return how long to wait before the next try, or None when there is none.

        Full jitter, so that many programs that failed together do not come back together.
        """
        limits = self._limits
        if not reply.may_repeat or method not in _REPEATABLE or tries >= limits.tries:
            return None
        wished_s = reply.failure.after_s if isinstance(reply.failure, RetryLater) else None
        if wished_s is None:
            wished_s = self._rng.uniform(0.0, min(limits.backoff_max_s, limits.backoff_s * 2**tries))
        elif wished_s > limits.wait_max_s:
            return None
        return wished_s if spent_s + wished_s <= limits.call_s else None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()


class _Plain:
    def feed(self, chunk: bytes) -> bytes:
        return chunk

    def finish(self) -> None:
        pass


class _Gunzip:
    """Unpacks gzip and stops at a limit, however small the bomb is on the wire."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._stream = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def feed(self, chunk: bytes) -> bytes:
        try:
            # One byte more than allowed tells a body that just fits from one that does not.
            plain = self._stream.decompress(chunk, self._left + 1)
        except zlib.error:
            raise UnknownEncodingError from None
        self._left -= len(plain)
        if self._left < 0:
            raise AnswerTooLargeError
        return plain

    def finish(self) -> None:
        if not self._stream.eof or self._stream.unused_data:
            raise UnknownEncodingError


def _tls() -> ssl.SSLContext:
    """Return TLS 1.2 or better with the certificates the system trusts, a company's own included."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
