"""What goes on by itself: at the start and by the clock; once after a sleep; never when paused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from obdesk.app.events import Changed, SyncEnded, SyncStarted
from obdesk.domain.changes import Kind
from obdesk.domain.entities import Trigger
from obdesk.scheduler.jobs import TICK_S, Ticker
from obdesk.storage.store import Store
from obdesk.storage.writes import edits
from tests.seed import KEY

if TYPE_CHECKING:
    from tests.app.house import House

pytestmark = pytest.mark.anyio


async def _tick(house: House) -> None:
    """Let a minute strike and wait for all that follows from it."""
    house.app._background._tick()
    while not house.app.work.idle:
        await asyncio.wait(set(house.app.work._tasks))


def _triggers(house: House) -> list[Trigger]:
    return [event.trigger for event in house.heard(SyncStarted) if isinstance(event, SyncStarted)]


async def test_a_tick_reaches_us_on_the_loop_where_tasks_are_born() -> None:
    ticked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def hint() -> None:
        asyncio.get_running_loop()  # raises in any other thread
        ticked.set_result(True)

    with Ticker(hint) as ticker:
        assert ticker._scheduler is not None
        (job,) = ticker._scheduler.get_jobs()
        assert job.trigger.interval.total_seconds() == TICK_S
        job.modify(next_run_time=datetime.now(UTC))
        async with asyncio.timeout(10):
            assert await ticked
    assert ticker._scheduler is None


async def test_what_is_due_is_synced_at_the_start_and_then_by_the_clock(house: House) -> None:
    await house.linked()
    house.events.clear()
    house.pass_time(5 * 3_600)
    house.app.start()
    while not house.app.work.idle:
        await asyncio.wait(set(house.app.work._tasks))
    assert _triggers(house) == [Trigger.START]
    for _ in range(3):
        house.pass_time(60)
        await _tick(house)
    assert _triggers(house) == [Trigger.START]
    house.pass_time(4 * 3_600)
    await _tick(house)
    assert _triggers(house) == [Trigger.START, Trigger.SCHEDULE]


async def test_F55_a_computer_that_slept_for_days_catches_up_once(house: House) -> None:
    await house.linked()
    house.events.clear()
    house.bank.tell("/clock", advance_s=3 * 86_400)
    house.clock.suspend(3 * 86_400)
    for _ in range(5):
        await _tick(house)
    assert _triggers(house) == [Trigger.SCHEDULE]


async def test_a_failed_sync_is_tried_again_when_its_time_has_come_and_not_before(house: House) -> None:
    await house.linked()
    house.bank.tell("/connections/311/state", state="websiteUnavailable", for_s=100_000)
    house.pass_time(5 * 3_600)
    house.bank.faults(
        {"route": "GET /2.0/users/me/connections", "kind": "status", "status": 418, "times": None}
    )
    house.events.clear()
    await _tick(house)
    assert len(house.heard(SyncEnded)) == 1
    for _ in range(3):
        await _tick(house)
    assert len(house.heard(SyncEnded)) == 1
    (shown,) = await house.app.reads.connections()
    assert shown.next_run_at is not None
    house.pass_time((shown.next_run_at - house.clock.now()).total_seconds())
    house.bank.mend()
    await _tick(house)
    assert len(house.heard(SyncEnded)) == 2


async def test_paused_it_asks_nobody(house: House) -> None:
    await house.linked()
    await house.app.commands.set_setting("sync.paused", "on")
    house.events.clear()
    asked = len(house.bank.requests())
    house.pass_time(50 * 3_600)
    for _ in range(3):
        await _tick(house)
    assert (_triggers(house), len(house.bank.requests())) == ([], asked)
    await house.app.commands.set_setting("sync.paused", "off")
    await _tick(house)
    assert _triggers(house) == [Trigger.SCHEDULE]


async def test_what_another_process_wrote_is_shown(house: House) -> None:
    await house.linked()
    await _tick(house)
    await _tick(house)
    house.events.clear()
    await _tick(house)
    assert house.heard(Changed) == []
    with Store(house.store.path, KEY) as elsewhere:
        elsewhere.write_now(lambda tx: edits.set_setting(tx, "theme", "dark"))
    await _tick(house)
    (event,) = house.heard(Changed)
    assert isinstance(event, Changed)
    assert all(event.changes.touches(kind) for kind in Kind)
