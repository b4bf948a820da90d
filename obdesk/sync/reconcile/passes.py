"""The passes over rows: by id, by former id, by exact evidence, pending to booked, then by likeness.

What no pass matches is new. What is too alike to be nothing is a suggestion, never an action. A stale or
replayed answer never undoes a newer one, and neither the order of rows nor their repeats have a say.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from obdesk.domain.ledger import AMOUNT, BOOKED, LABEL, PENDING, facts_of
from obdesk.sync.reconcile.drift import match_drifted
from obdesk.sync.reconcile.likeness import booking_likeness, fingerprint
from obdesk.sync.reconcile.plan import Plan, Withheld
from obdesk.sync.reconcile.twins import match_twins
from obdesk.sync.reconcile.withdrawn import match_withdrawn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from obdesk.domain.ledger import Facts, KnownTransaction
    from obdesk.domain.remote import RemoteTransaction
    from obdesk.sync.reconcile.likeness import Fingerprint
    from obdesk.sync.reconcile.plan import Stored

    Came = tuple[int, RemoteTransaction]

STALE_AFTER = timedelta(hours=2)
"""Provider stamps are wall-clock text of an unsure zone: one repeated hour is no proof of age."""
VANISHING_MAX = 10
"""So many rows may go at once, and half of an account, and so many for the word of one old row alone.

More is believed when it is said twice.
"""


def reconcile(fetched: Iterable[Came], stored: Stored, *, complete: bool) -> Plan:
    """Return what has to change so that the ledger says what the bank says.

    `fetched` pairs our account id and row. `complete` tells that the answer holds every row: only then
    does a row that is missing count as gone.
    """
    plan = Plan()
    latest = _newest_of(plan, fetched)
    new, renamed = _by_id(plan, latest, stored)
    leaving = [*plan.removed, *(_missing(stored, latest) if complete else ())]
    matched, alive = _by_former_id(plan, renamed, leaving, stored.joined)
    new = [*new, *alive]
    back = {row.id for row, _ in plan.changed if row.deleted}
    deleted = [row for row in stored.deleted if row.id not in back]
    new = _by_evidence(plan, new, _left(leaving, matched), deleted, matched)
    new = _by_booking(plan, new, _left(leaving, matched), matched)
    new = match_twins(plan, new, stored.twins, leaving, matched)
    new = match_drifted(plan, new, _left(leaving, matched), matched, stored)
    new = match_withdrawn(plan, new, _left(deleted, matched), stored.lessons)
    plan.added = [remote for _, remote in new]
    told = {row.id for row in plan.removed}
    gone = [row for row in _left(leaving, matched) if row.account_id not in stored.hidden or row.id in told]
    kept = _withheld(plan, [row for row in gone if row.id not in told and not row.pending], stored)
    plan.removed = [row for row in gone if row.account_id not in kept or row.pending or row.id in told]
    return plan


def _newest_of(plan: Plan, fetched: Iterable[Came]) -> dict[tuple[int, int], RemoteTransaction]:
    """Return each row once: of several versions in one answer the one with the newest stamp.

    Of two under one stamp a withdrawal wins, then an arbitrary one that is the same in any order; when
    these are two operations under one id, the other is named.
    """
    latest: dict[tuple[int, int], RemoteTransaction] = {}
    versions: dict[tuple[int, int], set[RemoteTransaction]] = {}
    for account_id, remote in fetched:
        key = (account_id, remote.provider_id)
        earlier = latest.setdefault(key, remote)
        if earlier is not remote and earlier != remote:
            versions.setdefault(key, {earlier}).add(remote)
            latest[key] = max(earlier, remote, key=_precedence)
    for key, told in versions.items():
        kept = latest[key]
        others = (each for each in told if share_an_id(kept.updated, facts_of(kept), each))
        plan.shared += [] if kept.deleted else sorted(others, key=_precedence)
    return latest


def share_an_id(updated: str, facts: Facts, other: RemoteTransaction) -> bool:
    """Tell whether two live rows under one id are two operations.

    One stamp has only one version. Under another one a correction changes the day, the amount or the
    wording, or two of them; only a booking changes all three.
    """
    if other.deleted:
        return False
    told = facts_of(other)
    if updated == other.updated:
        return facts != told
    return all((facts[at] == told[at]) is (at == PENDING) for at in (PENDING, BOOKED, AMOUNT, LABEL))


def supersedes(remote: RemoteTransaction, first: KnownTransaction) -> bool:
    """Tell whether a further version in one answer stands instead of the one that was kept first."""
    return (first.updated, first.deleted, _text_of(first.facts)) < _precedence(remote)


def _precedence(remote: RemoteTransaction) -> tuple[str, bool, str]:
    return remote.updated, remote.deleted, _text_of(facts_of(remote))


def _text_of(facts: Facts) -> str:
    """Return facts as text that sorts; what is stored has numbers where an answer has truth values."""
    return repr((bool(facts[0]), *facts[1:]))


def _by_id(
    plan: Plan, latest: Mapping[tuple[int, int], RemoteTransaction], stored: Stored
) -> tuple[list[Came], list[tuple[KnownTransaction, RemoteTransaction]]]:
    """Match by the provider's id; return what is new, and what came under former ids."""
    new: list[Came] = []
    renamed: list[tuple[KnownTransaction, RemoteTransaction]] = []
    for key, remote in latest.items():
        row = stored.known.get(key)
        if row is not None:
            _match_known(plan, row, remote)
        elif remote.deleted:
            plan.unchanged += 1
        elif key in stored.former:
            renamed.append((stored.former[key], remote))
        else:
            new.append((key[0], remote))
    new.sort(key=lambda each: (each[0], each[1].provider_id))
    return new, renamed


