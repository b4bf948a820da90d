"""One sync of one connection: ask, read everything, then write it once.

Pages are held as they came until the answer is complete; a failure anywhere before the write leaves
the ledger as it was. The write is one transaction, after which the change is told.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunCounts, RunResult, SyncKind, Trigger
from obdesk.domain.money import NO_CURRENCY
from obdesk.domain.outcomes import ActionNeeded, Broken, Fetched, RetryLater
from obdesk.domain.syncing import Step, SyncOutcome
from obdesk.providers import counting
from obdesk.storage.queries import accounts as account_reads
from obdesk.storage.queries import connections as reads
from obdesk.storage.queries.connections import Standing
from obdesk.storage.queries.limits import told_of
from obdesk.storage.writes import connections, runs
from obdesk.sync import policy
from obdesk.sync.deadline import reading_within
from obdesk.sync.examine import examine
from obdesk.sync.gate import Gate
from obdesk.sync.matching import ShiftedError, WantsFullError
from obdesk.sync.paging import pages_of
from obdesk.sync.refusals import kept_refusal, refusal_in
from obdesk.sync.saving import Answer, LinkRemovedError, record, save
from obdesk.sync.totals import Totals

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from obdesk.domain.clock import Clock
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.outcomes import Failure
    from obdesk.domain.remote import RemoteAccount, RemoteConnection
    from obdesk.providers.base import Provider, TransactionPage
    from obdesk.providers.counting import RequestCount
    from obdesk.storage.store import Store
    from obdesk.storage.tx import Tx
    from obdesk.sync.gate import Held
    from obdesk.sync.paging import Progress
    from obdesk.sync.refusals import Refusal


log = logging.getLogger(__name__)
SYNC_WITHIN_S = 600.0
"""How long all reading of one sync may take."""
BULK_PAGES = 20
_GONE = (None, Standing.GONE)


@dataclass(frozen=True, slots=True)
class _Start:
    """What a sync starts from."""

    connection_id: ConnectionId
    provider_id: str
    bank: str
    cursor: str | None
    kind: SyncKind
    failures: int
    trigger: Trigger
    attempt: int
    at: datetime
    monotonic_s: float
    requests: RequestCount
    course: _Course


@dataclass(slots=True)
class _Course:
    """What a sync has done so far."""

    asked_bank: bool = False
    reread: bool = False
    refusal: Refusal | None = None


class Engine:
    """Syncs connections of one provider into one store."""

    def __init__(
        self,
        store: Store,
        provider: Provider,
        clock: Clock,
        rng: Random,
        *,
        within_s: float = SYNC_WITHIN_S,
    ) -> None:
        self._store = store
        self._provider = provider
        self._clock = clock
        self._rng = rng
        self._within_s = within_s
        self._gate = Gate(store, provider, clock, rng)
        self._totals = Totals()

    async def discover(
        self, *, attended: bool = False
    ) -> tuple[dict[str, RemoteConnection], ChangeSet] | Failure:
        """List the links at the provider; adopt new ones and mark those that are gone.

        A provider that has not answered for long is asked only now and then, unless a person waits.
        """
        held = await self._gate.admit_listing(attended=attended)
        if held is not None:
            return held
        before = await self._store.read(reads.known_links, self._provider.name)
        requests = counting.begin()
        has_links = any(standing is Standing.LISTED for _, standing in before.values())
        listed = await self._gate.links(has_links=has_links)
        if not isinstance(listed, Fetched):
            await self._gate.listed(listed, requests.renewals)
            return listed
        await self._gate.listed(None, requests.renewals)
        remotes = {remote.provider_id: remote for remote in listed.value}
        known = await self._store.read(reads.known_links, self._provider.name)
        # What was erased here while the list was on its way is not brought back by it.
        erased = before.keys() - known.keys()
        new = [
            remote
            for remote in remotes.values()
            if known.get(remote.provider_id, _GONE)[1] is Standing.GONE and remote.provider_id not in erased
        ]
        gone = [
            connection_id
            for provider_id, (connection_id, standing) in known.items()
            if standing is Standing.LISTED and provider_id not in remotes
        ]
        if not new and not gone:
            return remotes, ChangeSet()
        change = await self._store.write(lambda tx: self._adopt(tx, new, gone))
        return remotes, change

    def _adopt(self, tx: Tx, new: list[RemoteConnection], gone: list[ConnectionId]) -> ChangeSet:
        now = self._clock.now()
        touched = [connections.adopt(tx, self._provider.name, remote, now) for remote in new]
        for connection_id in gone:
            connections.mark_gone(tx, connection_id, now)
        change = ChangeSet.of(Kind.CONNECTIONS, [*touched, *gone])
        return change.merge(ChangeSet.many(Kind.ACCOUNTS)) if gone else change

    async def sync(
        self,
        connection_id: ConnectionId,
        trigger: Trigger,
        *,
        refresh_at_bank: bool,
        progress: Progress,
        kind: SyncKind = SyncKind.DELTA,
        attempt: int = 1,
    ) -> tuple[SyncOutcome, ChangeSet]:
        """Sync one connection to the end. Provider failures are outcomes; storage errors are raised."""
        start = await self._start(connection_id, trigger, kind, attempt)
        held = await self._gate.admit(connection_id, trigger)
        if held is not None:
            return await self._failed(start, held.failure, held)
        try:
            return await self._run(start, progress, refresh_at_bank=refresh_at_bank)
        except WantsFullError:
            start.course.reread = False
            return await self._run(replace(start, kind=SyncKind.RECONCILE), progress, refresh_at_bank=False)

    async def _run(
        self, start: _Start, progress: Progress, *, refresh_at_bank: bool
    ) -> tuple[SyncOutcome, ChangeSet]:
        """Read an answer and write it in one transaction; a link removed meanwhile keeps nothing."""
        answer = await self._fetch_in_time(start, refresh_at_bank=refresh_at_bank, progress=progress)
        if not isinstance(answer, Answer):
            return await self._failed(start, answer)
        progress(Step.SAVING, 0, None)
        try:
            outcome, changes = await self._store.write(
                lambda tx: self._save(tx, start, answer, progress), bulk=len(answer.pages) > BULK_PAGES
            )
        except ShiftedError:
            start.course.reread = True
            return await self._run(start, progress, refresh_at_bank=False)
        except LinkRemovedError:
            return self._outcome(start, answer.remote.condition, RunResult.CANCELLED), ChangeSet()
        if outcome.result is RunResult.UNCHANGED and outcome.kind is SyncKind.DELTA:
            return outcome, changes
        return outcome, changes.merge(await examine(self._store, start.connection_id, self._clock.now()))

    async def _start(self, connection_id: ConnectionId, trigger: Trigger, kind: SyncKind, n: int) -> _Start:
        provider_id, bank, cursor, full_sync_at, failures = await self._store.read(
            reads.sync_state, connection_id
        )
        now = self._clock.now()
        return _Start(
            connection_id,
            provider_id,
            bank,
            cursor,
            policy.kind_of(cursor, full_sync_at, now).or_more(kind),
            failures,
            trigger,
            n,
            now,
            self._clock.monotonic_s(),
            counting.begin(),
            _Course(),
        )

    async def _fetch_in_time(
        self, start: _Start, *, refresh_at_bank: bool, progress: Progress
    ) -> Answer | Failure:
        try:
            async with reading_within(self._within_s, start.requests):
                return await self._fetch(start, refresh_at_bank=refresh_at_bank, progress=progress)
        except TimeoutError:
            return RetryLater(Condition.PROVIDER_DOWN, provider_code="sync_timeout")

    async def _fetch(self, start: _Start, *, refresh_at_bank: bool, progress: Progress) -> Answer | Failure:
        asked_at = self._clock.now()
        remote = await self._remote(start)
        if not isinstance(remote, Fetched):
            return remote
        if await self._gate.spend(start.connection_id, remote.value, start.trigger, wanted=refresh_at_bank):
            failure = await self._ask_bank(start, remote.value, progress)
            if failure is not None:
                return failure
            asked_at = self._clock.now()
            progress(Step.READING_CONNECTION, 0, None)
            remote = await self._remote(start)
            if not isinstance(remote, Fetched):
                return remote
        else:
            progress(Step.READING_CONNECTION, 0, None)
        progress(Step.READING_ACCOUNTS, 0, None)
        listed = await self._provider.accounts(start.provider_id)
        if not isinstance(listed, Fetched):
            return listed
        if await self._has_new_currency(start, listed.value):
            start = replace(start, kind=SyncKind.RECONCILE)
        since = start.cursor if start.kind is SyncKind.DELTA else None
        pages = await pages_of(self._provider, start.provider_id, since, progress)
        if not isinstance(pages, list):
            return pages
        return self._answer(start, remote.value, listed.value, pages, asked_at)

    async def _ask_bank(self, start: _Start, before: RemoteConnection, progress: Progress) -> Failure | None:
        """Let the bank be read now; return what stops the sync.

        Whether it waits for its person was asked of the provider just before, not remembered: a fault in
        between must not make us try a refused password again.
        """
        start.course.asked_bank = True
        progress(Step.ASKING_BANK, 0, None)
        asked = await self._provider.refresh(start.provider_id, attended=start.trigger is Trigger.PERSON)
        if isinstance(asked, RetryLater | Broken) and not policy.reads_on(asked):
            return asked
        start.course.refusal = refusal_in(asked, before)
        return None

    async def _has_new_currency(self, start: _Start, listed: tuple[RemoteAccount, ...]) -> bool:
        """Tell whether an account's amounts have other decimals now: then every row is read again."""
        stored = await self._store.read(account_reads.exponents, start.connection_id)
        return any(
            stored.get(remote.provider_id, remote.currency.exponent) != remote.currency.exponent
            for remote in listed
            if remote.currency.code != NO_CURRENCY
        )

    def _answer(
        self,
        start: _Start,
        remote: RemoteConnection,
        listed: tuple[RemoteAccount, ...],
        pages: list[TransactionPage],
        asked_at: datetime,
    ) -> Answer:
        series = "delta" if start.kind is SyncKind.DELTA else "full"
        return Answer(
            connection_id=start.connection_id,
            remote=remote,
            accounts=listed,
            pages=pages,
            series=series,
            compare=start.kind is SyncKind.RECONCILE,
            reread=start.course.reread,
            counted=self._totals.are_believed(start.connection_id, series),
            asked_at=asked_at,
            previous_cursor=start.cursor,
            next_cursor=self._provider.cursor_after,
        )

    async def _remote(self, start: _Start) -> Fetched[RemoteConnection] | Failure:
        listed = await self._gate.links(has_links=True)
        if not isinstance(listed, Fetched):
            return await self._gate.heeded(listed)
        for remote in listed.value:
            if remote.provider_id == start.provider_id:
                return Fetched(await self._upheld(start, remote))
        return ActionNeeded(Condition.GONE)

    async def _upheld(self, start: _Start, remote: RemoteConnection) -> RemoteConnection:
        """Return how the link stands; who has just renewed it is asked about no refusal of before."""
        refusal = start.course.refusal
        if refusal is None and start.trigger is not Trigger.LINK:
            refusal = kept_refusal(await self._store.read(told_of, start.connection_id))
        return remote if refusal is None else refusal.upheld(remote)

    def _save(
        self, tx: Tx, start: _Start, answer: Answer, progress: Progress
    ) -> tuple[SyncOutcome, ChangeSet]:
        saved = save(tx, answer, lambda done, total: progress(Step.SAVING, done, total))
        self._totals.learn(start.connection_id, answer.series, lacking=saved.lacking)
        condition = answer.remote.condition
        result = policy.result_of(condition, changed=saved.is_news)
        outcome = self._outcome(start, condition, result, saved.counts)
        renewals = start.requests.renewals
        change = record(tx, answer, saved, outcome, self._clock.now())
        return outcome, change.merge(self._gate.judge(tx, start.connection_id, None, renewals))

    async def _failed(
        self, start: _Start, failure: Failure, held: Held | None = None
    ) -> tuple[SyncOutcome, ChangeSet]:
        match failure:
            case ActionNeeded():
                result, detail, after_s = RunResult.ACTION_NEEDED, failure.provider_code, None
            case RetryLater():
                result, detail, after_s = RunResult.RETRY_LATER, failure.provider_code, failure.after_s
            case Broken():
                result, detail, after_s = RunResult.BROKEN, failure.detail, None
            case _:
                assert_never(failure)
        outcome = self._outcome(start, failure.condition, result, detail=detail)
        now, renewals = self._clock.now(), start.requests.renewals
        if held is not None:
            again = held.again_at
        else:
            again = policy.retry_at(now, failure.condition, start.failures, after_s, self._rng)

        def keep(tx: Tx) -> ChangeSet:
            if not connections.is_live(tx, start.connection_id):
                return ChangeSet() if held else self._gate.judge_host(tx, failure, renewals)
            change = ChangeSet() if held else self._gate.judge(tx, start.connection_id, failure, renewals)
            heals = isinstance(failure, RetryLater | Broken)
            connections.fail(
                tx, start.connection_id, failure.condition, again, keep_needs=heals, asked=held is None
            )
            run_id = runs.add_run(tx, outcome, now)
            change = change.merge(ChangeSet.of(Kind.RUNS, [run_id]))
            return change.merge(ChangeSet.of(Kind.CONNECTIONS, [start.connection_id]))

        return outcome, await self._store.write(keep)

    def _outcome(
        self,
        start: _Start,
        condition: Condition,
        result: RunResult,
        counts: RunCounts | None = None,
        detail: str = "",
    ) -> SyncOutcome:
        return SyncOutcome(
            connection_id=start.connection_id,
            bank=start.bank,
            trigger=start.trigger,
            result=result,
            condition=condition,
            counts=counts or RunCounts(),
            requests=start.requests.sent,
            started_at=start.at,
            duration_s=self._clock.monotonic_s() - start.monotonic_s,
            detail=detail,
            kind=start.kind,
            attempt=start.attempt,
            asked_bank=start.course.asked_bank,
        )
