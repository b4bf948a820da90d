"""The queue in a real file: whatever happens, no job is lost, none runs twice, the urgent go first."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import Trigger
from obdesk.domain.ids import AccountId, ConnectionId
from obdesk.domain.jobs import Job, Priority
from obdesk.domain.syncing import SyncKind
from obdesk.storage.queries import jobs as reads
from obdesk.storage.store import Store
from obdesk.storage.writes import accounts, connections, jobs, runs
from obdesk.sync import door, queue
from tests.fakes import FrozenClock
from tests.seed import KEY, remote_account, remote_connection
from tests.sync.outcomes import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obdesk.storage.tx import Tx

LINKS = tuple(ConnectionId(number) for number in (1, 2, 3))
IMPORTANT = LINKS[1]


def wish(clock: FrozenClock, link: ConnectionId, trigger: Trigger, kind: SyncKind = SyncKind.DELTA) -> Job:
    person = trigger is Trigger.PERSON
    now = clock.now()
    priority = queue.priority_of(trigger, None if link == LINKS[2] else now, now)
    return Job(link, trigger, priority, kind, asks_bank=person, attended=person, not_before=now, put_at=now)


def linked(tx: Tx, clock: FrozenClock) -> None:
    for number in LINKS:
        connections.adopt(tx, "powens", remote_connection(str(number)), clock.now())
    accounts.save(tx, IMPORTANT, [remote_account(1801, "Compte courant")], clock.now())
    assert accounts.set_important(tx, AccountId(1), important=True)


class Queue(RuleBasedStateMachine):
    """A model of what is wanted and under way beside the file."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FrozenClock()
        self.store = Store.open(Path(self.folder.name) / "ledger.db", KEY)
        self.wanted: dict[ConnectionId, set[tuple[SyncKind, bool]]] = {link: set() for link in LINKS}
        self.running: dict[ConnectionId, Job] = {}

    @initialize()
    def link_banks(self) -> None:
        self.store.write_now(lambda tx: linked(tx, self.clock))

    @rule(link=st.sampled_from(LINKS), trigger=st.sampled_from(Trigger), kind=st.sampled_from(SyncKind))
    def put(self, link: ConnectionId, trigger: Trigger, kind: SyncKind) -> None:
        one = wish(self.clock, link, trigger, kind)
        self.store.write_now(lambda tx: door.put(tx, one))
        self.wanted[link].add((kind, one.asks_bank))

    @rule(seconds=st.integers(0, 90_000))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def take(self) -> None:
        before = {each.job.connection_id: each for each in self.store.read_now(reads.waiting)}
        job = self.store.write_now(lambda tx: door.take(tx, LINKS, self.clock.now()))
        free = {link: each for link, each in before.items() if link not in self.running}
        if job is None:
            assert not free
            return
        assert job.connection_id in free, "two at once of one connection"
        for each in free.values():
            assert job.priority is Priority.PERSON or each.job.priority is not Priority.PERSON
            if not each.important:
                assert free[job.connection_id].important or job.priority.value <= each.job.priority.value
        self.running[job.connection_id] = job
        for kind, asks_bank in self.wanted.pop(job.connection_id):
            assert list(SyncKind).index(job.kind) >= list(SyncKind).index(kind)
            assert job.asks_bank or not asks_bank
        self.wanted[job.connection_id] = set()

    @precondition(lambda self: self.running)
    @rule(data=st.data(), twice=st.booleans())
    def end_well(self, data: st.DataObject, *, twice: bool) -> None:
        job = self.running.pop(data.draw(st.sampled_from(sorted(self.running))))
        self.store.write_now(lambda tx: runs.add_run(tx, outcome_of(job.connection_id), self.clock.now()))
        for _ in range(1 + twice):
            self.store.write_now(lambda tx: door.end(tx, job))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), wait_s=st.integers(60, 14_400))
    def end_with_a_retry(self, data: st.DataObject, wait_s: int) -> None:
        job = self.running.pop(data.draw(st.sampled_from(sorted(self.running))))
        now = self.clock.now()
        retry = queue.again(job, now + timedelta(seconds=wait_s), now)
        self.store.write_now(lambda tx: door.end(tx, job, retry))
        self.wanted[job.connection_id].add((job.kind, False))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        job = self.running.pop(data.draw(st.sampled_from(sorted(self.running))))
        self.store.write_now(lambda tx: door.put_back(tx, queue.left_alone(job, self.clock.now())))
        self.wanted[job.connection_id].add((job.kind, False))

    @rule()
    def crash(self) -> None:
        self.store.close()
        self.store = Store.open(Path(self.folder.name) / "ledger.db", KEY)
        dead = self.store.write_now(lambda tx: door.recover(tx, self.clock.now()))
        assert dead == len(self.running)
        for link, job in self.running.items():
            self.wanted[link].add((job.kind, False))
        for link, wanted in self.wanted.items():
            self.wanted[link] = {(kind, False) for kind, _asks_bank in wanted}
        self.running = {}
        assert not any(each.job.attended for each in self.store.read_now(reads.waiting))

    @invariant()
    def nothing_is_lost_and_nothing_is_doubled(self) -> None:
        found = self.store.read_now(reads.waiting)
        waiting = {each.job.connection_id: each.job for each in found}
        assert len(found) == len(waiting)
        assert set(waiting) == {link for link, wanted in self.wanted.items() if wanted}
        for link, job in waiting.items():
            for kind, _asks_bank in self.wanted[link]:
                assert list(SyncKind).index(job.kind) >= list(SyncKind).index(kind)
        state = self.store.read_now(reads.queue_state)
        assert (state.depth, state.running) == (len(waiting), len(self.running))
        assert state.oldest_at == min((job.put_at for job in waiting.values()), default=None)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=25, stateful_step_count=30)


