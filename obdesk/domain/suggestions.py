"""Two rows that may be one operation: what was compared, how alike they are, what the person decided."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NewType

from obdesk.domain.texts import mark, tr

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.entities import TransactionRow
    from obdesk.domain.ids import AccountId

SuggestionId = NewType("SuggestionId", int)
MergeId = NewType("MergeId", int)


class Reason(Enum):
    """What two rows have in common."""

    AMOUNT = "amount"
    DATE = "date"
    DATE_NEAR = "date_near"
    """Within three days."""
    LABEL = "label"
    LABEL_ALIKE = "label_alike"
    COUNTERPARTY = "counterparty"
    LESSON = "lesson"
    """The person said before that these wordings are one."""


_REASONS = {
    Reason.AMOUNT: mark("same amount"),
    Reason.DATE: mark("same day"),
    Reason.DATE_NEAR: mark("a few days apart"),
    Reason.LABEL: mark("same wording"),
    Reason.LABEL_ALIKE: mark("similar wording"),
    Reason.COUNTERPARTY: mark("same counterparty"),
    Reason.LESSON: mark("you said so before"),
}


class SuggestionState(Enum):
    """What became of a suggestion."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two rows that may be one operation; nothing happens before the person says so."""

    id: SuggestionId
    account_id: AccountId
    kept: TransactionRow
    """The row that was known first; it keeps its place and the person's words."""
    other: TransactionRow
    score: int
    """0 to 100."""
    why: tuple[Reason, ...]
    state: SuggestionState
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Merge:
    """Two rows that were made one, until it is undone."""

    id: MergeId
    kept: TransactionRow
    """The row that stands for both, as it was before."""
    other: TransactionRow
    """The row that is not shown by itself any more."""
    at: datetime


def why_text(suggestion: Suggestion) -> str:
    """Return what two rows have in common, in words."""
    return ", ".join(tr(_REASONS[each]) for each in suggestion.why)
