"""A relay as the desktop meets it, without a socket and a disk: what it says is the protocol's own.

It is built from `relay.protocol` alone, so that it says what a relay says, and can do what a relay may do at
worst: fall silent, lose everything, come back from a copy, forget who we are, lie.
"""

from __future__ import annotations

import asyncio
import copy
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import httpx
import msgspec
from nacl.bindings import crypto_secretbox
from nacl.secret import SecretBox
from nacl.utils import random

from obdesk.relay.protocol import (
    DIRTY,
    LIMIT_MAX,
    Ack,
    Cursor,
    Entry,
    Hint,
    Page,
    Paired,
    Pairing,
    Problem,
    Seal,
    from_text,
    sealed,
    to_text,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from datetime import datetime
    from random import Random

URL = "http://127.0.0.1:9"
CODE = "the-operators-code"


@dataclass(slots=True)
class Box:
    """What waits for one device: one hint for each link, each with a number that only grows."""

    public_key: bytes
    last: int = 0
    waiting: dict[str, tuple[int, bytes]] = field(default_factory=dict)


class Mailroom(httpx.AsyncBaseTransport):
    """Answers a relay's requests; whoever plays the aggregator delivers."""

    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self._now = now
        self._rng = rng
        self.epoch = self._made(16)
        self.boxes: dict[str, Box] = {}
        self.tokens: dict[str, str] = {}
        """Who holds a token."""
        self.codes = {CODE}
        self.tickets: dict[str, str] = {}
        self.peers: int | None = None
        self.bearer_seen_at_us: int | None = None
        self.delivered_at_us: int | None = None
        self.is_down = False
        self.busy_s: int | None = None
        """After how long it wants to be asked again, if it does not want to be asked now."""
        self.forgets_tickets = False
        self.loses_answers = False
        """It does what it is asked, and the answer does not arrive."""
        self.spent: dict[tuple[str, str], str] = {}
        """The device that a code made for a key."""
        self.asked: list[str] = []
        self._news = asyncio.Event()
        self.spoils: Callable[[Page], Page] = lambda page: page
        """What it makes of a page before it is handed over."""

    def _made(self, size: int) -> str:
        return to_text(self._rng.randbytes(size))

    def now_us(self) -> int:
        """Return the relay's time."""
        return int(self._now().timestamp() * 1_000_000)

    # The aggregator's side

    def deliver(
        self, connection: str | None, event: str = "CONNECTION_SYNCED", state: str | None = None
    ) -> None:
        """Keep a hint for every device."""
        self.delivered_at_us = self.now_us()
        hint = Hint(event, self.now_us(), connection, state)
        for box in self.boxes.values():
            self.put(box, connection or "", sealed(box.public_key, hint))

    def put(self, box: Box, slot: str, blob: bytes) -> None:
        """Keep a sealed hint in place of one of the same link."""
        box.last = max(box.last + 1, self.now_us())
        box.waiting[slot] = (box.last, blob)
        self._news.set()

    def mark_dirty(self) -> None:
        """Keep that anything may have changed."""
        self.deliver(None, DIRTY)

    # What happens to relays

    def lose_everything(self) -> None:
        """Lose the store: another life begins, and nobody is known."""
        self.epoch = self._made(16)
        self.boxes.clear()
        self.tokens.clear()

    def copied(self) -> tuple[dict[str, Box], dict[str, str]]:
        """Return a copy of the store."""
        return copy.deepcopy((self.boxes, self.tokens))

    def restored(self, copied: tuple[dict[str, Box], dict[str, str]]) -> None:
        """Come back from a copy: in another life, with what was so then."""
        self.epoch = self._made(16)
        self.boxes, self.tokens = copy.deepcopy(copied)

    # The device's side

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Override AsyncBaseTransport.handle_async_request."""
        path = request.url.path
        self.asked.append(f"{request.method} {path}")
        if self.is_down:
            raise httpx.ConnectError("nobody listens", request=request)
        if self.busy_s is not None:
            return _problem(429, {"Retry-After": str(self.busy_s)})
        body = await request.aread()
        if (request.method, path) == ("POST", "/v1/devices"):
            paired = self._pair(msgspec.json.decode(body, type=Pairing))
            if self.loses_answers:
                raise httpx.ReadTimeout("the answer does not arrive", request=request)
            return paired
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        device = self.tokens.get(bearer)
        if device is None:
            return _problem(404)
        match request.method, path:
            case "GET", "/v1/mailbox/events":
                return await self._pull(device, parse_qs(request.url.query.decode()))
            case "POST", "/v1/mailbox/ack":
                self._acknowledge(device, msgspec.json.decode(body, type=Ack))
                return _answer(204, None)
            case "DELETE", "/v1/devices/me":
                del self.tokens[bearer], self.boxes[device]
                return _answer(204, None)
            case _:
                return _problem(404)

    def _pair(self, wish: Pairing) -> httpx.Response:
        if wish.ticket is not None:
            device = None if self.forgets_tickets else self.tickets.get(wish.ticket)
        else:
            device = self._by_code(wish.code or "", wish.public_key)
        if device is None:
            return _problem(404)
        self.tokens = {token: held for token, held in self.tokens.items() if held != device}
        token, ticket = self._made(32), wish.ticket or self._made(48)
        self.tokens[token], self.tickets[ticket] = device, device
        self.boxes[device] = Box(from_text(wish.public_key), self.now_us())
        return _answer(
            200, Paired(token, ticket, str(Cursor(self.epoch, self.boxes[device].last)), is_shared=False)
        )

    def _by_code(self, code: str, public_key: str) -> str | None:
        if code in self.codes:
            self.codes.discard(code)
            self.spent[code, public_key] = self._made(16)
        return self.spent.get((code, public_key))

    async def _pull(self, device: str, query: dict[str, list[str]]) -> httpx.Response:
        box = self.boxes[device]
        after = Cursor.parse(query["after"][0])
        if after is None:
            return _problem(400)
        if after.epoch == self.epoch and after.seq > box.last:
            self.epoch = self._made(16)
        start = after.seq if after.epoch == self.epoch else 0
        limit = min(int(query["limit"][0]), LIMIT_MAX)
        if not any(seq > start for seq, _ in box.waiting.values()):
            await self._news_within(int(query["wait"][0]))
        found = sorted(entry for entry in box.waiting.values() if entry[0] > start)[:limit]
        entries = tuple(Entry(str(Cursor(self.epoch, seq)), to_text(blob)) for seq, blob in found)
        end = found[-1][0] if found else max(start, box.last)
        page = Page(
            entries,
            str(Cursor(self.epoch, end)),
            self.peers or len(self.boxes),
            self.bearer_seen_at_us,
            self.delivered_at_us,
        )
        return _answer(200, self.spoils(page))

    async def _news_within(self, seconds: int) -> None:
        if not seconds:
            return
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    def _acknowledge(self, device: str, ack: Ack) -> None:
        upto = Cursor.parse(ack.upto)
        if upto is not None and upto.epoch == self.epoch:
            box = self.boxes[device]
            box.waiting = {slot: each for slot, each in box.waiting.items() if each[0] > upto.seq}


def page_of(
    hints: Iterable[Hint], public_key: bytes, *, epoch: str = "A" * 22, seq: int = 1, peers: int = 1
) -> Page:
    """Return a page as a relay would hand it over."""
    entries = [
        Entry(str(Cursor(epoch, seq + place)), to_text(sealed(public_key, hint)))
        for place, hint in enumerate(hints)
    ]
    return Page(tuple(entries), entries[-1].cursor if entries else str(Cursor(epoch, seq)), peers)


def sealed_as_liars_do(public_key: bytes, plain: bytes) -> bytes:
    """Return any bytes sealed as if they were a hint."""
    seal, nonce = Seal(public_key), random(SecretBox.NONCE_SIZE)
    return seal._box + nonce + bytes(crypto_secretbox(plain, nonce, seal._key))


class _Body(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


def _answer(
    status: int, value: msgspec.Struct | None, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    body = b"" if value is None else msgspec.json.encode(value)
    told = {"Content-Type": "application/json", **(headers or {})}
    return httpx.Response(status, stream=_Body(body), headers=told)


def _problem(status: int, headers: Mapping[str, str] | None = None) -> httpx.Response:
    told = Problem("Not here", status, "There is nothing here.")
    return _answer(status, told, {"Content-Type": "application/problem+json", **(headers or {})})
