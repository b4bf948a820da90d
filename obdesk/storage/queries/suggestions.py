"""Suggestions that wait for the person, and merges that can be undone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from obdesk.domain.ids import AccountId, TransactionId
from obdesk.domain.money import Currency, Money
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
    from obdesk.domain.entities import TransactionRow
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
    found = connection.execute(f"{_MADE} ORDER BY m.id DESC", {"of": of}).fetchall()
    shown = rows_even_gone(connection, sorted({row_id for each in found for row_id in each[1:3]}))
    return tuple(
        Merge(MergeId(row[0]), _as_it_was(shown[row[1]], row), shown[row[2]], instant(row[3]))
        for row in found
    )


_MADE = (
    "SELECT m.id, m.kept_id, m.other_id, m.at, m.before, a.currency, a.exponent FROM merges m "
    "JOIN transactions t ON t.id = m.kept_id JOIN accounts a ON a.id = t.account_id "
    "WHERE m.undone_at IS NULL AND m.kept_id = coalesce(:of, m.kept_id)"
)


def _as_it_was(row: TransactionRow, merge: tuple[Any, ...]) -> TransactionRow:
    """Return a row as it was before it stood for another one, which it may say the same as since then."""
    before = json.loads(merge[4])["kept"]
    minor = before["amount_minor"]
    return replace(
        row,
        booked_on=date.fromisoformat(before["booked_on"]),
        payee=before["payee"] or before["label"],
        label=before["label"],
        amount=None if minor is None else Money(minor, Currency(merge[5], merge[6])),
    )
