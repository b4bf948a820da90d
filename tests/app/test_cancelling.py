"""A person calls off a check: nothing is half kept, who waits is told, and it comes again by its schedule."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunResult, Trigger
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.ids import ConnectionId
from tests.app.test_workers import ended, linked_too, slow, state

if TYPE_CHECKING:
    from tests.app.house import House

pytestmark = pytest.mark.anyio
INTERVAL_S = 4 * 3_600
DAY_S = 86_400


async def test_a_check_that_is_called_off_keeps_nothing_and_does_not_come_back_at_once(house: House) -> None:
    link = await house.linked()
    house.pass_time(DAY_S)
    runs, rows = await house.app.reads.runs(), await house.app.reads.transaction_ids(TransactionFilter())
    begun = slow(house)
    house.events.clear()
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(house.sync(link, refresh=True))
        await begun.wait()
        await house.app.commands.cancel([link])
    assert [each.result for each in asked.result()] == [RunResult.CANCELLED]
    assert [each.result for each in ended(house)] == [RunResult.CANCELLED]
    assert await house.app.reads.runs() == runs
    assert await house.app.reads.transaction_ids(TransactionFilter()) == rows
    assert (state(house).depth, state(house).running) == (0, 0)

    house.bank.mend()
    (shown,) = await house.app.reads.connections()
    assert shown.next_run_at is not None
    assert (shown.next_run_at - house.clock.now()).total_seconds() == INTERVAL_S
    assert await house.app._syncs.sync_due(Trigger.SCHEDULE) == ()
    house.pass_time(INTERVAL_S)
    (outcome,) = await house.app._syncs.sync_due(Trigger.SCHEDULE)
    assert outcome.condition is Condition.OK


async def test_one_that_is_not_due_keeps_its_time(house: House) -> None:
    link = await house.linked()
    house.pass_time(3_600)
    (before,) = await house.app.reads.connections()
    begun = slow(house)
    async with asyncio.TaskGroup() as group:
        group.create_task(house.sync(link, refresh=True))
        await begun.wait()
        await house.app.commands.cancel([link])
    (after,) = await house.app.reads.connections()
    assert after.next_run_at == before.next_run_at


async def test_what_is_called_off_before_its_turn_came_never_begins(house: House) -> None:
    link = await house.linked()
    other = await linked_too(house)
    house.bank.faults({"route": r"GET .*/connections", "kind": "delay", "delay_s": 0.5})
    house.events.clear()
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(house.sync())
        await asyncio.sleep(0)  # it is asked for, and has not got anywhere yet
        await house.app.commands.cancel([link])
    told = {each.connection_id: each.result for each in asked.result()}
    assert told.pop(link) is RunResult.CANCELLED
    assert told.pop(other) in {RunResult.UPDATED, RunResult.UNCHANGED}
    assert [each.connection_id for each in ended(house)] == [other]


async def test_one_that_is_gone_by_then_is_no_error(house: House) -> None:
    await house.app.commands.cancel([ConnectionId(77)])
