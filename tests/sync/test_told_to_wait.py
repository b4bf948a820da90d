"""Somebody who says when to come again is not asked before, by no sync and for no person."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunResult, Trigger
from obdesk.storage.queries import limits

if TYPE_CHECKING:
    from tests.flows.town import Town

pytestmark = pytest.mark.anyio


async def test_F03_who_is_told_to_wait_for_the_list_of_links_asks_about_none_of_them(town: Town) -> None:
    first, second = await town.linked(), await town.linked()
    town.bank.faults({
        "route": "GET .*/connections(\\?|$)", "kind": "rate_limited", "times": 1, "retry_after": "600",
    })  # fmt: skip
    assert (await town.sync(first)).condition is Condition.PROVIDER_BUSY
    asked = len(town.bank.requests())
    town.reopen()
    for each, trigger in ((first, Trigger.SCHEDULE), (second, Trigger.SCHEDULE), (second, Trigger.PERSON)):
        assert (await town.sync(each, trigger=trigger)).condition is Condition.PROVIDER_BUSY
    assert not isinstance(await town.engine.discover(), tuple)
    assert len(town.bank.requests()) == asked, "nobody asks before the time we were told"
    town.pass_time(600)
    assert (await town.sync(second)).condition is Condition.OK
    assert town.store.read_now(limits.breakers) == ()


async def test_F03_looking_for_links_heeds_how_long_it_was_told_to_wait(town: Town) -> None:
    connection = await town.linked()
    town.bank.faults({
        "route": "GET .*/connections(\\?|$)", "kind": "rate_limited", "times": 1, "retry_after": "600",
    })  # fmt: skip
    assert not isinstance(await town.engine.discover(), tuple)
    asked = len(town.bank.requests())
    outcome = await town.sync(connection, trigger=Trigger.SCHEDULE)
    assert (outcome.condition, outcome.requests) == (Condition.PROVIDER_BUSY, 0)
    assert len(town.bank.requests()) == asked


async def test_F03_who_is_told_to_wait_while_a_bank_is_read_does_not_go_on_to_the_accounts(
    town: Town,
) -> None:
    connection = await town.linked()
    town.bank.faults({
        "route": f"PUT .*/connections/{connection}", "kind": "rate_limited", "times": 1,
        "retry_after": "3600",
    })  # fmt: skip
    outcome = await town.sync(connection, refresh=True, trigger=Trigger.PERSON)
    assert (outcome.result, outcome.condition) == (RunResult.RETRY_LATER, Condition.PROVIDER_BUSY)
    assert not any("/accounts" in each for each in town.bank.requests()[-1:])
    assert town.link_shown(connection).next_run_at == town.clock.now() + timedelta(hours=1)


@pytest.mark.parametrize("page", ["transactions", "accounts"])
async def test_F03_who_is_told_to_wait_by_a_page_of_one_link_asks_nothing_about_that_link_and_says_until_when(
    town: Town, page: str
) -> None:
    first, second = await town.linked(), await town.linked()
    town.bank.faults({
        "route": rf"GET .*/connections/{first}/{page}\?", "kind": "rate_limited", "times": 1,
        "retry_after": "3600",
    })  # fmt: skip
    assert (await town.sync(first)).condition is Condition.PROVIDER_BUSY
    may_at = town.clock.now() + timedelta(hours=1)
    town.reopen()
    town.pass_time(5)
    for trigger in (Trigger.PERSON, Trigger.LINK, Trigger.WEBHOOK):
        outcome = await town.sync(first, refresh=True, trigger=trigger)
        assert (outcome.result, outcome.condition) == (RunResult.RETRY_LATER, Condition.PROVIDER_BUSY)
        assert outcome.requests == 0
        shown = town.link_shown(first).next_run_at
        assert shown is not None
        assert may_at <= shown <= may_at + timedelta(minutes=5)
    assert (await town.sync(second, trigger=Trigger.PERSON)).condition is Condition.OK
    town.pass_time(3_595)
    assert (await town.sync(first, trigger=Trigger.PERSON)).condition is Condition.OK
    assert town.store.read_now(limits.breakers) == ()


async def test_F03_a_wait_that_is_over_is_over_also_where_the_next_try_finds_no_network(town: Town) -> None:
    connection = await town.linked()
    town.bank.faults({
        "route": r"GET .*/transactions\?", "kind": "rate_limited", "times": 1, "retry_after": "3600",
    })  # fmt: skip
    await town.sync(connection)
    town.pass_time(3_600)
    town.bank.faults({"route": "GET /2.0/", "kind": "html", "times": None})
    assert (await town.sync(connection)).condition is Condition.OFFLINE
    town.bank.mend()
    assert (await town.sync(connection, trigger=Trigger.PERSON)).condition is Condition.OK
