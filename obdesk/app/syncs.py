"""Syncing many connections: wishes go through the queue, and are told step by step on the bus."""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from obdesk.app.events import ActionNeeded, Changed, SyncEnded, SyncProgress, SyncStarted
from obdesk.app.linking import provider_failed
from obdesk.app.locks import SyncHeldError, sync_lock
from obdesk.app.looking import Looks
from obdesk.app.reads import interval_of
from obdesk.app.workers import Workers
from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.conditions import Condition, needs_you
from obdesk.domain.entities import RunCounts, RunResult, Trigger
from obdesk.domain.jobs import Job, Priority
from obdesk.domain.syncing import SyncKind, SyncOutcome
from obdesk.storage.queries import connections, jobs, mailbox
from obdesk.storage.writes import connections as connection_writes
from obdesk.storage.writes import jobs as job_writes
from obdesk.storage.writes import mailbox as mailbox_writes
from obdesk.sync import policy, queue
from obdesk.sync.engine import Engine
from obdesk.sync.intake import follow_parked

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from obdesk.app.bus import Bus
    from obdesk.app.profile import Profile
    from obdesk.app.provider import Providers
    from obdesk.domain.clock import Clock
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.jobs import Waiting
    from obdesk.domain.syncing import Step
    from obdesk.storage.engine import Connection
    from obdesk.storage.store import Store

log = logging.getLogger(__name__)
_HEALS = frozenset({RunResult.RETRY_LATER, RunResult.BROKEN})


