"""Writing transactions in bulk: rows, the search index beside them, tombstones, history.

Everything here is `executemany` over tuples: an ORM object per row would cost ten times more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obdesk.domain.filters import fold
from obdesk.domain.ledger import FACT_NAMES, KnownTransaction, facts_of
from obdesk.storage.columns import to_ms
from obdesk.storage.heap import let_go

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from obdesk.domain.remote import RemoteTransaction
    from obdesk.storage.tx import Tx

_ORDER = (
    "id", "account_id", "provider_id", *FACT_NAMES,
    "provider_updated", "search_text", "first_seen_at", "changed_at", "deleted_at",
)  # fmt: skip
INSERT = f"INSERT INTO transactions({', '.join(_ORDER)}) VALUES ({', '.join('?' * len(_ORDER))})"
INDEX = "INSERT INTO transaction_search(rowid, search_text) VALUES (?, ?)"
_UNINDEX = "INSERT INTO transaction_search(transaction_search, rowid, search_text) VALUES ('delete', ?, ?)"
_KNOWN = (
    "SELECT id, account_id, provider_id, deleted_at IS NOT NULL, provider_updated, "
    f"{', '.join(FACT_NAMES)} FROM transactions"
)
_WORDED = _KNOWN.replace("FROM", "FROM (SELECT transaction_id FROM transaction_edits) CROSS JOIN")
_CHUNK = 500
_HISTORY = (
    "INSERT INTO transaction_history(transaction_id, at, who, field, old, new) VALUES (?, ?, ?, ?, ?, ?)"
)
_TOLD_FIELDS = ("pending", "booked_on", "amount_minor", "label")


def next_id(tx: Tx) -> int:
    """Return the first id that is free at the end of the table."""
    found = tx.value("SELECT coalesce(max(id), 0) + 1 FROM transactions")
    assert isinstance(found, int)
    return found


def search_text_of(remote: RemoteTransaction) -> str:
    """Return what the search looks through of a row."""
    return searched(remote.label, remote.payee)


def searched(label: str, payee: str) -> str:
    """Return what the search looks through, folded: the raw label, and the payee where it adds words."""
    label, payee = fold(label), fold(payee)
    return label if payee in label else f"{label} {payee}"


def insert_rows(tx: Tx, rows: Sequence[tuple[int, RemoteTransaction]], first_id: int, now: datetime) -> int:
    """Insert rows (account id, row) under consecutive ids from `first_id`; return the next free id."""
    now_ms = to_ms(now)
    stored = [
        (
            first_id + n, account_id, remote[0], *facts_of(remote),
            remote[18], search_text_of(remote), now_ms, now_ms, None,
        )
        for n, (account_id, remote) in enumerate(rows)
    ]  # fmt: skip
    if stored:
        tx.executemany(INSERT, stored)
        tx.executemany(INDEX, ((row[0], row[-4]) for row in stored))
    following = first_id + len(stored)
    let_go(stored)
    return following


def known(tx: Tx, account_id: int, provider_ids: Sequence[int]) -> list[KnownTransaction]:
    """Return the stored rows of one account for some provider ids, former ids included."""
    found: list[KnownTransaction] = []
    for start in range(0, len(provider_ids), _CHUNK):
        chunk = provider_ids[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        rows = tx.rows(f"{_KNOWN} WHERE account_id = ? AND provider_id IN ({marks})", (account_id, *chunk))
        found += [_known_row(row) for row in rows]
    return found


def former(tx: Tx, account_id: int, provider_ids: Sequence[int]) -> dict[int, KnownTransaction]:
    """Return the rows of one account that some provider ids meant before, by those ids."""
    owners: dict[int, int] = {}
    for start in range(0, len(provider_ids), _CHUNK):
        chunk = provider_ids[start : start + _CHUNK]
        owners |= tx.rows(
            "SELECT provider_id, transaction_id FROM transaction_aliases "
            f"WHERE account_id = ? AND provider_id IN ({','.join('?' * len(chunk))})",
            (account_id, *chunk),
        )
    rows = {row.id: row for row in by_ids(tx, sorted(set(owners.values())))}
    return {provider_id: rows[row_id] for provider_id, row_id in owners.items()}


def by_ids(tx: Tx, ids: Sequence[int]) -> list[KnownTransaction]:
    """Return rows by our ids."""
    found: list[KnownTransaction] = []
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        rows = tx.rows(f"{_KNOWN} WHERE id IN ({','.join('?' * len(chunk))})", tuple(chunk))
        found += [_known_row(row) for row in rows]
    return found


def all_of(tx: Tx, account_id: int) -> list[KnownTransaction]:
    """Return every row of an account that goes by an id of the bank's, the gone ones too."""
    rows = tx.rows(f"{_KNOWN} WHERE account_id = ? AND provider_id > 0 ORDER BY id", (account_id,))
    return [_known_row(row) for row in rows]


