"""Connections: creating, answering challenges, forcing syncs, pausing, erasing; sources and logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obdesk.simulator.api.answers import Answer
from obdesk.simulator.api.body import as_bool, as_int
from obdesk.simulator.api.errors import ApiError, invalid, missing, not_found
from obdesk.simulator.api.wire import connection_json, source_json
from obdesk.simulator.world import linking, syncing
from obdesk.simulator.world.linking import Refused

if TYPE_CHECKING:
    from starlette.routing import Route

    from obdesk.simulator.api.call import Call, Desk
    from obdesk.simulator.bank.scripts import Script
    from obdesk.simulator.world.entities import Connection, ConnectionSource

_SETTINGS = frozenset(
    {"source", "active", "expire", "resume", "refresh_auth", "id_connector", "connector_uuid", "background"}
)
_WAITING = syncing.UNFINISHED


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    base = "/users/{user}/connections"
    one = f"{base}/{{connection}}"
    return [
        desk.route(base, get=listing, post=create, put=sync_all, delete=delete_all),
        desk.route(one, get=read, post=update, put=force_sync, delete=delete),
        desk.route(f"{one}/sources", get=sources),
        desk.route(f"{one}/sources/{{source}}", get=read_source, post=change_source, put=change_source),
    ]


def listing(call: Call) -> Answer:
    """List the connections of the user."""
    expand = call.expand()
    connections = call.world.connections_of(call.user())
    return call.paged("connections", (connection_json(call.world, item, expand) for item in connections))


def read(call: Call) -> Answer:
    """Return one connection."""
    return Answer(connection_json(call.world, call.connection(), call.expand()))


def create(call: Call) -> Answer:
    """Log in at a bank for the first time; refused credentials leave nothing behind."""
    key = call.body.get("connector_uuid") or call.body.get("id_connector")
    if not key:
        raise missing("connector_uuid")
    connector = call.world.branches.connector(str(key))
    if connector is None:
        raise not_found("Connector")
    if connector.restricted or connector.hidden:
        raise invalid("This connector accepts no new connections")
    values = _field_values(call)
    for field in connector.fields:
        if field.required and field.kind != "list" and not values.get(field.name):
            raise missing(field.name)
    source = call.text("source") or call.body.get("source")
    try:
        connection = linking.begin(call.world, call.user(), connector, source, values)
    except Refused as refused:
        raise _refusal(refused) from refused
    except KeyError as error:
        raise invalid("Unknown source") from error
    return _state_answer(call, connection, call.world.switches.create_connection_status)


def update(call: Call) -> Answer:
    """Change settings, answer a challenge, give new credentials, or sync when the body is empty."""
    connection = call.connection()
    body = call.body
    if "active" in body:
        connection.active = as_bool(body["active"])
        connection.next_try = syncing.next_sync(call.world) if connection.active else None
        for source in connection.sources:
            source.next_try = connection.next_try
    values = _field_values(call)
    try:
        if "source" in body or call.text("source"):
            linking.add_source(call.world, connection, str(body.get("source") or call.text("source")))
        if as_bool(body.get("resume", False)):
            linking.resume(call.world, connection, background=call.flag("background"))
        elif as_bool(body.get("refresh_auth", False)):
            linking.challenge(call.world, connection, _renewal(connection))
        elif values:
            linking.answer(call.world, connection, values)
        elif not body:
            linking.force_sync(call.world, connection, psu=True)
    except Refused as refused:
        raise _refusal(refused) from refused
    except KeyError as error:
        raise invalid("Unknown source") from error
    return _state_answer(call, connection, 200)


def _renewal(connection: Connection) -> Script:
    return linking.renewal_script(connection.connector)


def force_sync(call: Call) -> Answer:
    """Sync now; what comes back depends on the bank, the person's presence and a switch."""
    connection = call.connection()
    if as_bool(call.body.get("resume", False)):
        linking.resume(call.world, connection, background=call.flag("background"))
        return _state_answer(call, connection, 200)
    psu = call.optional_flag("psu_requested")
    switches = call.world.switches
    _refuse_close_syncs(call, connection)
    match switches.sync_mode:
        case "conflict":
            raise ApiError(409, "connectionLocked", "A synchronisation is already running")
        case "wrapped":
            body = connection_json(call.world, connection, call.expand())
            return Answer({"connection": body, "message": "The connection was synchronised too recently"})
        case "accepted":
            answer = connection_json(call.world, connection, call.expand())
            linking.force_sync(call.world, connection, psu=psu is not False)
            return Answer(answer, 202)
        case "rate_limiting":
            syncing.fail(call.world, connection, "rateLimiting", None)
            return _state_answer(call, connection, 200)
    linking.force_sync(call.world, connection, psu=psu is not False)
    answer_now = _state_answer(call, connection, 200)
    if switches.sync_mode == "slow":
        answer_now.delay_s = switches.sync_slow_s
    return answer_now


def _refuse_close_syncs(call: Call, connection: Connection) -> None:
    now, gap_s = call.world.now, call.world.switches.sync_min_gap_s
    if gap_s and connection.last_forced is not None and now - connection.last_forced < gap_s:
        raise ApiError(
            call.world.switches.too_many_sync_status,
            "tooManySync",
            "Synchronised a moment ago, try again later",
        )
    connection.last_forced = now


def sync_all(call: Call) -> Answer:
    """Sync every connection of the user, in the old blocking way."""
    for connection in call.world.connections_of(call.user()):
        linking.force_sync(call.world, connection, psu=call.optional_flag("psu_requested") is not False)
    return listing(call)


def delete(call: Call) -> Answer:
    """Erase a connection with its accounts and rows."""
    linking.delete(call.world, call.connection())
    return Answer()


def delete_all(call: Call) -> Answer:
    """Erase every connection of the user."""
    for connection in call.world.connections_of(call.user()):
        linking.delete(call.world, connection)
    return Answer()


def sources(call: Call) -> Answer:
    """List the ways in which a connection reaches its bank."""
    connection = call.connection()
    shown = [source for source in connection.sources if source.disabled is None or call.flag("all")]
    return call.paged("sources", (source_json(call.world.switches, connection, source) for source in shown))


def _source(call: Call, connection: Connection) -> ConnectionSource:
    wanted = as_int(call.parts["source"])
    found = next((source for source in connection.sources if source.id == wanted), None)
    if found is None or (found.disabled is not None and not call.flag("all")):
        raise not_found("Source")
    return found


def read_source(call: Call) -> Answer:
    """Return one way in."""
    connection = call.connection()
    return Answer(source_json(call.world.switches, connection, _source(call, connection)))


def change_source(call: Call) -> Answer:
    """Switch one way in on or off."""
    connection = call.connection()
    source = _source(call, connection)
    if "disabled" in call.body:
        source.disabled = call.world.now if as_bool(call.body["disabled"]) else None
    return Answer(source_json(call.world.switches, connection, source))


def _field_values(call: Call) -> dict[str, str]:
    return {name: str(value) for name, value in call.body.items() if name not in _SETTINGS}


def _refusal(refused: Refused) -> ApiError:
    texts = {
        "wrongpass": "Authentication refused by the institution",
        "websiteUnavailable": "The institution cannot be reached",
        "bug": "Internal error while talking to the institution",
    }
    status = 500 if refused.code == "bug" else 400
    return ApiError(status, refused.code, texts.get(refused.code, "Unacceptable value"), refused.message)


def _state_answer(call: Call, connection: Connection, status: int) -> Answer:
    body: dict[str, Any] = connection_json(call.world, connection, call.expand() or {"sources": []})
    return Answer(body, 202 if connection.state in _WAITING else status)
