"""What goes on by itself: at the start and by the clock; once after a sleep; never when paused."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from obdesk.app.background import SPREAD_S
from obdesk.app.events import Changed, SyncEnded, SyncStarted
from obdesk.domain.changes import Kind
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import Trigger
from obdesk.scheduler.jobs import TICK_S, Ticker
from obdesk.storage.queries import jobs
from obdesk.storage.store import Store
from obdesk.storage.writes import connections, edits
from tests.seed import KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.app.house import House

pytestmark = pytest.mark.anyio


async def _tick(house: House) -> None:
    """Let a minute strike and wait for all that follows from it."""
    house.app._background._tick()
    while not house.app.work.idle:
        await asyncio.wait(set(house.app.work._tasks))


async def _ticks(house: House, minutes: int) -> None:
    """Let some minutes pass, each with its tick."""
    for _ in range(minutes):
        house.pass_time(60)
        await _tick(house)


async def _ticks_until_a_sync_ends(house: House) -> None:
    for _ in range(round(SPREAD_S / 60) + 2):
        await _ticks(house, 1)
        if house.heard(SyncEnded):
            return


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
    await _ticks(house, 8)
    assert _triggers(house) == [Trigger.START, Trigger.SCHEDULE]


async def test_F55_a_computer_that_slept_for_days_catches_up_once(house: House) -> None:
    await house.linked()
    house.events.clear()
    house.bank.tell("/clock", advance_s=3 * 86_400)
    house.clock.suspend(3 * 86_400)
    await _tick(house)
    assert _triggers(house) == [], "the network needs a moment, and so do those who come back as well"
    await _ticks(house, 8)
    assert _triggers(house) == [Trigger.SCHEDULE]


async def test_a_failed_sync_is_tried_again_when_its_time_has_come_and_not_before(house: House) -> None:
    await house.linked()
    house.bank.tell("/connections/311/state", state="websiteUnavailable", for_s=100_000)
    house.pass_time(5 * 3_600)
    house.bank.faults(
        {"route": "GET /2.0/users/me/connections", "kind": "status", "status": 418, "times": None}
    )
    house.events.clear()
    await _ticks_until_a_sync_ends(house)
    for _ in range(4):
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
    await _ticks(house, 6)
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


class Around:
    """A machine whose network and power a test decides (obdesk.app.surroundings.Surroundings)."""

    def __init__(self) -> None:
        self.has_network: bool | None = True
        self.costs: bool | None = False
        self.charge: int | None = None

    def online(self) -> bool | None:
        return self.has_network

    def metered(self) -> bool | None:
        return self.costs

    def battery_percent(self) -> int | None:
        return self.charge

    def listen(self, changed: Callable[[], object]) -> None:
        self.changed = changed


def _around(house: House) -> Around:
    around = Around()
    house.app._background._surroundings = around
    return around


async def test_F55_without_a_network_nothing_is_asked_and_once_it_is_up_each_bank_once(
    house: House,
) -> None:
    await house.linked()
    around = _around(house)
    await _tick(house)
    house.bank.tell("/clock", advance_s=8 * 3_600)
    house.clock.suspend(8 * 3_600)
    around.has_network = False
    asked = len(house.bank.requests())
    await _ticks(house, 5)
    assert len(house.bank.requests()) == asked
    house.events.clear()
    around.has_network = True
    up_at = house.clock.now()
    await _tick(house)
    assert _triggers(house) == []
    await _ticks(house, 10)
    (started,) = [event for event in house.heard(SyncStarted) if isinstance(event, SyncStarted)]
    assert timedelta(seconds=30) <= started.at - up_at


async def test_F55_the_one_attempt_that_fails_is_followed_by_a_pause(house: House) -> None:
    await house.linked()
    around = _around(house)
    around.has_network = False
    await _tick(house)
    house.pass_time(8 * 3_600)
    around.has_network = True
    house.bank.faults({"route": "GET /2.0/", "kind": "reset", "times": None})
    house.events.clear()
    await _ticks_until_a_sync_ends(house)
    for _ in range(5):
        await _tick(house)
    assert len(house.heard(SyncEnded)) == 1
    (job,) = [each.job for each in house.store.read_now(jobs.waiting)]
    assert job.attempts == 1
    assert job.not_before - house.clock.now() >= timedelta(seconds=30)


async def test_what_failed_offline_is_tried_when_the_network_is_back_not_hours_later(house: House) -> None:
    link = await house.linked()
    around = _around(house)
    later = house.clock.now() + timedelta(hours=3)
    house.store.write_now(lambda tx: connections.fail(tx, link, Condition.OFFLINE, later, keep_needs=False))
    around.has_network = False
    await _tick(house)
    house.events.clear()
    around.has_network = True
    await _ticks(house, 8)
    assert len(house.heard(SyncEnded)) == 1


@pytest.mark.parametrize(("costs", "charge"), [(True, None), (False, 19)])
async def test_what_is_scarce_is_spared_for_a_day(house: House, *, costs: bool, charge: int | None) -> None:
    await house.linked()
    around = _around(house)
    around.costs, around.charge = costs, charge
    house.events.clear()
    house.pass_time(23 * 3_600)
    await _ticks(house, 6)
    assert _triggers(house) == []
    assert len(await house.sync()) == 1, "a person's wish is done"
    house.events.clear()
    house.pass_time(24 * 3_600)
    await _ticks(house, 8)
    assert _triggers(house) == [Trigger.SCHEDULE]


async def test_who_does_not_want_to_spare_is_asked_for_nothing(house: House) -> None:
    await house.linked()
    around = _around(house)
    around.costs = True
    await house.app.commands.set_setting("sync.spare", "off")
    house.events.clear()
    house.pass_time(5 * 3_600)
    await _ticks(house, 8)
    assert _triggers(house) == [Trigger.SCHEDULE]


async def test_in_quiet_hours_only_a_person_asks(house: House) -> None:
    await house.linked()
    local = house.clock.now().astimezone()
    await house.app.commands.set_setting("sync.quiet_from", f"{local + timedelta(hours=4):%H:%M}")
    await house.app.commands.set_setting("sync.quiet_to", f"{local + timedelta(hours=10):%H:%M}")
    house.events.clear()
    house.pass_time(5 * 3_600)
    await _ticks(house, 8)
    assert _triggers(house) == []
    await house.sync()
    assert _triggers(house) == [Trigger.PERSON]
    house.pass_time(5 * 3_600)
    await _ticks(house, 8)
    assert _triggers(house) == [Trigger.PERSON, Trigger.SCHEDULE]


async def test_F53_a_clock_that_is_set_while_running_causes_no_storm(house: House) -> None:
    await house.linked()
    await _tick(house)
    house.events.clear()
    for days in (14, -15, 400, -399):
        house.clock.set_wall(house.clock.now() + timedelta(days=days))
        await _ticks(house, 10)
    assert len(_triggers(house)) <= 4, "at most one for each jump"
    assert house.store.read_now(jobs.queue_state).depth <= 1


async def test_F54_summer_time_and_travel_neither_double_nor_drop_a_check(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.linked()
    await _tick(house)
    house.events.clear()
    eve = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)  # the clocks of Paris go forward in this night
    house.pass_time((eve - house.clock.now()).total_seconds())
    for zone in ("Europe/Paris", "America/New_York", "Asia/Tokyo", "UTC"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        house.pass_time(4 * 3_600)
        await _ticks(house, 8)
    monkeypatch.undo()
    time.tzset()
    assert _triggers(house) == [Trigger.SCHEDULE] * 4
