"""The aggregator's API over the simulated banks, answering the real client in process, badly at times."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import msgspec

from tests.flows.years.telling import amount, instant, stamp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.flows.years.bank import Account, Bank, Link
    from tests.flows.years.faults import Dice

ROOT = "https://years.example/2.0"
TOKEN_MARKER = "tokenmarker"
CACHE_AGE_MAX = timedelta(hours=20)
"""Within the overlap of two reads: what a stale page hides from a cursor is read again."""
_ENDLESS_S = 1e6


@dataclass(slots=True)
class Traffic:
    """What went over the wire, for the checkers."""

    requests: int = 0
    by_day: Counter[str] = field(default_factory=Counter)
    lies: int = 0
    """Answers that were not the truth: a sync that got one need not be right yet."""
    faults: int = 0
    served: dict[int, datetime] = field(default_factory=dict)
    """When a link's list was last given to its end, by the computer's clock."""
    fulls: set[int] = field(default_factory=set)
    """Links whose whole list was asked for since this was last emptied."""
    asked_too_early: list[str] = field(default_factory=list)
    wait_until: dict[str, datetime] = field(default_factory=dict)
    """Until when a 429 asked to wait, by the link it was about (or none): the others go on."""


class _Body(httpx.AsyncByteStream):
    def __init__(self, content: bytes, *, cut: bool) -> None:
        self._content, self._cut = content, cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._cut:
            yield self._content[: len(self._content) // 2]
            raise httpx.ReadError("connection reset by peer")
        yield self._content


class Api(httpx.AsyncBaseTransport):
    """One aggregator, its banks and the line to it."""

    def __init__(self, bank: Bank, dice: Dice) -> None:
        self.bank = bank
        self.dice = dice
        self.traffic = Traffic()
        self.token = f"{TOKEN_MARKER}-1"
        self.offline = False
        self.down = False
        self.attended = False
        """Whether a person is at the application: background calls must not claim so."""
        self._tokens = 1
        self._cache: dict[str, tuple[datetime, bytes]] = {}
        self._last: dict[str, bytes] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Override httpx.AsyncBaseTransport."""
        self.traffic.requests += 1
        self.traffic.by_day[self.bank.now().date().isoformat()] += 1
        if self.offline:
            self.traffic.faults += 1
            raise httpx.ConnectError("network is unreachable")
        self._judge(request)
        failure = await self._failure(request)
        if failure is not None:
            self.traffic.faults += 1
            return failure
        return self._answer(request)

    def _judge(self, request: httpx.Request) -> None:
        subject, now = _subject(request), self.bank.clock.true_now()
        until = self.traffic.wait_until.get(subject)
        # Whose sync a list of links is for shows only where there is one link. A computer that does not know
        # the time cannot know how far away a date is.
        is_known = (subject or len(self.bank.links) == 1) and not self.bank.clock.off_by
        if until is not None and now < until and is_known and not self.attended:
            self.traffic.asked_too_early.append(f"{request.url.path} asked at {now}, not before {until}")

    async def _failure(self, request: httpx.Request) -> httpx.Response | None:
        dice = self.dice
        if self.down or dice.happens("http_5xx"):
            return _error(dice.rng.choice([500, 502, 503, 504]), "bug")
        if dice.happens("http_429_retry_after"):
            return self._slow_down(_subject(request))
        if dice.happens("http_429"):
            return _error(429, "tooManyRequests")
        if dice.happens("http_timeout"):
            await asyncio.sleep(dice.rng.choice([30.0, _ENDLESS_S]))
            raise httpx.ReadTimeout("no answer")
        if dice.happens("http_401"):
            return _error(401, "unauthorized")
        return None

    def _slow_down(self, subject: str) -> httpx.Response:
        now = self.bank.clock.true_now()
        wished_s = self.dice.rng.choice([2, 30, 300, 3_600])
        kind = self.dice.rng.randrange(6)
        if kind >= 2:
            until = now + timedelta(seconds=wished_s)
            text = str(wished_s) if kind > 2 else format_datetime(until.replace(microsecond=0), usegmt=True)
            # A date has whole seconds only.
            self.traffic.wait_until[subject] = until - timedelta(seconds=1)
        else:
            text = self.dice.rng.choice(["-5", "soon", "", "1e9"])
        return _error(429, "tooManyRequests", {"Retry-After": text})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        parts = request.url.path.removeprefix("/2.0/").split("/")
        if parts[0] == "auth":
            return self._auth(parts[1], request)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _error(401, "unauthorized")
        match parts:
            case ["users", "me", "connections"]:
                rows = [_connection(link) for link in self.bank.links.values()]
                return self._send(request, msgspec.json.encode({"connections": rows, "total": len(rows)}))
            case ["users", "me", "connections", which, *rest] if int(which) in self.bank.links:
                return self._of_link(self.bank.links[int(which)], rest, request)
            case _:
                return _error(404, "notFound")

    def _of_link(self, link: Link, rest: list[str], request: httpx.Request) -> httpx.Response:
        match rest:
            case []:
                if request.method == "PUT":
                    body = msgspec.json.decode(request.content) if request.content else {}
                    told = request.url.params.get("psu_requested", body.get("psu_requested", "true"))
                    self.bank.refresh(link, attended=str(told).lower() == "true")
                return self._send(request, msgspec.json.encode(_connection(link)))
            case ["accounts"]:
                rows = [_account(link, each) for each in link.accounts]
                return self._send(request, msgspec.json.encode({"accounts": rows, "total": len(rows)}))
            case ["transactions"]:
                return self._send(request, self._page(link, request))
            case _:
                return _error(404, "notFound")

    def _page(self, link: Link, request: httpx.Request) -> bytes:
        params = dict(request.url.params)
        offset = int(params.pop("offset", "0"))
        if offset and self.dice.happens("data_page_shift"):
            self.bank.shift(link)
            self.traffic.lies += 1
        since = params.get("last_update")
        if since is None:
            self.traffic.fulls.add(link.id)
        rows = self.bank.rows(link, None if since is None else instant(since))
        shown = rows[offset : offset + link.page_rows]
        following = offset + link.page_rows
        address = f"{ROOT}/users/me/connections/{link.id}/transactions"
        next_link: Any = None
        self.traffic.served[link.id] = self.bank.clock.now()
        if following < len(rows):
            next_link = {"href": f"{address}?{urlencode(params | {'offset': str(following)})}"}
        return msgspec.json.encode(
            {
                "transactions": msgspec.Raw(b"[" + b",".join(shown) + b"]"),
                "total": len(rows),
                "_links": {"next": next_link},
            }
        )

    def _send(self, request: httpx.Request, body: bytes) -> httpx.Response:
        """Send an answer, or something that once was one."""
        dice, traffic, now = self.dice, self.traffic, self.bank.clock.true_now()
        place = f"{request.method} {request.url}"
        series = request.url.path
        if dice.happens("http_reset"):
            traffic.faults += 1
            return _response(body, cut=True)
        if dice.happens("http_truncated"):
            traffic.faults += 1
            return _response(body[: -dice.rng.randint(1, max(1, len(body) - 1))])
        if dice.happens("http_wrong_type"):
            traffic.faults += 1
            return _response(b"<!doctype html><title>Hotel</title>", kind="text/html")
        cached = self._cache.get(place)
        if cached and now - cached[0] <= CACHE_AGE_MAX and dice.happens("http_stale_page"):
            traffic.lies += 1
            return _response(cached[1])
        if "offset" in request.url.params and series in self._last and dice.happens("http_duplicate_page"):
            traffic.lies += 1
            return _response(self._last[series])
        self._cache[place] = (now, body)
        self._last[series] = body
        return _response(body)

    def _auth(self, what: str, request: httpx.Request) -> httpx.Response:
        body = msgspec.json.decode(request.content) if request.content else {}
        if body.get("client_secret") != "secretmarker":
            return _error(403, "invalid_client")
        if what != "renew":
            return _error(404, "notFound")
        self.revoke()
        return _response(msgspec.json.encode({"access_token": self.token, "token_type": "Bearer"}))

    def revoke(self) -> None:
        """End the token that was good until now."""
        self._tokens += 1
        self.token = f"{TOKEN_MARKER}-{self._tokens}"


