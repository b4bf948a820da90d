"""Two rows made one, or kept apart, as the person says; each answer teaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.errors import AppError
from obdesk.domain.suggestions import SuggestionState
from obdesk.domain.texts import tr
from obdesk.storage.writes import merges, suggestions
from obdesk.sync.reconcile.likeness import lesson_of

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.ids import TransactionId
    from obdesk.domain.suggestions import MergeId, SuggestionId
    from obdesk.storage.tx import Tx


class NotOneError(AppError):
    """Two rows that cannot be one operation."""


class BuiltOnError(AppError):
    """A merge on which a later one builds."""


def merge(tx: Tx, kept: TransactionId, other: TransactionId, now: datetime) -> tuple[MergeId, ChangeSet]:
    """Make two rows one and learn that their wordings are one shop's; raises NotOneError."""
    told = merges.labels_of(tx, kept, other)
    if told is None:
        raise NotOneError(
            title=tr("These two transactions cannot be one"),
            cause=tr("They are of different accounts, or one of them is no longer there."),
            next_step=tr("Nothing was changed. Compare their numbers with: obdesk transactions"),
        )
    merge_id = merges.merge(tx, kept, other, "", now)
    suggestions.decide(tx, (kept, other), SuggestionState.ACCEPTED, now)
    suggestions.learn(tx, lesson_of(*told), now, same=True)
    return merge_id, _touched(kept, other)


def accept(tx: Tx, suggestion: SuggestionId, now: datetime) -> tuple[MergeId, ChangeSet] | None:
    """Make the two rows of a suggestion one; None where it is not open."""
    pair = suggestions.pair_of(tx, suggestion)
    return None if pair is None else merge(tx, pair[0], pair[1], now)


def refuse(tx: Tx, suggestion: SuggestionId, now: datetime) -> ChangeSet | None:
    """Keep the two rows of a suggestion apart, and do not ask again; None where it is not open."""
    pair = suggestions.pair_of(tx, suggestion)
    if pair is None:
        return None
    suggestions.decide(tx, pair, SuggestionState.REFUSED, now)
    told = merges.labels_of(tx, *pair)
    if told is not None:
        suggestions.learn(tx, lesson_of(*told), now, same=False)
    return _touched(*pair)


def split(tx: Tx, merge_id: MergeId, now: datetime) -> ChangeSet | None:
    """Undo a merge and learn that the wordings are different; None where there is none to undo.

    Raises BuiltOnError where another merge has to be undone first.
    """
    first = merges.undo_first(tx, merge_id)
    if first is not None:
        raise BuiltOnError(
            title=tr("Another merge has to be undone first"),
            cause=tr("One of these two transactions was made one with a further one later."),
            next_step=tr("Nothing was changed. Undo {id} first: obdesk split {id}", id=first),
        )
    undone = merges.split(tx, merge_id, now)
    if undone is None:
        return None
    suggestions.decide(tx, undone.pair, SuggestionState.REFUSED, now)
    suggestions.learn(tx, lesson_of(undone.account_id, *undone.labels), now, same=False)
    return _touched(*undone.pair, *undone.heirs)


def _touched(*rows: int) -> ChangeSet:
    return ChangeSet.of(Kind.TRANSACTIONS, rows).merge(ChangeSet.of(Kind.EDITS, rows))
