"""Powens behind the protocol of all aggregators (obdesk.providers.base.Provider)."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from obdesk.domain.conditions import Condition
from obdesk.domain.outcomes import ActionNeeded, Broken, Fetched
from obdesk.providers.powens import times
from obdesk.providers.powens.client import CallKind, Client
from obdesk.providers.powens.errors import Reply, bad_answer
from obdesk.providers.powens.issuing import ClientSecret
from obdesk.providers.powens.mapping import Moment, account_of, connection_of, connector_of
from obdesk.providers.powens.pages import ROWS_PER_PAGE, ListPage, Pager, TransactionPage
from obdesk.providers.powens.refresh import Refresh
from obdesk.providers.powens.states import REFUSED_TOKEN_CODES
from obdesk.providers.powens.tokens import UserTokens
from obdesk.providers.powens.webview import connect_url, parse_callback, reconnect_url
from obdesk.providers.powens.wire import AccountWire, CodeWire, ConnectionWire, ConnectorWire, Reader, rows_of

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
    from datetime import date, timedelta
    from types import TracebackType
    from typing import Self

    import httpx

    from obdesk.domain.callbacks import Callback
    from obdesk.domain.clock import Clock
    from obdesk.domain.outcomes import Failure, Outcome
    from obdesk.domain.remote import Connector, RemoteAccount, RemoteConnection
    from obdesk.providers.base import Pace
    from obdesk.providers.powens.client import Limits
    from obdesk.providers.powens.issuing import Issuer, TokenStore
    from obdesk.providers.powens.settings import PowensSettings
    from obdesk.providers.powens.tokens import TokenSource
    from obdesk.providers.powens.wire import Row

_CONNECTIONS = Reader(ConnectionWire)
_ACCOUNTS = Reader(AccountWire)
_CONNECTORS = Reader(ConnectorWire)
_CODES = Reader(CodeWire)
_EXPANDED = {"expand": "connector,sources"}
_NO_USER = Reply(failure=ActionNeeded(Condition.PROVIDER_REFUSES, "no_user"))
_NO_ROWS = Reply(200, b'{"accounts":[],"transactions":[]}')
_W = TypeVar("_W", ConnectionWire, AccountWire, ConnectorWire)
_V = TypeVar("_V")


class PowensProvider:
    """Powens on behalf of one user (Provider): of a person's own application, unless an issuer is given."""

    name = "powens"

    def __init__(
        self,
        settings: PowensSettings,
        tokens: TokenStore,
        clock: Clock,
        *,
        rng: random.Random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        transport: httpx.AsyncBaseTransport | None = None,
        limits: Limits | None = None,
        pace: Pace | None = None,
        issuer: Issuer | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._sleep = sleep
        self._zone = ZoneInfo(settings.zone)
        self._client = Client(
            settings, clock=clock, rng=rng, sleep=sleep, transport=transport, limits=limits, pace=pace
        )
        issuer = issuer or ClientSecret(settings, self._client, tokens)
        self._source: TokenSource = UserTokens(settings, self._client, tokens, issuer, clock, rng)

    @property
    def host(self) -> str:
        """Return who is asked, a name and a port: breakers and limits are kept for it."""
        return urlsplit(self._settings.api_url).netloc

    @property
    def clock_behind(self) -> timedelta:
        """Return how far this computer's clock is behind the provider's, where an answer told; else zero."""
        return self._client.clock_behind

    @property
    def requests(self) -> int:
        """Return how many requests were sent since the provider was opened."""
        return self._client.requests

    async def connectors(self, country: str | None) -> Outcome[tuple[Connector, ...]]:
        """Return the banks that can be linked, of one ISO 3166 country or of all."""
        params = {"expand": "countries"}
        if country:
            params["country_codes"] = country
        found = await self._collect(
            Pager(self._settings.api_url, self._get_openly),
            "connectors",
            "/connectors",
            params,
            _CONNECTORS,
            connector_of,
        )
        if not isinstance(found, Fetched):
            return found
        return Fetched(tuple(connector for connector in found.value if connector))

    async def link_url(
        self, *, redirect_uri: str, state: str, language: str, connector_id: str | None
    ) -> Outcome[str]:
        """Return the address of the page on which a person links a bank (a user is made if need be)."""
        user = await self._source.ensure()
        if not isinstance(user, Fetched):
            return user
        code = await self._code()
        if not isinstance(code, Fetched):
            return code
        return Fetched(
            connect_url(
                self._settings,
                code=code.value,
                redirect_uri=redirect_uri,
                state=state,
                language=language,
                connector_id=connector_id,
            )
        )

    async def renew_url(
        self, connection_id: str, *, redirect_uri: str, state: str, language: str, reset: bool
    ) -> Outcome[str]:
        """Return the address of the page on which a person renews access to a linked bank."""
        code = await self._code()
        if not isinstance(code, Fetched):
            return code
        return Fetched(
            reconnect_url(
                self._settings,
                code=code.value,
                connection_id=connection_id,
                redirect_uri=redirect_uri,
                state=state,
                language=language,
                reset=reset,
            )
        )

    async def _code(self) -> Outcome[str]:
        """Return a code for one visit of the linking pages."""
        reply = await self._call("GET", "/auth/token/code", {"type": "singleAccess"})
        if reply.failure:
            return reply.failure
        row = _CODES.read(reply.body)
        if row is None or not row.value.code:
            return bad_answer("auth/token/code answered no code")
        return Fetched(row.value.code)

    def read_callback(self, url: str, state: str) -> Callback:
        """Return what the redirect to `url` says, its state compared with ours first; never raises."""
        return parse_callback(url, state)

    async def connections(self, *, has_links: bool = False) -> Outcome[tuple[RemoteConnection, ...]]:
        """Return all links of this user, whatever their state; none while there is no user.

        Where links are known (`has_links`) there was a user: then the token was lost, not the links.
        """
        user = await self._source.current()
        if not isinstance(user, Fetched):
            return user
        if user.value is None:
            return ActionNeeded(Condition.PROVIDER_REFUSES, "no_token") if has_links else Fetched(())
        moment = self._moment()
        found = await self._collect(
            self._pager(),
            "connections",
            "/users/me/connections",
            _EXPANDED,
            _CONNECTIONS,
            lambda row: connection_of(row, moment),
        )
        return _all_known("connections", found)

    async def accounts(self, connection_id: str) -> Outcome[tuple[RemoteAccount, ...]]:
        """Return all accounts of one link, disabled and vanished ones included."""
        moment = self._moment()
        found = await self._collect(
            self._pager(),
            "accounts",
            f"{_path(connection_id)}/accounts",
            {"all": ""},
            _ACCOUNTS,
            lambda row: account_of(row, connection_id, moment),
        )
        return _all_known("accounts", found)

    async def transactions(
        self, connection_id: str, *, since: str | None, oldest: date
    ) -> AsyncGenerator[TransactionPage | Failure, None]:
        """Yield the pages of one link's transactions, deleted rows included.

        The address below the connection is the old one, which the API still serves and which is what a
        sync of one connection needs. Categories come along where the product is on.
        """
        params = {
            "limit": str(ROWS_PER_PAGE),
            "filter": "date",  # the default filter goes by a date that the person may edit
            "min_date": oldest.isoformat(),
            "all": "",  # without it deletions are never seen
        }
        if since is not None:
            params["last_update"] = since
        path = f"{_path(connection_id)}/transactions"
        async with aclosing(self._pager().pages("transactions", path, params)) as pages:
            async for page in pages:
                if isinstance(page, ListPage):
                    yield TransactionPage(page.rows, page.digest, page.total, self._zone)
                else:
                    yield page

    def cursor_after(self, stamps: str, previous: str | None) -> str | None:
        """Return the cursor to keep after a sync whose newest update stamp was `stamps`."""
        return times.cursor_after(stamps, previous, now=self._clock.now(), zone=self._zone)

    async def refresh(self, connection_id: str, *, attended: bool) -> Outcome[RemoteConnection]:
        """Ask the bank now; `attended` tells that a person waits (PSD2 RTS article 36).

        A connection in trouble is an answer too: its condition says what the bank wants.
        """
        refresh = Refresh(
            read=lambda: self._connection(connection_id),
            ask=lambda: self._call(
                "PUT", _path(connection_id), {"psu_requested": "true" if attended else "false"}, CallKind.BANK
            ),
            clock=self._clock,
            rng=self._rng,
            sleep=self._sleep,
        )
        return await refresh.run()

    async def _connection(self, connection_id: str) -> Outcome[RemoteConnection]:
        reply = await self._get(_path(connection_id), _EXPANDED)
        if reply.failure:
            return reply.failure
        row = _CONNECTIONS.read(reply.body)
        connection = connection_of(row, self._moment()) if row else None
        return Fetched(connection) if connection else bad_answer("no connection in the answer")

    async def unlink(self, connection_id: str) -> Outcome[None]:
        """End the link and erase its data at the provider; a link that is already gone is a success."""
        reply = await self._call("DELETE", _path(connection_id))
        if reply.failure is None or _says_gone(reply):
            return Fetched(None)
        return reply.failure

    async def rotate_token(self) -> Outcome[bool]:
        """Exchange the user's token when its time has come; tell whether another one is in use now."""

        async def probe(token: str) -> Outcome[object]:
            reply = await self._client.send("GET", "/users/me/connections", bearer=token)
            return reply.failure or Fetched(None)

        return await self._source.rotate(probe)

    async def replace_token(self) -> Outcome[None]:
        """Have every token of the user revoked at once, and use a new one: somebody saw one."""
        return await self._source.replace()

    async def user_code(self) -> Outcome[str]:
        """Return a code that proves once to somebody else which user this is."""
        return await self._code()

    async def aclose(self) -> None:
        """Close the connections to the provider."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._zone)

    def _pager(self) -> Pager:
        return Pager(self._settings.api_url, self._get)

    async def _collect(
        self,
        pager: Pager,
        name: str,
        path: str,
        params: Mapping[str, str],
        reader: Reader[_W],
        make: Callable[[Row[_W]], _V | None],
    ) -> Outcome[tuple[_V | None, ...]]:
        """Return what the rows of a whole list become; None for a row that cannot be told apart."""
        values: list[_V | None] = []
        async with aclosing(pager.pages(name, path, params)) as pages:
            async for page in pages:
                if not isinstance(page, ListPage):
                    return page
                for raw in rows_of(page.rows) or ():
                    row = reader.read(raw)
                    values.append(make(row) if row else None)
        return Fetched(tuple(values))

    async def _get(self, address: str, params: Mapping[str, str] | None) -> Reply:
        """Read for the user; a link that is gone and a user without accounts get their own answers."""
        reply = await self._call("GET", address, params)
        if _says_gone(reply) and "/connections/" in address:
            return replace(reply, failure=ActionNeeded(Condition.GONE, reply.code or "http_404"))
        # Lists answer with an error, not with an empty list, while no account is shared.
        return _NO_ROWS if reply.code == "noaccount" else reply

    async def _get_openly(self, address: str, params: Mapping[str, str] | None) -> Reply:
        """Read what is open to everybody, without the bearer."""
        return await self._client.send("GET", address, params=params)

    async def _call(
        self,
        method: str,
        address: str,
        params: Mapping[str, str] | None = None,
        kind: CallKind = CallKind.READ,
    ) -> Reply:
        """Send a request for the user; when the token is refused, once more with a renewed one.

        A refused request has done nothing, so sending it again is safe even for a PUT.
        """
        user = await self._source.current()
        if not isinstance(user, Fetched):
            return Reply(failure=user)
        token = user.value
        if token is None:
            return _NO_USER
        reply = await self._client.send(method, address, params=params, bearer=token, kind=kind)
        if not _refuses_token(reply):
            return reply
        renewed = await self._source.renew(token)
        if not isinstance(renewed, Fetched):
            return replace(reply, failure=renewed)
        return await self._client.send(method, address, params=params, bearer=renewed.value, kind=kind)


def _path(connection_id: str) -> str:
    return f"/users/me/connections/{quote(connection_id, safe='')}"


def _refuses_token(reply: Reply) -> bool:
    """Tell whether the API itself, not a page in between, refused the bearer."""
    refused = (
        isinstance(reply.failure, ActionNeeded) and reply.failure.condition is Condition.PROVIDER_REFUSES
    )
    return refused and (reply.status == 401 or reply.code in REFUSED_TOKEN_CODES)


def _says_gone(reply: Reply) -> bool:
    return reply.status == 404 and isinstance(reply.failure, Broken)


def _all_known(name: str, found: Outcome[tuple[_V | None, ...]]) -> Outcome[tuple[_V, ...]]:
    """Refuse a list with a row that does not say which one it is.

    What is missing from these lists counts as removed, so a list must be whole to be believed.
    """
    if not isinstance(found, Fetched):
        return found
    known = tuple(value for value in found.value if value is not None)
    if len(known) < len(found.value):
        return bad_answer(
            f"{len(found.value) - len(known)} of {len(found.value)} {name} cannot be told apart"
        )
    return Fetched(known)
