"""Rows with the person's words that went in an earlier answer: what comes now may be what became of them.

A bank that withdraws a reservation one day and lists its booking the next never tells both at once. Only
what is equal in all but that is joined; everything else is asked about.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from obdesk.domain.ledger import facts_of
from obdesk.sync.reconcile.likeness import (
    DAYS_APART_MAX,
    DRIFT_DAYS_MAX,
    SUGGESTED_SCORE,
    drift_likeness,
    fingerprint,
    suggested_booking,
)
from obdesk.sync.reconcile.plan import Unsure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from obdesk.domain.ledger import KnownTransaction
    from obdesk.domain.remote import RemoteTransaction
    from obdesk.sync.reconcile.likeness import Fingerprint
    from obdesk.sync.reconcile.plan import Lessons, Likeness, Plan

    Came = tuple[int, RemoteTransaction]
    ByDay = dict[tuple[int, int], list[RemoteTransaction]]


def match_withdrawn(
    plan: Plan, new: Sequence[Came], gone: Sequence[KnownTransaction], lessons: Lessons
) -> list[Came]:
    """Let withdrawn reservations go on as what was booked, suggest what may be one; return what stays new."""
    if not gone or not new:
        return list(new)
    left = sorted(gone, key=lambda row: row.id)
    rest = _book(plan, new, left)
    _suggest(plan, rest, left, lessons)
    return rest


def _book(plan: Plan, new: Sequence[Came], gone: list[KnownTransaction]) -> list[Came]:
    """Book reservations that differ from a row in being one and in nothing else; they leave `gone`."""
    waiting: dict[Fingerprint, list[KnownTransaction]] = {}
    for row in gone:
        if row.pending:
            waiting.setdefault(fingerprint(row.account_id, (False, *row.facts[1:])), []).append(row)
    rest: list[Came] = []
    for account_id, remote in new:
        rows = waiting.get(fingerprint(account_id, facts_of(remote)))
        if rows:
            row = rows.pop(0)
            gone.remove(row)
            plan.booked.append((row, remote))
        else:
            rest.append((account_id, remote))
    return rest


def _suggest(plan: Plan, new: Sequence[Came], gone: Sequence[KnownTransaction], lessons: Lessons) -> None:
    """Suggest the likeliest pairs, each row in one of them at most and none that is asked about already."""
    asked = {(each.stored.account_id, each.remote.provider_id) for each in plan.unsure}
    by_day: ByDay = {}
    for account_id, remote in new:
        if not remote.pending and (account_id, remote.provider_id) not in asked:
            by_day.setdefault((account_id, _day(remote.booked_on)), []).append(remote)
    pairs = [pair for row in gone for pair in _pairs(row, by_day, lessons)]
    pairs.sort(key=lambda pair: (-pair[2].score, pair[0].id, pair[1].provider_id))
    used: set[int] = set()
    for row, remote, likeness in pairs:
        came = (row.account_id, remote.provider_id)
        if row.id not in used and came not in asked:
            used.add(row.id)
            asked.add(came)
            plan.unsure.append(Unsure(row, remote, likeness))


def _pairs(
    row: KnownTransaction, by_day: ByDay, lessons: Lessons
) -> Iterator[tuple[KnownTransaction, RemoteTransaction, Likeness]]:
    reach, likeness_of = (
        (DAYS_APART_MAX, suggested_booking) if row.pending else (DRIFT_DAYS_MAX, drift_likeness)
    )
    middle = _day(row.booked_on)
    for day in range(middle - reach, middle + reach + 1):
        for remote in by_day.get((row.account_id, day), ()):
            likeness = likeness_of(row.account_id, row.facts, facts_of(remote), lessons)
            if likeness is not None and likeness.score >= SUGGESTED_SCORE:
                yield row, remote, likeness


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal()
