"""A real encrypted file with a few accounts, filled row by row as a test needs it."""

from __future__ import annotations

import asyncio
import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from obdesk.app.export import BOM, export_csv
from obdesk.domain.exports import CsvOptions, CsvReport
from obdesk.domain.filters import TransactionFilter
from obdesk.storage.engine import connect
from obdesk.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = bytes(range(32))
AS_OF_MS = 1_773_736_200_000  # 2026-03-17T08:30:00Z

EUROS, YEN, DINARS = 1, 2, 3
"""The accounts of a ledger, by currency: two decimals, none, three."""

_CONNECTION = (
    "INSERT INTO connections(id, provider, provider_id, connector_id, bank, color, condition, provider_state,"
    " bank_message, active, paused, linked_at, failures) VALUES (1, 'powens', '77', 'c', ?, '', 'ok', '', '',"
    " 1, 0, 0, 0)"
)
_ACCOUNT = (
    "INSERT INTO accounts(id, connection_id, provider_id, name, kind, state, iban, number, currency,"
    " exponent, balance_minor, data_as_of, condition, first_seen_at)"
    " VALUES (?, 1, ?, ?, 'checking', 'active', ?, '', ?, ?, 0, ?, 'ok', 0)"
)
_COLUMNS = (
    "id", "account_id", "provider_id", "pending", "booked_on", "done_on", "value_on", "amount_minor", "label",
    "payee", "kind", "category", "card", "counterparty", "counterparty_account", "original_minor",
    "original_currency", "original_exponent", "provider_updated", "search_text", "first_seen_at",
    "changed_at", "deleted_at",
)  # fmt: skip
_TRANSACTION = (
    f"INSERT INTO transactions({', '.join(_COLUMNS)})"  # noqa: S608 - names from the line above
    f" VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"
)
_FACTS: dict[str, Any] = {
    "account_id": EUROS,
    "pending": False,
    "booked_on": "2026-03-01",
    "done_on": None,
    "value_on": None,
    "amount_minor": -2390,
    "label": "CARTE 2802 BOULANGERIE",
    "payee": "Boulangerie",
    "kind": "card",
    "category": "Food",
    "card": "",
    "counterparty": "",
    "counterparty_account": "",
    "original_minor": None,
    "original_currency": "",
    "original_exponent": 0,
    "provider_updated": "",
    "search_text": "",
    "first_seen_at": 0,
    "changed_at": 0,
    "deleted_at": None,
}


class Ledger:
    """An encrypted file with three accounts at one bank."""

    def __init__(self, folder: Path, bank: str = "Banque d'Essai") -> None:
        self.path = folder / "obdesk.db"
        Store.open(self.path, KEY).close()
        self.connection = connect(self.path, KEY)
        self.connection.execute(_CONNECTION, (bank,))
        for account, name, iban, currency, exponent in (
            (EUROS, "Compte courant", "FR7630006000011234567890189", "EUR", 2),
            (YEN, "Voyage 100 % yen", "", "JPY", 0),
            (DINARS, "Tunis", "TN5910006035183598478831", "TND", 3),
        ):
            self.connection.execute(_ACCOUNT, (account, account, name, iban, currency, exponent, AS_OF_MS))
        self._next = 1

    def add(self, **facts: Any) -> int:
        """Add a transaction and return its id."""
        return self.add_many([facts])[0]

    def add_many(self, rows: list[dict[str, Any]]) -> list[int]:
        """Add transactions in one commit and return their ids."""
        ids = list(range(self._next, self._next + len(rows)))
        self._next += len(rows)
        full = [
            {**_FACTS, "id": n, "provider_id": 900_000 + n, **facts}
            for n, facts in zip(ids, rows, strict=True)
        ]
        self.connection.execute("BEGIN")
        self.connection.executemany(_TRANSACTION, full)
        self.connection.execute("COMMIT")
        return ids

    def edit(self, transaction: int, *, note: str = "", category: str | None = None) -> None:
        """Keep the person's words on a transaction."""
        self.connection.execute(
            "INSERT INTO transaction_edits VALUES (?, ?, ?, 0)", (transaction, note, category)
        )

    def reader(self) -> Any:
        """Open a connection as the export does."""
        return connect(self.path, KEY, read_only=True)

    def export(
        self,
        out: Path | io.BytesIO,
        wanted: TransactionFilter | None = None,
        *,
        bom: bool = False,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> CsvReport:
        """Export and wait for the end."""
        return asyncio.run(
            export_csv(
                self.reader, out, wanted or TransactionFilter(), CsvOptions(bom=bom), progress, cancelled
            )
        )

    def exported(self, wanted: TransactionFilter | None = None) -> list[dict[str, str]]:
        """Return the rows of an export as a reader of CSV sees them."""
        stream = io.BytesIO()
        self.export(stream, wanted)
        return parsed(stream.getvalue())


def parsed(content: bytes) -> list[dict[str, str]]:
    """Read a file strictly, by the rules of RFC 4180."""
    text = content.removeprefix(BOM).decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def sums(rows: list[dict[str, str]]) -> dict[str, Decimal]:
    """Return the exact sum of the amounts of each currency."""
    totals: dict[str, Decimal] = {}
    for row in rows:
        if row["amount"]:
            totals[row["currency"]] = totals.get(row["currency"], Decimal(0)) + Decimal(row["amount"])
    return totals
