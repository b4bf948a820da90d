"""Building and running a simulator: as an ASGI application, in a thread, or as a process."""

from __future__ import annotations

import json
import signal
import socket
import sys
import threading
from contextlib import asynccontextmanager, contextmanager
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, TextIO

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from obdesk.simulator.api import (
    accounts,
    auth,
    connections,
    connectors,
    history,
    others,
    transactions,
    users,
    wealth,
)
from obdesk.simulator.api.call import Desk
from obdesk.simulator.api.listing import Lister
from obdesk.simulator.api.paths import VERSION, Aliases
from obdesk.simulator.api.webauth import WebauthDesk
from obdesk.simulator.clock import Clock
from obdesk.simulator.control.routes import control_routes, control_table
from obdesk.simulator.dice import dice
from obdesk.simulator.faults import Faults, RateLimit
from obdesk.simulator.hooks.registry import Registry
from obdesk.simulator.hooks.routes import WebhookDesk
from obdesk.simulator.hooks.send import Sender
from obdesk.simulator.options import Options
from obdesk.simulator.switches import Switches
from obdesk.simulator.webview.routes import Webview
from obdesk.simulator.webview.visits import VisitBook
from obdesk.simulator.world import agenda, syncing, tinkering
from obdesk.simulator.world.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TICK_S = 0.5
_FLUSH_S = 0.05