def _match_known(plan: Plan, stored: KnownTransaction, remote: RemoteTransaction) -> None:
    if _stale(remote.updated, stored.updated):
        plan.unchanged += 1
    elif remote.deleted:
        if stored.deleted:
            _keep_stamp(plan, stored, remote)
        else:
            plan.removed.append(stored)
    elif stored.deleted:
        if _lifts(remote, stored):
            plan.changed.append((stored, remote))
        else:
            plan.unchanged += 1
    elif stored.facts == facts_of(remote):
        _keep_stamp(plan, stored, remote)
    else:
        plan.changed.append((stored, remote))


def _lifts(remote: RemoteTransaction, stored: KnownTransaction) -> bool:
    """Tell whether a row lifts a tombstone: only a newer word of the provider does.

    A tombstone that we set because the row was missing carries no stamp and gives way at once.
    """
    return stored.updated == "" or remote.updated > stored.updated


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


def _missing(
    stored: Stored, latest: Mapping[tuple[int, int], RemoteTransaction]
) -> Iterable[KnownTransaction]:
    yield from (row for row in stored.pending if (row.account_id, row.provider_id) not in latest)
    yield from stored.missing


def _left(leaving: Sequence[KnownTransaction], matched: set[int]) -> list[KnownTransaction]:
    return [row for row in leaving if row.id not in matched]


def _by_former_id(
    plan: Plan,
    renamed: Sequence[tuple[KnownTransaction, RemoteTransaction]],
    leaving: Sequence[KnownTransaction],
    joined: frozenset[int],
) -> tuple[set[int], list[Came]]:
    """Let a row go on under an id it had before, if the id it has now is gone; return who did.

    Of several such ids the one with the newest word is the row's.
    A row that came under a former id while it lives on under its own is old news, unless the word is newer
    than all we know of the row: then these are two operations (a withdrawn one had a twin that came as it
    went, and is told again); or unless it is equal to another row that goes (the person took apart what was
    one row as the ids came). They are returned as new.
    """
    matched: set[int] = set()
    others = _others_going([pair for pair in renamed if pair[0].id not in joined], leaving)
    alive: list[Came] = []
    going = {row.id for row in leaving}
    by_id = sorted(renamed, key=lambda pair: pair[1].provider_id)
    for row, remote in sorted(by_id, key=lambda pair: _precedence(pair[1]), reverse=True):
        lives_on = not row.deleted and row.id not in going
        newer = bool(row.updated) and remote.updated > row.updated and row.id not in joined
        is_other = row.id not in joined and _is_another(row, remote, others, spare=row.id in matched)
        if (lives_on and newer) or is_other:
            alive.append((row.account_id, remote))
            plan.freed.append((row.account_id, remote.provider_id))
        elif lives_on or row.id in matched or (row.deleted and not _lifts(remote, row)):
            plan.unchanged += 1
        else:
            plan.moved.append((row, remote))
            matched.add(row.id)
    return matched, alive


