"""How one account's rows follow the bank: first import, new days, pending rows that book."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.simulator.bank.portfolio import valuation
from obdesk.simulator.world.ledger import Ledger, Note

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obdesk.simulator.bank.statement import Row, Statement
    from obdesk.simulator.world.entities import Account, Connection
    from obdesk.simulator.world.world import World

_EXTRA = -1  # first half of the key of a row that was added by hand


def import_rows(world: World, connection: Connection, account: Account) -> list[int]:
    """Fill an account that was just enabled; return the slots of its rows."""
    statement = world.statement(connection, account)
    if account.shelved is not None:
        account.ledger, account.shelved = account.shelved, None
        return pull_rows(world, connection, account)
    account.ledger = Ledger()
    account.pending.clear()
    total = account.ledger.fill(statement.booked_until(world.today), lambda: world.new_id("row"), world.now)
    account.opening_minor = statement.opening_minor(total)
    account.synced_day = world.today
    account.extras_seen = 0
    pull_rows(world, connection, account)
    return list(range(len(account.ledger)))


def pull_rows(world: World, connection: Connection, account: Account) -> list[int]:
    """Fetch what is new at the bank since the last sync; return the slots of new rows."""
    statement = world.statement(connection, account)
    puller = _Puller(world, account, statement)
    puller.book_new_days()
    puller.book_extras()
    puller.see_pending()
    puller.see_extras()
    update_balance(world, connection, account)
    return puller.added


def book(world: World, connection: Connection, account: Account, keys: Iterable[tuple[int, int]]) -> int:
    """Book these pending rows now; return how many."""
    puller = _Puller(world, account, world.statement(connection, account))
    booked = 0
    for key in keys:
        puller.book(key)
        booked += 1
    update_balance(world, connection, account)
    return booked


def update_balance(world: World, connection: Connection, account: Account) -> None:
    """Set the account's balance from its rows or, when invested, from its positions."""
    bank_account = world.branch(connection).account(account.key)
    if bank_account.plan.invested:
        account.balance_minor = int(valuation(bank_account, world.options.seed, world.today) * 100)
    elif bank_account.plan.deferred:
        account.balance_minor = 0
    else:
        account.balance_minor = account.opening_minor + account.ledger.booked_minor()
        if world.switches.coming_in_balance:
            account.balance_minor += account.ledger.coming_minor()


class _Puller:
    """One pull of one account from its bank."""

    def __init__(self, world: World, account: Account, statement: Statement) -> None:
        self._world = world
        self._account = account
        self._statement = statement
        self._today = world.today
        self.added: list[int] = []

    def book_new_days(self) -> None:
        """Take over the rows of the days since the last sync."""
        account = self._account
        first = self._today if account.synced_day is None else account.synced_day
        for day in range(first + 1, self._today + 1):
            for position, row in enumerate(self._statement.booked_on(day)):
                if (day, position) in account.pending:
                    self.book((day, position))
                else:
                    self._add(row)
        account.synced_day = self._today

    def book_extras(self) -> None:
        """Book the hand-made rows whose day has come."""
        for key, (_slot, row) in list(self._account.pending.items()):
            if key[0] == _EXTRA and row.day <= self._today:
                self.book(key)

    def see_pending(self) -> None:
        """Take over what was ordered but is not booked yet."""
        for key, row in self._statement.pending_on(self._today):
            if key not in self._account.pending:
                self._add_coming(key, row)

    def see_extras(self) -> None:
        """Take over rows that were added by hand."""
        extras = self._statement.extras
        for number in range(self._account.extras_seen, len(extras)):
            if extras[number].day > self._today:
                self._add_coming((_EXTRA, number), extras[number])
            else:
                self._add(extras[number])
        self._account.extras_seen = len(extras)

    def _add(self, row: Row, note: Note | None = None) -> int:
        world = self._world
        slot = self._account.ledger.add(row, world.new_id("row"), world.now, note)
        self.added.append(slot)
        return slot

    def _add_coming(self, key: tuple[int, int], row: Row) -> None:
        label = self._statement.labels[row.label]
        held = label.hold(row.minor)
        shown_day = row.day if label.kind == "deferred_card" else min(row.day, row.rday + 1)
        shown = row._replace(minor=held or 0, day=shown_day)
        slot = self._add(shown, Note(coming=True, unknown_value=held is None))
        self._account.pending[key] = (slot, row)

    def book(self, key: tuple[int, int]) -> None:
        """Book one pending row, keeping its id or replacing it as the switch says."""
        slot, row = self._account.pending.pop(key)
        ledger, now = self._account.ledger, self._world.now
        note = ledger.note(slot)
        if note.deleted is not None:
            return
        if self._world.switches.coming_to_booked == "new_id":
            ledger.delete(slot, now)
            self._add(row)
            return
        note.coming = note.unknown_value = False
        ledger.minors[slot] = row.minor
        ledger.move(slot, row.day, row.rday)
        ledger.touch(slot, now)
