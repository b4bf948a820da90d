"""How alike two rows are: exact evidence as a key, likeness as a number with its reasons."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from obdesk.domain.filters import fold
from obdesk.domain.ledger import AMOUNT, BOOKED, DONE, LABEL, PENDING
from obdesk.domain.suggestions import Reason
from obdesk.sync.reconcile.plan import Likeness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obdesk.domain.ledger import Facts
    from obdesk.sync.reconcile.plan import Lessons

DAYS_APART_MAX = 10
"""A card payment is booked within a few days; a deferred one moves by its whole month elsewhere."""
AMOUNT_DRIFT_MAX = 0.25
"""A tip changes an amount; more than a quarter is another purchase, or a sum that was only held."""
DRIFT_DAYS_MAX = 3
"""A bank that numbers its rows anew may move a date by a weekend, not by more."""
SURE_SCORE = 70
"""From here on two rows are one, if no other pair comes near."""
SUGGESTED_SCORE = 50
"""From here on the person is asked."""
CLEAR_MARGIN = 10
"""By how much the best pair has to lead."""
_WORDING_CORRECTED_SCORE = 75
"""With another amount, half of all words must be the same for one wording to be the other's correction."""
_DAY_COSTS = 10

Fingerprint = tuple[object, ...]
_COUNTERPARTY, _COUNTERPARTY_ACCOUNT = 10, 11


def fingerprint(account_id: int, facts: Facts) -> Fingerprint:
    """Return what identifies an operation without any id: equal fingerprints are twins or one row."""
    return (
        account_id,
        facts[PENDING],
        facts[AMOUNT],
        facts[BOOKED],
        facts[DONE],
        normalised(str(facts[LABEL])),
        normalised(str(facts[_COUNTERPARTY])),
    )


def normalised(label: str) -> str:
    """Return a label without case, accents and spacing."""
    return " ".join(fold(label).split())


@lru_cache(maxsize=4096)
def words(label: str) -> frozenset[str]:
    """Return the words of a label that tell shops apart: no numbers, no bank formulas."""
    return frozenset(word for word in fold(label).split() if len(word) > 2 and word.isalpha()) - _FORMULAS


_FORMULAS = frozenset({
    "carte", "facture", "paiement", "achat", "card", "payment", "purchase", "prlv", "sepa", "vir", "virement",
})  # fmt: skip


def wording(label: str) -> str:
    """Return the key under which the person's lessons on a label are kept."""
    return " ".join(sorted(words(label))) or normalised(label)


def lesson_of(account_id: int, left: str, right: str) -> tuple[int, str, str]:
    """Return the key of a lesson on two labels; their order has no say."""
    first, second = sorted((wording(left), wording(right)))
    return account_id, first, second


def days_between(one: Facts, other: Facts) -> int:
    """Return how many days two booking dates lie apart."""
    return abs((date.fromisoformat(str(one[BOOKED])) - date.fromisoformat(str(other[BOOKED]))).days)


def booking_likeness(pending: Facts, booked: Facts) -> tuple[int, int] | None:
    """Return (label words shared, minus days apart), or None when one cannot have become the other."""
    amount, other = _amount(pending), _amount(booked)
    shared = len(words(str(pending[LABEL])) & words(str(booked[LABEL])))
    if not shared and amount != other:  # most pairs, and dates take longest to read
        return None
    days = days_between(pending, booked)
    if days > DAYS_APART_MAX:
        return None
    if amount == other and (shared or days <= 2):
        return shared + 100, -days
    if not shared or amount is None or other is None:
        return (shared, -days) if shared and amount is None else None
    likely = _is_near(amount, other) or _was_held(pending, booked)
    return (shared, -days) if shared >= 2 and likely else None


def suggested_booking(account_id: int, pending: Facts, booked: Facts, lessons: Lessons) -> Likeness | None:
    """Return why a row may be what a reservation became, or None when it cannot be."""
    labels = str(pending[LABEL]), str(booked[LABEL])
    if booking_likeness(pending, booked) is None or lesson_of(account_id, *labels) in lessons.different:
        return None
    days = days_between(pending, booked)
    why = [Reason.AMOUNT] if pending[AMOUNT] == booked[AMOUNT] else []
    if days <= DRIFT_DAYS_MAX:
        why.append(Reason.DATE if days == 0 else Reason.DATE_NEAR)
    why += _label_score(*labels)[1]
    return Likeness(SUGGESTED_SCORE + 10 * len(why), tuple(each.value for each in why))