def booked_since(tx: Tx, account_id: int, day: str) -> list[int]:
    """Return the ids of the live booked rows of an account from a day on."""
    rows = tx.rows(
        "SELECT id FROM transactions WHERE account_id = ? AND pending = 0 AND booked_on >= ? "
        "AND deleted_at IS NULL",
        (account_id, day),
    )
    return [row[0] for row in rows]


def booked_on(
    tx: Tx, account_id: int, days: Sequence[str], amounts: Sequence[int | None]
) -> list[KnownTransaction]:
    """Return the live booked rows of an account on some days; few `amounts` narrow the search."""
    found: list[KnownTransaction] = []
    narrow = f"AND amount_minor IN ({','.join('?' * len(amounts))})" if len(amounts) <= _CHUNK else ""
    for start in range(0, len(days), _CHUNK):
        chunk = days[start : start + _CHUNK]
        rows = tx.rows(
            f"{_KNOWN} WHERE account_id = ? AND pending = 0 AND deleted_at IS NULL "
            f"AND booked_on IN ({','.join('?' * len(chunk))}) {narrow}",
            (account_id, *chunk, *(amounts if narrow else ())),
        )
        found += [_known_row(row) for row in rows]
    return found


def worded(tx: Tx, account_ids: Sequence[int]) -> list[KnownTransaction]:
    """Return the rows of some accounts that carry the person's words, gone ones included.

    Rows that were merged into another one are left out.
    """
    # From the few rows with words to their transactions: the planner would walk whole accounts.
    rows = tx.rows(
        f"{_WORDED} WHERE id = transaction_id AND provider_id > 0 "
        f"AND account_id IN ({','.join('?' * len(account_ids))})",
        tuple(account_ids),
    )
    return [_known_row(row) for row in rows]


def pending_of(tx: Tx, account_ids: Sequence[int]) -> list[KnownTransaction]:
    """Return all live pending rows of some accounts."""
    rows = tx.rows(
        f"{_KNOWN} WHERE account_id IN ({','.join('?' * len(account_ids))}) "
        "AND pending = 1 AND deleted_at IS NULL",
        tuple(account_ids),
    )
    return [_known_row(row) for row in rows]


def _known_row(row: Any) -> KnownTransaction:
    return KnownTransaction(row[0], row[1], row[2], bool(row[3]), row[4], tuple(row[5:]))


def change_rows(tx: Tx, pairs: Sequence[tuple[KnownTransaction, RemoteTransaction]], now: datetime) -> None:
    """Bring stored rows to what the bank says now; ids move with them, history tells what it was."""
    if not pairs:
        return
    now_ms = to_ms(now)
    assignments = ", ".join(f"{name} = ?" for name in FACT_NAMES)
    _swap_search_text(tx, pairs)
    tx.executemany(
        f"UPDATE transactions SET provider_id = ?, {assignments}, provider_updated = ?, search_text = ?, "
        "changed_at = ?, deleted_at = NULL WHERE id = ?",
        [
            (remote[0], *facts_of(remote), remote[18], search_text_of(remote), now_ms, stored.id)
            for stored, remote in pairs
        ],
    )
    _remember_changes(tx, pairs, now_ms)
    renamed = [
        (stored.id, stored.account_id, stored.provider_id, now_ms)
        for stored, remote in pairs
        if stored.provider_id != remote.provider_id
    ]
    if renamed:
        # What is the id now is no former one; it may have been, when a bank goes back to its first numbers.
        tx.executemany(
            "DELETE FROM transaction_aliases WHERE account_id = ? AND provider_id = ?",
            [
                (stored.account_id, remote.provider_id)
                for stored, remote in pairs
                if stored.provider_id != remote.provider_id
            ],
        )
        tx.executemany(
            "INSERT OR IGNORE INTO transaction_aliases(transaction_id, account_id, provider_id, seen_at) "
            "VALUES (?, ?, ?, ?)",
            renamed,
        )


