"""One sync as one transaction: accounts, balances, rows and digests; then the record of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obdesk.domain.changes import IDS_MAX, ChangeSet, Kind
from obdesk.domain.entities import AccountState, RunCounts
from obdesk.domain.findings import account_text
from obdesk.domain.remote import RowProblem
from obdesk.storage.writes import (
    accounts,
    commits,
    connections,
    findings,
    runs,
    suggestions,
    transactions,
    twins,
)
from obdesk.storage.writes.findings import Finding
from obdesk.sync.commits import account_lines, balance_lines, connection_lines, transaction_lines
from obdesk.sync.covering import watch
from obdesk.sync.lapsing import lapsed
from obdesk.sync.matching import (
    Scope,
    ShiftedError,
    WantsFullError,
    gather,
    known_rows,
    listed_accounts,
    recognise,
)
from obdesk.sync.reading import Work, lacks_rows, read_pages
from obdesk.sync.reconcile.passes import reconcile, share_an_id, supersedes
from obdesk.sync.refused import refused_of
from obdesk.sync.reuniting import reunite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from obdesk.domain.commits import ChangeLine
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.ledger import KnownAccount
    from obdesk.domain.remote import RemoteAccount, RemoteConnection, RemoteTransaction
    from obdesk.domain.syncing import SyncOutcome
    from obdesk.providers.base import TransactionPage
    from obdesk.storage.tx import Tx
    from obdesk.storage.writes.commits import Stood
    from obdesk.sync.commits import Record
    from obdesk.sync.reconcile.accounts import Identities
    from obdesk.sync.reconcile.plan import Plan


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
    counted: bool = True
    """Whether it lacks rows where it holds fewer than its total says."""


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
    lacking: bool = False
    """The answer held fewer rows than its total says."""

    @property
    def is_news(self) -> bool:
        """Tell whether a row or a balance is another than before."""
        counts = self.counts
        return bool(counts.new or counts.updated or counts.removed or self.changes.touches(Kind.BALANCES))


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
    reunited = reunite(tx, answer.connection_id, answer.accounts, answer.asked_at)
    stood = commits.stood(tx, answer.connection_id, _days_observed(answer))
    described = connections.describe(tx, answer.connection_id, answer.remote)
    before = accounts.known(tx, answer.connection_id)
    identities = recognise(tx, answer.connection_id, answer.accounts, before, answer.asked_at)
    if answer.series != "full" and (reunited or identities.renamed or _begins_anew(answer, before)):
        raise WantsFullError
    came_over = accounts.records(tx, identities.renamed.values() - stood.accounts.keys())
    listed = [each for each in answer.accounts if each.provider_id not in identities.shadows]
    changed, moved = accounts.save(tx, answer.connection_id, listed, answer.asked_at)
    first_id = transactions.next_id(tx)
    known = accounts.known(tx, answer.connection_id) if changed or identities.renamed else before
    work = Work(tx, answer.asked_at, known, first_id, first_id, shadows=identities.shadows)
    spoken_of = listed_accounts(listed, known, identities.shadows)
    if answer.compare or any(account.exponent != known[each].exponent for each, account in before.items()):
        runs.keep_digests(tx, answer.connection_id, answer.series, {})  # equal bytes mean other amounts now
    full = answer.series == "full"
    digests = runs.digests(tx, answer.connection_id, answer.series)
    keep_all = full and bool(spoken_of)
    everything = read_pages(work, digests, answer.pages, keep_all=keep_all, progress=progress)
    lacking = lacks_rows(work, answer.pages)
    if lacking and answer.counted and not answer.reread:
        raise ShiftedError
    work.flush()
    added = work.next_id - work.first_id
    renumbered = frozenset(identities.renamed.values())
    scope = Scope(
        answer.connection_id,
        spoken_of,
        full,
        full and everything,
        answer.asked_at,
        renumbered,
        answer.reread,
        refused_of((problem for _, problem in work.problems), known),
    )
    plan = _match(work, scope)
    plan.removed += lapsed(tx, scope, plan)
    counts, lines = _apply(work, plan, added)
    new = (work.first_id, work.next_id - 1) if work.next_id > work.first_id else None
    if described or changed or moved or identities.renamed or new:
        stands = commits.stood(tx, answer.connection_id, _days_observed(answer))
        lines += _other_lines(answer, stood, stands)
        watch(tx, answer.connection_id, _with(stood, came_over), stands, new, answer.asked_at)
    problems = _keep_findings(work, scope, plan, identities, account_news=bool(changed))
    cursor, row_problems = _keep_rest(work, answer)
    change = ChangeSet.of(Kind.CONNECTIONS, [answer.connection_id] if described else [])
    change = change.merge(ChangeSet.of(Kind.BALANCES, moved))
    change = change.merge(ChangeSet.of(Kind.PROBLEMS, [*problems, *row_problems]))
    if reunited:
        change = change.merge(ChangeSet.many(Kind.ACCOUNTS)).merge(ChangeSet.many(Kind.TRANSACTIONS))
    return Saved(
        change.merge(ChangeSet.of(Kind.ACCOUNTS, changed)).merge(_touched(work, plan)),
        counts,
        cursor,
        tuple(lines),
        new,
        lacking,
    )


def _begins_anew(answer: Answer, before: Mapping[int, KnownAccount]) -> bool:
    """Tell whether a listed account has no history here yet: what a delta holds of it may not be all."""
    if answer.previous_cursor is None:
        return False
    idle = {each for each, stored in before.items() if stored.empty and not stored.active}
    active = {each.provider_id for each in answer.accounts if each.state is AccountState.ACTIVE}
    return bool(active & idle or active - before.keys())


def _days_observed(answer: Answer) -> set[str]:
    """Return the days for which the answer holds balances."""
    return {(each.data_as_of or answer.asked_at).date().isoformat() for each in answer.accounts}


def _with(stood: Stood, came_over: Mapping[int, Record]) -> Stood:
    """Return what stood, with the accounts that were another link's until now: they were covered as well."""
    return stood._replace(accounts={**stood.accounts, **came_over})


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


