"""Links that nobody here knows are found by the schedule, also where no link of ours is due."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.app.looking import SLACK
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import Trigger
from tests.app.test_background import _tick

if TYPE_CHECKING:
    from tests.app.house import House

pytestmark = pytest.mark.anyio
HOUR_S = 3_600
TURN_S = 4 * HOUR_S + SLACK.total_seconds()
LIST = r"GET .*/connections\?"
NO_LINKS: dict[str, Any] = {
    "route": LIST, "kind": "status", "status": 200, "body": {"connections": [], "total": 0}, "times": None,
}  # fmt: skip


async def ticks(house: House, hours: int, trigger: Trigger = Trigger.SCHEDULE) -> int:
    """Let some hours pass with a tick each; return how many requests they cost."""
    asked = len(house.bank.requests())
    for _ in range(hours):
        house.pass_time(HOUR_S)
        await house.app._syncs.sync_due(trigger)
        trigger = Trigger.SCHEDULE
    return len(house.bank.requests()) - asked


async def conditions(house: House) -> list[Condition]:
    return [each.condition for each in await house.app.reads.connections()]


async def test_F36_a_first_link_whose_program_died_is_found_at_the_next_start(house: House) -> None:
    await house.ticket()
    await house.at_the_bank()
    await ticks(house, 2, Trigger.START)
    assert await conditions(house) == [Condition.OK]
    assert await house.app.reads.accounts()


async def test_F36_a_first_link_made_elsewhere_is_found_without_a_start(house: House) -> None:
    await house.ticket()
    assert await ticks(house, 24, Trigger.START) <= 24 // 4, "no more than a list per turn"
    await house.at_the_bank()
    await ticks(house, 6)
    assert await conditions(house) == [Condition.OK]


async def test_F63_the_only_link_removed_and_linked_anew_elsewhere_comes_back(house: House) -> None:
    await house.linked()
    (link,) = await house.app.reads.connections()
    house.bank.remove(link.provider_id)
    await ticks(house, 6)
    assert await conditions(house) == [Condition.GONE]
    await house.at_the_bank()
    await ticks(house, 6)
    assert set(await conditions(house)) == {Condition.GONE, Condition.OK}


async def test_F32_a_link_that_was_missing_from_one_list_comes_back(house: House) -> None:
    await house.linked()
    house.bank.faults(NO_LINKS)
    await ticks(house, 5)
    assert await conditions(house) == [Condition.GONE]
    house.bank.mend()
    await ticks(house, 6)
    assert await conditions(house) == [Condition.OK]


async def test_a_link_that_is_read_in_its_turn_costs_no_list_more(house: House) -> None:
    await house.linked()
    asked = len(house.bank.requests())
    for _ in range(24 * 4):
        house.pass_time(HOUR_S / 4)
        await house.app._syncs.sync_due(Trigger.SCHEDULE)
    lists = [each for each in house.bank.requests()[asked:] if "/connections?" in each]
    assert len(lists) == 2 * 24 // 4, "one to look, one to sync, at each turn"


async def test_where_nobody_is_linked_and_no_token_is_nothing_is_asked(house: House) -> None:
    assert await ticks(house, 24, Trigger.START) == 0


async def test_I10_a_list_that_fails_is_asked_for_about_hourly_or_when_we_are_told_to(house: House) -> None:
    await house.ticket()
    due = house.app._syncs.sync_due
    house.bank.faults({"route": LIST, "kind": "rate_limited", "times": 1, "retry_after": "7200"})
    await due(Trigger.START)
    asked = len(house.bank.requests())
    house.pass_time(7_199)
    await due(Trigger.SCHEDULE)
    assert len(house.bank.requests()) == asked, "not before the time we were told"
    house.bank.faults({"route": LIST, "kind": "status", "status": 418, "times": None})
    house.pass_time(1)
    await due(Trigger.SCHEDULE)
    asked = len(house.bank.requests())
    for _ in range(24 * 60):
        house.pass_time(60)
        await due(Trigger.SCHEDULE)
    assert 24 * 0.8 - 1 <= len(house.bank.requests()) - asked <= 24 / 0.75 + 1


async def test_a_clock_that_is_set_back_asks_for_the_list_once(house: House) -> None:
    await house.ticket()
    due = house.app._syncs.sync_due
    await due(Trigger.START)
    asked = len(house.bank.requests())
    house.clock.set_wall(house.clock.now() - timedelta(days=30))
    for _ in range(3):
        await due(Trigger.SCHEDULE)
    assert len(house.bank.requests()) == asked + 1


async def test_quiet_hours_and_a_pause_hold_for_the_list_of_links_too(house: House) -> None:
    await house.ticket()
    await house.at_the_bank()
    await house.app.commands.set_setting("sync.paused", "on")
    asked = len(house.bank.requests())
    await _tick(house)
    await house.app.commands.set_setting("sync.paused", "off")
    local = house.clock.now().astimezone()
    for key, at in (("from", local - timedelta(hours=1)), ("to", local + timedelta(hours=1))):
        await house.app.commands.set_setting(f"sync.quiet_{key}", f"{at:%H:%M}")
    await _tick(house)
    assert len(house.bank.requests()) == asked
    await house.app.commands.set_setting("sync.quiet_from", "")
    await _tick(house)
    assert [each for each in house.bank.requests()[asked:] if "/connections?" in each]
