"""Workers over a real queue with work that a test decides about: what ends early, and what never begins."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from obdesk.app.workers import Workers
from obdesk.domain.entities import Trigger
from obdesk.domain.ids import ConnectionId
from obdesk.domain.jobs import Job, Priority
from obdesk.domain.syncing import SyncKind
from obdesk.storage.queries import jobs as reads
from obdesk.storage.store import Store
from obdesk.storage.writes import connections
from tests.seed import KEY, remote_connection
from tests.sync.outcomes import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.domain.syncing import SyncOutcome
    from tests.fakes import FrozenClock

pytestmark = pytest.mark.anyio
LINKS = tuple(ConnectionId(number) for number in range(1, 6))


@pytest.fixture
def store(tmp_path: Path, clock: FrozenClock) -> Iterator[Store]:
    with Store.open(tmp_path / "ledger.db", KEY) as opened:
        for number in LINKS:
            remote = remote_connection(str(number))
            opened.write_now(lambda tx, remote=remote: connections.adopt(tx, "powens", remote, clock.now()))  # type: ignore[misc]
        yield opened


class Desk:
    """Workers whose work waits until it is let go."""

    def __init__(self, store: Store, clock: FrozenClock) -> None:
        self.store, self.clock = store, clock
        self.go_on, self.begun = asyncio.Event(), asyncio.Event()
        self.workers = Workers(store, clock, random.Random(7), self.work)  # noqa: S311 - chance, not secrets

    async def work(self, job: Job) -> tuple[SyncOutcome, Job | None]:
        self.begun.set()
        await self.go_on.wait()
        return outcome_of(job.connection_id), None

    def wish(self, link: ConnectionId) -> Job:
        now = self.clock.now()
        return Job(link, Trigger.PERSON, Priority.PERSON, SyncKind.DELTA, True, True, now, now)

    def state(self) -> tuple[int, int]:
        found = self.store.read_now(reads.queue_state)
        return found.depth, found.running


@pytest.fixture
def desk(store: Store, clock: FrozenClock) -> Desk:
    return Desk(store, clock)


def called_off(job: Job | None) -> SyncOutcome:
    return outcome_of(ConnectionId(99 if job is None else job.connection_id))


async def test_a_link_that_does_not_exist_fails_alone(desk: Desk) -> None:
    desk.go_on.set()
    good, bad = await desk.workers.done([desk.wish(LINKS[0]), desk.wish(ConnectionId(99))])
    assert good == outcome_of(LINKS[0])
    assert type(bad) is LookupError
    assert desk.state() == (0, 0)


async def test_closing_ends_what_runs_and_keeps_every_job(desk: Desk) -> None:
    asked = asyncio.ensure_future(desk.workers.done([desk.wish(link) for link in LINKS]))
    await desk.begun.wait()
    await desk.workers.close()
    answers = await asked
    assert all(isinstance(each, asyncio.CancelledError) for each in answers)
    await Desk(desk.store, desk.clock).workers.recover()
    assert desk.state() == (len(LINKS), 0)
    left = [each.job for each in desk.store.read_now(reads.waiting)]
    assert not any(job.attended or job.asks_bank for job in left)


async def test_who_leaves_takes_what_waits_and_what_runs_along(desk: Desk) -> None:
    asked = asyncio.ensure_future(desk.workers.done([desk.wish(link) for link in LINKS]))
    await desk.begun.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert desk.state() == (len(LINKS), 0)
    assert (desk.workers._waiting, desk.workers._running) == ({}, {})
    desk.go_on.set()
    assert len(await desk.workers.do_waiting(LINKS)) == len(LINKS)
    assert desk.state() == (0, 0)


async def test_what_waits_and_what_runs_is_called_off_and_told(desk: Desk) -> None:
    asked = asyncio.ensure_future(desk.workers.done([desk.wish(link) for link in LINKS]))
    await desk.begun.wait()
    for link in (LINKS[0], LINKS[-1]):
        await desk.workers.cancel(link, called_off)
    desk.go_on.set()
    answers = await asked
    assert [each.connection_id for each in answers if not isinstance(each, BaseException)] == [
        *LINKS[:-1],
        99,
    ]
    assert desk.state() == (0, 0)


async def test_nothing_of_a_barred_link_begins_until_it_is_let_go(desk: Desk) -> None:
    desk.go_on.set()
    async with desk.workers.barred(LINKS[0], called_off):
        asked = asyncio.ensure_future(desk.workers.done([desk.wish(LINKS[0])]))
        (other,) = await desk.workers.done([desk.wish(LINKS[1])])
        assert other == outcome_of(LINKS[1])
        assert not asked.done()
    (answer,) = await asked
    assert answer == outcome_of(LINKS[0])


async def test_what_was_erased_while_it_waited_is_said_so(desk: Desk, store: Store) -> None:
    asked = asyncio.ensure_future(desk.workers.done([desk.wish(link) for link in LINKS]))
    await desk.begun.wait()
    store.write_now(lambda tx: connections.erase(tx, LINKS[-1]))
    desk.go_on.set()
    answers = await asked
    assert [type(each) is LookupError for each in answers] == [False] * 4 + [True]
    assert desk.state() == (0, 0)
