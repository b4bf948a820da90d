"""One sync as one transaction: accounts, balances, rows and digests; then the record of the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from obdesk.domain.changes import IDS_MAX, ChangeSet, Kind
from obdesk.domain.entities import RunCounts
from obdesk.domain.remote import RowProblem
from obdesk.storage.heap import let_go
from obdesk.storage.writes import (
    accounts,
    commits,
    connections,
    findings,
    runs,
    suggestions,
    transactions,
)
from obdesk.storage.writes.findings import Finding
from obdesk.sync.commits import account_lines, balance_lines, connection_lines, transaction_lines
from obdesk.sync.covering import watch
from obdesk.sync.lapsing import lapsed
from obdesk.sync.matching import Scope, WantsFullError, gather, known_rows, listed_accounts, recognise
from obdesk.sync.reconcile.passes import reconcile, share_an_id, supersedes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from obdesk.domain.commits import ChangeLine
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.ledger import KnownAccount
    from obdesk.domain.remote import RemoteAccount, RemoteConnection, RemoteTransaction
    from obdesk.domain.syncing import SyncOutcome
    from obdesk.providers.base import TransactionPage
    from obdesk.storage.tx import Tx
    from obdesk.storage.writes.commits import Stood
    from obdesk.sync.reconcile.accounts import Identities
    from obdesk.sync.reconcile.plan import Plan

BATCH_ROWS = 20_000
"""Rows per search index batch: fewer cost more per row, more cost memory."""


@dataclass(frozen=True, slots=True)
class Answer:
    """All that one sync brought from the provider, complete, before anything is written."""

    connection_id: ConnectionId
    remote: RemoteConnection
    accounts: Sequence[RemoteAccount]
    pages: Sequence[TransactionPage]
    series: str
    """`full` or `delta`: which answers' pages can be compared with which."""
    asked_at: datetime
    previous_cursor: str | None
    next_cursor: Callable[[str, str | None], str | None]
    compare: bool = False
    """Whether every row is compared with what is kept, also where a page is equal to the last answer's."""
    reread: bool = False
    """Whether it was read once more because the list seemed to move: then it is believed."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What the transaction did."""

    changes: ChangeSet
    counts: RunCounts
    cursor: str | None
    """The cursor to keep; None leaves it as it was."""
    lines: tuple[ChangeLine, ...] = ()
    """What the commit of this sync says, but for the rows that came new."""
    added: tuple[int, int] | None = None
    """The first and the last id of the rows that came new."""

    @property
    def is_news(self) -> bool:
        """Tell whether a row or a balance is another than before."""
        counts = self.counts
        return bool(counts.new or counts.updated or counts.removed or self.changes.touches(Kind.BALANCES))


@dataclass(slots=True)
class _Work:
    """The state of one write while it goes through its pages."""

    tx: Tx
    now: datetime
    known: dict[int, KnownAccount]
    next_id: int
    first_id: int
    to_match: list[tuple[int, RemoteTransaction]] = field(default_factory=list)
    fresh: list[tuple[int, RemoteTransaction]] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    again: list[tuple[int, RemoteTransaction]] = field(default_factory=list)
    """Further versions of rows of this very answer, in accounts that were empty before it."""
    problems: list[tuple[int | None, RowProblem]] = field(default_factory=list)
    stamp: str = ""
    unchanged: int = 0
    pages: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    pages_before: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    shadows: set[int] = field(default_factory=set)
    """Accounts listed under an id that is not theirs any more: their rows come under the other one."""

    def flush(self) -> None:
        self.next_id = transactions.insert_rows(self.tx, self.fresh, self.next_id, self.now)
        let_go(self.fresh)


class LinkRemovedError(Exception):
    """The link was removed by the person while its sync was under way; nothing is kept."""


