"""Rows that the person made one of two: the bank lists both, and may give both other ids."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from obdesk.domain.ledger import facts_of
from obdesk.sync.reconcile.likeness import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from obdesk.domain.ledger import KnownTransaction
    from obdesk.domain.remote import RemoteTransaction
    from obdesk.sync.reconcile.likeness import Fingerprint
    from obdesk.sync.reconcile.plan import Plan

    Came = tuple[int, RemoteTransaction]
    Twin = tuple[KnownTransaction, KnownTransaction]


def untold(twins: Sequence[Twin], former: Iterable[KnownTransaction]) -> list[Twin]:
    """Return the twins that an answer does not tell under an id we know; `former` are rows it tells so."""
    told = Counter(row.id for row in former)
    left: list[Twin] = []
    for kept, other in twins:
        told[kept.id] -= 1
        if told[kept.id] < 0:
            left.append((kept, other))
    return left


def match_twins(
    plan: Plan,
    new: Sequence[Came],
    twins: Sequence[Twin],
    leaving: Sequence[KnownTransaction],
    matched: set[int],
) -> list[Came]:
    """Let rows that are equal to one that was merged away stay merged; return what stays new.

    Their ids become further ids of the row that stands for both, or its own where the bank lists only them.
    """
    away: dict[Fingerprint, list[KnownTransaction]] = {}
    for kept, other in twins:
        away.setdefault(fingerprint(other.account_id, other.facts), []).append(kept)
    going = {row.id for row in leaving}
    rest: list[Came] = []
    for account_id, remote in new:
        rows = away.get(fingerprint(account_id, facts_of(remote))) if away else None
        if not rows:
            rest.append((account_id, remote))
            continue
        kept = rows.pop(0)
        if kept.id in going and kept.id not in matched:
            plan.moved.append((kept, remote))
            matched.add(kept.id)
        else:
            plan.joined.append((kept, remote.provider_id))
            plan.unchanged += 1
    return rest
