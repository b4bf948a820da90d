"""Rows that the person merged into another one, as the matching of a sync sees them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from obdesk.storage.columns import to_ms
from obdesk.storage.writes.transactions import by_ids

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from obdesk.domain.ledger import KnownTransaction
    from obdesk.storage.tx import Tx


def twins(tx: Tx, account_ids: Collection[int]) -> list[tuple[KnownTransaction, KnownTransaction]]:
    """Return the rows that stand for two, each with the one that was merged into it.

    Where the bank had withdrawn the row that stays it lists only one of the two: those are left out.
    """
    merged = tx.rows("SELECT other_id, kept_id, before FROM merges WHERE undone_at IS NULL")
    kept_of = {row[0]: row[1] for row in merged}
    pairs: list[tuple[int, int]] = []
    for other_id, kept_id, before in merged:
        if json.loads(before)["kept"]["deleted_at"] is None:
            while kept_id in kept_of:  # it was merged in its turn
                kept_id = kept_of[kept_id]  # noqa: PLW2901 - the end of a chain
            pairs.append((kept_id, other_id))
    rows = {row.id: row for row in by_ids(tx, sorted({each for pair in pairs for each in pair}))}
    return [
        (rows[kept_id], rows[other_id])
        for kept_id, other_id in pairs
        if rows[kept_id].account_id in account_ids and not rows[kept_id].deleted
    ]


def join_ids(tx: Tx, ids: Sequence[tuple[KnownTransaction, int]], now: datetime) -> None:
    """Keep further provider ids of rows that stand for two."""
    tx.executemany(
        "INSERT INTO transaction_aliases(transaction_id, account_id, provider_id, seen_at) "
        "VALUES (?, ?, ?, ?)",
        [(row.id, row.account_id, provider_id, to_ms(now)) for row, provider_id in ids],
    )
