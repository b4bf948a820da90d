"""What the ledger holds beside an answer: gathered for the matching, which is pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from heapq import nsmallest
from typing import TYPE_CHECKING

from obdesk.domain.entities import AccountState
from obdesk.storage.writes import accounts, connections, findings, merges, suggestions, transactions
from obdesk.storage.writes.twins import twins
from obdesk.sync.reconcile.accounts import Identities, identify
from obdesk.sync.reconcile.doubt import is_doubtful
from obdesk.sync.reconcile.passes import VANISHING_MAX
from obdesk.sync.reconcile.plan import Lessons, Stored
from obdesk.sync.reconcile.twins import untold
from obdesk.sync.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.ledger import KnownAccount, KnownTransaction
    from obdesk.domain.remote import RemoteAccount, RemoteTransaction
    from obdesk.storage.tx import Tx

    Came = tuple[int, RemoteTransaction]

NONE_REFUSED = Refused()
PENDING_DAYS_MAX = 10
"""A pending row whose day lies so far back should have been booked; only a complete answer can tell."""


class WantsFullError(Exception):
    """What a delta brought could be new or known under another id; nothing was written.

    A complete answer decides, and one that is complete never raises this.
    """


class ShiftedError(Exception):
    """An answer has fewer rows than its total says, or tells rows twice and lacks others: the list moved.

    Nothing was written. An answer read once more is believed: some providers always tell a row twice.
    """


@dataclass(frozen=True, slots=True)
class Scope:
    """What an answer speaks of."""

    connection_id: ConnectionId
    accounts: frozenset[int]
    """Our ids of the accounts that are listed as active."""
    full: bool
    """It was asked for everything."""
    complete: bool
    """Every row of it was looked at."""
    asked_at: datetime
    renumbered: frozenset[int] = frozenset()
    """Of all accounts, the ids of ours that this answer lists under other ids than before."""
    reread: bool = False
    """It was read once more because the list seemed to move."""
    refused: Refused = NONE_REFUSED
    """Its rows that could not be kept."""


@dataclass(slots=True)
class _Unknown:
    """The rows of an answer that no stored id matches, by account id."""

    rows: dict[int, list[RemoteTransaction]] = field(default_factory=dict)

    def all(self) -> list[Came]:
        return [(account_id, remote) for account_id, rows in self.rows.items() for remote in rows]


def recognise(
    tx: Tx,
    connection_id: ConnectionId,
    listed: Sequence[RemoteAccount],
    before: Mapping[int, KnownAccount],
    asked_at: datetime,
) -> Identities:
    """Find out which listed accounts are known under other ids, and let them go by the new ones."""
    if all(each.provider_id in before and not before[each.provider_id].former for each in listed):
        return Identities()
    former = {provider_id: account.id for provider_id, account in before.items() if account.former}
    found = identify(accounts.recognisable(tx, connection_id), listed, former)
    accounts.rename_ids(tx, connection_id, found.renamed, asked_at)
    return found


def known_rows(tx: Tx, came: Sequence[Came]) -> dict[tuple[int, int], KnownTransaction]:
    """Return the stored rows of all ids that came, by (account id, provider id)."""
    by_account: dict[int, list[int]] = {}
    for account_id, row in came:
        by_account.setdefault(account_id, []).append(row.provider_id)
    return {
        (account_id, row.provider_id): row
        for account_id, provider_ids in by_account.items()
        for row in transactions.known(tx, account_id, provider_ids)
    }


def gather(
    tx: Tx, scope: Scope, came: Sequence[Came], known: Mapping[tuple[int, int], KnownTransaction]
) -> Stored:
    """Return the part of the ledger that an answer is matched against.

    Raises WantsFullError where the answer is a delta that cannot be understood by itself, ShiftedError
    where it is complete and cannot be.
    """
    if not scope.full and _leaves_half(tx, came, known):
        raise WantsFullError
    unknown, former = _unknown(tx, came, known)
    spoken_of = sorted({account_id for account_id, _ in came} | scope.accounts)
    worded = transactions.worded(tx, spoken_of) if unknown.rows else []
    merged = untold(twins(tx, spoken_of), former.values()) if unknown.rows else []
    lessons = Lessons(*suggestions.lessons(tx, spoken_of)) if unknown.rows else Lessons()
    pending = _pending(tx, scope) if scope.complete or not scope.full else []
    missing, live_rows = _missing(tx, scope, came, known) if scope.complete else ([], {})
    if scope.complete and not scope.reread and _has_shifted(came, [*missing, *pending]):
        raise ShiftedError
    stored = Stored(
        known=known,
        former=former,
        joined=merges.kept_ids(tx, [row.id for row in former.values()]) if former else frozenset(),
        pending=tuple(pending),
        missing=tuple(missing),
        deleted=tuple(row for row in worded if row.deleted),
        twins=tuple(merged) if scope.complete else (),
        live_rows=live_rows,
        bulk_from=_bulk_from(came, missing),
        hidden=frozenset(each for each in scope.accounts if scope.refused.hides(each)),
        lessons=lessons,
        renumbered=scope.renumbered,
        confirmed=findings.accounts_told(tx, scope.connection_id) if missing else frozenset(),
    )
    if not scope.full:
        keys = {(account_id, row.provider_id) for account_id, row in came}
        silent = [row for row in pending if (row.account_id, row.provider_id) not in keys]
        live = [row for row in worded if not row.deleted and (row.account_id, row.provider_id) not in keys]
        same_days = [row for row in _same_days(tx, unknown) if (row.account_id, row.provider_id) not in keys]
        same_days += [other for _, other in merged]
        if is_doubtful(unknown.all(), same_days, silent, live, lessons) or _overdue(tx, scope, silent):
            raise WantsFullError
    return stored


def _leaves_half(tx: Tx, came: Sequence[Came], known: Mapping[tuple[int, int], KnownTransaction]) -> bool:
    """Tell whether a row that stands for two is withdrawn: it may live on under the other one's id."""
    withdrawn = [
        known[key].id
        for key in ((each, row.provider_id) for each, row in came if row.deleted)
        if key in known
    ]
    return bool(withdrawn) and bool(merges.kept_ids(tx, withdrawn))