def save(tx: Tx, answer: Answer, progress: Callable[[int, int | None], None] | None = None) -> Saved:
    """Bring the ledger to what the answer says; everything or nothing.

    Raises LinkRemovedError, WantsFullError where a delta cannot be understood by itself, and ShiftedError
    where the list moved while it was read.

    An answer that says nothing new writes not one byte. The caller keeps cursor and run in the same
    transaction (`record`).
    """
    if not connections.is_live(tx, answer.connection_id):
        raise LinkRemovedError
    days = _days_observed(answer)
    stood = commits.stood(tx, answer.connection_id, days)
    described = connections.describe(tx, answer.connection_id, answer.remote)
    before = accounts.known(tx, answer.connection_id)
    identities = recognise(tx, answer.connection_id, answer.accounts, before, answer.asked_at)
    if answer.series != "full" and identities.renamed:
        raise WantsFullError
    listed = [each for each in answer.accounts if each.provider_id not in identities.shadows]
    changed, moved = accounts.save(tx, answer.connection_id, listed, answer.asked_at)
    first_id = transactions.next_id(tx)
    known = accounts.known(tx, answer.connection_id) if changed or identities.renamed else before
    work = _Work(tx, answer.asked_at, known, first_id, first_id, shadows=identities.shadows)
    spoken_of = listed_accounts(listed, known, identities.shadows)
    if answer.compare or any(account.exponent != known[each].exponent for each, account in before.items()):
        runs.keep_digests(tx, answer.connection_id, answer.series, {})  # equal bytes mean other amounts now
    full = answer.series == "full"
    everything = _read_pages(work, answer, keep_all=full and bool(spoken_of), progress=progress)
    work.flush()
    added = work.next_id - work.first_id
    renumbered = frozenset(identities.renamed.values())
    scope = Scope(
        answer.connection_id, spoken_of, full, full and everything, answer.asked_at, renumbered, answer.reread
    )
    plan = _match(work, scope)
    plan.removed += lapsed(tx, scope, plan)
    counts, lines = _apply(work, plan, added)
    new = (work.first_id, work.next_id - 1) if work.next_id > work.first_id else None
    if described or changed or moved or identities.renamed or new:
        stands = commits.stood(tx, answer.connection_id, days)
        lines += _other_lines(answer, stood, stands)
        watch(tx, answer.connection_id, stood, stands, new, answer.asked_at)
    problems = _keep_findings(work, scope, plan, identities, account_news=bool(changed))
    cursor, row_problems = _keep_rest(work, answer)
    change = ChangeSet.of(Kind.CONNECTIONS, [answer.connection_id] if described else [])
    change = change.merge(ChangeSet.of(Kind.ACCOUNTS, changed)).merge(ChangeSet.of(Kind.BALANCES, moved))
    change = change.merge(ChangeSet.of(Kind.PROBLEMS, [*problems, *row_problems]))
    return Saved(
        change.merge(_touched(work, plan)),
        counts,
        cursor,
        tuple(lines),
        new,
    )


def _days_observed(answer: Answer) -> set[str]:
    """Return the days for which the answer holds balances."""
    return {(each.data_as_of or answer.asked_at).date().isoformat() for each in answer.accounts}


def _other_lines(answer: Answer, before: Stood, after: Stood) -> list[ChangeLine]:
    lines = account_lines(before.accounts, after.accounts)
    lines += balance_lines(before.balances, after.balances)
    return lines + connection_lines(answer.connection_id, before.connection, after.connection)


def record(tx: Tx, answer: Answer, saved: Saved, outcome: SyncOutcome, ended_at: datetime) -> ChangeSet:
    """Keep that the bank was asked, up to where, and how the run ended; return all that changed."""
    connections.finish(
        tx, answer.connection_id, asked_at=answer.asked_at, cursor=saved.cursor, full=answer.series == "full"
    )
    run_id = runs.add_run(tx, outcome, ended_at, added=saved.added, cursor_before=answer.previous_cursor)
    commits.keep_lines(tx, run_id, saved.lines)
    asked = ChangeSet.of(Kind.CONNECTIONS, [answer.connection_id])
    return saved.changes.merge(asked).merge(ChangeSet.of(Kind.RUNS, [run_id]))