class Syncs:
    """Runs syncs of one profile; one process at a time, one run per connection at a time."""

    def __init__(
        self,
        profile: Profile,
        store: Store,
        providers: Providers,
        bus: Bus,
        clock: Clock,
        rng: random.Random,
        who: str,
    ) -> None:
        self._profile = profile
        self._store = store
        self._providers = providers
        self._bus = bus
        self._clock = clock
        self._rng = rng
        self._who = who
        self._workers = Workers(store, clock, rng, self._do)
        self._looks = Looks(rng)
        self._holders = 0
        self._lock: ExitStack | None = None
        self._begun_at: dict[ConnectionId, datetime] = {}
        self.cancels = 0
        """How often something was called off: what was asked for before the last time may be meant by it."""
        self._cancelled: dict[ConnectionId, int] = {}
        """At which of all cancels a connection was called off last."""

    @property
    def running(self) -> bool:
        """Tell whether this process syncs at the moment."""
        return self._holders > 0

    async def sync(
        self,
        wanted: Sequence[ConnectionId] | None,
        *,
        trigger: Trigger,
        refresh_at_bank: bool,
        kind: SyncKind = SyncKind.DELTA,
        cancels: int | None = None,
    ) -> tuple[SyncOutcome, ...]:
        """Sync some or all connections; raises SyncHeldError when another process does.

        `cancels` were counted when this was asked for, if that was before: what was called off since then
        does not begin.
        """
        asked_at = self.cancels if cancels is None else cancels
        async with self._held():
            found = await self._discovered(attended=trigger in {Trigger.PERSON, Trigger.LINK})
            targets = tuple(wanted) if wanted is not None else await self._store.read(connections.live_ids)
            if not targets and found is not None:
                # Nothing is known here and nobody could be asked: that is not the same as "nothing linked".
                raise found
            wishes = await self._wishes(targets, trigger, kind, asks_bank=refresh_at_bank)
            # Nothing of these had been put yet when they were called off.
            off = {each for each in targets if self._cancelled.get(each, 0) > asked_at}
            answers = await self._workers.done([each for each in wishes if each.connection_id not in off])
            told = [(await self._telling(each))(None) for each in targets if each in off]
        return _outcomes([*answers, *told], named=wanted is not None)

    async def sync_due(
        self,
        trigger: Trigger,
        *,
        spread_s: float = 0.0,
        allows: Callable[[Waiting], bool] = lambda _waiting: True,
        looks: bool = True,
    ) -> tuple[SyncOutcome, ...]:
        """Put what is due by schedule, and do what may be done now, until nothing of it is left.

        Each connection's turn comes within `spread_s` by chance, so that not all are asked at once.
        `allows` says what has to wait for a better time, `looks` that the list of links need not: it is
        asked for now and then though no link is due, or one that nobody here knows would stay unknown.
        Where another process syncs nothing is done.
        """
        due, waiting, interval = await self._store.read(_due, self._clock)
        looks = looks and self._looks.is_due(self._clock.now(), interval)
        known = {each.job.connection_id for each in waiting}
        ready = self._ready(waiting, allows)
        if not ready and known.issuperset(due) and not looks:
            return ()
        try:
            async with self._held():
                await self._workers.put(await self._wishes(due, trigger, spread_s=spread_s))
                ready = self._ready(await self._store.read(jobs.waiting), allows)
                if not ready and not looks:
                    return ()
                await self._discovered()
                return _outcomes(await self._workers.do_waiting(ready), named=False)
        except SyncHeldError:
            log.info("another process syncs this profile; nothing to do")
            return ()

    async def sync_hinted(
        self, *, looks: bool, allows: Callable[[Waiting], bool] = lambda _waiting: True
    ) -> tuple[SyncOutcome, ...]:
        """Do at once what hints asked for, as far as that may be done now.

        Where one named a link that nobody here knows, the list of links is asked for first (`looks`: that
        may be done now). Where another process syncs nothing is done: it waits for the schedule.
        """
        ready, wants_look = await self._store.read(_hinted, self._clock.now(), allows)
        wants_look = wants_look and looks
        if not ready and not wants_look:
            return ()
        try:
            async with self._held():
                if wants_look:
                    await self._look()
                    ready, _ = await self._store.read(_hinted, self._clock.now(), allows)
                return _outcomes(await self._workers.do_waiting(ready), named=False)
        except SyncHeldError:
            log.info("another process syncs this profile; a hint waits")
            return ()

    async def _look(self) -> None:
        """Ask for the list of links because of a hint; that is counted before it is done."""
        now = self._clock.now()
        await self._store.write(lambda tx: mailbox_writes.looked(tx, now))
        await self._discovered()

    async def hasten_offline(self) -> None:
        """Let what failed because there was no network be tried at the next occasion: there is one now."""
        now = self._clock.now()
        await self._store.write(lambda tx: job_writes.hasten(tx, Condition.OFFLINE, now))

    async def cancel(self, connection_id: ConnectionId) -> None:
        """Call off what waits and what runs for a connection; whoever waits is told so.

        One that is due comes again an interval later: who says no does not want it again the next minute.
        """
        self.cancels += 1
        self._cancelled[connection_id] = self.cancels
        now, interval = self._clock.now(), await self._store.read(interval_of)
        if connection_id in await self._store.read(connections.due, now, interval):
            await self._store.write(lambda tx: connection_writes.put_off(tx, connection_id, now + interval))
        try:
            await self._workers.cancel(connection_id, await self._telling(connection_id))
        except LookupError:
            return  # it was erased meanwhile, and what was wanted of it with it
        self._tell(ChangeSet.of(Kind.CONNECTIONS, [connection_id]))

    async def barred(self, connection_id: ConnectionId) -> AbstractAsyncContextManager[None]:
        """Return a context in which no sync of a connection is under way; one that is gets called off."""
        return self._workers.barred(connection_id, await self._telling(connection_id))

    async def close(self) -> None:
        """Call off what runs; its jobs stay for the next time."""
        await self._workers.close()

    def _ready(self, waiting: Sequence[Waiting], allows: Callable[[Waiting], bool]) -> list[ConnectionId]:
        now = self._clock.now()
        return [
            each.job.connection_id
            for each in waiting
            if each.live and queue.is_ready(each.job, now) and allows(each)
        ]

    async def _wishes(
        self,
        wanted: Sequence[ConnectionId],
        trigger: Trigger,
        kind: SyncKind = SyncKind.DELTA,
        *,
        asks_bank: bool = False,
        spread_s: float = 0.0,
    ) -> list[Job]:
        asked_at = await self._store.read(jobs.asked_at)
        now = self._clock.now()
        priorities = [queue.priority_of(trigger, asked_at.get(each), now) for each in wanted]
        return [
            Job(
                each,
                trigger,
                priority,
                kind,
                asks_bank,
                attended=priority is Priority.PERSON,
                not_before=now + timedelta(seconds=self._rng.uniform(0, spread_s)) if spread_s else now,
                put_at=now,
            )
            for each, priority in zip(wanted, priorities, strict=True)
        ]

    async def _engine(self) -> Engine:
        return Engine(self._store, await self._providers.get(), self._clock, self._rng)

    async def _discovered(self, *, attended: bool = False) -> Exception | None:
        """Look which links there are at the provider; return why that is not known."""
        self._looks.begin(self._clock.now())
        found = await (await self._engine()).discover(attended=attended)
        if not isinstance(found, tuple):
            self._looks.failed(self._clock.now(), found)
            return provider_failed(found)
        self._tell(found[1])
        if await self._store.read(mailbox.parked):
            await self._store.write(lambda tx: follow_parked(tx, self._clock.now()))
        return None

    async def _do(self, job: Job) -> tuple[SyncOutcome, Job | None]:
        """Do one job; return how it ended, and its next try where it heals alone."""
        connection_id = job.connection_id
        engine = await self._engine()
        before = await self._store.read(connections.condition_of, connection_id)
        at = self._begun_at[connection_id] = self._clock.now()
        self._bus.publish(SyncStarted(connection_id, job.trigger, at))
        outcome, changes = await engine.sync(
            connection_id,
            job.trigger,
            refresh_at_bank=job.asks_bank,
            progress=_Progress(asyncio.get_running_loop(), self._bus, connection_id),
            kind=job.kind,
            attempt=job.attempts + 1,
        )
        self._tell(changes)
        self._bus.publish(SyncEnded(outcome))
        if needs_you(outcome.condition) and outcome.condition is not before:
            self._bus.publish(ActionNeeded(connection_id, outcome.condition))
        return outcome, await self._retry(job, outcome)

    async def _retry(self, job: Job, outcome: SyncOutcome) -> Job | None:
        if outcome.result not in _HEALS:
            return None
        at = await self._store.read(jobs.retry_at, job.connection_id)
        return None if at is None else queue.again(job, at, self._clock.now())

    async def _telling(self, connection_id: ConnectionId) -> Callable[[Job | None], SyncOutcome]:
        """Return what tells that a sync of a connection was called off."""
        bank, condition = await self._store.read(jobs.name_and_condition, connection_id)
        return partial(self._called_off, connection_id, bank, condition)

    def _called_off(
        self, connection_id: ConnectionId, bank: str, condition: Condition, job: Job | None
    ) -> SyncOutcome:
        now = self._clock.now()
        begun_at = now if job is None else self._begun_at.get(connection_id, now)
        outcome = SyncOutcome(
            connection_id,
            bank,
            Trigger.PERSON if job is None else job.trigger,
            RunResult.CANCELLED,
            condition,
            RunCounts(),
            0,
            begun_at,
            (now - begun_at).total_seconds(),
        )
        if job is not None:
            self._bus.publish(SyncEnded(outcome))
        return outcome

    def _tell(self, changes: ChangeSet) -> None:
        if changes:
            self._bus.publish(Changed(changes))

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        """Hold the profile's lock while at least one sync of this process runs."""
        is_first = self._holders == 0
        if is_first:
            self._lock = ExitStack()
            self._lock.enter_context(sync_lock(self._profile.sync_lock, self._clock, self._who))
        self._holders += 1
        try:
            if is_first:
                await self._workers.recover()
            yield
        finally:
            self._holders -= 1
            if self._holders == 0 and self._lock is not None:
                self._lock.close()
                self._lock = None


