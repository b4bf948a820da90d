"""One worker's application, put together: the only place that knows all parts."""

from __future__ import annotations

import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from obdesk.relay.server import problems
from obdesk.relay.server.aggregator import Aggregator
from obdesk.relay.server.asking import PATIENCE_S, Patience
from obdesk.relay.server.broker import Users
from obdesk.relay.server.callers import Callers
from obdesk.relay.server.context import Context
from obdesk.relay.server.devices import Devices
from obdesk.relay.server.doors import Doors
from obdesk.relay.server.health import Health
from obdesk.relay.server.hooks import Hooks
from obdesk.relay.server.keys import BadKeyError
from obdesk.relay.server.known import Known
from obdesk.relay.server.limits import Addresses, Buckets
from obdesk.relay.server.mailbox import Closing, Mailbox
from obdesk.relay.server.middleware import Edge
from obdesk.relay.server.store import StoreDownError
from obdesk.relay.server.watching import watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from obdesk.relay.server.keys import Keys
    from obdesk.relay.server.metrics import Metrics
    from obdesk.relay.server.settings import Settings
    from obdesk.relay.server.store import Store

_PURGE_EVERY_S: Final = 3_600

_log = logging.getLogger(__name__)


def wall_clock_us() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1_000


def build(
    settings: Settings,
    store: Store,
    keys: Keys,
    metrics: Metrics,
    *,
    clock_us: Callable[[], int] = wall_clock_us,
    now_s: Callable[[], float] = time.monotonic,
    closing: Closing | None = None,
    patience_s: float = PATIENCE_S,
) -> Starlette:
    """Return the application around an open store, which stays its owner's to close.

    `closing` ends the long polls when the server is about to end. Raises OSError where the file with the
    client secret cannot be read.
    """
    patience = Patience(metrics, patience_s)
    context = Context(
        settings,
        store,
        keys,
        metrics,
        patience,
        Known(store, patience, now_s, has_others=settings.store.redis is not None),
        Addresses(settings.trusted_proxies),
        Buckets(settings.failures, now_s),
        clock_us,
        now_s,
    )
    aggregator = _aggregator(settings, metrics)

    async def nothing(request: Request, error: Exception) -> Response:
        del error
        return context.nothing(request.scope)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        async with anyio.create_task_group() as group:
            group.start_soon(_purge, context)
            group.start_soon(watch, context)
            yield
            group.cancel_scope.cancel()
        if aggregator is not None:
            await aggregator.close()

    app = Starlette(
        routes=_routes(context, aggregator, closing or Closing()),
        middleware=[
            Middleware(Doors, settings=settings),
            Middleware(
                Edge,
                hooks=Hooks(context),
                metrics=metrics,
                is_https=(settings.public_url or "").startswith("https:"),
            ),
        ],
        exception_handlers={
            HTTPException: nothing,
            problems.ProblemError: problems.refused,
            StoreDownError: problems.store_down,
            BadKeyError: problems.wrong_key,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _routes(context: Context, aggregator: Aggregator | None, closing: Closing) -> list[BaseRoute]:
    callers = Callers(context)
    devices = Devices(context, callers, aggregator)
    mailbox = Mailbox(context, callers, closing)
    health = Health(context)
    routes: list[BaseRoute] = [
        Route("/v1/mailbox/events", mailbox.pull, methods=["GET"]),
        Route("/v1/mailbox/ack", mailbox.acknowledge, methods=["POST"]),
        Route("/v1/devices", devices.pair, methods=["POST"]),
        Route("/v1/devices/me", devices.leave, methods=["DELETE"]),
        Route("/healthz", health.alive, methods=["GET"]),
        Route("/readyz", health.ready, methods=["GET"]),
        Route("/metrics", health.metrics, methods=["GET"]),
        Route("/openapi.json", health.describe, methods=["GET"]),
    ]
    if aggregator is not None and aggregator.makes_users:
        users = Users(context, callers, aggregator)
        routes.append(Route("/v1/users", users.make, methods=["POST"]))
    return routes


def _aggregator(settings: Settings, metrics: Metrics) -> Aggregator | None:
    """Return the way to the aggregator where shared sources need one; otherwise nothing ever goes out."""
    if settings.api_url is None:
        return None
    credentials = None
    if settings.client_id is not None and settings.client_secret_file is not None:
        credentials = (settings.client_id, settings.client_secret_file.read_text("utf-8").strip())
    return Aggregator(settings.api_url, metrics, credentials=credentials)


async def _purge(context: Context) -> None:
    """Delete what is too old, now and every hour."""
    while True:
        try:
            await context.store.purge(context.clock_us())
        except StoreDownError:
            _log.warning("what is too old could not be deleted; it is tried again in an hour")
        await anyio.sleep(_PURGE_EVERY_S)
