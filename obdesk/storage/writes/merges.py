"""Making two rows one, and undoing it to the letter: what both were is kept beside the merge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from obdesk.domain.suggestions import MergeId
from obdesk.storage.columns import to_ms
from obdesk.storage.writes import edits
from obdesk.storage.writes.transactions import reindex

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from obdesk.storage.tx import Tx

    Record = dict[str, Any]

_OWN = ("id", "provider_id", "deleted_at", "first_seen_at", "changed_at")
"""Columns that are a row's own; all others are the bank's word on the operation."""


class Undone(NamedTuple):
    """A merge that is no more."""

    account_id: int
    pair: tuple[int, int]
    """The row that was kept, and the one that is back."""
    labels: tuple[str, str]
    """Of both, as they were."""
    heirs: frozenset[int]
    """Rows that the bank gave the id of one of both meanwhile: the person's words on it are theirs now."""


def labels_of(tx: Tx, kept_id: int, other_id: int) -> tuple[int, str, str] | None:
    """Return account and labels of two rows that can be one; None where they cannot.

    They must be different rows of one account, at least one of them live, neither merged away already.
    """
    kept, other = _row(tx, kept_id), _row(tx, other_id)
    if kept is None or other is None or kept_id == other_id or kept["account_id"] != other["account_id"]:
        return None
    if min(kept["provider_id"], other["provider_id"]) < 0 or None not in {
        kept["deleted_at"],
        other["deleted_at"],
    }:
        return None
    return kept["account_id"], kept["label"], other["label"]


def kept_ids(tx: Tx, row_ids: Sequence[int]) -> frozenset[int]:
    """Return which of some rows stand for two that the person made one."""
    asked = set(row_ids)
    rows = tx.rows("SELECT kept_id FROM merges WHERE undone_at IS NULL")
    return frozenset(row[0] for row in rows if row[0] in asked)


def merge(tx: Tx, kept_id: int, other_id: int, why: str, now: datetime) -> MergeId:
    """Let one row stand for both; the other one's id at the bank is from now on a former id of it.

    Where the kept row is gone and the other is live, the kept one says what the other says.
    """
    kept, other = _row(tx, kept_id), _row(tx, other_id)
    assert kept is not None
    assert other is not None
    before = {
        "kept": kept,
        "other": other,
        "edit": _edit(tx, kept_id),
        "aliases": _aliases(tx, kept_id, other_id),
    }
    # No bank serves a negative id, so nothing can ever lift this tombstone but undoing the merge.
    tx.update("transactions", other_id, {"provider_id": -other_id, "deleted_at": to_ms(now)})
    former = other["provider_id"]
    if kept["deleted_at"] is not None:
        former = kept["provider_id"]
        told = {name: value for name, value in other.items() if name not in _OWN}
        told |= {"provider_id": other["provider_id"], "deleted_at": None, "changed_at": to_ms(now)}
        reindex(tx, kept_id, kept["search_text"], other["search_text"])
        tx.update("transactions", kept_id, told)
    tx.execute(
        "UPDATE transaction_aliases SET transaction_id = ? WHERE transaction_id = ?", (kept_id, other_id)
    )
    _put_alias(tx, kept_id, kept["account_id"], former, to_ms(now))
    edits.join(tx, kept_id, other_id, now)
    before["joined"] = _edit(tx, kept_id)
    _look_again(tx, kept["account_id"])
    values = {
        "kept_id": kept_id,
        "other_id": other_id,
        "at": to_ms(now),
        "who": "you",
        "why": why,
        "before": json.dumps(before),
        "undone_at": None,
    }
    return MergeId(tx.insert("merges", values))


def undo_first(tx: Tx, merge_id: MergeId) -> MergeId | None:
    """Return the merge that has to be undone before one can be: the newest that builds on it, or None."""
    found: MergeId = merge_id
    while (later := tx.value(_BUILDS_ON, (found,))) is not None:
        found = MergeId(later)
    return None if found == merge_id else found


_BUILDS_ON = (
    "SELECT max(later.id) FROM merges m JOIN merges later ON later.id > m.id AND later.undone_at IS NULL "
    "AND (later.kept_id IN (m.kept_id, m.other_id) OR later.other_id IN (m.kept_id, m.other_id)) "
    "WHERE m.id = ? AND m.undone_at IS NULL"
)


