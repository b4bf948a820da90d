"""What each event says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obdesk.simulator.api.rows import RowWriter
from obdesk.simulator.api.wealth import investments_json
from obdesk.simulator.api.wire import account_json, connection_json, stamp, user_json

if TYPE_CHECKING:
    from obdesk.simulator.world.entities import Account, Connection
    from obdesk.simulator.world.events import Event
    from obdesk.simulator.world.world import World

Json = dict[str, Any]


def body_of(world: World, event: Event) -> Json:
    """Return the payload of an event, without its id."""
    connection, account = event.connection, event.account
    match event.name:
        case "CONNECTION_SYNCED" | "ACCOUNTS_FETCHED" if connection is not None:
            return _synced(world, event, connection)
        case "USER_SYNCED" if connection is not None:
            synced = _synced(world, event, connection)
            return {"user": synced["user"], "connections": [synced["connection"]], "total": 1}
        case "CONNECTION_DELETED" if connection is not None:
            return connection_json(world, connection)
        case "ACCOUNT_SYNCED" if connection is not None and account is not None:
            return _account(world, connection, account, event)
        case "ACCOUNT_ENABLED" | "ACCOUNT_DISABLED" if connection is not None and account is not None:
            return account_json(world, connection, account)
        case "ACCOUNT_FOUND" if account is not None:
            return {
                "id": account.id,
                "id_user": account.id_user,
                "id_connection": account.id_connection,
                "disabled": stamp(world.switches, account.disabled),
                "type": account.kind,
            }
        case "ACCOUNT_CATEGORIZED" if connection is not None:
            return {
                "transactions": [
                    {"id": row["id"], "id_account": row["id_account"], "categories": row["categories"]}
                    for item in connection.live_accounts()
                    for row in _rows(world, connection, item, event)
                ]
            }
        case _:
            return user_json(world.switches, event.user)


def _synced(world: World, event: Event, connection: Connection) -> Json:
    body = connection_json(world, connection, {"connector": [], "sources": []})
    if event.name == "ACCOUNTS_FETCHED":
        body["accounts"] = [account_json(world, connection, item) for item in connection.live_accounts()]
    elif connection.state is not None:
        body["accounts"] = []
    else:
        body["accounts"] = [_account(world, connection, item, event) for item in connection.live_accounts()]
        body["subscriptions"] = []
    return {"user": user_json(world.switches, event.user), "connection": body}


def _account(world: World, connection: Connection, account: Account, event: Event) -> Json:
    return {
        **account_json(world, connection, account),
        "transactions": _rows(world, connection, account, event),
        "investments": investments_json(world, connection, account),
        "market_orders": [],
    }


def _rows(world: World, connection: Connection, account: Account, event: Event) -> list[Json]:
    writer = RowWriter(world, connection, account)
    slots = event.rows.get(account.id, [])[: world.switches.webhook_max_rows]
    return [{**writer.row(slot), "new": True} for slot in slots]