def _read_pages(
    work: _Work, answer: Answer, *, keep_all: bool, progress: Callable[[int, int | None], None] | None
) -> bool:
    """Sort every page's rows into new and to be matched; tell whether no page was skipped.

    A page equal to the last answer's holds nothing new and is not even decoded. When rows might have
    gone missing all pages are read, unless all are equal.
    """
    before = work.pages_before = runs.digests(work.tx, answer.connection_id, answer.series)
    same = {n for n, page in enumerate(answer.pages) if n in before and before[n][0] == page.digest}
    if len(same) < len(before) or len(same) < len(answer.pages):
        same = set() if keep_all else same
    exponents = {account.provider_id: account.exponent for account in work.known.values()}
    total = next((page.total for page in answer.pages if page.total is not None), None)
    done = 0
    for number, page in enumerate(answer.pages):
        if number in same:
            work.pages[number] = before[number]
            count = before[number][1]
            work.unchanged += count
        else:
            decoded = page.decode(exponents)
            count = len(decoded.rows) + len(decoded.problems)
            if not decoded.problems:  # what could not be kept is tried again, so its page is never skipped
                work.pages[number] = (page.digest, count)
            _sort_rows(work, decoded.rows)
            work.problems += [(_account_id(work, problem), problem) for problem in decoded.problems]
        done += count
        if progress is not None:
            progress(done, total)
    return not same or not answer.pages


def _sort_rows(work: _Work, rows: Sequence[RemoteTransaction]) -> None:
    known, fresh, seen, stamp = work.known, work.fresh, work.seen, work.stamp
    if work.shadows:
        known = {number: account for number, account in known.items() if number not in work.shadows}
    for row in rows:
        account = known.get(row.account_provider_id)
        if account is None:
            continue
        stamp = max(stamp, row.updated)
        if not account.empty:
            work.to_match.append((account.id, row))
        elif row.deleted or row.provider_id in seen:
            work.again.append((account.id, row))
        else:
            seen.add(row.provider_id)
            fresh.append((account.id, row))
    work.stamp = stamp
    if len(fresh) >= BATCH_ROWS:
        work.flush()


def _account_id(work: _Work, problem: RowProblem) -> int | None:
    account = work.known.get(problem.account_provider_id or 0)
    return None if account is None else account.id


def _match(work: _Work, scope: Scope) -> Plan:
    known = known_rows(work.tx, [*work.to_match, *work.again])
    again: list[tuple[int, RemoteTransaction]] = []
    shared: list[RemoteTransaction] = []
    for account_id, row in work.again:
        first = known.get((account_id, row.provider_id))
        if first is None:
            if not row.deleted:  # the one that came first under this id is of another account
                again.append((account_id, row))
            continue
        if share_an_id(first.updated, first.facts, row):
            shared.append(row)
        if supersedes(row, first):
            again.append((account_id, row))
    stored = gather(work.tx, scope, work.to_match, known)
    plan = reconcile([*work.to_match, *again], stored, complete=scope.complete)
    plan.shared += shared
    work.problems += [
        (known_account.id, RowProblem("shared_id", str(row.provider_id), "id", row.account_provider_id))
        for row in plan.shared
        if (known_account := work.known.get(row.account_provider_id)) is not None
    ]
    return plan