def _was_held(pending: Facts, booked: Facts) -> bool:
    """Tell whether a sum was set aside on that very day of which less was used, as at a petrol station."""
    held, used = _amount(pending), _amount(booked)
    same_day = pending[DONE] is not None and pending[DONE] == booked[DONE]
    return same_day and held is not None and used is not None and held < used < 0


def _amount(facts: Facts) -> int | None:
    amount = facts[AMOUNT]
    assert amount is None or isinstance(amount, int)
    return amount


def drift_likeness(
    account_id: int, stored: Facts, came: Facts, lessons: Lessons, *, renumbered: bool = False
) -> Likeness | None:
    """Return how alike two booked rows of one account are, or None when they cannot be one operation.

    With equal amounts and dates within three days the wording decides, and what the person said of these
    wordings before comes first. Where the whole account was `renumbered` every row goes and comes, so that
    there a corrected amount is likelier than two operations; elsewhere it is asked about, and everywhere
    where the date or the wording was corrected with it.
    """
    if stored[AMOUNT] is None:
        return None
    days = days_between(stored, came)
    if days > DRIFT_DAYS_MAX:
        return None
    labels = str(stored[LABEL]), str(came[LABEL])
    lesson = lesson_of(account_id, *labels)
    if lesson in lessons.different:
        return None
    if stored[AMOUNT] != came[AMOUNT]:
        return _corrected(stored, came, days, renumbered=renumbered)
    taught = lesson in lessons.same
    score, why = (100, [Reason.LESSON]) if taught else _label_score(*labels)
    if _same_party(stored, came):
        score, why = max(score, 80), [*why, Reason.COUNTERPARTY]
    why = [Reason.AMOUNT, Reason.DATE if days == 0 else Reason.DATE_NEAR, *why]
    return Likeness(max(0, score - days * _DAY_COSTS), tuple(each.value for each in why))


def _corrected(stored: Facts, came: Facts, days: int, *, renumbered: bool) -> Likeness | None:
    """Return how likely the amount was corrected, and at most one thing beside it, the amount by little."""
    amount, other = _amount(stored), _amount(came)
    if amount is None or other is None:
        return None
    is_near, is_same_day = _is_near(amount, other), days == 0
    label_score, why = _label_score(str(stored[LABEL]), str(came[LABEL]))
    is_same_label = Reason.LABEL in why  # all words may be the same and a number another
    if is_same_label:
        is_likely = is_near or is_same_day
    else:
        is_likely = is_near and is_same_day and label_score >= _WORDING_CORRECTED_SCORE
    if not is_likely:
        return None
    is_sure = renumbered and is_near and is_same_day and is_same_label
    score = SURE_SCORE if is_sure else SUGGESTED_SCORE
    why = [Reason.DATE if is_same_day else Reason.DATE_NEAR, *why]
    return Likeness(score, tuple(each.value for each in why))


def drift_keys(account_id: object, facts: Facts, *, days: int = 0) -> Iterator[Fingerprint]:
    """Yield what a row shares with each that may be it, at least one thing; `days` moves its date."""
    booked, label = date.fromisoformat(str(facts[BOOKED])).toordinal(), str(facts[LABEL])
    yield account_id, facts[AMOUNT]
    yield from ((account_id, booked + moved, normalised(label)) for moved in range(-days, days + 1))
    yield from ((account_id, booked, word) for word in words(label))


def _is_near(amount: int, other: int) -> bool:
    return abs(amount - other) <= max(abs(amount), abs(other)) * AMOUNT_DRIFT_MAX


def _label_score(left: str, right: str) -> tuple[int, list[Reason]]:
    if normalised(left) == normalised(right):
        return 100, [Reason.LABEL]
    one, other = words(left), words(right)
    shared = len(one & other)
    if not shared:
        return SUGGESTED_SCORE, []
    return 50 + 50 * shared // len(one | other), [Reason.LABEL_ALIKE]


def _same_party(stored: Facts, came: Facts) -> bool:
    """Tell whether both rows name the same other side."""
    pairs = ((_COUNTERPARTY_ACCOUNT, str), (_COUNTERPARTY, lambda text: normalised(str(text))))
    return any(stored[at] and read(stored[at]) == read(came[at]) for at, read in pairs)
