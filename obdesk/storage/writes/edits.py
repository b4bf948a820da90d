"""Writing what the person says: notes, categories, settings, and tokens of a profile without a keyring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.storage.columns import to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.ids import TransactionId
    from obdesk.storage.tx import Tx

_HISTORY = (
    "INSERT INTO transaction_history(transaction_id, at, who, field, old, new) VALUES (?, ?, 'you', ?, ?, ?)"
)


def edit_transaction(
    tx: Tx, transaction_id: TransactionId, *, note: str | None, category: str | None, now: datetime
) -> bool:
    """Keep a note or a category of the person's; tell whether the transaction exists.

    An empty category returns to the bank's own.
    """
    rows = tx.rows(
        "SELECT coalesce(e.note, ''), e.category FROM transactions t "
        "LEFT JOIN transaction_edits e ON e.transaction_id = t.id WHERE t.id = ?",
        (transaction_id,),
    )
    if not rows:
        return False
    row = rows[0]
    old_note, old_category = row[0], row[1] or ""
    new_note = old_note if note is None else note
    new_category = old_category if category is None else category
    tx.execute(
        "INSERT INTO transaction_edits(transaction_id, note, category, edited_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT(transaction_id) DO UPDATE SET note = excluded.note, category = excluded.category, "
        "edited_at = excluded.edited_at",
        (transaction_id, new_note, new_category or None, to_ms(now)),
    )
    changes = [("note", old_note, new_note), ("category", old_category, new_category)]
    for field, old, new in changes:
        if old != new:
            tx.execute(_HISTORY, (transaction_id, to_ms(now), field, old, new))
    return True


def join(tx: Tx, kept_id: int, other_id: int, now: datetime) -> None:
    """Let no word of the person's go where two rows become one.

    Two notes are one then, and of two categories the kept row's wins.
    """
    words = {
        row[0]: (row[1], row[2])
        for row in tx.rows(
            "SELECT transaction_id, note, category FROM transaction_edits WHERE transaction_id IN (?, ?)",
            (kept_id, other_id),
        )
    }
    if other_id not in words:
        return
    both = [words[each] for each in (kept_id, other_id) if each in words]
    notes = dict.fromkeys(note for note, _ in both if note)
    category = next((each for _, each in both if each), None)
    tx.execute(
        "INSERT OR REPLACE INTO transaction_edits(transaction_id, note, category, edited_at) "
        "VALUES (?, ?, ?, ?)",
        (kept_id, "\n".join(notes), category, to_ms(now)),
    )


def set_setting(tx: Tx, key: str, value: str) -> None:
    """Keep a setting."""
    tx.execute(
        "INSERT INTO settings(key, value) VALUES (?, ?) "
        "ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def put_token(tx: Tx, name: str, value: str) -> None:
    """Keep a token inside the encrypted file."""
    tx.execute(
        "INSERT INTO tokens(name, value) VALUES (?, ?) "
        "ON CONFLICT(name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def delete_token(tx: Tx, name: str) -> None:
    """Forget a token."""
    tx.execute("DELETE FROM tokens WHERE name = ?", (name,))