def free_ids(tx: Tx, ids: Sequence[tuple[int, int]]) -> None:
    """Let ids (account id, provider id) be nobody's former ones: they are told as operations of their own."""
    tx.executemany("DELETE FROM transaction_aliases WHERE account_id = ? AND provider_id = ?", ids)


def keep_stamps(tx: Tx, pairs: Sequence[tuple[KnownTransaction, RemoteTransaction]]) -> None:
    """Keep the provider's newest word on rows that did not change otherwise."""
    if pairs:
        tx.executemany(
            "UPDATE transactions SET provider_updated = ? WHERE id = ?",
            [(remote.updated, stored.id) for stored, remote in pairs],
        )


def _swap_search_text(tx: Tx, pairs: Sequence[tuple[KnownTransaction, RemoteTransaction]]) -> None:
    for stored, remote in pairs:
        if stored.facts[5:7] == remote[7:9]:  # label and payee
            continue
        before = tx.value("SELECT search_text FROM transactions WHERE id = ?", (stored.id,))
        reindex(tx, stored.id, before, search_text_of(remote))


def reindex(tx: Tx, row_id: int, before: str, after: str) -> bool:
    """Let the search find a row by its new words; tell whether they differ from the old ones."""
    if before == after:
        return False
    tx.execute(_UNINDEX, (row_id, before))
    tx.execute(INDEX, (row_id, after))
    return True


def _remember_changes(
    tx: Tx, pairs: Sequence[tuple[KnownTransaction, RemoteTransaction]], now_ms: int
) -> None:
    entries = [
        (stored.id, now_ms, "sync", name, _told(before), _told(after))
        for stored, remote in pairs
        for name, before, after in zip(FACT_NAMES, stored.facts, facts_of(remote), strict=True)
        if name in _TOLD_FIELDS and before != after
    ] + [(stored.id, now_ms, "sync", "deleted", "1", "") for stored, _ in pairs if stored.deleted]
    if entries:
        tx.executemany(_HISTORY, entries)


def _told(value: object) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def remove_rows(tx: Tx, rows: Sequence[KnownTransaction], now: datetime, stamps: dict[int, str]) -> None:
    """Turn rows into tombstones; `stamps` holds the provider's word by row id where it gave one."""
    if not rows:
        return
    now_ms = to_ms(now)
    tx.executemany(
        "UPDATE transactions SET deleted_at = ?, changed_at = ?, provider_updated = ? WHERE id = ?",
        [(now_ms, now_ms, stamps.get(row.id, ""), row.id) for row in rows],
    )
    tx.executemany(_HISTORY, [(row.id, now_ms, "sync", "deleted", "", "1") for row in rows])


def erase(tx: Tx, row_id: int) -> None:
    """Erase a row with its search entry."""
    tx.execute(
        "INSERT INTO transaction_search(transaction_search, rowid, search_text) "
        "SELECT 'delete', id, search_text FROM transactions WHERE id = ?",
        (row_id,),
    )
    tx.execute("DELETE FROM transactions WHERE id = ?", (row_id,))


def forget_account(tx: Tx, account_id: int) -> None:
    """Erase an account's rows with their search entries; the account row itself stays to its caller."""
    tx.execute(
        "INSERT INTO transaction_search(transaction_search, rowid, search_text) "
        "SELECT 'delete', id, search_text FROM transactions WHERE account_id = ?",
        (account_id,),
    )
    tx.execute("DELETE FROM transactions WHERE account_id = ?", (account_id,))
