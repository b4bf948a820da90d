"""Suggestions that wait for the person, and merges that can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obdesk.domain.ids import AccountId, TransactionId
from obdesk.domain.suggestions import (
    Merge,
    MergeId,
    Reason,
    Suggestion,
    SuggestionId,
    SuggestionState,
)
from obdesk.storage.columns import instant
from obdesk.storage.queries.transactions import rows_even_gone

if TYPE_CHECKING:
    from obdesk.storage.engine import Connection

OPEN_PAIRS = (
    "FROM suggestions s JOIN transactions k ON k.id = s.kept_id JOIN transactions o ON o.id = s.other_id "
    f"WHERE s.state = '{SuggestionState.OPEN.value}' AND k.provider_id > 0 AND o.provider_id > 0 "
    "AND (k.deleted_at IS NULL OR o.deleted_at IS NULL)"
)
"""Suggestions `s` that can be accepted: a row is live, and neither was made one with another meanwhile."""
_OPEN = "SELECT s.id, s.account_id, s.kept_id, s.other_id, s.score, s.why, s.state, s.made_at " + OPEN_PAIRS


def suggestions(connection: Connection, of: TransactionId | None = None) -> tuple[Suggestion, ...]:
    """Return open suggestions, the likeliest first; of one transaction, or all."""
    if of is None:
        found = connection.execute(f"{_OPEN} ORDER BY s.score DESC, s.id").fetchall()
    else:
        found = connection.execute(
            f"{_OPEN} AND (s.kept_id = ? OR s.other_id = ?) ORDER BY s.score DESC, s.id",
            (of, of),
        ).fetchall()
    shown = rows_even_gone(connection, sorted({row_id for each in found for row_id in each[2:4]}))
    return tuple(_suggestion(each, shown) for each in found)


def _suggestion(row: tuple[Any, ...], shown: dict[int, Any]) -> Suggestion:
    return Suggestion(
        id=SuggestionId(row[0]),
        account_id=AccountId(row[1]),
        kept=shown[row[2]],
        other=shown[row[3]],
        score=row[4],
        why=tuple(Reason(each) for each in row[5].split(",")),
        state=SuggestionState(row[6]),
        made_at=instant(row[7]),
    )


def merges(connection: Connection, of: TransactionId | None = None) -> tuple[Merge, ...]:
    """Return the merges that are not undone, newest first; those that one transaction stands for, or all."""
    where, values = ("", ()) if of is None else (" AND kept_id = ?", (of,))
    found = connection.execute(
        f"SELECT id, kept_id, other_id, at FROM merges WHERE undone_at IS NULL{where} ORDER BY id DESC",
        values,
    ).fetchall()
    shown = rows_even_gone(connection, sorted({row_id for each in found for row_id in each[1:3]}))
    return tuple(Merge(MergeId(row[0]), shown[row[1]], shown[row[2]], instant(row[3])) for row in found)