def _apply(work: _Work, plan: Plan, added: int) -> tuple[RunCounts, list[ChangeLine]]:
    accounts_by_provider = {account.provider_id: account.id for account in work.known.values()}
    work.fresh = [(accounts_by_provider[row.account_provider_id], row) for row in plan.added]
    numbered = {
        (row.account_provider_id, row.provider_id): n for n, row in enumerate(plan.added, work.next_id)
    }
    work.flush()
    transactions.change_rows(work.tx, [*plan.changed, *plan.booked, *plan.moved], work.now)
    transactions.free_ids(work.tx, plan.freed)
    transactions.keep_stamps(work.tx, plan.stamped)
    told = [*work.to_match, *work.again]
    stamps = {stored_id: row.updated for stored_id, row in _tombstones(plan, told)}
    transactions.remove_rows(work.tx, plan.removed, work.now, stamps)
    for unsure in plan.unsure:
        came = numbered[unsure.remote.account_provider_id, unsure.remote.provider_id]
        suggestions.suggest(
            work.tx, unsure.stored.account_id, unsure.stored.id, came, unsure.likeness, work.now
        )
    lines = transaction_lines([*plan.changed, *plan.booked, *plan.moved], plan.removed, stamps)
    counts = RunCounts(
        new=added + len(plan.added),
        updated=len(plan.changed) + len(plan.booked) + len(plan.moved),
        removed=len(plan.removed),
        unchanged=work.unchanged + plan.unchanged,
        problems=len(work.problems),
    )
    return counts, lines


def _tombstones(
    plan: Plan, fetched: Sequence[tuple[int, RemoteTransaction]]
) -> list[tuple[int, RemoteTransaction]]:
    """Pair each removed row with the provider's word on its deletion, where there was one."""
    if not plan.removed:
        return []
    wanted = {(row.account_id, row.provider_id): row.id for row in plan.removed}
    return [
        (wanted[account_id, row.provider_id], row)
        for account_id, row in fetched
        if row.deleted and (account_id, row.provider_id) in wanted
    ]


def _keep_findings(
    work: _Work, scope: Scope, plan: Plan, identities: Identities, *, account_news: bool
) -> list[int]:
    """Keep what was found about whole accounts; return the ids of findings that came or were solved."""
    tx, connection_id, now = work.tx, scope.connection_id, work.now
    touched: list[int] = []
    if account_news:
        twice = {mine: f"account {other}" for mine, other in accounts.listed_twice(tx, connection_id)}
        touched += findings.replace(tx, connection_id, Finding.SAME_ACCOUNT_TWICE, twice, now)
        successors = {gone: f"account {work.known[came].id}" for gone, came in identities.successors}
        touched += findings.keep(tx, connection_id, Finding.SUCCESSOR, successors, now)
    if scope.complete:
        many = {each: f"{told.missing} of {told.total}" for each, told in plan.withheld.items()}
        touched += findings.replace(tx, connection_id, Finding.MANY_ROWS_MISSING, many, now)
    if plan.withheld:
        work.pages.clear()  # the next answer is looked at even if it says the same: then it is believed
    return touched


def _keep_rest(work: _Work, answer: Answer) -> tuple[str | None, list[int]]:
    """Keep problems and digests; return the cursor to keep and the problems that came or were solved."""
    tx, connection_id = work.tx, answer.connection_id
    problems = runs.keep_problems(tx, connection_id, work.problems, work.now)
    problems += runs.solve_problems(tx, connection_id, _well(work))
    if work.pages_before != work.pages:
        runs.keep_digests(tx, connection_id, answer.series, work.pages)
    return answer.next_cursor(work.stamp, answer.previous_cursor) if work.stamp else None, problems


def _well(work: _Work) -> Callable[[str], bool]:
    """Return a test for the subjects of problems: whether this answer holds that row without one."""
    ill = {problem.subject for _, problem in work.problems}
    came: set[str] = set()

    def is_well(subject: str) -> bool:
        if not came:  # a million rows are not gone through where no problem is known
            came.update(str(row.provider_id) for _, row in work.to_match)
            came.update(str(each) for each in work.seen)
        return subject in came and subject not in ill

    return is_well


def _touched(work: _Work, plan: Plan) -> ChangeSet:
    added = work.next_id - work.first_id
    if added > IDS_MAX:
        return ChangeSet.many(Kind.TRANSACTIONS)
    ids = set(range(work.first_id, work.next_id))
    ids |= {row.id for row, _ in [*plan.changed, *plan.booked, *plan.moved]} | {
        row.id for row in plan.removed
    }
    return ChangeSet.of(Kind.TRANSACTIONS, ids)
