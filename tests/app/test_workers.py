"""Jobs are done a few at once; whatever ends one early, none is lost and no other is touched."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from obdesk.app.commands import NotFoundError
from obdesk.app.events import Changed, Problem, SyncEnded, SyncProgress, SyncStarted
from obdesk.app.workers import AT_ONCE_MAX
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunResult, Trigger
from obdesk.domain.syncing import Step
from obdesk.storage.queries import jobs
from obdesk.storage.writes import jobs as job_writes
from obdesk.sync import door
from obdesk.sync.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.jobs import Job, QueueState
    from obdesk.domain.syncing import SyncOutcome
    from tests.app.house import House

pytestmark = pytest.mark.anyio


def state(house: House) -> QueueState:
    return house.store.read_now(jobs.queue_state)


def waiting(house: House) -> list[Job]:
    return [each.job for each in house.store.read_now(jobs.waiting)]


def ended(house: House) -> list[SyncOutcome]:
    return [event.outcome for event in house.events if isinstance(event, SyncEnded)]


async def linked_too(house: House) -> ConnectionId:
    ticket = await house.ticket()
    await house.at_the_bank()
    return (await house.app.commands.finish_link(ticket, None)).connections[0]


def when(house: House, is_it: Callable[[object], bool]) -> asyncio.Event:
    """Return what is set when the bus tells something."""
    seen = asyncio.Event()
    house.app.bus.listen(lambda event: seen.set() if is_it(event) else None)
    return seen


def slow(house: House, delay_s: float = 30.0) -> asyncio.Event:
    """Let the next rows come late; return what is set once they are asked for."""
    house.bank.faults({"route": r"GET .*/transactions\?", "kind": "delay", "delay_s": delay_s})
    return when(house, lambda e: isinstance(e, SyncProgress) and e.step is Step.READING_TRANSACTIONS)


async def test_when_all_went_well_the_queue_is_empty(house: House) -> None:
    await house.linked()
    await house.sync(refresh=True)
    assert (state(house).depth, state(house).running) == (0, 0)


async def test_no_more_than_a_few_run_at_once_and_all_are_done(house: House) -> None:
    links = [await house.linked(), *[await linked_too(house) for _ in range(AT_ONCE_MAX)]]
    house.bank.faults(
        {"route": r"GET .*/transactions\?", "kind": "delay", "delay_s": 0.3, "times": AT_ONCE_MAX}
    )
    most = 0

    def look(event: object) -> None:
        nonlocal most
        if isinstance(event, SyncProgress):
            most = max(most, state(house).running)

    house.app.bus.listen(look)
    assert {each.connection_id for each in await house.sync()} == set(links)
    assert most == AT_ONCE_MAX
    assert (state(house).depth, state(house).running) == (0, 0)


async def test_a_trouble_that_heals_alone_is_tried_again_at_its_time(house: House) -> None:
    link = await house.linked()
    house.bank.faults({"route": r"GET .*/accounts", "kind": "server_error", "times": None})
    (outcome,) = await house.sync(refresh=True)
    assert outcome.result is RunResult.RETRY_LATER
    (job,) = waiting(house)
    (shown,) = await house.app.reads.connections()
    assert (job.connection_id, job.not_before, job.attempts) == (link, shown.next_run_at, 1)
    assert (job.attended, job.asks_bank) == (False, False), "no bank is asked because of a retry"
    house.bank.mend()
    house.events.clear()
    assert await house.app._syncs.sync_due(Trigger.SCHEDULE) == ()
    house.pass_time((job.not_before - house.clock.now()).total_seconds())
    (outcome,) = await house.app._syncs.sync_due(Trigger.SCHEDULE)
    assert (outcome.trigger, outcome.condition) == (Trigger.RETRY, Condition.OK)
    assert waiting(house) == []


async def test_F31_what_only_a_person_can_mend_is_not_tried_again(house: House) -> None:
    await house.linked()
    house.bank.faults({"route": "(GET|PUT|POST) /2.0/", "kind": "unauthorized", "times": None})
    (outcome,) = await house.sync()
    assert outcome.result is RunResult.ACTION_NEEDED
    assert state(house).depth == 0


async def test_F33_erasing_a_link_in_the_middle_of_its_sync_ends_it_and_keeps_nothing(house: House) -> None:
    link = await house.linked()
    house.pass_time(3_600)
    begun = slow(house)
    house.events.clear()
    before_s = time.monotonic()
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(house.sync(link))
        await begun.wait()
        await house.app.commands.remove_connection(link, keep_history=False)
    assert time.monotonic() - before_s < 10, "nobody waited for the bank"
    assert [each.result for each in asked.result()] == [RunResult.CANCELLED]
    assert [each.result for each in ended(house)] == [RunResult.CANCELLED]
    assert await house.app.reads.connections() == ()
    assert await house.app.reads.accounts() == ()
    assert state(house).running == state(house).depth == 0
    assert not house.app.syncing


@pytest.mark.parametrize("step", list(Step)[1:])
async def test_F33_at_whichever_step_it_is_erased_nothing_comes_back(house: House, step: Step) -> None:
    link = await house.linked()
    house.pass_time(86_400)
    reached = when(house, lambda e: isinstance(e, SyncProgress) and e.step is step)
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(house.sync(link))
        await reached.wait()
        await house.app.commands.remove_connection(link, keep_history=False)
    assert asked.result()[0].connection_id == link
    assert await house.app.reads.accounts() == ()
    assert await house.app.reads.runs() == ()
    assert state(house).running == state(house).depth == 0


async def test_a_link_that_waits_its_turn_can_be_called_off(house: House) -> None:
    links = [await house.linked(), *[await linked_too(house) for _ in range(AT_ONCE_MAX)]]
    last = links[-1]
    started = when(house, lambda e: isinstance(e, SyncStarted))
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(house.sync())
        await started.wait()
        await house.app._syncs.cancel(last)
    told = {each.connection_id: each.result for each in asked.result()}
    assert told.pop(last) is RunResult.CANCELLED
    assert RunResult.CANCELLED not in told.values()
    assert state(house).depth == 0


async def test_a_link_that_does_not_exist_cannot_be_removed(house: House) -> None:
    link = await house.linked()
    await house.app.commands.remove_connection(link, keep_history=False)
    with pytest.raises(NotFoundError):
        await house.app.commands.remove_connection(link, keep_history=False)


async def test_F37_quitting_ends_a_sync_at_once_and_it_is_picked_up_next_time(house: House) -> None:
    link = await house.linked()
    begun = slow(house)
    house.app.work.spawn("sync", house.sync(link, refresh=True))
    await begun.wait()
    before_s = time.monotonic()
    await house.app.work.close()
    assert time.monotonic() - before_s < 2
    (job,) = waiting(house)
    assert (job.connection_id, job.attempts) == (link, 0)
    assert (job.attended, job.asks_bank) == (False, False), "who asked for it has left"
    house.bank.mend()
    (outcome,) = await house.app._syncs.sync_due(Trigger.START)
    assert outcome.result in {RunResult.UPDATED, RunResult.UNCHANGED}
    assert state(house).depth == 0


async def test_F37_an_open_transaction_ends_before_the_program_does(house: House) -> None:
    await house.linked()
    house.pass_time(86_400)
    runs_before = len(await house.app.reads.runs())
    saving = when(house, lambda e: isinstance(e, SyncProgress) and e.step is Step.SAVING)
    house.app.work.spawn("sync", house.sync(refresh=True))
    await saving.wait()
    await house.app.work.close()
    ended = len(await house.app.reads.runs()) - runs_before
    assert state(house).depth == 1 - ended, "either it is kept and done with, or it waits"
    assert state(house).running == 0


async def test_who_leaves_does_not_end_what_another_waits_for(house: House) -> None:
    link = await house.linked()
    begun = slow(house, 0.3)
    leaving = house.app.work.spawn("sync", house.sync(link))
    async with asyncio.TaskGroup() as group:
        staying = group.create_task(house.sync(link))
        await begun.wait()
        assert leaving is not None
        leaving.cancel()
    assert [each.connection_id for each in staying.result()] == [link]
    assert leaving.cancelled()
    assert state(house).running == 0


async def test_F66_a_mistake_of_ours_is_told_and_its_job_rests_while_others_go_on(
    house: House, monkeypatch: pytest.MonkeyPatch, expects_log: Callable[[str], None]
) -> None:
    link, other = await house.linked(), await linked_too(house)
    real = Engine.sync

    async def sync(engine: Engine, connection_id: ConnectionId, *given: object, **more: object) -> object:
        if connection_id == link:
            raise KeyError("a mistake")
        return await real(engine, connection_id, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "sync", sync)
    house.pass_time(5 * 3_600)
    house.events.clear()
    expects_log("task due failed: KeyError")
    house.app.work.spawn("due", house.app._syncs.sync_due(Trigger.SCHEDULE))
    while not house.app.work.idle:
        await asyncio.wait(set(house.app.work._tasks))
    assert [
        event.outcome.connection_id for event in house.heard(SyncEnded) if isinstance(event, SyncEnded)
    ] == [other]
    (job,) = waiting(house)
    assert (job.connection_id, job.attempts) == (link, 1)
    assert 60 <= (job.not_before - house.clock.now()).total_seconds() <= 120
    (told,) = house.heard(Problem)
    assert isinstance(told, Problem)
    assert (told.error.title, "a mistake" in str(told.error)) == ("Something went wrong inside obdesk", False)
    monkeypatch.undo()
    house.pass_time(120)
    assert [each.connection_id for each in await house.app._syncs.sync_due(Trigger.SCHEDULE)] == [link]


async def test_what_a_dead_process_left_is_read_again_without_bothering_anybody(house: House) -> None:
    link = await house.linked()
    now = house.clock.now()
    (wish,) = await house.app._syncs._wishes([link], Trigger.PERSON, asks_bank=True)
    house.store.write_now(lambda tx: door.put(tx, wish))
    house.store.write_now(lambda tx: door.take(tx, [link], now))
    assert state(house).running == 1
    house.bank.tell("/clock", advance_s=1)
    (outcome,) = await house.sync()
    assert outcome.connection_id == link
    assert state(house).running == state(house).depth == 0
    assert not [each for each in house.bank.requests() if "psu_requested=true" in each]


async def test_a_hint_is_read_at_the_next_occasion_and_once(house: House) -> None:
    link = await house.linked()
    house.events.clear()
    for _ in range(50):
        house.hint(link)
    assert state(house).depth == 1
    (outcome,) = await house.app._syncs.sync_due(Trigger.SCHEDULE)
    assert outcome.trigger is Trigger.WEBHOOK
    assert len(house.heard(SyncStarted)) == 1
    assert house.heard(Changed)
    assert state(house).depth == 0


async def test_a_hint_for_a_link_we_do_not_know_is_nothing(house: House) -> None:
    link = await house.linked()
    await house.app.commands.remove_connection(link, keep_history=False)
    with pytest.raises(LookupError):
        house.hint(link)
    assert state(house).depth == 0
    assert await house.app._syncs.sync_due(Trigger.SCHEDULE) == ()


async def test_what_is_not_allowed_now_waits(house: House) -> None:
    await house.linked()
    house.pass_time(5 * 3_600)
    assert await house.app._syncs.sync_due(Trigger.SCHEDULE, allows=lambda _job: False) == ()
    assert state(house).depth == 1
    assert len(await house.app._syncs.sync_due(Trigger.SCHEDULE)) == 1


async def test_a_paused_bank_s_job_waits_until_it_is_read_again(house: House) -> None:
    link = await house.linked()
    house.hint(link)
    await house.app.commands.pause(link, paused=True)
    assert await house.app._syncs.sync_due(Trigger.SCHEDULE) == ()
    await house.app.commands.pause(link, paused=False)
    assert len(await house.app._syncs.sync_due(Trigger.SCHEDULE)) == 1


async def test_a_write_that_fails_is_told_to_who_waits(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.linked()

    def fails(*_unused: object, **_more: object) -> None:
        raise RuntimeError("no line can begin")

    monkeypatch.setattr(job_writes, "begin", fails)
    with pytest.raises(RuntimeError, match="no line can begin"):
        await house.sync()
    assert not house.app.syncing
    monkeypatch.undo()
    assert len(await house.sync()) == 1