def _unknown(
    tx: Tx, came: Sequence[Came], known: Mapping[tuple[int, int], KnownTransaction]
) -> tuple[_Unknown, dict[tuple[int, int], KnownTransaction]]:
    """Return the live rows under unknown ids, and the stored rows of ids that were theirs before."""
    strange: dict[int, list[RemoteTransaction]] = {}
    for account_id, row in came:
        if not row.deleted and (account_id, row.provider_id) not in known:
            strange.setdefault(account_id, []).append(row)
    former = {
        (account_id, provider_id): row
        for account_id, rows in strange.items()
        for provider_id, row in transactions.former(tx, account_id, [r.provider_id for r in rows]).items()
    }
    new = {
        account_id: [row for row in rows if (account_id, row.provider_id) not in former]
        for account_id, rows in strange.items()
    }
    return _Unknown({account_id: rows for account_id, rows in new.items() if rows}), former


def _pending(tx: Tx, scope: Scope) -> list[KnownTransaction]:
    rows = transactions.pending_of(tx, sorted(scope.accounts))
    return [row for row in rows if not scope.refused.holds(row)]


def _missing(
    tx: Tx, scope: Scope, came: Sequence[Came], known: Mapping[tuple[int, int], KnownTransaction]
) -> tuple[list[KnownTransaction], dict[int, int]]:
    """Return live booked rows that a complete answer lacks within its days, and how many these days hold.

    What is older than the oldest booked row that came is not spoken of: the bank serves no more, and a sum
    that it reserved long ago and never booked says nothing of what is booked. The withdrawal of a row we
    never knew by that id counts as well: that row may be one we know by the id it had before.
    """
    oldest: dict[int, str] = {}
    for account_id, row in came:
        if (
            row.booked_on < oldest.get(account_id, "9999")
            and not row.pending
            and (not row.deleted or (account_id, row.provider_id) not in known)
        ):
            oldest[account_id] = row.booked_on
    there = {row.id for row in known.values()}
    missing: list[int] = []
    counts: dict[int, int] = {}
    for account_id, day in oldest.items():
        if account_id in scope.accounts:
            ids = transactions.booked_since(tx, account_id, day)
            counts[account_id] = len(ids)
            missing += [row_id for row_id in ids if row_id not in there]
    return [row for row in transactions.by_ids(tx, missing) if not scope.refused.holds(row)], counts


def _bulk_from(came: Sequence[Came], missing: Sequence[KnownTransaction]) -> dict[int, str]:
    """Return by account the day of the second oldest row that came and stands, where much is missing.

    What one single row lies before may be months that the bank no longer serves.
    """
    counts = Counter(row.account_id for row in missing)
    return {
        account_id: (nsmallest(2, _days_of(came, account_id)) or [""])[-1]
        for account_id, count in counts.items()
        if count > VANISHING_MAX
    }


def _days_of(came: Sequence[Came], account_id: int) -> Iterator[str]:
    return (row.booked_on for each, row in came if each == account_id and not (row.pending or row.deleted))


def _has_shifted(came: Sequence[Came], wanted: Sequence[KnownTransaction]) -> bool:
    """Tell whether a row slipped to a page already read: one lacks, and one that pushed it came twice."""
    if not wanted:  # most answers lack nothing, and a million rows are not gone through for them
        return False
    keys = {(account_id, row.provider_id) for account_id, row in came}
    return len(keys) < len(came) and any((row.account_id, row.provider_id) not in keys for row in wanted)


def _same_days(tx: Tx, unknown: _Unknown) -> list[KnownTransaction]:
    return [
        row
        for account_id, rows in unknown.rows.items()
        for row in transactions.booked_on(
            tx,
            account_id,
            sorted({remote.booked_on for remote in rows}),
            sorted({remote.amount_minor for remote in rows if remote.amount_minor is not None}),
        )
    ]


def _overdue(tx: Tx, scope: Scope, silent: Sequence[KnownTransaction]) -> bool:
    """Tell whether a pending row should have been booked, and nobody read everything since it should."""
    last_full = connections.full_read_at(tx, scope.connection_id) if silent else None
    if last_full is None:
        return False
    due = min(row.booked_on for row in silent)
    since = timedelta(days=PENDING_DAYS_MAX)
    return due < (scope.asked_at - since).date().isoformat() and due >= (last_full - since).date().isoformat()


def listed_accounts(
    listed: Sequence[RemoteAccount], known: Mapping[int, KnownAccount], shadows: set[int]
) -> frozenset[int]:
    """Return our ids of the accounts that an answer lists as active and that held rows before."""
    return frozenset(
        known[each.provider_id].id
        for each in listed
        if each.provider_id not in shadows
        and each.state is AccountState.ACTIVE
        and not known[each.provider_id].empty
    )