def _others_going(
    renamed: Sequence[tuple[KnownTransaction, RemoteTransaction]], leaving: Sequence[KnownTransaction]
) -> dict[Fingerprint, set[int]]:
    """Return which rows go, by what identifies them, where a row came as another or under several ids."""
    as_they_were = all(row.facts == facts_of(remote) for row, remote in renamed)
    if as_they_were and len({row.id for row, _ in renamed}) == len(renamed):
        return {}
    found: dict[Fingerprint, set[int]] = {}
    for row in leaving:
        found.setdefault(fingerprint(row.account_id, row.facts), set()).add(row.id)
    return found


def _is_another(
    row: KnownTransaction,
    remote: RemoteTransaction,
    others: Mapping[Fingerprint, set[int]],
    *,
    spare: bool,
) -> bool:
    """Tell whether what came under a former id of a row is another row that goes."""
    told = fingerprint(row.account_id, facts_of(remote))
    is_like_another = bool(others.get(told, set()) - {row.id})
    return is_like_another and (spare or told != fingerprint(row.account_id, row.facts))


def _by_evidence(
    plan: Plan,
    new: Sequence[Came],
    leaving: Sequence[KnownTransaction],
    deleted: Sequence[KnownTransaction],
    matched: set[int],
) -> list[Came]:
    """Match rows that go with rows that come and are equal in all but the id; return what stays new.

    Twins are counted, not merged: of three coffees that go and two that come two are matched.
    """
    by_print: dict[Fingerprint, list[KnownTransaction]] = {}
    if new:
        gone = sorted([*deleted, *leaving], key=lambda row: (not row.deleted, -row.id))
        for row in gone:  # taken from the end: rows that go now first, the oldest of them first
            if row.id not in matched:
                by_print.setdefault(fingerprint(row.account_id, row.facts), []).append(row)
    if not by_print:
        return list(new)
    rest: list[Came] = []
    for account_id, remote in new:
        twins = by_print.get(fingerprint(account_id, facts_of(remote)))
        if twins:
            row = twins.pop()
            plan.moved.append((row, remote))
            matched.add(row.id)
        else:
            rest.append((account_id, remote))
    return rest


def _by_booking(
    plan: Plan, new: Sequence[Came], leaving: Sequence[KnownTransaction], matched: set[int]
) -> list[Came]:
    """Pair pending rows that go with the rows they most likely became, the likeliest pairs first.

    One row never becomes two, and the order in which rows came has no say.
    """
    pending = [row for row in leaving if row.pending]
    candidates = [
        (score, -row.id, -remote.provider_id, row, remote)
        for row in pending
        for account_id, remote in new
        if row.account_id == account_id
        and (score := booking_likeness(row.facts, facts_of(remote))) is not None
    ]
    used: set[tuple[int, int]] = set()
    for *_, row, remote in sorted(candidates, key=lambda each: each[:3], reverse=True):
        came = (row.account_id, remote.provider_id)
        if row.id not in matched and came not in used:
            used.add(came)
            matched.add(row.id)
            plan.booked.append((row, remote))
    return [each for each in new if (each[0], each[1].provider_id) not in used]


def _withheld(plan: Plan, missing: Sequence[KnownTransaction], stored: Stored) -> frozenset[int]:
    """Return the accounts whose missing rows stay for now: too many would vanish on one answer's word."""
    counts = Counter(row.account_id for row in missing)
    early = Counter(
        row.account_id for row in missing if row.booked_on < stored.bulk_from.get(row.account_id, "")
    )
    for account_id, count in counts.items():
        total = stored.live_rows.get(account_id, 0)
        too_many = count > VANISHING_MAX and (2 * count > total or early[account_id] > VANISHING_MAX)
        if too_many and account_id not in stored.confirmed:
            plan.withheld[account_id] = Withheld(count, total)
    return frozenset(plan.withheld)
