"""An aggregator that answers nothing but internal errors: of one link, or of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunResult
from obdesk.domain.limits import BreakerState
from obdesk.domain.notices import Told, after_sync
from obdesk.sync import policy
from tests.sync.test_gate import breakers, until_probe

if TYPE_CHECKING:
    from tests.flows.town import Town

pytestmark = pytest.mark.anyio


async def test_F02_a_list_of_links_with_internal_errors_is_a_provider_that_is_down(town: Town) -> None:
    connection = await town.linked()
    town.bank.faults({"route": "GET .*/connections(\\?|$)", "kind": "server_error", "times": None})
    for _ in range(policy.OPENS_AFTER):
        outcome = await town.sync(connection)
        assert (outcome.result, outcome.condition) == (RunResult.RETRY_LATER, Condition.PROVIDER_DOWN)
    assert breakers(town) == {"host": BreakerState.OPEN}
    asked = len(town.bank.requests())
    await town.sync(connection)
    assert not isinstance(await town.engine.discover(), tuple)
    assert len(town.bank.requests()) == asked
    town.pass_time(until_probe(town))
    town.bank.mend()
    assert isinstance(await town.engine.discover(), tuple)
    assert breakers(town) == {}


@pytest.mark.parametrize("kind", ["unavailable", "server_error"])
async def test_F02_two_days_of_faults_are_one_open_breaker_and_one_notice_a_day(
    town: Town, kind: str
) -> None:
    connections = [await town.linked() for _ in range(3)]
    town.bank.faults({"route": "(GET|PUT) /2.0/", "kind": kind, "times": None})
    asked, told, notices = len(town.bank.requests()), Told(), []
    for _ in range(48 * 2):
        town.pass_time(1_800)
        due = town.due()
        for each in connections:
            if town.local_id(each) in due:
                told, notice = after_sync(told, await town.sync(each))
                notices += [notice.title] if notice else []
    assert len(town.bank.requests()) - asked <= 4 * (5 + 48 / 0.75), "about once an hour, four tries each"
    assert breakers(town) == {"host": BreakerState.OPEN}
    assert {town.link_shown(each).condition for each in connections} == {Condition.PROVIDER_DOWN}
    assert notices == ["The aggregator does not answer"] * len(notices)
    assert 1 <= len(notices) <= 2


async def test_F02_internal_errors_about_one_link_keep_nobody_from_another(town: Town) -> None:
    first, second = await town.linked(), await town.linked()
    town.bank.faults({"route": f"GET .*/connections/{first}/accounts", "kind": "server_error", "times": None})
    for _ in range(policy.OPENS_AFTER):
        assert (await town.sync(first)).condition is Condition.PROVIDER_FAULT
        assert (await town.sync(second)).condition is Condition.OK
    assert breakers(town) == {"connection": BreakerState.OPEN}
