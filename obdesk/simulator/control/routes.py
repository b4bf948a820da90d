"""The control calls over HTTP."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from obdesk.simulator.api.answers import encode
from obdesk.simulator.control.bankside import Bankside
from obdesk.simulator.control.machine import Machine
from obdesk.simulator.control.table import ControlError, Machinery, Table

if TYPE_CHECKING:
    from starlette.requests import Request


def control_table(simulator: Machinery) -> Table:
    """Return every control call of a simulator."""
    table = Table()
    Machine(simulator, table)
    Bankside(simulator, table)
    return table


def control_routes(simulator: Machinery, table: Table) -> list[Route]:
    """Return the routes."""

    async def endpoint(request: Request) -> Response:
        simulator.world.tick()
        path = "/" + str(request.path_params.get("rest", "")).strip("/")
        try:
            raw = await request.body()
            body = json.loads(raw, parse_float=Decimal) if raw.strip() else None
            answer = table.run(request.method, "" if path == "/" else path, body, dict(request.query_params))
        except ControlError as error:
            return _response({"error": str(error)}, error.status)
        except ValueError as error:
            return _response({"error": f"unreadable body: {error}"}, 400)
        return _response(answer, 200)

    methods = ["GET", "POST", "DELETE"]
    return [Route(path, endpoint, methods=methods) for path in ("/control", "/control/{rest:path}")]


def _response(body: object, status: int) -> Response:
    return Response(encode(body), status_code=status, media_type="application/json")
