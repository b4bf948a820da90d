"""Writing suggestions that two rows are one, and what the person's answers taught."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.ids import TransactionId
from obdesk.domain.suggestions import SuggestionState
from obdesk.storage.columns import to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from obdesk.storage.tx import Tx

Lesson = tuple[int, str, str]


def suggest(
    tx: Tx, account_id: int, kept_id: int, other_id: int, likeness: tuple[int, Sequence[str]], now: datetime
) -> None:
    """Keep that two rows may be one, with score and reasons; a pair that was decided stays decided."""
    score, why = likeness
    tx.execute(
        "INSERT OR IGNORE INTO suggestions(account_id, kept_id, other_id, score, why, state, made_at, "
        "decided_at) VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
        (account_id, kept_id, other_id, score, ",".join(why), SuggestionState.OPEN.value, to_ms(now)),
    )


def pair_of(tx: Tx, suggestion_id: int) -> tuple[TransactionId, TransactionId] | None:
    """Return the two rows of an open suggestion, or None."""
    rows = tx.rows(
        "SELECT kept_id, other_id FROM suggestions WHERE id = ? AND state = ?",
        (suggestion_id, SuggestionState.OPEN.value),
    )
    return (TransactionId(rows[0][0]), TransactionId(rows[0][1])) if rows else None


def decide(tx: Tx, pair: tuple[int, int], state: SuggestionState, now: datetime) -> None:
    """Keep what the person said of a pair, if it was suggested, whichever of them was to stay."""
    tx.executemany(
        "UPDATE suggestions SET state = ?, decided_at = ? WHERE kept_id = ? AND other_id = ?",
        [
            (state.value, None if state is SuggestionState.OPEN else to_ms(now), *each)
            for each in (pair, pair[::-1])
        ],
    )


def lessons(tx: Tx, account_ids: Sequence[int]) -> tuple[frozenset[Lesson], frozenset[Lesson]]:
    """Return the pairs of wordings (account id, key, key) that the person called the same, and different.

    Old files hold lessons on one wording and itself; they teach nothing.
    """
    rows = tx.rows(
        "SELECT account_id, left_key, right_key, same FROM lessons "
        f"WHERE left_key <> right_key AND account_id IN ({','.join('?' * len(account_ids))})",
        tuple(account_ids),
    )
    return (
        frozenset(row[:3] for row in rows if row[3]),
        frozenset(row[:3] for row in rows if not row[3]),
    )


def learn(tx: Tx, lesson: Lesson, now: datetime, *, same: bool) -> None:
    """Keep that two wordings are one shop's, or are not; the last word counts.

    Of one wording there is nothing to learn: "different" would part all rows of that shop.
    """
    if lesson[1] == lesson[2]:
        return
    tx.execute(
        "INSERT INTO lessons(account_id, left_key, right_key, same, made_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT(account_id, left_key, right_key) DO UPDATE SET same = excluded.same, "
        "made_at = excluded.made_at",
        (*lesson, same, to_ms(now)),
    )
