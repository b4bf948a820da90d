"""The last pass: booked rows that came back under another id and say something slightly different."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from obdesk.domain.ledger import facts_of
from obdesk.sync.reconcile.likeness import (
    CLEAR_MARGIN,
    DRIFT_DAYS_MAX,
    SUGGESTED_SCORE,
    SURE_SCORE,
    drift_keys,
    drift_likeness,
    fingerprint,
)
from obdesk.sync.reconcile.plan import Unsure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.domain.ledger import KnownTransaction
    from obdesk.domain.remote import RemoteTransaction
    from obdesk.sync.reconcile.likeness import Fingerprint
    from obdesk.sync.reconcile.plan import Likeness, Plan, Stored

    Came = tuple[int, RemoteTransaction]
    Goers = dict[Fingerprint, list[KnownTransaction]]
    Comers = dict[Fingerprint, list[RemoteTransaction]]
    Scores = dict[tuple[Fingerprint, Fingerprint], Likeness]


def match_drifted(
    plan: Plan,
    new: Sequence[Came],
    leaving: Sequence[KnownTransaction],
    matched: set[int],
    stored: Stored,
) -> list[Came]:
    """Match what is clearly one, suggest what may be one; return what stays new.

    Twins are compared as a group: which of two identical coffees became which of two others makes no
    difference, so that they do not stand in each other's way.
    """
    goers: Goers = {}
    comers: Comers = {}
    for row in sorted(leaving, key=lambda each: each.id):  # they came in the order of the answer
        if not row.pending:
            goers.setdefault(fingerprint(row.account_id, row.facts), []).append(row)
    if not goers:
        return list(new)
    for account_id, remote in new:
        if not remote.pending:
            comers.setdefault(fingerprint(account_id, facts_of(remote)), []).append(remote)
    scores = _scores(goers, comers, stored)
    leads = _leads(scores)
    used: set[tuple[int, int]] = set()
    for left, right in leads:
        while goers[left] and comers[right]:
            row, remote = goers[left].pop(0), comers[right].pop(0)
            plan.moved.append((row, remote))
            matched.add(row.id)
            used.add((row.account_id, remote.provider_id))
    _suggest(plan, scores, goers, comers)
    return [each for each in new if (each[0], each[1].provider_id) not in used]


def _scores(goers: Goers, comers: Comers, stored: Stored) -> Scores:
    by_key: dict[tuple[object, ...], list[Fingerprint]] = {}
    for each, remotes in comers.items():
        for key in drift_keys(each[0], facts_of(remotes[0])):
            by_key.setdefault(key, []).append(each)
    scores: Scores = {}
    for left, rows in goers.items():
        account_id, facts = rows[0].account_id, rows[0].facts
        renumbered = account_id in stored.renumbered
        keys = drift_keys(account_id, facts, days=DRIFT_DAYS_MAX)
        for right in dict.fromkeys(chain.from_iterable(by_key.get(key, ()) for key in keys)):
            came = facts_of(comers[right][0])
            likeness = drift_likeness(account_id, facts, came, stored.lessons, renumbered=renumbered)
            if likeness is not None and likeness.score >= SUGGESTED_SCORE:
                scores[left, right] = likeness
    return scores


def _leads(scores: Scores) -> list[tuple[Fingerprint, Fingerprint]]:
    """Return the pairs that are sure, and lead all others that share a side with them."""
    by_side: dict[tuple[str, Fingerprint], list[int]] = {}
    for (left, right), likeness in scores.items():
        by_side.setdefault(("goes", left), []).append(likeness.score)
        by_side.setdefault(("comes", right), []).append(likeness.score)

    def leads(pair: tuple[Fingerprint, Fingerprint], score: int) -> bool:
        # Each side holds the pair's own score once; any other within the margin makes it a close call.
        return all(
            sum(rival > score - CLEAR_MARGIN for rival in by_side[side]) == 1
            for side in (("goes", pair[0]), ("comes", pair[1]))
        )

    return [
        pair
        for pair, likeness in scores.items()
        if likeness.score >= SURE_SCORE and leads(pair, likeness.score)
    ]


def _suggest(plan: Plan, scores: Scores, goers: Goers, comers: Comers) -> None:
    """Suggest for each row that goes the likest row that comes."""
    best: dict[Fingerprint, tuple[Likeness, Fingerprint]] = {}
    for (left, right), likeness in sorted(scores.items(), key=lambda item: (item[1].score, repr(item[0]))):
        if comers[right]:
            best[left] = (likeness, right)
    for left, (likeness, right) in best.items():
        for row, remote in zip(goers[left], comers[right], strict=False):
            plan.unsure.append(Unsure(row, remote, likeness))
