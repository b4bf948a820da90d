"""Workers over the durable queue: a few syncs at once, each waited for by whoever asked for it.

What is wanted is a line in the file before anything begins. A worker takes only lines that somebody in
this process waits for; everything else waits there for the schedule.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from obdesk.app.scopes import Scope
from obdesk.storage.writes import jobs
from obdesk.sync import door, queue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
    from random import Random

    from obdesk.domain.clock import Clock
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.jobs import Job
    from obdesk.domain.syncing import SyncOutcome
    from obdesk.storage.store import Store
    from obdesk.storage.tx import Tx

    Work = Callable[[Job], Awaitable[tuple[SyncOutcome, Job | None]]]

AT_ONCE_MAX = 3
_AGAIN_FIRST_S, _AGAIN_MAX_S = 120.0, 4 * 3600.0


@dataclass(slots=True, eq=False)
class _Asked:
    """What several callers may wait for: the next sync of one connection, or the one under way."""

    answer: asyncio.Future[SyncOutcome]
    waiters: int = 0
    job: Job | None = None
    task: asyncio.Task[None] | None = None
    left: bool = False
    """It is being called off: nobody can join it any more."""
    dropped: SyncOutcome | None = None
    """What its callers are told when it was called off."""


class Workers:
    """Takes jobs out of the queue and does them; no failing job ends another or the taking."""

    def __init__(self, store: Store, clock: Clock, rng: Random, work: Work) -> None:
        self._store = store
        self._clock = clock
        self._rng = rng
        self._work = work
        self._scope = Scope("queue", _told_already)
        self._waiting: dict[ConnectionId, _Asked] = {}
        self._running: dict[ConnectionId, _Asked] = {}
        self._barred: set[ConnectionId] = set()
        # What is in the file and what is known here change together.
        self._door = asyncio.Lock()

    async def recover(self) -> None:
        """Put back what a dead process had begun; only for who has just become the one that syncs."""
        now = self._clock.now()
        await self._store.write(lambda tx: door.recover(tx, now))

    async def put(self, wishes: Sequence[Job]) -> set[ConnectionId]:
        """Put wishes, and return the connections among them that do not exist."""

        def write(tx: Tx) -> set[ConnectionId]:
            missing = set()
            for wish in wishes:
                try:
                    door.put(tx, wish)
                except LookupError:
                    missing.add(wish.connection_id)
            return missing

        return await self._store.write(write)

    async def done(self, wishes: Sequence[Job]) -> list[SyncOutcome | BaseException]:
        """Put wishes and wait until each has its answer, which may be what went wrong.

        A wish that a sync under way answers joins that one. A connection that does not exist is a
        LookupError.
        """
        async with self._door:
            joined = {
                wish.connection_id: running
                for wish in wishes
                if (running := self._running.get(wish.connection_id)) is not None
                and running.job is not None
                and not running.left
                and queue.covers(running.job, wish)
            }
            missing = await self.put([wish for wish in wishes if wish.connection_id not in joined])
            asked = [
                self._missing(wish.connection_id)
                if wish.connection_id in missing
                else joined.get(wish.connection_id) or self._asked(wish.connection_id)
                for wish in wishes
            ]
            for each in asked:
                each.waiters += 1
        return await self._awaited(asked)

    async def do_waiting(self, connections: Sequence[ConnectionId]) -> list[SyncOutcome | BaseException]:
        """Do what waits for some connections, and wait until each has its answer."""
        asked = [self._asked(connection_id) for connection_id in connections]
        for each in asked:
            each.waiters += 1
        return await self._awaited(asked)

    @asynccontextmanager
    async def barred(
        self, connection_id: ConnectionId, told: Callable[[Job | None], SyncOutcome]
    ) -> AsyncIterator[None]:
        """Call off every sync of a connection, and let none begin until this is left."""
        self._barred.add(connection_id)
        try:
            await self.cancel(connection_id, told)
            yield
        finally:
            self._barred.discard(connection_id)
            self._go_on()

    async def cancel(self, connection_id: ConnectionId, told: Callable[[Job | None], SyncOutcome]) -> None:
        """Call off what waits and what runs; when this returns, nothing of it is under way."""
        async with self._door:
            await self._store.write(lambda tx: jobs.drop(tx, connection_id))
            waiting = self._waiting.pop(connection_id, None)
            running = self._running.get(connection_id)
        if waiting is not None:
            _answer(waiting, told(None))
        if running is not None:
            running.dropped = told(running.job)
            await self._call_off(running)

    async def close(self) -> None:
        """Call off what runs; its jobs stay in the queue for the next time."""
        await self._scope.close()
        for running in tuple(self._running.values()):
            await self._call_off(running)
        for waiting in self._waiting.values():
            waiting.answer.cancel()

    def _asked(self, connection_id: ConnectionId) -> _Asked:
        known = self._waiting.get(connection_id)
        if known is None:
            known = self._waiting[connection_id] = _Asked(asyncio.get_running_loop().create_future())
        return known

    @staticmethod
    def _missing(connection_id: ConnectionId) -> _Asked:
        missing = _Asked(asyncio.get_running_loop().create_future())
        _fail(missing, LookupError(connection_id))
        return missing

    async def _awaited(self, asked: Sequence[_Asked]) -> list[SyncOutcome | BaseException]:
        self._go_on()
        try:
            return await asyncio.gather(
                *(asyncio.shield(each.answer) for each in asked), return_exceptions=True
            )
        finally:
            left = []
            for each in asked:
                each.waiters -= 1
                if not each.waiters and not each.answer.done():
                    left.append(each)
            await self._leave(left)

    async def _leave(self, left: Sequence[_Asked]) -> None:
        """Give up what nobody waits for any more: it stays in the queue, as a wish that bothers nobody."""
        if not left:
            return
        async with self._door:  # a job that is just being taken runs by then, and is called off like others
            for connection_id, each in tuple(self._waiting.items()):
                if each in left:
                    del self._waiting[connection_id]
        for each in left:
            await self._call_off(each)

    def _go_on(self) -> None:
        self._scope.spawn("take", self._take())

    async def _take(self) -> None:
        """Begin as many jobs as may run, the most urgent first."""
        async with self._door:
            while len(self._running) < AT_ONCE_MAX:
                free = self._waiting.keys() - self._running.keys() - self._barred
                if not free:
                    return
                try:
                    job = await self._store.write(partial(door.take, among=free, now=self._clock.now()))
                except BaseException as error:
                    self._refuse(free, error)
                    raise
                if job is None:  # erased while they waited their turn, and their lines with them
                    self._refuse(free, LookupError(*free))
                    return
                self._begin(job)

    def _refuse(self, connections: Iterable[ConnectionId], error: BaseException) -> None:
        for connection_id in connections:
            asked = self._waiting.pop(connection_id, None)
            if asked is not None:
                _fail(asked, error)

    def _begin(self, job: Job) -> None:
        asked = self._waiting.pop(job.connection_id)
        asked.job = job
        self._running[job.connection_id] = asked
        asked.task = self._scope.spawn(f"sync {job.connection_id}", self._do(asked, job))

    async def _do(self, asked: _Asked, job: Job) -> None:
        """Do one job; who cancels this cleans up after it, as it may not even have begun."""
        try:
            outcome, retry = await self._work(job)
            await self._store.write(lambda tx: door.end(tx, job, retry))
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            now = self._clock.now()
            try:
                await self._put_back(queue.again(job, now + self._pause(job), now))
            finally:  # a full disk refuses this line as well, and whoever waits must hear of it all the same
                self._leave_running(job)
                _fail(asked, error)
            raise
        self._leave_running(job)
        _answer(asked, outcome)

    async def _call_off(self, asked: _Asked) -> None:
        """End a running job early: it is forgotten where it was called off, else it waits again."""
        job, asked.left = asked.job, True
        if job is None:
            return
        try:
            if asked.task is not None:
                await _ended(asked.task)
        finally:
            if asked.dropped is not None:
                await self._store.write(lambda tx: door.end(tx, job))
                _answer(asked, asked.dropped)
            else:
                asked.answer.cancel()
                await self._put_back(queue.left_alone(job, self._clock.now()))
            if self._running.get(job.connection_id) is asked:
                self._leave_running(job)

    def _leave_running(self, job: Job) -> None:
        del self._running[job.connection_id]
        self._go_on()

    async def _put_back(self, job: Job) -> None:
        await self._store.write(lambda tx: door.put_back(tx, job))

    def _pause(self, job: Job) -> timedelta:
        """Return how long a job rests that ended in a way nobody foresaw."""
        bound_s = min(_AGAIN_MAX_S, _AGAIN_FIRST_S * 2 ** min(job.attempts, 10))
        return timedelta(seconds=max(_AGAIN_FIRST_S / 2, self._rng.uniform(0, bound_s)))


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it has cleaned up, however impatient the caller is meanwhile."""
    task.cancel()
    interrupted = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            interrupted = True
    if interrupted:
        raise asyncio.CancelledError


def _answer(asked: _Asked, outcome: SyncOutcome) -> None:
    if not asked.answer.done():
        asked.answer.set_result(outcome)


def _fail(asked: _Asked, error: BaseException) -> None:
    if asked.answer.done():
        return
    if isinstance(error, asyncio.CancelledError):
        asked.answer.cancel()
    else:
        asked.answer.set_exception(error)
        asked.answer.exception()  # whoever waits has it; nobody else must be warned about it


def _told_already(name: str, error: BaseException) -> None:
    """Whoever waits for a job is told what it raised; there is always somebody."""
