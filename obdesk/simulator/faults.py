"""Failures on demand, between the server and its caller.

`POST {control_url}/faults` takes a list of rules. A rule has a `route`, a regular expression searched in
`METHOD /path?query`, a `kind` and optionally `times` (how often it strikes, default once, null for
ever), `skip` (matching requests to let pass first), `probability` (drawn from the seed) and what the
kind needs.

Kinds that replace the answer: `rate_limited` (429; `retry_after` text or null), `server_error` (500
JSON), `unavailable` (503 HTML), `html` (200 HTML), `status` (`status`, `body`), `unauthorized` (401).

Kinds that spoil the bytes of the true answer: `truncate`, `reset` (the connection ends inside the body),
`drip` (`delay_s` between pieces), `bad_utf8`, `not_a_number`, `huge_number`, `nested` (100 000 levels),
`oversize` and `gzip_bomb` (`size_mb` of blanks).

Kinds that spoil its content (`spoil.py`): `repeat_next`, `foreign_next`, `relative_next`,
`numbers_as_strings`, `unknown_enums`, `extra_keys`, `missing_keys`, `null_keys`, `bad_row`,
`duplicate_rows`.

`delay` gives the true answer after `delay_s`; `page_shift` gives it, then lets a row appear at the bank.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from obdesk.simulator.spoil import SPOILERS, spoil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from obdesk.simulator.switches import Switches

REPLACERS = frozenset({"rate_limited", "server_error", "unavailable", "html", "status", "unauthorized"})
BYTE_SPOILERS = frozenset(
    {
        "truncate",
        "reset",
        "drip",
        "bad_utf8",
        "not_a_number",
        "huge_number",
        "nested",
        "oversize",
        "gzip_bomb",
    }
)
KINDS = REPLACERS | BYTE_SPOILERS | frozenset(SPOILERS) | {"delay", "page_shift"}
_KEPT_REQUESTS = 20_000
_MINUTE_S = 60
_DEEP = 100_000
_AMOUNT = re.compile(rb'("(?:value|balance)"):-?[0-9.]+')
_HTML = (
    b"<html><head><title>503</title></head>"
    b"<body><h1>503 ERROR</h1><p>The request could not be satisfied.</p></body></html>"
)


@dataclass(slots=True)
class Fault:
    """One rule; `fired` counts how often it struck."""

    route: str
    kind: str
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    status: int = 500
    body: Any = None
    retry_after: str | None = None
    delay_s: float = 1.0
    size_mb: int = 80
    fired: int = 0
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind}; one of {', '.join(sorted(KINDS))}")
        self.pattern = re.compile(self.route)
        self.delay_s, self.probability = float(self.delay_s), float(self.probability)

    def strikes(self, request: str, rng: Random) -> bool:
        """Whether the rule strikes this request; counts when it does."""
        if self.times == 0 or not self.pattern.search(request):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.probability < 1 and rng.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        self.fired += 1
        return True

    def facts(self) -> dict[str, Any]:
        """Return the rule as the control endpoint lists it."""
        return {key: value for key, value in asdict(self).items() if key != "pattern"}


class RateLimit:
    """The limit of calls a minute that the switches set, for each bearer; the webview is free of it."""

    def __init__(self, switches: Switches, seconds: Callable[[], int]) -> None:
        self._switches = switches
        self._calls: dict[bytes, deque[int]] = {}
        self.seconds = seconds

    def check(self, scope: Scope) -> Fault | None:
        """Count a call and return the refusal when it is one too many."""
        limit, now = self._switches.rate_limit_per_min, self.seconds()
        if not limit or not scope["path"].startswith("/2.0"):
            return None
        bearer = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        calls = self._calls.setdefault(bearer, deque())
        while calls and calls[0] <= now - _MINUTE_S:
            calls.popleft()
        if len(calls) >= limit:
            wait_s = calls[0] + _MINUTE_S - now
            retry = str(wait_s) if self._switches.rate_limit_retry_after else None
            return Fault("", "rate_limited", retry_after=retry)
        calls.append(now)
        return None


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that came in, for checkers of call budgets."""

    at: int
    request: str
    status: int
    fault: str | None