def _match(work: Work, scope: Scope) -> Plan:
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


def _apply(work: Work, plan: Plan, added: int) -> tuple[RunCounts, list[ChangeLine]]:
    accounts_by_provider = {account.provider_id: account.id for account in work.known.values()}
    work.fresh = [(accounts_by_provider[row.account_provider_id], row) for row in plan.added]
    numbered = {
        (row.account_provider_id, row.provider_id): n for n, row in enumerate(plan.added, work.next_id)
    }
    work.flush()
    transactions.change_rows(work.tx, [*plan.changed, *plan.booked, *plan.moved], work.now)
    transactions.free_ids(work.tx, plan.freed)
    twins.join_ids(work.tx, plan.joined, work.now)
    transactions.keep_stamps(work.tx, plan.stamped)
    told = [*work.to_match, *work.again]
    stamps = _tombstones(plan, told)
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


def _tombstones(plan: Plan, fetched: Sequence[tuple[int, RemoteTransaction]]) -> dict[int, str]:
    """Return by row id the stamps of rows that the provider withdrew by name.

    A withdrawal may come without a stamp; what was told of the row before must not lift it all the same.
    """
    if not plan.removed:
        return {}
    wanted = {(row.account_id, row.provider_id): row for row in plan.removed}
    return {
        gone.id: max(gone.updated, row.updated)
        for account_id, row in fetched
        if row.deleted and (gone := wanted.get((account_id, row.provider_id)))
    }


def _keep_findings(
    work: Work, scope: Scope, plan: Plan, identities: Identities, *, account_news: bool
) -> list[int]:
    """Keep what was found about whole accounts; return the ids of findings that came or were solved."""
    tx, connection_id, now = work.tx, scope.connection_id, work.now
    touched: list[int] = []
    # Whether it still is so lies with the other link as well.
    twice = {mine: account_text(other) for mine, other in accounts.listed_twice(tx, connection_id)}
    touched += findings.replace(tx, connection_id, Finding.SAME_ACCOUNT_TWICE, twice, now)
    if account_news:
        came = {went: work.known[newcomer].id for went, newcomer in identities.successors}
        touched += findings.keep_successions(tx, connection_id, came, now)
    if scope.complete:
        many = {each: f"{told.missing} of {told.total}" for each, told in plan.withheld.items()}
        touched += findings.replace(tx, connection_id, Finding.MANY_ROWS_MISSING, many, now)
    if plan.withheld:
        work.pages.clear()  # the next answer is looked at even if it says the same: then it is believed
    return touched


def _keep_rest(work: Work, answer: Answer) -> tuple[str | None, list[int]]:
    """Keep problems and digests; return the cursor to keep and the problems that came or were solved."""
    tx, connection_id = work.tx, answer.connection_id
    problems = runs.keep_problems(tx, connection_id, work.problems, work.now)
    problems += runs.solve_problems(tx, connection_id, _well(work))
    if work.pages_before != work.pages:
        runs.keep_digests(tx, connection_id, answer.series, work.pages)
    return answer.next_cursor(work.stamp, answer.previous_cursor) if work.stamp else None, problems


def _well(work: Work) -> Callable[[str], bool]:
    """Return a test for the subjects of problems: whether this answer holds that row without one."""
    ill = {problem.subject for _, problem in work.problems}
    came: set[str] = set()

    def is_well(subject: str) -> bool:
        if not came:  # a million rows are not gone through where no problem is known
            came.update(str(row.provider_id) for _, row in work.to_match)
            came.update(str(each) for each in work.seen)
        return subject in came and subject not in ill

    return is_well


def _touched(work: Work, plan: Plan) -> ChangeSet:
    added = work.next_id - work.first_id
    if added > IDS_MAX:
        return ChangeSet.many(Kind.TRANSACTIONS)
    ids = set(range(work.first_id, work.next_id))
    ids |= {row.id for row, _ in [*plan.changed, *plan.booked, *plan.moved]} | {
        row.id for row in plan.removed
    }
    return ChangeSet.of(Kind.TRANSACTIONS, ids)
