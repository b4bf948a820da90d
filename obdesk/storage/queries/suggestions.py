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

_OPEN = (
    "SELECT id, account_id, kept_id, other_id, score, why, state, made_at FROM suggestions WHERE state = ?"
)


def suggestions(connection: Connection, of: TransactionId | None = None) -> tuple[Suggestion, ...]:
    """Return open suggestions, the likeliest first; of one transaction, or all."""
    if of is None:
        found = connection.execute(
            f"{_OPEN} ORDER BY score DESC, id", (SuggestionState.OPEN.value,)
        ).fetchall()
    else:
        found = connection.execute(
            f"{_OPEN} AND (kept_id = ? OR other_id = ?) ORDER BY score DESC, id",
            (SuggestionState.OPEN.value, of, of),
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


def merges(connection: Connection) -> tuple[Merge, ...]:
    """Return the merges that can be undone, newest first."""
    found = connection.execute(
        "SELECT id, kept_id, other_id, at FROM merges WHERE undone_at IS NULL ORDER BY id DESC"
    )
    return tuple(
        Merge(MergeId(row[0]), TransactionId(row[1]), TransactionId(row[2]), instant(row[3])) for row in found
    )
