"""Matching what came against what is known: pure, in passes from sure to unsure.

Pass 1 matches by the provider's id. Pass 2 lets a pending row that is gone become the booked row that
came for it (another id, perhaps another amount or label), so that the person's edits follow. What no
pass matches is new. A stale or replayed answer never undoes a newer one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from obdesk.domain.filters import fold
from obdesk.domain.ledger import KnownTransaction, facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from obdesk.domain.remote import RemoteTransaction

DAYS_APART_MAX = 10
"""A card payment is booked within a few days; a deferred one moves by its whole month elsewhere."""
AMOUNT_DRIFT_MAX = 0.25
"""A tip or a fuel pre-authorisation changes an amount; more than a quarter is another purchase."""
STALE_AFTER = timedelta(hours=2)
"""Provider stamps are wall-clock text of an unsure zone: one repeated hour is no proof of age."""


@dataclass(slots=True)
class Plan:
    """What one write has to do; lists are filled by `reconcile` and never changed afterwards."""

    added: list[RemoteTransaction] = field(default_factory=list)
    changed: list[tuple[KnownTransaction, RemoteTransaction]] = field(default_factory=list)
    booked: list[tuple[KnownTransaction, RemoteTransaction]] = field(default_factory=list)
    """Pending rows that came back booked under another id."""
    removed: list[KnownTransaction] = field(default_factory=list)
    stamped: list[tuple[KnownTransaction, RemoteTransaction]] = field(default_factory=list)
    """Rows that say the same under a newer stamp: no change, but older answers must not undo it."""
    unchanged: int = 0


def reconcile(
    known: Mapping[tuple[int, int], KnownTransaction],
    pending: Sequence[KnownTransaction],
    fetched: Iterable[tuple[int, RemoteTransaction]],
    *,
    complete: bool,
) -> Plan:
    """Return what has to change so that the ledger says what the bank says.

    `known` holds the stored rows of the fetched ids by (account id, provider id); `pending` all live
    pending rows of the accounts; `fetched` pairs of account id and row. `complete` tells that the
    answer holds every row: only then does a pending row that is missing count as gone.
    """
    plan = Plan()
    latest = _latest(fetched)
    new: list[tuple[int, RemoteTransaction]] = []
    for key, remote in latest.items():
        stored = known.get(key)
        if stored is None:
            if remote.deleted:
                plan.unchanged += 1
            else:
                new.append((key[0], remote))
        else:
            _match_known(plan, stored, remote)
    leaving = _leaving(plan, pending, latest, complete=complete)
    plan.booked = _successors(new, leaving)
    arrived = {(row.account_id, remote.provider_id) for row, remote in plan.booked}
    plan.added = [remote for account_id, remote in new if (account_id, remote.provider_id) not in arrived]
    taken = {row.id for row, _ in plan.booked}
    plan.removed = [row for row in plan.removed if row.id not in taken]
    if complete:
        already = {row.id for row in plan.removed}
        plan.removed += [row for row in leaving if row.id not in already | taken]
    return plan


def _latest(
    fetched: Iterable[tuple[int, RemoteTransaction]],
) -> dict[tuple[int, int], RemoteTransaction]:
    """Return each row once: of several versions in one answer the one with the newest stamp."""
    latest: dict[tuple[int, int], RemoteTransaction] = {}
    for account_id, remote in fetched:
        key = (account_id, remote.provider_id)
        earlier = latest.get(key)
        if earlier is None or earlier.updated <= remote.updated:
            latest[key] = remote
    return latest


def _match_known(plan: Plan, stored: KnownTransaction, remote: RemoteTransaction) -> None:
    if _stale(remote.updated, stored.updated):
        plan.unchanged += 1
    elif remote.deleted:
        if stored.deleted:
            _keep_stamp(plan, stored, remote)
        else:
            plan.removed.append(stored)
    elif stored.deleted:
        # Only a newer word of the provider lifts a tombstone; one that we set because a pending row
        # went missing carries no stamp and gives way at once.
        if stored.updated == "" or remote.updated > stored.updated:
            plan.changed.append((stored, remote))
        else:
            plan.unchanged += 1
    elif stored.facts == facts_of(remote):
        _keep_stamp(plan, stored, remote)
    else:
        plan.changed.append((stored, remote))


def _keep_stamp(plan: Plan, stored: KnownTransaction, remote: RemoteTransaction) -> None:
    plan.unchanged += 1
    if remote.updated > stored.updated:
        plan.stamped.append((stored, remote))


def _stale(came: str, stored: str) -> bool:
    if not came or not stored or came >= stored:
        return False
    try:
        return datetime.fromisoformat(stored) - datetime.fromisoformat(came) > STALE_AFTER
    except (ValueError, TypeError):
        return False


def _leaving(
    plan: Plan,
    pending: Sequence[KnownTransaction],
    latest: Mapping[tuple[int, int], RemoteTransaction],
    *,
    complete: bool,
) -> list[KnownTransaction]:
    """Return the pending rows that may have become something else: deleted now, or missing."""
    removed = [row for row in plan.removed if row.pending]
    if not complete:
        missing: list[KnownTransaction] = []
    else:
        missing = [row for row in pending if (row.account_id, row.provider_id) not in latest]
    return removed + missing


def _successors(
    new: Sequence[tuple[int, RemoteTransaction]], leaving: Sequence[KnownTransaction]
) -> list[tuple[KnownTransaction, RemoteTransaction]]:
    """Pair rows that leave with the rows they most likely became, the likeliest pairs first.

    One row never becomes two, and the order in which rows came has no say.
    """
    candidates = [
        (score, -row.id, -remote.provider_id, row, remote)
        for row in leaving
        for account_id, remote in new
        if row.account_id == account_id and (score := _likeness(row, remote)) is not None
    ]
    pairs: list[tuple[KnownTransaction, RemoteTransaction]] = []
    used: set[tuple[str, int]] = set()
    for *_, row, remote in sorted(candidates, key=lambda each: each[:3], reverse=True):
        ends = {("left", row.id), ("came", remote.provider_id)}
        if not ends & used:
            used |= ends
            pairs.append((row, remote))
    return pairs


def _likeness(row: KnownTransaction, remote: RemoteTransaction) -> tuple[int, int] | None:
    """Return (label words shared, minus days apart), or None when the two cannot be one operation."""
    days = abs((date.fromisoformat(row.booked_on) - date.fromisoformat(remote.booked_on)).days)
    if days > DAYS_APART_MAX:
        return None
    shared = len(_words(row.label) & _words(remote.label))
    if row.amount_minor == remote.amount_minor and (shared or days <= 2):
        return shared + 100, -days
    if not shared or row.amount_minor is None or remote.amount_minor is None:
        return (shared, -days) if shared and row.amount_minor is None else None
    largest = max(abs(row.amount_minor), abs(remote.amount_minor))
    apart = abs(row.amount_minor - remote.amount_minor)
    return (shared, -days) if apart <= largest * AMOUNT_DRIFT_MAX and shared >= 2 else None


def _words(label: str) -> frozenset[str]:
    """Return the words of a label that tell shops apart: no numbers, no bank formulas."""
    return frozenset(word for word in fold(label).split() if len(word) > 2 and word.isalpha()) - _FORMULAS


_FORMULAS = frozenset({
    "carte", "facture", "paiement", "achat", "card", "payment", "purchase", "prlv", "sepa", "vir", "virement",
})  # fmt: skip
