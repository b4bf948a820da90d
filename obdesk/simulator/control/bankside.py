"""Control of what happens at the banks: states, rows, accounts, consents; and the truth."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from obdesk.simulator.api.rows import RowWriter, parse_day
from obdesk.simulator.api.wire import account_json, connection_json
from obdesk.simulator.bank.numbers import CURRENCIES
from obdesk.simulator.control.table import ControlError, Json, Machinery, Order, Table
from obdesk.simulator.world import linking, syncing, tinkering

if TYPE_CHECKING:
    from obdesk.simulator.world.entities import Account, Connection
    from obdesk.simulator.world.world import World

_STATES = frozenset(
    {
        "SCARequired",
        "webauthRequired",
        "additionalInformationNeeded",
        "decoupled",
        "validating",
        "wrongpass",
        "passwordExpired",
        "actionNeeded",
        "rateLimiting",
        "websiteUnavailable",
        "bug",
        "notSupported",
    }
)
_FACTS = {
    "currency": "currency",
    "iban": "iban",
    "number": "number",
    "original_name": "original_name",
    "type": "kind",
}
_PASSING = frozenset({"rateLimiting", "websiteUnavailable", "bug"})
_PASSING_S = 3_600


class Bankside:
    """The calls about banks. Amounts are decimals in the account's currency, dates are YYYY-MM-DD."""

    def __init__(self, simulator: Machinery, table: Table) -> None:
        self._simulator = simulator
        table.add("GET", "/truth", self.truth)
        table.add("POST", "/sca", self.ask_sca)
        table.add("POST", "/connections/{connection}/state", self.set_state)
        table.add("POST", "/connections/{connection}/sync", self.sync)
        table.add("POST", "/connections/{connection}/consent", self.consent)
        table.add("POST", "/connections/{connection}/renumber", self.renumber)
        table.add("DELETE", "/connections/{connection}", self.remove)
        table.add("POST", "/accounts/{account}/transactions", self.add_rows)
        table.add("POST", "/accounts/{account}/book", self.book)
        table.add("POST", "/accounts/{account}/vanish", self.vanish)
        table.add("POST", "/accounts/{account}/facts", self.change_account)
        table.add("POST", "/accounts/{account}/error", self.account_error)
        table.add("POST", "/transactions/{transaction}", self.change_row)

    @property
    def _world(self) -> World:
        return self._simulator.world

    def _connection(self, order: Order) -> Connection:
        wanted = order.parts["connection"]
        connection = self._world.connections.get(int(wanted)) if wanted.isdigit() else None
        if connection is None:
            raise ControlError("no such connection", 404)
        return connection

    def _account(self, order: Order) -> tuple[Connection, Account]:
        wanted = order.parts["account"]
        found = self._world.account(int(wanted)) if wanted.isdigit() else None
        if found is None:
            raise ControlError("no such account", 404)
        return found

    def truth(self, order: Order) -> Json:
        """Return everything that is so, for one user or for all, deleted and disabled things included."""
        wanted = order.query.get("user")
        return {
            "now": self._world.now,
            "users": [
                {
                    "id": user.id,
                    "connections": [
                        self._connection_truth(item) for item in self._world.connections_of(user)
                    ],
                }
                for user in self._world.users.values()
                if wanted in {None, str(user.id)}
            ],
        }

    def _connection_truth(self, connection: Connection) -> Json:
        body = connection_json(self._world, connection, {"sources": []})
        body["accounts"] = []
        for account in connection.accounts:
            writer = RowWriter(self._world, connection, account)
            shown = account_json(self._world, connection, account)
            shown["transactions"] = [writer.row(slot) for slot in range(len(account.ledger))]
            body["accounts"].append(shown)
        return body

    def ask_sca(self, order: Order) -> Json:
        """Make the connection that was linked last ask for strong authentication; the webview mends it."""
        wanted = order.members.get("connection")
        chosen = [item for item in self._world.connections.values() if wanted in {None, item.id}]
        if not chosen:
            raise ControlError("no such connection", 404)
        tinkering.set_state(self._world, chosen[-1], "SCARequired")
        return connection_json(self._world, chosen[-1])

    def set_state(self, order: Order) -> Json:
        """Make a connection meet a state; null mends it. `for_s` ends it, `partial` spares most accounts."""
        connection, body = self._connection(order), order.members
        state = body.get("state")
        if state is not None and state not in _STATES and not body.get("unknown"):
            raise ControlError("unknown state; say unknown: true to use it all the same")
        for_s = body.get("for_s", _PASSING_S if state in _PASSING else None)
        message = body.get("message") or (linking.bank_says(connection.connector, state) if state else None)
        partial = bool(body.get("partial", False))
        tinkering.set_state(self._world, connection, state, message, for_s, partial=partial)
        return connection_json(self._world, connection, {"sources": []})

    def sync(self, order: Order) -> Json:
        """Run an automatic sync now."""
        connection = self._connection(order)
        syncing.automatic_sync(self._world, connection)
        return connection_json(self._world, connection)

    def consent(self, order: Order) -> Json:
        """Let the consent end in `expires_in_s` seconds, default now; nobody is told before the next sync."""
        connection = self._connection(order)
        tinkering.expire_consent(self._world, connection, int(order.members.get("expires_in_s", 0)))
        return connection_json(self._world, connection, {"sources": []})

    def renumber(self, order: Order) -> Json:
        """Give the accounts new ids, as after a re-created connection; IBANs stay."""
        connection = self._connection(order)
        tinkering.renumber(self._world, connection, disabled=bool(order.members.get("disabled", False)))
        return {"accounts": [account.id for account in connection.accounts]}

    def remove(self, order: Order) -> Json:
        """Let the service drop a connection by itself."""
        linking.delete(self._world, self._connection(order))
        return {"deleted": True}

    def add_rows(self, order: Order) -> Json:
        """Add `count` everyday rows or the given `rows`; they are synced at once unless `sync` is false."""
        connection, account = self._account(order)
        body = order.members
        before = len(account.ledger)
        for row in body.get("rows", []):
            self._add_row(connection, account, row)
        count, pending = int(body.get("count", 0)), bool(body.get("pending", False))
        tinkering.add_random_rows(self._world, connection, account, count, pending=pending)
        if body.get("sync", True):
            syncing.sync(self._world, connection)
        return {"added": [account.ledger.ids[slot] for slot in range(before, len(account.ledger))]}

    def _add_row(self, connection: Connection, account: Account, row: Json) -> None:
        today = self._world.today
        rday = _day(row.get("rdate")) or today
        day = _day(row.get("date")) or rday
        tinkering.add_row(
            self._world,
            connection,
            account,
            wording=str(row.get("wording", "OPERATION")),
            minor=_minor(account, row.get("value", 0)),
            day=today + 1 if row.get("pending") and day <= today else day,
            rday=rday,
            kind=str(row.get("type", "card")),
        )

    def book(self, order: Order) -> Json:
        """Book every pending row of an account."""
        connection, account = self._account(order)
        return {"booked": tinkering.book_pending(self._world, connection, account)}

    def vanish(self, order: Order) -> Json:
        """Close an account at the bank, or open it again with `back`; synced at once."""
        connection, account = self._account(order)
        gone = not order.members.get("back", False)
        tinkering.vanish(self._world, connection, account, gone=gone)
        syncing.sync(self._world, connection)
        return account_json(self._world, connection, account)

    def change_account(self, order: Order) -> Json:
        """Change currency, iban, number, original_name or type, or put the balance `off` by an amount."""
        _, account = self._account(order)
        body = order.members
        if body.get("currency", account.currency) not in CURRENCIES:
            raise ControlError("unknown currency")
        facts = {_FACTS[name]: str(value) for name, value in body.items() if name in _FACTS}
        tinkering.change_account(self._world, account, facts, _minor(account, body.get("off", 0)))
        return account_json(self._world, self._world.connections[account.id_connection], account)

    def account_error(self, order: Order) -> Json:
        """Set the error an account carries until the next sync."""
        connection, account = self._account(order)
        account.error = order.members.get("error")
        return account_json(self._world, connection, account)

    def change_row(self, order: Order) -> Json:
        """Correct, withdraw (`deleted`: true), bring back (false) or renumber (`renumber`) a row."""
        wanted, body = order.parts["transaction"], order.members
        found = self._world.find_row(int(wanted)) if wanted.isdigit() else None
        if found is None:
            raise ControlError("no such row", 404)
        account, slot = found
        if "deleted" in body:
            (tinkering.delete_row if body["deleted"] else tinkering.undelete_row)(self._world, account, slot)
        if body.get("renumber"):
            slot = tinkering.renumber_row(self._world, account, slot)
        tinkering.correct_row(
            self._world,
            account,
            slot,
            minor=_minor(account, body["value"]) if "value" in body else None,
            wording=body.get("wording"),
            day=_day(body.get("date")),
            kind=body.get("type"),
        )
        connection = self._world.connections[account.id_connection]
        return RowWriter(self._world, connection, account).row(slot)


def _day(text: Any) -> int | None:
    try:
        return None if text is None else parse_day(str(text), last=False)
    except ValueError as error:
        raise ControlError(f"not a date: {text}") from error


def _minor(account: Account, value: Any) -> int:
    try:
        scaled = Decimal(str(value)).scaleb(CURRENCIES[account.currency].precision)
    except InvalidOperation as error:
        raise ControlError(f"not a decimal: {value}") from error
    if scaled != scaled.to_integral_value():
        raise ControlError("the amount is finer than the currency")
    return int(scaled)
