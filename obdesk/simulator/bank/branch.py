"""One bank at work: its accounts, their statements, and how rows are spread when a total is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obdesk.simulator.bank.accounts import BankAccount, is_french, open_accounts
from obdesk.simulator.bank.directory import all_banks
from obdesk.simulator.bank.labels import Printer
from obdesk.simulator.bank.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.simulator.bank.connectors import Connector
    from obdesk.simulator.options import Options

_TEST_BANKS = 3  # the connectors before the invented ones
_LONG_HISTORY_ROWS = 20_000
_LONG_HISTORY_DAYS = 3_650


@dataclass(slots=True)
class Branch:
    """A connector with the accounts and statements behind it."""

    connector: Connector
    accounts: list[BankAccount]
    statements: dict[str, Statement]
    printers: dict[str, Printer]

    def account(self, key: str) -> BankAccount:
        """Return the account called `key` at this bank."""
        return next(account for account in self.accounts if account.key == key)


def _split(total: int, shares: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `shares`, exactly."""
    weight = sum(shares) or 1
    parts = [total * share // weight for share in shares]
    if not parts:
        return []
    for position in range(total - sum(parts)):
        parts[position % len(parts)] += 1
    return parts


class Branches:
    """Every bank of the simulated country."""

    def __init__(self, options: Options, today: int) -> None:
        self._options = options
        self._today = today
        self.connectors = all_banks(options.banks)
        self._branches: dict[int, Branch] = {}
        self._account_counts = self._counts(options.accounts)
        empty = frozenset(bank for bank, count in self._account_counts.items() if not count)
        self._row_counts = self._counts(options.transactions, empty)

    def branch(self, connector: Connector) -> Branch:
        """Return the bank behind a connector, opening its books on first use."""
        if connector.id not in self._branches:
            self._branches[connector.id] = self._open(connector)
        return self._branches[connector.id]

    def connector(self, key: str) -> Connector | None:
        """Return the connector with this uuid or, in the old form, this numeric id."""
        return next((bank for bank in self.connectors if key in {bank.uuid, str(bank.id)}), None)

    def _counts(self, total: int | None, without: frozenset[int] = frozenset()) -> dict[int, int]:
        """How much of a total each invented bank gets; those in `without` and the test banks get none."""
        if total is None:
            return {}
        invented = [bank for bank in self.connectors[_TEST_BANKS:] if bank.id not in without]
        parts = _split(total, [1] * len(invented))
        return {bank.id: 0 for bank in self.connectors[_TEST_BANKS:]} | {
            bank.id: part for bank, part in zip(invented, parts, strict=True)
        }

    def _open(self, connector: Connector) -> Branch:
        accounts = open_accounts(connector, self._account_counts.get(connector.id))
        rows = self._row_counts.get(connector.id)
        days = self._options.history_days
        if rows is not None and rows > _LONG_HISTORY_ROWS:
            days = max(days, _LONG_HISTORY_DAYS)
        first_day = self._today - days + 1
        statements: dict[str, Statement] = {}
        for account in sorted(accounts, key=lambda account: not account.plan.deferred):
            card = next((item for item in accounts if item.parent == account.key), None)
            settles = statements[card.key] if card else None
            statements[account.key] = Statement(account, self._options.seed, first_day, settles)
        if rows is not None:
            self._spread(accounts, statements, rows)
        french = is_french(connector)
        printers = {account.key: Printer(french, account.card, connector.town) for account in accounts}
        return Branch(connector, accounts, statements, printers)

    def _spread(self, accounts: list[BankAccount], statements: dict[str, Statement], rows: int) -> None:
        busy = [account for account in accounts if account.plan.share and account.plan.shops]
        parts = _split(rows, [account.plan.share for account in busy])
        wanted = dict(zip((account.key for account in busy), parts, strict=True))
        for key, statement in statements.items():
            statement.fill_history(wanted.get(key, 0), self._today)