class _Progress:
    """Tells steps on the bus in the loop's thread, whichever thread they are reached in."""

    def __init__(self, loop: asyncio.AbstractEventLoop, bus: Bus, connection_id: ConnectionId) -> None:
        self._loop = loop
        self._bus = bus
        self._connection_id = connection_id

    def __call__(self, step: Step, done: int, total: int | None) -> None:
        event = SyncProgress(self._connection_id, step, done, total)
        self._loop.call_soon_threadsafe(self._bus.publish, event)


def _outcomes(answers: Sequence[SyncOutcome | BaseException], *, named: bool) -> tuple[SyncOutcome, ...]:
    """Return the outcomes, or raise what went wrong once all have ended.

    A connection erased while it waited its turn fails only who asked for it by name. A KeyError is no such
    thing: it is a mistake of ours.
    """
    outcomes = []
    for answer in answers:
        if isinstance(answer, SyncOutcome):
            outcomes.append(answer)
        elif named or type(answer) is not LookupError:
            raise answer
    return tuple(outcomes)


def _hinted(
    opened: Connection, now: datetime, allows: Callable[[Waiting], bool]
) -> tuple[list[ConnectionId], bool]:
    """Return the links whose hints are followed now, and whether the list of links is asked for."""
    ready = [
        each.job.connection_id
        for each in jobs.waiting(opened)
        if each.live
        and each.job.priority is Priority.WEBHOOK
        and queue.is_ready(each.job, now)
        and allows(each)
    ]
    looks = bool(mailbox.parked(opened)) and policy.look_at(mailbox.looks(opened, now), now) <= now
    return ready, looks


def _due(opened: Connection, clock: Clock) -> tuple[tuple[ConnectionId, ...], tuple[Waiting, ...], timedelta]:
    interval = interval_of(opened)
    return connections.due(opened, clock.now(), interval), jobs.waiting(opened), interval
