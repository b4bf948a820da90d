"""Making two accounts one: what the other one has goes over to the one that is kept, and nothing is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from obdesk.storage.writes import accounts, edits, transactions
from obdesk.storage.writes.events import add_event

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.storage.tx import Tx

_OWN = frozenset({"id", "connection_id", "provider_id", "first_seen_at"})
"""Columns of an account that are its own; all others are the bank's word on it."""


def move_rows(tx: Tx, kept_id: int, other_id: int, same: Iterable[tuple[int, int]], now: datetime) -> None:
    """Let rows go into those that are the same (row, row that stays); the other account's change theirs."""
    for row_id, stays in same:
        edits.join(tx, stays, row_id, now)
        tx.execute(
            "UPDATE OR IGNORE transaction_aliases SET transaction_id = ?, account_id = ? "
            "WHERE transaction_id = ?",
            (stays, kept_id, row_id),
        )
        tx.execute(
            "UPDATE transaction_history SET transaction_id = ? WHERE transaction_id = ?", (stays, row_id)
        )
        transactions.erase(tx, row_id)
    _take_merges(tx, kept_id, other_id)
    # What the kept account knows as a former id of a row is one; an id of one's own goes before it.
    tx.execute(
        "DELETE FROM transaction_aliases WHERE account_id = ?1 AND provider_id IN "
        "(SELECT provider_id FROM transactions WHERE account_id = ?2)",
        (kept_id, other_id),
    )
    tx.execute("UPDATE transactions SET account_id = ? WHERE account_id = ?", (kept_id, other_id))
    for table in ("transaction_aliases", "suggestions", "lessons"):
        tx.execute(f"UPDATE OR IGNORE {table} SET account_id = ? WHERE account_id = ?", (kept_id, other_id))


def _take_merges(tx: Tx, kept_id: int, other_id: int) -> None:
    """Let what undoing a merge brings back be rows of the kept account."""
    found = tx.rows(
        "SELECT m.id, m.before FROM merges m JOIN transactions t ON t.id = m.kept_id "
        "WHERE t.account_id = ? AND m.undone_at IS NULL",
        (other_id,),
    )
    for merge_id, text in found:
        before = json.loads(text)
        for record in (before["kept"], before["other"], *before["aliases"]):
            record["account_id"] = kept_id
        tx.update("merges", merge_id, {"before": json.dumps(before)})


def move_account(tx: Tx, kept_id: int, other_id: int, now: datetime) -> None:
    """Let the kept account go by the other one's id and say what it says; the other one is no more."""
    (other,) = tx.records("SELECT * FROM accounts WHERE id = ?", (other_id,))
    connection_id: ConnectionId = other["connection_id"]
    tx.update("accounts", other_id, {"provider_id": -other_id})  # no bank serves a negative id
    accounts.rename_ids(tx, connection_id, {other["provider_id"]: kept_id}, now)
    tx.update("accounts", kept_id, {name: value for name, value in other.items() if name not in _OWN})
    tx.execute(
        "INSERT INTO balances(account_id, currency, day, balance_minor, observed_at) "
        "SELECT ?, currency, day, balance_minor, observed_at FROM balances WHERE account_id = ? "
        "ON CONFLICT(account_id, currency, day) DO UPDATE SET balance_minor = excluded.balance_minor, "
        "observed_at = excluded.observed_at WHERE excluded.observed_at > observed_at",
        (kept_id, other_id),
    )
    for table in ("account_edits", "account_aliases", "holes"):
        tx.execute(f"UPDATE OR IGNORE {table} SET account_id = ? WHERE account_id = ?", (kept_id, other_id))
    tx.execute("DELETE FROM problems WHERE account_id IN (?, ?)", (kept_id, other_id))  # looked for again
    tx.execute("DELETE FROM accounts WHERE id = ?", (other_id,))
    tx.execute("DELETE FROM page_digests WHERE connection_id = ?", (connection_id,))
    add_event(tx, now, "account_reunited", connection_id)
