"""Transactions with note, IBAN and provider ids, many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.records import TransactionRecord
from obdesk.storage.queries.transactions import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.domain.filters import TransactionFilter
    from obdesk.storage.engine import Connection

_CHUNK = 500


def records(
    connection: Connection, wanted: TransactionFilter, offset: int, limit: int
) -> tuple[TransactionRecord, ...]:
    """Return some rows of a filter in its order."""
    rows = page(connection, wanted, offset, limit)
    found: list[TransactionRecord] = []
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        ids = [row.id for row in chunk]
        facts = _facts(connection, ids)
        former = _former_ids(connection, ids)
        for row in chunk:
            iban, currency, note, provider_id = facts[row.id]
            provider_ids = (str(provider_id), *former.get(row.id, ()))
            found.append(TransactionRecord(row, iban, currency, note, provider_ids))
    return tuple(found)


def _facts(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[str, str, str, int]]:
    marks = ",".join("?" * len(ids))
    found = connection.execute(
        "SELECT t.id, a.iban, a.currency, coalesce(e.note, ''), t.provider_id FROM transactions t "
        "JOIN accounts a ON a.id = t.account_id LEFT JOIN transaction_edits e ON e.transaction_id = t.id "
        f"WHERE t.id IN ({marks})",
        tuple(ids),
    )
    return {row[0]: row[1:] for row in found}


def _former_ids(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    marks = ",".join("?" * len(ids))
    found = connection.execute(
        f"SELECT transaction_id, provider_id FROM transaction_aliases WHERE transaction_id IN ({marks}) "
        "ORDER BY seen_at DESC, id DESC",
        tuple(ids),
    )
    former: dict[int, list[str]] = {}
    for transaction_id, provider_id in found:
        former.setdefault(transaction_id, []).append(str(provider_id))
    return former