def split(tx: Tx, merge_id: MergeId, now: datetime) -> Undone | None:
    """Undo a merge that none builds on; return None where there is none.

    What the person wrote on the kept row since then stays there. A row whose id the bank gave to another
    row meanwhile is that row now: it does not come back, so that the operation is not there twice. The
    next sync reads everything: what the bank said since the merge is not in what both were.
    """
    rows = tx.rows(
        "SELECT kept_id, other_id, before FROM merges WHERE id = ? AND undone_at IS NULL", (merge_id,)
    )
    if not rows:
        return None
    kept_id, other_id, text = rows[0]
    before = json.loads(text)
    kept, other = before["kept"], before["other"]
    # Both ids step aside first: they may have changed places meanwhile.
    for row_id in (kept_id, other_id):
        tx.update("transactions", row_id, {"provider_id": -row_id, "deleted_at": to_ms(now)})
    if _edit(tx, kept_id) == before["joined"]:
        tx.execute("DELETE FROM transaction_edits WHERE transaction_id = ?", (kept_id,))
        if before["edit"] is not None:
            tx.insert("transaction_edits", before["edit"])
    _restore_aliases(tx, before)
    heirs = [_restore(tx, record, now) for record in (kept, other)]
    tx.update("merges", merge_id, {"undone_at": to_ms(now)})
    _look_again(tx, kept["account_id"])
    tx.execute(f"UPDATE connections SET full_sync_at = NULL WHERE id = ({_LINK})", (kept["account_id"],))
    labels = (kept["label"], other["label"])
    return Undone(
        kept["account_id"], (kept_id, other_id), labels, frozenset(each for each in heirs if each is not None)
    )


def _restore(tx: Tx, record: Record, now: datetime) -> int | None:
    """Make a row what it was; where its id is another row's now, leave that one its words and return it."""
    row_id, account_id = record["id"], record["account_id"]
    heir = tx.value(_BEARER, (account_id, record["provider_id"]))
    if heir is None:
        now_row = _row(tx, row_id)
        assert now_row is not None
        reindex(tx, row_id, now_row["search_text"], record["search_text"])
        tx.update("transactions", row_id, record)
        return None
    _hand_over(tx, row_id, heir, now)
    return int(heir)


_BEARER = "SELECT id FROM transactions WHERE account_id = ? AND provider_id = ?"


def _hand_over(tx: Tx, row_id: int, heir: int, now: datetime) -> None:
    """Let a row have another one's former ids and words, which nobody would see there."""
    tx.execute("UPDATE transaction_aliases SET transaction_id = ? WHERE transaction_id = ?", (heir, row_id))
    edits.join(tx, heir, row_id, now)
    tx.execute("DELETE FROM transaction_edits WHERE transaction_id = ?", (row_id,))


def _row(tx: Tx, row_id: int) -> Record | None:
    found = tx.records("SELECT * FROM transactions WHERE id = ?", (row_id,))
    return found[0] if found else None


def _edit(tx: Tx, row_id: int) -> Record | None:
    found = tx.records("SELECT * FROM transaction_edits WHERE transaction_id = ?", (row_id,))
    return found[0] if found else None


def _aliases(tx: Tx, kept_id: int, other_id: int) -> list[Record]:
    return tx.records(
        "SELECT * FROM transaction_aliases WHERE transaction_id IN (?, ?) ORDER BY id", (kept_id, other_id)
    )


def _put_alias(tx: Tx, row_id: int, account_id: int, provider_id: int, now_ms: int) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO transaction_aliases(transaction_id, account_id, provider_id, seen_at) "
        "VALUES (?, ?, ?, ?)",
        (row_id, account_id, provider_id, now_ms),
    )


def _restore_aliases(tx: Tx, before: Record) -> None:
    """Let former ids mean what they meant; ids that came since then stay with the kept row.

    What the bank has called another row meanwhile, now or before, is that row's.
    """
    kept, other = before["kept"], before["other"]
    account_id, pair = kept["account_id"], (kept["id"], other["id"])
    former = [alias["provider_id"] for alias in before["aliases"]]
    tx.executemany(
        "DELETE FROM transaction_aliases WHERE account_id = ? AND provider_id = ? "
        "AND transaction_id IN (?, ?)",
        [(account_id, each, *pair) for each in (kept["provider_id"], other["provider_id"], *former)],
    )
    for alias in before["aliases"]:
        if tx.value(_BEARER, (account_id, alias["provider_id"])) is None:
            _give_alias(tx, alias)


def _give_alias(tx: Tx, alias: Record) -> None:
    """Let a row have a former id, unless it is another one's; the number it was kept under has no say."""
    told = {name: value for name, value in alias.items() if name != "id"}
    tx.execute(
        f"INSERT OR IGNORE INTO transaction_aliases({', '.join(told)}) VALUES ({', '.join('?' * len(told))})",
        tuple(told.values()),
    )


def _look_again(tx: Tx, account_id: int) -> None:
    """Let the next answer be looked at even if it is equal to the last one."""
    tx.execute(f"DELETE FROM page_digests WHERE connection_id = ({_LINK})", (account_id,))


_LINK = "SELECT connection_id FROM accounts WHERE id = ?"