class Faults:
    """The middleware: counts requests, strikes where a rule says so."""

    def __init__(self, app: ASGIApp, rng: Random, limit: RateLimit, shift: Callable[[], None]) -> None:
        self._app = app
        self._rng = rng
        self._limit = limit
        self._shift = shift
        self.rules: list[Fault] = []
        self.seen: deque[Seen] = deque(maxlen=_KEPT_REQUESTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, fail or spoil."""
        query = scope.get("query_string", b"").decode(errors="replace")
        request = f"{scope['method']} {scope['path']}{'?' + query if query else ''}"
        fault = next((rule for rule in self.rules if rule.strikes(request, self._rng)), None)
        fault = fault or self._limit.check(scope)
        status = await self._answer(fault, scope, receive, send)
        self.seen.append(Seen(self._limit.seconds(), request, status, fault.kind if fault else None))

    async def _answer(self, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> int:
        if fault is not None and fault.kind in REPLACERS:
            return await self._replace(fault, send)
        if fault is not None and fault.kind == "delay":
            await anyio.sleep(fault.delay_s)
        head: Message = {"status": 0}
        pieces: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            else:
                pieces.append(message.get("body", b""))

        await self._app(scope, receive, collect)
        await self._pass_on(fault, head, b"".join(pieces), send)
        if fault is not None and fault.kind == "page_shift":
            self._shift()
        return int(head["status"])

    async def _replace(self, fault: Fault, send: Send) -> int:
        status, body, media, more = _replacement(fault)
        headers = {"content-type": media, "content-length": str(len(body)), **more}
        await _start(send, status, headers)
        await send({"type": "http.response.body", "body": body})
        return status

    async def _pass_on(self, fault: Fault | None, head: Message, body: bytes, send: Send) -> None:
        kind = fault.kind if fault is not None else ""
        if kind in SPOILERS:
            body = spoil(kind, body, self._rng)
        body, declared = _spoil_bytes(kind, body, fault.size_mb if fault is not None else 0)
        headers = [(name, value) for name, value in head.get("headers", []) if name != b"content-length"]
        if kind == "gzip_bomb":
            headers.append((b"content-encoding", b"gzip"))
        if int(head["status"]) not in {204, 304}:
            headers.append((b"content-length", str(declared).encode()))
        await send({"type": "http.response.start", "status": head["status"], "headers": headers})
        if fault is not None and kind == "drip":
            for start in range(0, len(body), max(1, len(body) // 8)):
                piece = body[start : start + max(1, len(body) // 8)]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await anyio.sleep(fault.delay_s)
            body = b""
        if kind == "reset":
            await send({"type": "http.response.body", "body": body, "more_body": True})
            return
        await send({"type": "http.response.body", "body": body})


def _replacement(fault: Fault) -> tuple[int, bytes, str, dict[str, str]]:
    json_type = "application/json; charset=utf-8"
    retry = {} if fault.retry_after is None else {"retry-after": fault.retry_after}
    match fault.kind:
        case "rate_limited":
            return 429, _error("rateLimiting", "Too many requests"), json_type, retry
        case "server_error":
            return 500, _error("bug", "Internal error"), json_type, {}
        case "unauthorized":
            return 401, _error("unauthorized", "Invalid token"), json_type, {}
        case "unavailable":
            return 503, _HTML, "text/html", retry
        case "html":
            return 200, _HTML, "text/html", {}
        case _:
            body = fault.body if isinstance(fault.body, str) else json.dumps(fault.body or {})
            return fault.status, body.encode(), json_type, retry


def _error(code: str, description: str) -> bytes:
    return json.dumps(
        {"code": code, "description": description, "message": None, "request_id": None}
    ).encode()


def _spoil_bytes(kind: str, body: bytes, size_mb: int) -> tuple[bytes, int]:
    """Return the bytes to send and the length to declare."""
    match kind:
        case "truncate":
            cut = body[: len(body) * 2 // 3]
            return cut, len(cut)
        case "reset":
            return body[: len(body) // 2], len(body)
        case "bad_utf8":
            spoilt = body.replace(b'"', b'"\xff', 8)
        case "not_a_number":
            spoilt = _AMOUNT.sub(rb"\1:NaN", body, count=1)
        case "huge_number":
            spoilt = _AMOUNT.sub(rb"\1:" + b"9" * 5_000, body, count=1)
        case "nested":
            spoilt = b'{"a":' * _DEEP + b"1" + b"}" * _DEEP
        case "oversize":
            spoilt = body + b" " * (size_mb << 20)
        case "gzip_bomb":
            spoilt = gzip.compress(body + b" " * (size_mb << 20), 1)
        case _:
            spoilt = body
    return spoilt, len(spoilt)


async def _start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
