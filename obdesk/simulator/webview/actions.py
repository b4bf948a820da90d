"""What each button of the webview does: a visit and an action in, the next step out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.simulator.bank.scripts import Script, otp_field
from obdesk.simulator.webview import flows
from obdesk.simulator.webview.visits import Flow, Step, Visit
from obdesk.simulator.world import linking, syncing
from obdesk.simulator.world.linking import Refused
from obdesk.simulator.world.tokens import TEMPORARY_LIFE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from obdesk.simulator.bank.connectors import Connector
    from obdesk.simulator.world.entities import Connection
    from obdesk.simulator.world.world import World

Result = dict[str, str]  # values for the callback: the visit is over


def act(world: World, visit: Visit, action: str, form: Mapping[str, Sequence[str]]) -> Result | None:
    """Do what a button says. Returns values for the callback once the visit is over, else None."""
    visit.problem = visit.bank_message = None
    handler = _ACTIONS.get(action)
    if handler is None:
        return None
    result = handler(world, visit, form)
    if result is None and visit.step is Step.DONE:
        return _leave(world, visit)
    return result


def _one(form: Mapping[str, Sequence[str]], name: str) -> str:
    return form.get(name, [""])[0]


def _choose(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    chosen = next(
        (item for item in flows.choices_of(world, visit) if item.uuid == _one(form, "connector")), None
    )
    if chosen is not None:
        visit.connection = None
        flows.pick(visit, chosen)
    return None


def _back(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    del form
    if visit.flow is Flow.RECONNECT:
        return None
    _drop_unfinished(world, visit)
    visit.connector, visit.step = None, Step.CHOOSE
    return None


def _login(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    connector = visit.connector
    if connector is None:
        visit.step = Step.CHOOSE
        return None
    values = {
        field.name: value
        for field in connector.fields
        if (value := _one(form, f"field.{field.name}").strip())
    }
    visit.prefill = {name: value for name, value in values.items() if name != "password"}
    if any(field.required and not values.get(field.name) for field in connector.fields):
        visit.problem = "missing"
        return None
    try:
        if visit.connection is not None:
            visit.connection.pending_script = None
            linking.answer(world, visit.connection, values)
        else:
            visit.connection = _begin(world, visit, connector, values)
    except Refused as refused:
        visit.problem, visit.bank_message = refused.code, refused.message
        return None
    flows.follow(visit, visit.connection)
    return None


def _begin(world: World, visit: Visit, connector: Connector, values: Mapping[str, str]) -> Connection:
    connection = linking.begin(world, visit.user, connector, None, values)
    connection.allowed_ibans = visit.listed("account_ibans")
    connection.allowed_types = visit.listed("account_types")
    return connection


def _otp(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    connection = visit.connection
    if connection is None or visit.step is not Step.OTP:
        return None
    name = otp_field(connection.connector).name
    try:
        linking.answer(world, connection, {name: _one(form, "code").replace(" ", "")})
    except Refused as refused:
        visit.problem = "code" if refused.code == "wrongpass" else refused.code
        return None
    flows.follow(visit, connection)
    return None


def _again(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    del form
    if visit.connection is not None and visit.step is Step.OTP:
        linking.challenge(world, visit.connection, Script.OTP)
    return None


def _approve(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    del form
    if visit.connection is not None and visit.step is Step.APP:
        flows.answer_app(world, visit, visit.connection)
    return None


def _refuse(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    del form
    if visit.connection is not None and visit.step is Step.APP:
        visit.problem = "app"
        flows.retry(world, visit, visit.connection)
    return None


def _allow(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    del form
    if visit.connector is None or visit.step is not Step.BANK:
        return None
    if visit.connection is None:
        visit.connection = _begin(world, visit, visit.connector, {})
    linking.complete(world, visit.connection)
    flows.follow(visit, visit.connection)
    return None


def _deny(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    del world, form
    visit.problem = "denied"
    return None


def _accounts(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    connection = visit.connection
    if connection is None or visit.step is not Step.ACCOUNTS:
        return None
    wanted = set(form.get("account", []))
    chosen = [
        account
        for account in connection.accounts
        if str(account.id) in wanted and flows.allowed(connection, account)
    ]
    if not chosen:
        visit.problem = "accounts"
        return None
    for account in connection.live_accounts():
        if account not in chosen:
            syncing.disable(world, connection, account)
    syncing.enable(world, connection, chosen)
    if connection.id not in visit.linked:
        visit.linked.append(connection.id)
    more = visit.flow is Flow.CONNECT and len(visit.linked) < visit.max_connections
    visit.step = Step.MORE if more else Step.DONE
    return None


def _noticed(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    del form
    connection = visit.connection
    if connection is None:
        return None
    if visit.flow is Flow.CONNECT:
        visit.linked.append(connection.id)
        visit.step = Step.DONE
    elif connection.state in flows.ON_SITE:
        linking.complete(world, connection)
        flows.follow(visit, connection)
    else:
        visit.step = Step.DONE
    return None


def _another(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    del world, form
    visit.connector = visit.connection = None
    visit.step = Step.CHOOSE
    return None


def _finish(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    del world, form
    visit.step = Step.DONE
    return None


def _cancel(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    del form
    _drop_unfinished(world, visit)
    if visit.managing:
        _back_to_list(visit)
        return None
    visit.step = Step.DONE
    if visit.linked:
        return _leave(world, visit)
    return {"error": "access_denied", "error_description": "User cancelled"}


def _decline(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    del form
    _drop_unfinished(world, visit)
    visit.step = Step.DONE
    return {"error": "tos_declined", "error_description": "User declined the terms"}


def _save(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    connection = _managed(world, visit, form)
    wanted = set(form.get("account", []))
    if connection is not None:
        for account in connection.live_accounts():
            if str(account.id) not in wanted:
                syncing.disable(world, connection, account)
        syncing.enable(world, connection, [item for item in connection.accounts if str(item.id) in wanted])
    return None


def _repair(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    connection = _managed(world, visit, form)
    if connection is not None:
        visit.flow = Flow.RECONNECT
        flows.start_repair(world, visit, connection)
    return None


def _remove(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    connection = _managed(world, visit, form)
    if connection is not None:
        linking.delete(world, connection)
    return None


def _add(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    del world, form
    visit.flow, visit.step = Flow.CONNECT, Step.CHOOSE
    return None


def _managed(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Connection | None:
    wanted = _one(form, "connection")
    found = world.connections.get(int(wanted)) if wanted.isdigit() else None
    return found if found is not None and found.id_user == visit.user.id else None


def _drop_unfinished(world: World, visit: Visit) -> None:
    connection = visit.connection
    if visit.flow is Flow.CONNECT and connection is not None and connection.id not in visit.linked:
        if connection.id in world.connections:
            linking.delete(world, connection)
        visit.connection = None


def _back_to_list(visit: Visit) -> None:
    visit.step, visit.flow, visit.connection, visit.connector = Step.MANAGE, Flow.MANAGE, None, None


def _close(world: World, visit: Visit, form: Mapping[str, Sequence[str]]) -> Result | None:
    visit.managing = False
    return _finish(world, visit, form)


def _leave(world: World, visit: Visit) -> Result | None:
    if visit.managing:
        _back_to_list(visit)
        return None
    values: Result = {}
    if visit.flow is Flow.CONNECT and visit.linked:
        values["connection_id"] = str(visit.linked[0])
        if visit.max_connections > 1:
            values["connection_ids"] = ",".join(map(str, visit.linked))
    if visit.flow is Flow.WEBAUTH and visit.connection is not None:
        values["id_connection"] = str(visit.connection.id)
        if visit.state is None and world.switches.webauth_returns_state:
            values["state"] = visit.connection.state or "null"
    if visit.anonymous and visit.linked:
        visit.user.purge_at = world.now + TEMPORARY_LIFE_S
        values["code"] = world.issue_code(visit.user)
    return values


_ACTIONS: dict[str, Callable[[World, Visit, Mapping[str, Sequence[str]]], Result | None]] = {
    "choose": _choose,
    "back": _back,
    "login": _login,
    "otp": _otp,
    "again": _again,
    "approve": _approve,
    "refuse": _refuse,
    "allow": _allow,
    "deny": _deny,
    "accounts": _accounts,
    "noticed": _noticed,
    "another": _another,
    "finish": _finish,
    "close": _close,
    "cancel": _cancel,
    "decline": _decline,
    "save": _save,
    "repair": _repair,
    "remove": _remove,
    "add": _add,
}