@pytest.fixture
def store(tmp_path: Path, clock: FrozenClock) -> Iterator[Store]:
    with Store.open(tmp_path / "ledger.db", KEY) as opened:
        opened.write_now(lambda tx: linked(tx, clock))
        yield opened


def put(store: Store, clock: FrozenClock, link: ConnectionId, trigger: Trigger) -> None:
    one = wish(clock, link, trigger)
    store.write_now(lambda tx: door.put(tx, one))


def waiting_job(store: Store, link: ConnectionId) -> Job:
    return next(each.job for each in store.read_now(reads.waiting) if each.job.connection_id == link)


def test_F22_a_thousand_hints_are_one_line_and_one_write(store: Store, clock: FrozenClock) -> None:
    put(store, clock, LINKS[0], Trigger.WEBHOOK)
    before = store.write_now(lambda tx: tx.connection.total_changes)
    for _ in range(1_000):
        put(store, clock, LINKS[0], Trigger.WEBHOOK)
    assert store.write_now(lambda tx: tx.connection.total_changes) == before
    assert store.read_now(reads.queue_state).depth == 1


def test_a_wish_for_a_link_that_does_not_exist_is_refused(store: Store, clock: FrozenClock) -> None:
    with pytest.raises(LookupError):
        put(store, clock, ConnectionId(99), Trigger.PERSON)


def test_F33_an_erased_link_leaves_no_job_and_no_next_try(store: Store, clock: FrozenClock) -> None:
    for link in LINKS[:2]:
        put(store, clock, link, Trigger.PERSON)
    job = store.write_now(lambda tx: door.take(tx, LINKS[:1], clock.now()))
    assert job is not None
    for link in LINKS[:2]:
        store.write_now(lambda tx, link=link: connections.erase(tx, link))  # type: ignore[misc]
    store.write_now(lambda tx: door.put_back(tx, job))
    retry = queue.again(job, clock.now(), clock.now())
    store.write_now(lambda tx: door.end(tx, job, retry))
    assert store.read_now(reads.waiting) == ()
    assert store.read_now(reads.queue_state).running == 0


def test_what_is_put_back_joins_what_was_put_meanwhile(store: Store, clock: FrozenClock) -> None:
    put(store, clock, LINKS[0], Trigger.SCHEDULE)
    job = store.write_now(lambda tx: door.take(tx, LINKS, clock.now()))
    assert job is not None
    put(store, clock, LINKS[0], Trigger.PERSON)
    later = queue.again(job, clock.now() + timedelta(hours=1), clock.now())
    store.write_now(lambda tx: door.put_back(tx, later))
    one = waiting_job(store, LINKS[0])
    assert (one.trigger, one.asks_bank, one.not_before) == (Trigger.PERSON, True, clock.now())
    assert one.attempts == 1


