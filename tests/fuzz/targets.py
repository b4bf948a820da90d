"""What reads answers, and what must be true of whatever it makes of them."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import httpx

from obdesk.domain.money import MINOR_MAX
from obdesk.domain.outcomes import ActionNeeded, Broken, Fetched, RetryLater
from obdesk.providers.powens.client import Limits
from obdesk.providers.powens.errors import (
    RETRY_AFTER_MAX_S,
    RETRY_AFTER_MIN_S,
    reply_of_response,
    retry_after_s,
)
from obdesk.providers.powens.mapping import Moment, account_of, connection_of, connector_of
from obdesk.providers.powens.pages import NotAPageError, TransactionPage, read_page
from obdesk.providers.powens.provider import PowensProvider
from obdesk.providers.powens.rows import decode_rows
from obdesk.providers.powens.settings import PowensSettings
from obdesk.providers.powens.tokens import client_secret_name, user_token_name
from obdesk.providers.powens.webview import parse_callback
from obdesk.providers.powens.wire import (
    AccessWire,
    AccountWire,
    CodeWire,
    ConnectionWire,
    ConnectorWire,
    Reader,
    UserWire,
    WrappedConnectionWire,
    rows_of,
)
from obdesk.relay.client import Failed, page_in, paired_in
from obdesk.relay.protocol import BadHintError, Cursor, opened
from obdesk.sync.intake import _opened, instant_of
from tests.fakes import SOME_MORNING, FrozenClock
from tests.flows.mailroom import sealed_as_liars_do
from tests.fuzz.corpus import LISTS, MAILBOX_KEY
from tests.providers.conftest import Naps, Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from obdesk.domain.remote import PageRows, RemoteAccount

ZONE = ZoneInfo("Europe/Paris")
MOMENT = Moment(SOME_MORNING, ZONE)
_ACCOUNTS, _CONNECTIONS, _CONNECTORS = Reader(AccountWire), Reader(ConnectionWire), Reader(ConnectorWire)
_SMALL: dict[str, Callable[[bytes], object]] = {
    "user": Reader(UserWire).read,
    "access": Reader(AccessWire).read,
    "code": Reader(CodeWire).read,
    "wrapped": Reader(WrappedConnectionWire).read,
}
_PUBLIC_KEY = bytes(MAILBOX_KEY.public_key)
_JSON = httpx.Headers({"content-type": "application/json"})
_STATUSES = (*[200] * 30, 202, 204, 301, 400, 401, 403, 404, 409, 429, 500, 503)
_KINDS = (
    *["application/json"] * 20,
    "application/json; charset=utf-8",
    "text/html",
    "text/plain",
    "",
    "é/\x7f",
)


def read(kind: str, body: bytes, exponents: dict[int, int]) -> str:
    """Read an answer as the program does and check what comes of it; return a word for it."""
    if kind in LISTS:
        return _read_list(kind, body, exponents)
    if kind in _OF_RELAYS:
        return "kept" if _OF_RELAYS[kind](body) else "refused"
    if kind == "connection":
        row = _CONNECTIONS.read(body)
        return "kept" if row and connection_of(row, MOMENT) else "refused"
    if kind == "callback":
        return type(parse_callback(body.decode("latin-1"), "n")).__name__
    if kind == "header":
        asked_s = retry_after_s(body.decode("latin-1"), SOME_MORNING)
        assert asked_s is None or RETRY_AFTER_MIN_S <= asked_s <= RETRY_AFTER_MAX_S
        return "refused" if asked_s is None else "kept"
    if kind == "error":
        reply = reply_of_response(400, _JSON, body, SOME_MORNING)
        assert reply.failure is not None
        return type(reply.failure).__name__
    return "refused" if _SMALL[kind](body) is None else "kept"


def _read_page(body: bytes) -> bool:
    page = page_in(body)
    if isinstance(page, Failed):
        return False
    assert Cursor.parse(page.cursor) is not None
    hints, unreadable = _opened(page.entries, bytes(MAILBOX_KEY))
    assert len(hints) + unreadable == len(page.entries)
    for told_us in (page.bearer_seen_at_us, page.delivered_at_us):
        told = instant_of(told_us)
        assert told is None or 2000 <= told.year < 2200
    return True


def _read_hint(body: bytes) -> bool:
    """Read a hint that was spoilt before it was sealed, as only a lying relay can."""
    try:
        hint = opened(bytes(MAILBOX_KEY), sealed_as_liars_do(_PUBLIC_KEY, body))
    except BadHintError:
        return False
    assert hint.connection is None or hint.connection.encode()
    return True


def _read_paired(body: bytes) -> bool:
    paired = paired_in(body)
    return not isinstance(paired, Failed) and f"Bearer {paired.token}".isascii()


_OF_RELAYS: dict[str, Callable[[bytes], bool]] = {
    "mailbox": _read_page,
    "hint": _read_hint,
    "paired": _read_paired,
}


def _read_list(kind: str, body: bytes, exponents: dict[int, int]) -> str:
    try:
        page = read_page(body, kind)
    except NotAPageError:
        return "refused"
    match kind:
        case "transactions":
            check_rows(decode_rows(page.rows, exponents, ZONE), exponents)
        case "accounts":
            for raw in rows_of(page.rows) or ():
                row = _ACCOUNTS.read(raw)
                _check_account(account_of(row, "311", MOMENT) if row else None)
        case "connections":
            for raw in rows_of(page.rows) or ():
                link = _CONNECTIONS.read(raw)
                assert link is None or (made := connection_of(link, MOMENT)) is None or made.provider_id
        case _:
            for raw in rows_of(page.rows) or ():
                bank = _CONNECTORS.read(raw)
                assert bank is None or (found := connector_of(bank)) is None or found.name
    return "kept"


def check_rows(page: PageRows, exponents: dict[int, int]) -> None:
    """Hold what every row of ours promises, whatever it was made of."""
    for row in page.rows:
        assert 0 < row.provider_id < 2**63
        assert row.account_provider_id in exponents
        assert type(row.pending) is bool
        assert len(row.booked_on) == 10
        assert row.amount_minor is not None or row.pending or row.deleted
        assert row.amount_minor is None or abs(row.amount_minor) <= MINOR_MAX
        assert all(text.isprintable() and len(text) <= 512 for text in row if isinstance(text, str))
    for problem in page.problems:
        assert problem.kind
        assert len(problem.detail) < 200


def _check_account(account: RemoteAccount | None) -> None:
    if account is None:
        return
    assert 0 < account.provider_id < 2**63
    assert account.balance_minor is None or abs(account.balance_minor) <= MINOR_MAX
    assert 0 <= account.currency.exponent <= 18
    assert account.name.isprintable()


class _Body(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), 65_536):
            yield self._content[start : start + 65_536]


class _Wire(httpx.AsyncBaseTransport):
    """Answers every request with the same bytes, under some status, type and packing."""

    def __init__(self) -> None:
        self.body = b""
        self.rng = random.Random(7)  # noqa: S311 - chance, not secrets

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        del request
        rng, body = self.rng, self.body
        headers = [(b"content-type", rng.choice(_KINDS).encode("latin-1"))]
        headers.append((b"retry-after", rng.choice((b"5", b"x"))))
        if rng.random() < 0.2:
            headers.append((b"content-encoding", rng.choice((b"gzip", b"br"))))
            body = gzip.compress(body, 1) if rng.random() < 0.8 else body
        return httpx.Response(rng.choice(_STATUSES), headers=headers, stream=_Body(body))


class WholeWay:
    """The whole way of an answer, through the client and the provider, without a socket."""

    def __init__(self) -> None:
        clock = FrozenClock()
        settings = PowensSettings("https://acme.invalid/2.0", "https://webview.invalid", "acme", "70012345")
        tokens = Tokens()
        tokens.put(client_secret_name(settings), "secret")
        tokens.put(user_token_name(settings), json.dumps({"token": "abc", "id_user": 6120}))
        self._wire = _Wire()
        self._runner = asyncio.Runner()
        self._provider = PowensProvider(
            settings,
            tokens,
            clock,
            rng=random.Random(7),  # noqa: S311 - chance, not secrets
            sleep=Naps(clock),
            transport=self._wire,
            limits=Limits(tries=2),
        )

    def read(self, kind: str, body: bytes, exponents: dict[int, int], rng: random.Random) -> str:
        """Ask for something and get these bytes; return a word for what the caller is told."""
        self._wire.body, self._wire.rng = body, rng
        return self._runner.run(self._ask(kind, exponents))

    async def _ask(self, kind: str, exponents: dict[int, int]) -> str:
        match kind:
            case "transactions":
                return await self._transactions(exponents)
            case "accounts":
                outcome: object = await self._provider.accounts("311")
            case "connectors":
                outcome = await self._provider.connectors("FR")
            case "connection" | "wrapped":
                outcome = await self._provider.refresh("311", attended=False)
            case "code":
                outcome = await self._provider.renew_url(
                    "311", redirect_uri="http://127.0.0.1:1/callback", state="n", language="en", reset=False
                )
            case _:
                outcome = await self._provider.connections()
        assert isinstance(outcome, Fetched | ActionNeeded | RetryLater | Broken)
        return type(outcome).__name__

    async def _transactions(self, exponents: dict[int, int]) -> str:
        word = ""
        async for page in self._provider.transactions("311", since=None, oldest=SOME_MORNING.date()):
            if isinstance(page, TransactionPage):
                check_rows(page.decode(exponents), exponents)
            word = type(page).__name__
        return word

    def close(self) -> None:
        """Close the client and its loop."""
        self._runner.run(self._provider.aclose())
        self._runner.close()