class Simulator:
    """One simulated aggregator with its banks. `app` is the ASGI application.

    The addresses are known once it is served: see `running` and `serve`.
    """

    def __init__(
        self,
        seed: int = 7,
        clock: Clock | None = None,
        *,
        options: Options | None = None,
        switches: Switches | None = None,
    ) -> None:
        self.options = options or Options(seed=seed)
        self.switches = switches or Switches()
        self.clock = clock or Clock()
        self.host = "127.0.0.1"
        self.port = 0
        self.world = self._new_world()
        self.registry = Registry(self.world)
        self.control = control_table(self)
        self.faults = self._faults()
        self.app: ASGIApp = self._application()
        self._subscribe()

    def reset(self, clock: Clock | None = None) -> None:
        """Start over with an empty world, default switches and, when given, another clock."""
        self.clock = clock or self.clock
        self.switches = Switches()
        self.world = self._new_world()
        self.registry = Registry(self.world)
        self.faults = self._faults()
        self._subscribe()

    @property
    def root(self) -> str:
        """The root of every address of this simulator."""
        return f"http://{self.host}:{self.port}"

    @property
    def api_url(self) -> str:
        """The root of the API, with its version."""
        return f"{self.root}{VERSION}"

    @property
    def webview_url(self) -> str:
        """The root of the webview; clients append `/{lang}/connect?...`."""
        return f"{self.root}/webview"

    @property
    def control_url(self) -> str:
        """The root of the control endpoints."""
        return f"{self.root}/control"

    @property
    def domain(self) -> str:
        """The API domain of the application."""
        return self.options.domain

    @property
    def client_id(self) -> str:
        """The application's id, digits only."""
        return self.options.client_id

    @property
    def client_secret(self) -> str:
        """The application's secret."""
        return self.world.tokens.client_secret

    def facts(self) -> dict[str, str]:
        """Return what a client needs to know, as the first line of output says it."""
        return {
            "api_url": self.api_url,
            "webview_url": self.webview_url,
            "domain": self.domain,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "control_url": self.control_url,
        }

    def _new_world(self) -> World:
        world = World(self.options, self.clock, self.switches)
        agenda.attach(world)
        return world

    def _subscribe(self) -> None:
        if self.options.webhook_url:
            self.registry.subscribe(self.options.webhook_url, self.options.webhook_secret)

    def _faults(self) -> Faults:
        rng = dice(self.options.seed, "faults")
        limit = RateLimit(self.switches, self.clock.seconds)
        return Faults(self._service(), rng, limit, self._shift_pages)

    def _shift_pages(self) -> None:
        """Let a row appear at the bank of the first linked account, between two pages of a client."""
        for connection in self.world.connections.values():
            for account in connection.live_accounts():
                if account.ledger.ids:
                    tinkering.add_random_rows(self.world, connection, account, 1, pending=False)
                    syncing.sync(self.world, connection)
                    return

    def _service(self) -> ASGIApp:
        """Return the API and the webview around the present world."""
        desk, book = Desk(self.world, _base_url), VisitBook(dice(self.options.seed, "visits"))
        webview = Webview(self.world, book)
        api: list[Route] = [
            *auth.routes(desk),
            *users.routes(desk),
            *connectors.routes(desk),
            *connections.routes(desk),
            *accounts.routes(desk),
            *transactions.routes(desk, Lister(self.world)),
            *wealth.routes(desk),
            *history.routes(desk),
            *others.routes(desk),
            *WebhookDesk(self.registry).routes(desk),
            *WebauthDesk(book).routes(desk),
            *webview.old_routes(),
        ]
        lost = Route("/{rest:path}", desk.lost(), methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
        pages = Mount("/webview", routes=webview.routes())
        return Aliases(Starlette(routes=[pages, Mount(VERSION, routes=[*api, lost]), lost]), self.switches)

    def _application(self) -> ASGIApp:
        async def service(scope: Scope, receive: Receive, send: Send) -> None:
            await self.faults(scope, receive, self._dated(send))

        control = control_routes(self, self.control)
        return Starlette(routes=[*control, Mount("/", app=service)], lifespan=self._lifespan)

    def _dated(self, send: Send) -> Send:
        """Return `send` with the simulator's own time in the Date header, as a server's would be."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(self.clock.now(), usegmt=True).encode()
                message["headers"] = [*message["headers"], (b"date", date)]
            await send(message)

        return dated

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        del app
        async with anyio.create_task_group() as group:
            group.start_soon(self._keep_time)
            group.start_soon(self._send_webhooks)
            yield
            group.cancel_scope.cancel()

    async def _keep_time(self) -> None:
        while True:
            await anyio.sleep(_TICK_S)
            self.world.tick()

    async def _send_webhooks(self) -> None:
        sender = Sender(self.world, self.registry)
        while True:
            if sender.registry is not self.registry:
                sender = Sender(self.world, self.registry)
            await sender.flush()
            await anyio.sleep(_FLUSH_S)


def _base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


class _Server(uvicorn.Server):
    """A server that ends quietly: uvicorn's own raises the signal again after closing."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Turn SIGTERM and SIGINT into an orderly end while the context lasts."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kept = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)


def _configured(simulator: Simulator) -> uvicorn.Server:
    config = uvicorn.Config(
        simulator.app,
        lifespan="on",
        log_config=None,
        log_level="critical",
        access_log=False,
        date_header=False,
        timeout_graceful_shutdown=2,
    )
    return _Server(config)


def _listen(simulator: Simulator, host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named asyncio switches Nagle's algorithm off; otherwise each answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.listen(128)
    simulator.host, simulator.port = host, listener.getsockname()[1]
    return listener


@contextmanager
def running(simulator: Simulator, host: str = "127.0.0.1", port: int = 0) -> Iterator[Simulator]:
    """Serve a simulator on a real loopback port in a thread, for as long as the context lasts."""
    listener = _listen(simulator, host, port)
    server = _configured(simulator)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="simulator", daemon=True
    )
    thread.start()
    ready = threading.Event()
    while not server.started and thread.is_alive():
        ready.wait(0.005)
    try:
        yield simulator
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def play(simulator: Simulator, scenario: list[dict[str, Any]]) -> None:
    """Run a scenario: control calls, each now or `at_s` seconds of virtual time from now."""
    simulator.control.run("POST", "/scenario", scenario)


def serve(simulator: Simulator, host: str, port: int, out: TextIO = sys.stdout) -> None:
    """Serve until SIGTERM or SIGINT; the first line of output is one JSON object of addresses."""
    with _listen(simulator, host, port) as listener:
        out.write(json.dumps(simulator.facts()) + "\n")
        out.flush()
        _configured(simulator).run(sockets=[listener])
