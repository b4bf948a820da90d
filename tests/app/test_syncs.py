"""Syncing many banks: told step by step, folded together, one process at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from obdesk.app.events import ActionNeeded, Changed, SyncEnded, SyncProgress, SyncStarted
from obdesk.app.locks import SyncHeldError, sync_lock
from obdesk.app.workers import AT_ONCE_MAX
from obdesk.domain.changes import Kind
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunResult, Trigger
from obdesk.domain.ids import ConnectionId
from obdesk.domain.syncing import Step
from obdesk.storage.writes import connections

if TYPE_CHECKING:
    from tests.app.house import House

pytestmark = pytest.mark.anyio


async def test_a_sync_is_told_from_its_beginning_to_its_end(house: House) -> None:
    link = await house.linked()
    house.events.clear()
    house.pass_time(86_400)
    (outcome,) = await house.sync(refresh=True)
    told = house.events
    assert told[0] == SyncStarted(link, Trigger.PERSON, house.clock.now())
    assert told[-1] == SyncEnded(outcome)
    assert isinstance(told[-2], Changed)
    steps = [event.step for event in told if isinstance(event, SyncProgress)]
    order = list(Step)
    assert steps == sorted(steps, key=order.index)
    assert set(steps) == set(order)


async def test_a_sync_of_nothing_new_changes_no_screen_with_rows(house: House) -> None:
    await house.linked()
    house.events.clear()
    (outcome,) = await house.sync()
    assert outcome.result is RunResult.UNCHANGED
    for event in house.events:
        if isinstance(event, Changed):
            assert set(event.changes.touched) == {Kind.CONNECTIONS, Kind.RUNS}


async def test_two_wishes_at_once_are_one_sync(house: House) -> None:
    link = await house.linked()
    house.events.clear()
    answers = await asyncio.gather(house.sync(link), house.sync(), house.sync(link))
    assert answers[0] == answers[1] == answers[2]
    assert len(house.heard(SyncStarted)) == len(house.heard(SyncEnded)) == 1
    assert not house.app.syncing


async def test_a_refresh_that_comes_while_the_bank_is_only_read_still_asks_it(house: House) -> None:
    link = await house.linked()
    house.pass_time(3_600)
    house.events.clear()
    house.bank.faults({"route": r"GET .*/connections/\d+/accounts", "kind": "delay", "delay_s": 0.2})
    begun = asyncio.Event()
    house.app.bus.listen(lambda event: begun.set() if isinstance(event, SyncStarted) else None)
    async with asyncio.TaskGroup() as group:
        group.create_task(house.sync(link))
        await begun.wait()
        refreshed = [group.create_task(house.sync(link, refresh=True)) for _ in range(2)]
        group.create_task(house.sync(link))
    assert refreshed[0].result() == refreshed[1].result()
    assert len(house.heard(SyncStarted)) == 2, "one that read, one that asked; the others joined"
    assert len([each for each in house.bank.requests() if "psu_requested=true" in each]) == 1


async def test_a_bank_that_begins_to_need_its_person_is_told_once(house: House) -> None:
    link = await house.linked()
    house.bank.tell("/sca")
    for _ in range(3):
        house.pass_time(60)
        (outcome,) = await house.sync()
        assert outcome.condition is Condition.NEEDS_SCA
    assert house.heard(ActionNeeded) == [ActionNeeded(link, Condition.NEEDS_SCA)]


async def test_one_bank_in_trouble_does_not_keep_the_others(house: House) -> None:
    first = await house.linked()
    ticket = await house.ticket()
    await house.at_the_bank()
    (second,) = (await house.app.commands.finish_link(ticket, None)).connections
    provider_id = next(each.provider_id for each in await house.app.reads.connections() if each.id == first)
    house.bank.tell(f"/connections/{provider_id}/state", state="websiteUnavailable")
    outcomes = {each.connection_id: each for each in await house.sync()}
    assert outcomes[first].condition is Condition.BANK_DOWN
    assert outcomes[second].result is RunResult.UPDATED


async def test_a_link_erased_while_it_waits_its_turn_does_not_end_the_others(house: House) -> None:
    first = await house.linked()
    links = [first]
    for _ in range(AT_ONCE_MAX):
        ticket = await house.ticket()
        await house.at_the_bank()
        links += (await house.app.commands.finish_link(ticket, None)).connections
    erased = links[-1]

    def erase(event: object) -> None:
        if isinstance(event, SyncStarted) and event.connection_id == first:
            house.store.write_now(lambda tx: connections.erase(tx, erased))

    house.app.bus.listen(erase)
    outcomes = await house.sync()

    assert {each.connection_id for each in outcomes} == set(links) - {erased}


async def test_another_process_that_syncs_is_named_and_nothing_is_asked(house: House) -> None:
    await house.linked()
    asked = len(house.bank.requests())
    with sync_lock(house.app.profile.sync_lock, house.clock, "obdesk sync"):
        with pytest.raises(SyncHeldError, match="already running") as refused:
            await house.sync()
        assert "obdesk sync (process" in refused.value.cause
        house.pass_time(5 * 3_600)
        assert await house.app._syncs.sync_due(Trigger.SCHEDULE) == ()
    assert len(house.bank.requests()) == asked
    assert (await house.sync())[0].result in {RunResult.UPDATED, RunResult.UNCHANGED}


async def test_a_link_that_does_not_exist_is_said_so(house: House) -> None:
    await house.linked()
    with pytest.raises(Exception, match="does not exist"):
        await house.sync(ConnectionId(99))
    assert not house.app.syncing


async def test_only_what_is_due_is_synced_by_itself(house: House) -> None:
    link = await house.linked()
    due = house.app._syncs.sync_due
    assert await due(Trigger.SCHEDULE) == ()
    house.pass_time(4 * 3_600 - 1)
    assert await due(Trigger.SCHEDULE) == ()
    house.pass_time(1)
    assert [each.connection_id for each in await due(Trigger.SCHEDULE)] == [link]
    assert await due(Trigger.SCHEDULE) == ()
    await house.app.commands.set_setting("sync.interval_h", "24")
    house.pass_time(5 * 3_600)
    assert await due(Trigger.SCHEDULE) == ()
    house.pass_time(20 * 3_600)
    await house.app.commands.pause(link, paused=True)
    assert await due(Trigger.SCHEDULE) == ()
    await house.app.commands.pause(link, paused=False)
    assert len(await due(Trigger.SCHEDULE)) == 1


async def test_F53_a_clock_that_jumps_asks_once_and_never_storms(house: House) -> None:
    await house.linked()
    due = house.app._syncs.sync_due
    real = house.clock.now()
    house.clock.set_wall(real.replace(year=2099))
    assert len(await due(Trigger.SCHEDULE)) == 1
    assert await due(Trigger.SCHEDULE) == ()
    house.clock.set_wall(real)
    assert len(await due(Trigger.SCHEDULE)) == 1, "a date in the future is no reason to wait for it"
    assert await due(Trigger.SCHEDULE) == ()


async def test_F37_quitting_in_the_middle_of_a_sync_leaves_the_ledger_as_it_was(house: House) -> None:
    await house.linked()
    before = await house.app.reads.runs()
    house.bank.faults({"route": r"GET .*/transactions\?", "kind": "delay", "delay_s": 30})
    begun = asyncio.Event()
    house.app.bus.listen(lambda event: begun.set() if isinstance(event, SyncStarted) else None)
    task = house.app.work.spawn("sync", house.sync())
    await begun.wait()
    await house.app.work.close()
    assert task is not None
    assert task.cancelled()
    assert not house.app.syncing
    assert await house.app.reads.runs() == before
