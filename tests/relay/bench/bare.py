"""The limit: an endpoint that reads a body, keeps as much as the relay does and checks nothing."""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from typing import TYPE_CHECKING

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from obdesk.relay.protocol import SourceKind
from obdesk.relay.server import serving
from obdesk.relay.server.app import wall_clock_us
from obdesk.relay.server.settings import Listen, store_url
from obdesk.relay.server.store import Device, Mail, Source

if TYPE_CHECKING:
    from starlette.requests import Request

    from obdesk.relay.server.store import Store

_SEALED = bytes(240)
_SOURCE, _DEVICE = "the source", "the device"


class Bare:
    """Keeps one mail for each request."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._numbers = count()

    async def keep(self, request: Request) -> Response:
        """Answer once the mail is durable."""
        await request.body()
        number = next(self._numbers)
        mail = Mail(_DEVICE, (number % 16).to_bytes(16, "big"), _SEALED, _SEALED)
        await self._store.deliver(_SOURCE, number.to_bytes(16, "big"), [mail], wall_clock_us())
        return Response(b"{}", media_type="application/json")


async def serve(url: str) -> None:
    """Serve until ended, having said where."""
    store = await serving.open_store(store_url(url))
    await store.add_source(Source(_SOURCE, "bare", SourceKind.PERSONAL, (b"",)), b"address")
    await store.add_device(Device(_DEVICE, _SOURCE, bytes(32), None), b"token")
    with serving.listen(Listen(port=0)) as listener:
        sys.stdout.write(f"Listening on {serving.address_of(listener)}\n")
        sys.stdout.flush()
        app = Starlette(routes=[Route("/{rest:path}", Bare(store).keep, methods=["POST"])])
        config = uvicorn.Config(
            app, http="httptools", lifespan="off", ws="none", log_level="critical", access_log=False
        )
        await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1]))
