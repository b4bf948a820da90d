"""The outermost layer: tokens that are none of our business go, errors of ours become answers.

The aggregator may send a user's live token with a delivery. It is removed before any other code of the
relay sees the request; that there was one is all that is remembered.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.requests import ClientDisconnect

from obdesk.relay.server import problems
from obdesk.relay.server.logs import fields
from obdesk.relay.server.metrics import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from obdesk.relay.server.metrics import Metrics

_BEARER: Final = "obdesk.relay.bearer"
_QUEUED: Final = "obdesk.relay.queued"
_ROUTES: Final = {
    "/v1/devices": Route.PAIRING,
    "/v1/devices/me": Route.LEAVING,
    "/v1/mailbox/events": Route.PULL,
    "/v1/mailbox/ack": Route.ACK,
    "/v1/users": Route.USERS,
}
_WITH_TOKEN: Final = frozenset({Route.LEAVING, Route.PULL, Route.ACK, Route.USERS})
"""Where our own tokens come; everywhere else a token is somebody's mistake."""
_HEADERS: Final = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_TOO_MANY: Final = 429
LIMITED_S: Final = 0.25
_HELD_MAX: Final = 1_024
"""So many of those who ask too often are answered a moment late, which is all that a flood gains by it."""
_CLOSE: Final = (b"connection", b"close")
_STRICT: Final = (b"strict-transport-security", b"max-age=31536000")

_log = logging.getLogger(__name__)


def carried_bearer(scope: Scope) -> bool:
    """Tell whether a request came with a token that was removed."""
    return _BEARER in scope


def queue(scope: Scope) -> None:
    """Remember of a request that it came before those ahead of it on its connection were answered."""
    scope[_QUEUED] = True


def route_of(path: str) -> Route:
    """Return where a request goes."""
    if path.startswith("/v1/hooks/"):
        return Route.HOOK
    return _ROUTES.get(path, Route.OTHER)


class Edge:
    """Every request and answer passes here first and last."""

    def __init__(self, app: ASGIApp, hooks: ASGIApp, metrics: Metrics, *, is_https: bool) -> None:
        """`hooks` answers all below /v1/hooks/: on the busiest path there is no way through the routes."""
        self._app, self._hooks, self._metrics = app, hooks, metrics
        self._headers = [*_HEADERS, _STRICT] if is_https else _HEADERS
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and its answer back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = route_of(scope["path"])
        if route not in _WITH_TOKEN:
            _take_token(scope)
        answer = _Answer(send, self._headers, None if _QUEUED in scope else self._hold)
        app = self._hooks if route is Route.HOOK else self._app
        try:
            await app(scope, receive, answer)
        except ClientDisconnect:
            return
        except Exception:  # a mistake of ours: logged by its place, answered as a problem, and no worker ends
            _log.exception("a request failed", extra=fields(route=route))
            if answer.status is not None:
                raise
            await problems.FAILED(scope, receive, answer)
        if answer.status is not None:
            self._metrics.answered(route, answer.status)

    async def _hold(self) -> None:
        """Let somebody who asks too often wait, so that others have the time."""
        if self._held < _HELD_MAX:
            self._held += 1
            try:
                await asyncio.sleep(LIMITED_S)
            finally:
                self._held -= 1


def _take_token(scope: Scope) -> None:
    # The server holds the same list, so the token is taken out of it, not left out of another.
    headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
    for name, _ in headers:
        if name == b"authorization":
            headers[:] = [header for header in headers if header[0] != b"authorization"]
            scope[_BEARER] = True
            return


class _Answer:
    """Sends on what is sent, with the headers that all answers have."""

    def __init__(
        self, send: Send, headers: list[tuple[bytes, bytes]], hold: Callable[[], Awaitable[None]] | None
    ) -> None:
        self._send, self._headers, self._hold = send, headers, hold
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        """Send one message of an answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            told: list[Any] = list(message.get("headers", ()))
            if self.status == _TOO_MANY:
                if self._hold is None:
                    # Whoever sends without reading would have a whole queue held for it.
                    told.append(_CLOSE)
                else:
                    await self._hold()
            message = {**message, "headers": [*told, *self._headers]}
        await self._send(message)
