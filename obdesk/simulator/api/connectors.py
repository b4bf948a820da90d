"""The banks that can be linked, what they ask for, and their settings for this domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obdesk.simulator.api.answers import Answer
from obdesk.simulator.api.body import as_bool, as_int
from obdesk.simulator.api.errors import invalid, not_found
from obdesk.simulator.api.wire import connector_json, connector_source_json, field_json
from obdesk.simulator.world.entities import TokenKind

if TYPE_CHECKING:
    from starlette.routing import Route

    from obdesk.simulator.api.call import Call, Desk
    from obdesk.simulator.bank.connectors import Connector


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    found = [desk.route("/banks/categories", get=categories)]
    for plural in ("connectors", "banks", "providers"):
        found += [
            desk.route(f"/{plural}", get=listing, patch=hide_many),
            desk.route(f"/{plural}/{{connector}}", get=read, put=change),
            desk.route(f"/{plural}/{{connector}}/fields", get=fields),
            desk.route(f"/{plural}/{{connector}}/sources", get=sources),
            desk.route(f"/{plural}/{{connector}}/sources/{{source}}", get=source, put=change_source),
        ]
    return found


def _named(call: Call) -> Connector:
    connector = call.world.branches.connector(str(call.parts["connector"]))
    if connector is None:
        raise not_found("Connector")
    return connector


def listing(call: Call) -> Answer:
    """List the connectors; the key follows the alias that was called."""
    key = next(name for name in ("banks", "providers", "connectors") if f"/{name}" in call.path)
    countries = {
        code.strip().lower() for code in call.query.get("country_codes", "").split(",") if code.strip()
    }
    hidden = _sees_hidden(call)
    chosen = [
        connector
        for connector in call.world.branches.connectors
        if (hidden or not connector.hidden) and (not countries or connector.country in countries)
    ]
    return call.paged(key, (connector_json(call.world, connector, call.expand()) for connector in chosen))


def _sees_hidden(call: Call) -> bool:
    if not call.flag("all"):
        return False
    if not call.world.switches.hidden_needs_all:
        return True
    return bool(call.authorization) and call.token().kind is TokenKind.CONFIG


def read(call: Call) -> Answer:
    """Return one connector, by uuid or by its old numeric id."""
    return Answer(connector_json(call.world, _named(call), call.expand()))


def fields(call: Call) -> Answer:
    """List what a connector asks for."""
    connector = _named(call)
    return call.paged("fields", (field_json(field, connector.language.value) for field in connector.fields))


def sources(call: Call) -> Answer:
    """List the ways to reach a bank."""
    connector = _named(call)
    return call.paged("sources", (_source(call, connector, item.id) for item in connector.sources))


def source(call: Call) -> Answer:
    """Return one way to reach a bank."""
    return Answer(_source(call, _named(call), as_int(call.parts["source"])))


def _source(call: Call, connector: Connector, source_id: int) -> dict[str, Any]:
    found = next((item for item in connector.sources if item.id == source_id), None)
    if found is None:
        raise not_found("Source")
    return connector_source_json(call.world.switches, connector, found, call.world.now)


def change(call: Call) -> Answer:
    """Hide or show a connector, or several in the old comma form."""
    call.token(TokenKind.CONFIG)
    changed = []
    for key in str(call.parts["connector"]).split(","):
        connector = call.world.branches.connector(key)
        if connector is None:
            raise not_found("Connector")
        _apply(connector, call.body)
        changed.append(connector_json(call.world, connector))
    return Answer(changed[0] if len(changed) == 1 else {"connectors": changed})


def hide_many(call: Call) -> Answer:
    """Hide or show connectors, given as {uuid: {hidden: true}}."""
    call.token(TokenKind.CONFIG)
    for key, settings in call.body.items():
        connector = call.world.branches.connector(key)
        if connector is None or not isinstance(settings, dict):
            raise invalid(f"Unknown connector {key[:40]}")
        _apply(connector, settings)
    return Answer(
        {"connectors": [connector_json(call.world, item) for item in call.world.branches.connectors]}
    )


def _apply(connector: Connector, settings: dict[str, Any]) -> None:
    if "hidden" in settings:
        connector.hidden = as_bool(settings["hidden"])
    if "sync_periodicity" in settings:
        connector.sync_frequency = as_int(settings["sync_periodicity"])


def change_source(call: Call) -> Answer:
    """Switch one way to reach a bank on or off."""
    call.token(TokenKind.CONFIG)
    connector, source_id = _named(call), as_int(call.parts["source"])
    body = _source(call, connector, source_id)
    if "disabled" in call.body:
        chosen = connector.disabled_sources
        (chosen.add if as_bool(call.body["disabled"]) else chosen.discard)(source_id)
        body = _source(call, connector, source_id)
    return Answer(body)


def categories(call: Call) -> Answer:
    """List the categories of the old scheme, which holds but one."""
    del call
    return Answer({"bank_category": [{"id": 9998, "name": "Indéfini"}]})
