"""Accounts: listing, enabling, renaming; account types and currencies."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from obdesk.simulator.api.answers import Answer
from obdesk.simulator.api.body import as_bool, as_int
from obdesk.simulator.api.errors import invalid, not_found
from obdesk.simulator.api.wire import (
    TYPE_IDS,
    account_json,
    account_type_json,
    coming_of,
    connection_json,
    money,
)
from obdesk.simulator.bank.numbers import CURRENCIES
from obdesk.simulator.world import syncing

if TYPE_CHECKING:
    from starlette.routing import Route

    from obdesk.simulator.api.call import Call, Desk
    from obdesk.simulator.world.entities import Account, Connection


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    found = [
        desk.route("/account_types", get=types),
        desk.route("/account_types/{type}", get=one_type),
        desk.route("/currencies", get=currencies),
    ]
    for base in ("/users/{user}/accounts", "/users/{user}/connections/{connection}/accounts"):
        found += [
            desk.route(base, get=listing),
            desk.route(f"{base}/{{account}}", get=read, post=change, put=change),
        ]
    return found


def listing(call: Call) -> Answer:
    """List accounts with the totals by currency; disabled and vanished ones only with `all`."""
    everything = call.flag("all")
    pairs = [
        (connection, account)
        for connection, account in call.scope()
        if everything or (account.disabled is None and account.deleted is None)
    ]
    shown = [_shown(call, connection, account) for connection, account in pairs]
    return call.paged("accounts", shown, **_totals(pairs))


def _shown(call: Call, connection: Connection, account: Account) -> dict[str, Any]:
    body = account_json(call.world, connection, account)
    expand = call.expand()
    if "connection" in expand:
        body["connection"] = connection_json(
            call.world, connection, {name: [] for name in expand["connection"]}
        )
    return body


def _totals(pairs: list[tuple[Connection, Account]]) -> dict[str, Any]:
    balances: defaultdict[str, int] = defaultdict(int)
    coming: defaultdict[str, int] = defaultdict(int)
    for connection, account in pairs:
        if account.disabled is None and account.deleted is None and account.balance_minor is not None:
            balances[account.currency] += account.balance_minor
            coming[account.currency] += coming_of(connection, account)
    main = next(iter(balances), "EUR")
    return {
        "balance": money(balances.get(main, 0), CURRENCIES[main].precision),
        "balances": {code: money(minor, CURRENCIES[code].precision) for code, minor in balances.items()},
        "coming_balances": {code: money(minor, CURRENCIES[code].precision) for code, minor in coming.items()},
    }


def read(call: Call) -> Answer:
    """Return one account; a disabled one is not found without `all`."""
    connection, account = call.scope()[0]
    return Answer(_shown(call, connection, account))


def change(call: Call) -> Answer:
    """Rename, hide, bookmark, enable or disable one account, or several in the comma form."""
    wanted = [as_int(part) for part in str(call.parts["account"]).split(",")]
    parts, call.parts = call.parts, {key: value for key, value in call.parts.items() if key != "account"}
    pairs = [pair for pair in call.scope() if pair[1].id in wanted]
    call.parts = parts
    if len(pairs) != len(set(wanted)):
        raise not_found("Account")
    if any(account.disabled is not None for _, account in pairs) and not call.flag("all"):
        raise not_found("Account")
    for connection, account in pairs:
        _rename(call, account)
        if "disabled" in call.body and as_bool(call.body["disabled"]):
            syncing.disable(call.world, connection, account)
    if "disabled" in call.body and not as_bool(call.body["disabled"]):
        _enable(call, pairs)
    bodies = [account_json(call.world, connection, account) for connection, account in pairs]
    return Answer(bodies[0] if len(bodies) == 1 else {"accounts": bodies, "total": len(bodies)})


def _enable(call: Call, pairs: list[tuple[Connection, Account]]) -> None:
    connections = {connection.id: connection for connection, _ in pairs}
    for connection in connections.values():
        chosen = [account for owner, account in pairs if owner is connection and account.deleted is None]
        syncing.enable(call.world, connection, chosen)


def _rename(call: Call, account: Account) -> None:
    body = call.body
    if "name" in body:
        account.name = str(body["name"])
    if "display" in body:
        account.display = as_bool(body["display"])
    if "bookmarked" in body:
        account.bookmarked = as_bool(body["bookmarked"])
    if "usage" in body:
        if body["usage"] not in {"PRIV", "ORGA", "ASSO"}:
            raise invalid("usage is PRIV or ORGA")
        account.usage = str(body["usage"])


def types(call: Call) -> Answer:
    """List the account types."""
    return call.paged("accounttypes", (account_type_json(name) for name in TYPE_IDS))


def one_type(call: Call) -> Answer:
    """Return one account type, by id or by name."""
    wanted = str(call.parts["type"])
    name = next((name for name, number in TYPE_IDS.items() if wanted in {name, str(number)}), None)
    if name is None:
        raise not_found("Account type")
    return Answer(account_type_json(name))


def currencies(call: Call) -> Answer:
    """List the currencies."""
    return call.paged(
        "currencies",
        (
            {
                "id": currency.code,
                "name": currency.name,
                "symbol": currency.symbol,
                "precision": currency.precision,
                "prefix": currency.prefix,
                "crypto": False,
            }
            for currency in CURRENCIES.values()
        ),
    )
