"""What a delta cannot decide: whether a row under an unknown id is new, or one that we have."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from obdesk.domain.ledger import facts_of
from obdesk.sync.reconcile.likeness import (
    SUGGESTED_SCORE,
    booking_likeness,
    drift_likeness,
    fingerprint,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from obdesk.domain.ledger import KnownTransaction
    from obdesk.domain.remote import RemoteTransaction
    from obdesk.sync.reconcile.plan import Lessons


def is_doubtful(
    new: Sequence[tuple[int, RemoteTransaction]],
    same_days: Iterable[KnownTransaction],
    pending: Sequence[KnownTransaction],
    worded: Sequence[KnownTransaction],
    lessons: Lessons,
) -> bool:
    """Tell whether only a complete answer can say what the new rows of a delta are.

    All rows compared are live and not in the delta, which is silent about rows that did not change:
    `same_days` booked ones on days of the new rows and those merged away, `pending` ones, and `worded`
    ones, with words of the person which would stay behind if the row went on under another id.
    """
    beside = {fingerprint(row.account_id, row.facts) for row in chain(same_days, pending)}
    if beside and any(fingerprint(account_id, facts_of(remote)) in beside for account_id, remote in new):
        return True
    by_account: dict[int, list[RemoteTransaction]] = {}
    for account_id, remote in new:
        if not remote.pending:
            by_account.setdefault(account_id, []).append(remote)
    return any(_may_have_booked(row, by_account.get(row.account_id, ())) for row in pending) or any(
        _may_have_moved(row, by_account.get(row.account_id, ()), lessons) for row in worded
    )


def _may_have_booked(row: KnownTransaction, came: Sequence[RemoteTransaction]) -> bool:
    return any(booking_likeness(row.facts, facts_of(remote)) is not None for remote in came)


def _may_have_moved(row: KnownTransaction, came: Sequence[RemoteTransaction], lessons: Lessons) -> bool:
    found = (drift_likeness(row.account_id, row.facts, facts_of(remote), lessons) for remote in came)
    return any(each is not None and each.score >= SUGGESTED_SCORE for each in found)
