"""What those who run a relay ask it: is it alive, can it keep anything, how does it do, what can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from obdesk.relay.server import problems
from obdesk.relay.server.doors import gives_figures
from obdesk.relay.server.limits import is_forwarded
from obdesk.relay.server.metrics import CONTENT_TYPE
from obdesk.relay.server.openapi import description
from obdesk.relay.server.store import StoreDownError

if TYPE_CHECKING:
    from starlette.requests import Request

    from obdesk.relay.server.context import Context

_FINE: Final = Response(b'{"status":"ok"}', media_type="application/json")


class Health:
    """The endpoints `/healthz`, `/readyz`, `/metrics` and `/openapi.json`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._description = Response(description(context.settings), media_type="application/json")

    async def alive(self, request: Request) -> Response:
        """Answer."""
        del request
        return _FINE

    async def ready(self, request: Request) -> Response:
        """Answer when the store can be written."""
        del request
        await self._context.patience.wait(self._context.store.ping())
        return _FINE

    async def metrics(self, request: Request) -> Response:
        """Return the figures, to who asks directly and from where that is allowed; others find nothing."""
        context = self._context
        peer = context.addresses.peer(request.scope)
        is_allowed = context.settings.metrics_from.hold(peer) and not is_forwarded(request.scope)
        if not is_allowed or not gives_figures(context.settings, request.scope):
            return problems.NOT_FOUND
        try:
            # What it holds can be read for a while after it can keep no more.
            await context.patience.wait(context.store.ping())
            figures = await context.patience.wait(context.store.figures())
        except StoreDownError:
            figures = None
        context.metrics.store_is(figures, context.clock_us())
        return Response(context.metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    async def describe(self, request: Request) -> Response:
        """Return what can be asked."""
        del request
        return self._description
