"""A bank that refused when it was asked is asked no more, whatever the state of its link says meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunResult, Trigger
from obdesk.domain.outcomes import ActionNeeded, Fetched, RetryLater
from tests.seed import NOW, remote_connection

if TYPE_CHECKING:
    from obdesk.domain.remote import RemoteConnection
    from obdesk.domain.syncing import SyncOutcome
    from tests.sync.bench import Bench

pytestmark = pytest.mark.anyio
OLD = replace(remote_connection(), data_as_of=NOW - timedelta(days=3))
"""A link whose bank was not read for so long that the schedule asks it by itself."""
WRONG = Condition.WRONG_PASSWORD


async def hours(bench: Bench, count: int, told: RemoteConnection = OLD) -> list[SyncOutcome]:
    """Sync once an hour while the list tells a link as it is given."""
    done = []
    for _ in range(count):
        bench.clock.advance(3_600)
        bench.aggregator.links = [Fetched((told,)), Fetched((told,))]
        done.append((await bench.sync(Trigger.SCHEDULE))[0])
    return done


async def by_person(bench: Bench, told: RemoteConnection = OLD, **other: Trigger) -> SyncOutcome:
    bench.aggregator.links = [Fetched((told,)), Fetched((told,))]
    return (await bench.sync(other.get("trigger", Trigger.PERSON), refresh=True))[0]


async def refused(bench: Bench, condition: Condition = WRONG, told: RemoteConnection = OLD) -> None:
    bench.aggregator.refreshed = ActionNeeded(condition, "refused")
    (outcome,) = await hours(bench, 1, told)
    assert outcome.asked_bank
    assert (outcome.result, outcome.condition) == (RunResult.ACTION_NEEDED, condition)


@pytest.mark.parametrize("condition", [WRONG, Condition.NEEDS_CODE, Condition.ACTION_AT_BANK])
async def test_F31_a_password_refused_when_the_bank_was_asked_is_not_tried_again(
    bench: Bench, condition: Condition
) -> None:
    await refused(bench, condition)
    done = await hours(bench, 48)
    assert {(each.condition, each.asked_bank) for each in done} == {(condition, False)}
    assert bench.link("condition") == (condition.value,)


async def test_F31_a_person_who_refreshes_is_told_of_the_refusal_and_the_bank_is_not_asked(
    bench: Bench,
) -> None:
    bench.aggregator.refreshed = ActionNeeded(WRONG, "wrongpass")
    outcome = await by_person(bench)
    assert (outcome.result, outcome.condition) == (RunResult.ACTION_NEEDED, WRONG)
    assert outcome.asked_bank
    outcome = await by_person(bench)
    assert (outcome.result, outcome.condition) == (RunResult.ACTION_NEEDED, WRONG)
    assert not outcome.asked_bank


async def test_F31_neither_trouble_of_the_bank_nor_of_the_way_there_hides_a_refusal(bench: Bench) -> None:
    await refused(bench)
    bench.aggregator.links = [RetryLater(Condition.OFFLINE)]
    await bench.sync(Trigger.SCHEDULE)
    down = replace(OLD, condition=Condition.BANK_DOWN, provider_state="websiteUnavailable")
    done = [*await hours(bench, 2, down), *await hours(bench, 2)]
    assert {(each.condition, each.asked_bank) for each in done} == {(WRONG, False)}


@pytest.mark.parametrize(
    "news",
    [
        {"data_as_of": NOW - timedelta(days=1)},
        {"consent_expires_at": NOW + timedelta(days=180)},
        {"consent_expires_at": None},
    ],
)
async def test_F31_a_bank_that_was_read_or_renewed_since_is_well(
    bench: Bench, news: dict[str, datetime | None]
) -> None:
    await refused(bench)
    (outcome,) = await hours(bench, 1, replace(OLD, **news))  # type: ignore[arg-type]
    assert outcome.condition is Condition.OK
    assert bench.link("condition", "provider_state") == ("ok", "")


async def test_F31_a_bank_never_read_before_that_is_read_is_well(bench: Bench) -> None:
    never = replace(OLD, data_as_of=None)
    bench.aggregator.refreshed = ActionNeeded(WRONG, "wrongpass")
    assert (await by_person(bench, never)).condition is WRONG
    assert [each.condition for each in await hours(bench, 1, never)] == [WRONG]
    bench.aggregator.refreshed = Fetched(OLD)
    assert [each.condition for each in await hours(bench, 1)] == [Condition.OK]


async def test_F31_what_the_list_says_a_person_has_to_do_counts_more(bench: Bench) -> None:
    await refused(bench)
    told = replace(OLD, condition=Condition.NEEDS_SCA, provider_state="SCARequired")
    assert [each.condition for each in await hours(bench, 1, told)] == [Condition.NEEDS_SCA]
    assert [each.condition for each in await hours(bench, 1)] == [Condition.OK], "the list may take it back"


async def test_F31_who_has_renewed_access_is_not_told_of_the_old_refusal(bench: Bench) -> None:
    await refused(bench)
    bench.aggregator.refreshed = Fetched(OLD)
    assert (await by_person(bench, trigger=Trigger.LINK)).condition is Condition.OK


async def test_a_refusal_of_our_own_access_is_none_of_the_banks(bench: Bench) -> None:
    bench.aggregator.refreshed = ActionNeeded(Condition.PROVIDER_REFUSES, "forbidden")
    (outcome,) = await hours(bench, 1)
    assert (outcome.asked_bank, outcome.condition) == (True, Condition.OK)