def test_a_job_whose_sync_was_kept_is_not_put_back_by_who_died_right_after(
    store: Store, clock: FrozenClock
) -> None:
    put(store, clock, LINKS[0], Trigger.SCHEDULE)
    job = store.write_now(lambda tx: door.take(tx, LINKS, clock.now()))
    assert job is not None
    store.write_now(lambda tx: runs.add_run(tx, outcome_of(LINKS[0]), clock.now()))
    assert store.write_now(lambda tx: door.recover(tx, clock.now())) == 0
    store.write_now(lambda tx: door.put_back(tx, job))
    assert store.read_now(reads.waiting) == ()


def test_when_the_access_changed_no_job_waits_for_an_old_failure(store: Store, clock: FrozenClock) -> None:
    put(store, clock, LINKS[0], Trigger.SCHEDULE)
    job = store.write_now(lambda tx: door.take(tx, LINKS, clock.now()))
    assert job is not None
    retry = queue.again(job, clock.now() + timedelta(hours=4), clock.now())
    store.write_now(lambda tx: door.end(tx, job, retry))
    assert not queue.is_ready(waiting_job(store, LINKS[0]), clock.now())
    store.write_now(connections.forgive)
    assert queue.is_ready(waiting_job(store, LINKS[0]), clock.now())


def test_what_failed_offline_can_be_hastened_and_nothing_else(store: Store, clock: FrozenClock) -> None:
    now, later = clock.now(), clock.now() + timedelta(hours=1)
    for link, condition in zip(LINKS, (Condition.OFFLINE, Condition.BANK_DOWN), strict=False):
        retry = queue.again(wish(clock, link, Trigger.SCHEDULE), later, now)
        store.write_now(lambda tx, retry=retry: door.put(tx, retry))  # type: ignore[misc]
        store.write_now(
            lambda tx, link=link, told=condition: connections.fail(tx, link, told, later, keep_needs=True)  # type: ignore[misc]
        )
    store.write_now(lambda tx: jobs.hasten(tx, Condition.OFFLINE, now))
    assert [waiting_job(store, link).not_before for link in LINKS[:2]] == [now, later]
    assert [store.read_now(reads.retry_at, link) for link in LINKS[:2]] == [now, later]
    store.write_now(lambda tx: jobs.hasten(tx, Condition.OFFLINE, later))
    assert waiting_job(store, LINKS[0]).not_before == now


def test_what_was_dropped_is_gone(store: Store, clock: FrozenClock) -> None:
    put(store, clock, LINKS[0], Trigger.PERSON)
    put(store, clock, LINKS[1], Trigger.PERSON)
    store.write_now(lambda tx: jobs.drop(tx, LINKS[0]))
    assert waiting_job(store, LINKS[1]).attended
    assert store.read_now(reads.queue_state).depth == 1


def begun(store: Store) -> list[ConnectionId]:
    return store.write_now(lambda tx: [each.connection_id for each in jobs.begun(tx)])


def test_nobody_takes_what_they_were_not_asked_about(store: Store, clock: FrozenClock) -> None:
    put(store, clock, LINKS[0], Trigger.SCHEDULE)
    put(store, clock, LINKS[1], Trigger.PERSON)
    job = store.write_now(lambda tx: door.take(tx, LINKS[:1], clock.now()))
    assert job is not None
    assert job.connection_id == LINKS[0]
    assert store.write_now(lambda tx: door.take(tx, LINKS[:1], clock.now())) is None


def test_what_ended_is_forgotten_and_what_runs_beside_it_is_not(store: Store, clock: FrozenClock) -> None:
    for link in LINKS[:2]:
        put(store, clock, link, Trigger.SCHEDULE)
    taken = [store.write_now(lambda tx: door.take(tx, LINKS, clock.now())) for _ in range(2)]
    first, second = (each for each in taken if each is not None)
    store.write_now(lambda tx: door.end(tx, first))
    assert begun(store) == [second.connection_id]
    assert store.read_now(reads.waiting) == ()


def test_what_a_dead_process_had_begun_waits_again_and_asks_nobody(store: Store, clock: FrozenClock) -> None:
    put(store, clock, LINKS[0], Trigger.PERSON)
    put(store, clock, LINKS[1], Trigger.PERSON)
    job = store.write_now(lambda tx: door.take(tx, LINKS[:1], clock.now()))
    assert job is not None
    clock.advance(60)
    assert store.write_now(lambda tx: door.recover(tx, clock.now())) == 1
    assert begun(store) == []
    for link in LINKS[:2]:
        one = waiting_job(store, link)
        assert (one.trigger, one.asks_bank, one.attended) == (Trigger.RETRY, False, False)
    assert waiting_job(store, LINKS[0]).id == job.id
