"""The one client that speaks to the outside: to the aggregator of the shared sources, and to no other host.

It follows no redirect, sends nothing twice, and gives up on answers that are slow or large. What it is
handed or handed out (codes, tokens) is passed through and kept nowhere.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Final, TypeVar

import httpx
import msgspec

from obdesk.relay.server.metrics import BrokerCall, BrokerOutcome

if TYPE_CHECKING:
    from obdesk.relay.server.metrics import Metrics

_TIME_S: Final = 20.0
_ANSWER_MAX: Final = 64 * 1024
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,24}")
_T = TypeVar("_T")
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""What is raised before a byte of the request has left."""
_TALKATIVE: Final = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")
"""They log addresses and headers below WARNING; a filter holds whatever level anybody sets."""


class RefusedError(Exception):
    """The aggregator said no: nothing was made."""


class FailedError(Exception):
    """The aggregator could not be asked, or could not answer now: nothing was made."""


class UnsureError(Exception):
    """The answer was lost: what was asked for may have been done."""


class UserWithToken(msgspec.Struct, frozen=True):
    """A user's permanent token, on its way through."""

    user: str
    token: str


class _Me(msgspec.Struct):
    id: int | str


class _Made(msgspec.Struct):
    auth_token: str
    id_user: int | str


class _Renewed(msgspec.Struct):
    access_token: str = ""
    token: str = ""
    """The older name of the same."""


class Aggregator:
    """The API at one address."""

    def __init__(
        self,
        api_url: str,
        metrics: Metrics,
        *,
        credentials: tuple[str, str] | None = None,
        time_s: float = _TIME_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`credentials` are the client id and secret of the operator's application, for making users."""
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(_is_a_warning)
        self._root = api_url
        self._host = httpx.URL(api_url).netloc
        self._metrics = metrics
        self._credentials = credentials
        self._time_s = time_s
        self._http = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            transport=transport,
            timeout=time_s,
            limits=httpx.Limits(max_connections=8, max_keepalive_connections=2),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        )

    @property
    def makes_users(self) -> bool:
        """Tell whether it has what it takes to make users."""
        return self._credentials is not None

    async def whose(self, code: str) -> str:
        """Return the id of the user whose single-use code this is; the code is spent.

        Raises RefusedError for a code that is not good (any more), FailedError where it cannot be told.
        """
        try:
            headers = {"Authorization": f"Bearer {code}"}
            request = self._http.build_request("GET", f"{self._root}/users/me", headers=headers)
            return _id((await self._ask(BrokerCall.ME, request, _Me)).id)
        except UnsureError as error:
            raise FailedError from error

    async def make_user(self) -> UserWithToken:
        """Make a permanent user, which costs the operator money; raises all three errors."""
        request = self._http.build_request("POST", f"{self._root}/auth/init", json=self._signed())
        made = await self._ask(BrokerCall.INIT, request, _Made)
        return UserWithToken(_id(made.id_user), made.auth_token)

    async def renew(self, user: str) -> UserWithToken:
        """Make another permanent token for a user; earlier ones stay good. Raises all three errors.

        The user must be named: the aggregator would make a new one for whoever names none.
        """
        assert user, "without a user the aggregator makes one"
        told = {**self._signed(), "grant_type": "client_credentials", "id_user": user}
        request = self._http.build_request("POST", f"{self._root}/auth/renew", json=told)
        renewed = await self._ask(BrokerCall.RENEW, request, _Renewed)
        token = renewed.access_token or renewed.token
        if not token:
            raise UnsureError
        return UserWithToken(user, token)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    def _signed(self) -> dict[str, str]:
        assert self._credentials is not None, "the broker is off without them"
        client_id, secret = self._credentials
        return {"client_id": client_id, "client_secret": secret}

    async def _ask(
        self,
        call: BrokerCall,
        request: httpx.Request,
        kind: type[_T],
    ) -> _T:
        """Send a request once, count how it went, and return the answer."""
        assert request.url.netloc == self._host, "no other host is ever asked"
        try:
            answer = await self._answer(request)
            found = msgspec.json.decode(answer, type=kind)
        except RefusedError:
            self._metrics.called(call, BrokerOutcome.REFUSED)
            raise
        except FailedError:
            self._metrics.called(call, BrokerOutcome.FAILED)
            raise
        except (UnsureError, ValueError) as error:
            self._metrics.called(call, BrokerOutcome.UNSURE)
            raise UnsureError from error
        self._metrics.called(call, BrokerOutcome.DONE)
        return found

    async def _answer(self, request: httpx.Request) -> bytes:
        try:
            async with asyncio.timeout(self._time_s):
                response = await self._http.send(request, stream=True)
                try:
                    return await _body_of(response)
                finally:
                    await response.aclose()
        except _UNSENT as error:
            raise FailedError from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise UnsureError from error


async def _body_of(response: httpx.Response) -> bytes:
    """Return the body of a success; any other status says what it means for what was asked."""
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise FailedError
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise UnsureError
    if not response.is_success:
        raise RefusedError
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > _ANSWER_MAX:
            raise UnsureError
    return bytes(body)


def _id(found: int | str) -> str:
    text = str(found)
    if not _ID.fullmatch(text):
        raise UnsureError
    return text


def _is_a_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