def _subject(request: httpx.Request) -> str:
    """Return the link a request is about; empty for the list of links."""
    return request.url.path.partition("/connections/")[2].partition("/")[0]


def _response(body: bytes, *, kind: str = "application/json", cut: bool = False) -> httpx.Response:
    return httpx.Response(200, headers={"content-type": kind}, stream=_Body(body, cut=cut))


def _error(status: int, code: str, headers: dict[str, str] | None = None) -> httpx.Response:
    body = msgspec.json.encode({"code": code, "request_id": 7})
    told = {"content-type": "application/json"} | (headers or {})
    return httpx.Response(status, headers=told, stream=_Body(body, cut=False))


def _connection(link: Link) -> dict[str, Any]:
    return {
        "id": link.id,
        "id_connector": 40,
        "connector_uuid": "338178e6-3d01-564f-9a7b-52ca442459bf",
        "state": link.state,
        "active": True,
        "created": stamp(link.created),
        "last_update": stamp(link.read_at),
        "next_try": stamp(link.read_at + timedelta(days=1)),
        "connector": {"id": 40, "uuid": "338178e6", "name": "Banque du Port", "color": "2266aa"},
        "sources": [{"disabled": None, "access_expire": stamp(link.consent_until)}],
    }


def _account(link: Link, account: Account) -> dict[str, Any]:
    coming = sum(each.minor for each in account.live if each.pending)
    return {
        "id": account.provider_id,
        "name": f"Compte {account.key}",
        "balance": msgspec.Raw(amount(account.balance_minor(), account.exponent).encode()),
        "coming": msgspec.Raw(amount(coming, account.exponent).encode()),
        "last_update": stamp(link.read_at),
        "iban": account.iban,
        "number": account.key,
        "type": account.kind,
        "currency": {"id": account.currency, "precision": account.exponent},
        "deleted": None,
        "disabled": None,
    }
