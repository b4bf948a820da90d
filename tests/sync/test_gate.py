"""Who is asked and who is spared, against the simulated banks: no request that may not be made."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunResult, Trigger
from obdesk.domain.limits import UNATTENDED_MAX, BreakerState, Budget
from obdesk.storage.queries import limits
from obdesk.storage.queries.scores import scores
from obdesk.storage.writes import connections as links
from obdesk.storage.writes import mailbox
from obdesk.sync import policy
from obdesk.sync.engine import Engine

if TYPE_CHECKING:
    from tests.flows.town import Town

pytestmark = pytest.mark.anyio
DOWN: dict[str, Any] = {"route": "(GET|PUT) /2.0/", "kind": "unavailable", "times": None}


def breakers(town: Town) -> dict[str, BreakerState]:
    return {each.subject.split(":")[0]: each.state for each in town.store.read_now(limits.breakers)}


def events(town: Town) -> list[str]:
    rows = town.store.read_now(
        lambda opened: opened.execute("SELECT kind FROM events ORDER BY id").fetchall()
    )
    return [row[0] for row in rows]


def asked_at_bank(town: Town, connection: str) -> list[str]:
    return [
        each
        for each in town.bank.requests()
        if each.startswith("PUT") and f"/connections/{connection}?psu" in each
    ]


async def fail_until_open(town: Town, connection: str) -> None:
    town.bank.faults(DOWN)
    while breakers(town).get("host") is not BreakerState.OPEN:
        outcome = await town.sync(connection)
        assert outcome.result is RunResult.RETRY_LATER


async def test_F02_a_provider_that_is_down_is_spared_and_found_again(town: Town) -> None:
    connection = await town.linked()
    await fail_until_open(town, connection)
    since = town.clock.now()
    asked = len(town.bank.requests())
    outcome = await town.sync(connection)
    assert (outcome.result, outcome.condition) == (RunResult.RETRY_LATER, Condition.PROVIDER_DOWN)
    assert outcome.requests == 0
    assert await town.engine.discover() == (await town.engine.discover())
    assert len(town.bank.requests()) == asked, "not one request while it is open"
    link = town.link_shown(connection)
    assert link.next_run_at is not None
    assert link.next_run_at > since
    town.bank.mend()
    town.reopen()
    town.pass_time((link.next_run_at - town.clock.now()).total_seconds())
    assert (await town.sync(connection)).condition is Condition.OK
    assert breakers(town) == {}
    assert events(town) == ["breaker_open", "breaker_half_open", "breaker_closed"]
    town.tells_the_truth(connection)


async def test_F02_a_person_need_not_wait_for_the_next_try(town: Town) -> None:
    connection = await town.linked()
    await fail_until_open(town, connection)
    failed = await town.sync(connection, refresh=True, trigger=Trigger.PERSON)
    assert failed.requests > 0
    town.bank.mend()
    outcome = await town.sync(connection, refresh=True, trigger=Trigger.PERSON)
    assert outcome.condition is Condition.OK
    assert breakers(town) == {}


async def test_F02_after_a_day_each_bank_waits_for_its_turn_and_a_person_goes_first(town: Town) -> None:
    first, second = await town.linked(), await town.linked()
    await fail_until_open(town, first)
    while town.link_shown(second).condition is not Condition.PROVIDER_DOWN:
        await town.sync(second)
    town.pass_time(86_400)
    town.bank.mend()
    asked = len(town.bank.requests())
    outcome = await town.sync(first)
    assert (outcome.result, outcome.condition) == (RunResult.RETRY_LATER, Condition.COMING_BACK)
    assert len(town.bank.requests()) == asked + 1, "one small question"
    for each in (first, second):
        link = town.link_shown(each)
        assert link.condition is Condition.COMING_BACK
        assert link.next_run_at is not None
        assert town.clock.now() < link.next_run_at <= town.clock.now() + policy.INTERVAL * 1.25
        assert town.local_id(each) in town.due(link.next_run_at)
    outcome = await town.sync(second, trigger=Trigger.PERSON)
    assert outcome.condition is Condition.OK
    town.pass_time(policy.INTERVAL.total_seconds() * 1.25)
    assert (await town.sync(first)).condition is Condition.OK
    town.tells_the_truth(first)


async def test_F03_a_provider_that_asks_for_time_gets_it_and_other_links_go_on(town: Town) -> None:
    first, second = await town.linked(), await town.linked()
    town.bank.faults({
        "route": rf"GET .*/connections/{first}/accounts", "kind": "rate_limited", "times": None,
        "retry_after": "7200",
    })  # fmt: skip
    outcome = await town.sync(first)
    assert outcome.condition is Condition.PROVIDER_BUSY
    assert town.link_shown(first).next_run_at == town.clock.now() + timedelta(hours=2)
    assert (await town.sync(second)).condition is Condition.OK


async def test_F04_too_many_requests_without_a_time_count_against_the_host(town: Town) -> None:
    connection = await town.linked()
    town.bank.faults({"route": "GET /2.0/", "kind": "rate_limited", "times": None})
    for _ in range(policy.OPENS_AFTER):
        await town.sync(connection)
    assert breakers(town) == {"host": BreakerState.OPEN}
    asked = len(town.bank.requests())
    assert (await town.sync(connection, trigger=Trigger.PERSON)).condition is Condition.PROVIDER_BUSY
    assert len(town.bank.requests()) == asked


async def test_one_link_that_fails_is_spared_alone(town: Town) -> None:
    first, second = await town.linked(), await town.linked()
    town.bank.faults({"route": rf"GET .*/connections/{first}/", "kind": "server_error", "times": None})
    for _ in range(policy.OPENS_AFTER):
        await town.sync(first)
    assert breakers(town) == {"connection": BreakerState.OPEN}
    assert (await town.sync(first)).requests == 0
    assert (await town.sync(second)).condition is Condition.OK
    town.bank.mend()
    town.pass_time(2 * 3_600)
    assert (await town.sync(first)).condition is Condition.OK
    assert breakers(town) == {}


async def test_F05_a_sync_that_takes_too_long_ends_cleanly(town: Town) -> None:
    connection = await town.linked()
    before = town.rows(connection)
    town.bank.faults({"route": r"GET .*/transactions\?", "kind": "delay", "delay_s": 30})
    engine = Engine(town.store, town.provider, town.clock, town._rng, within_s=0.3)
    local = town.local_id(connection)
    outcome, _ = await asyncio.wait_for(
        engine.sync(local, Trigger.SCHEDULE, refresh_at_bank=False, progress=lambda *_: None), 10
    )
    assert (outcome.result, outcome.detail) == (RunResult.RETRY_LATER, "sync_timeout")
    assert town.rows(connection) == before
    town.bank.mend()
    assert (await town.sync(connection)).condition is Condition.OK


async def test_F27_one_refusal_stops_all_that_would_ask_with_the_same_token(town: Town) -> None:
    first, second = await town.linked(), await town.linked()
    town.bank.faults({"route": "(GET|PUT|POST) /2.0/", "kind": "unauthorized", "times": None})
    assert (await town.sync(first)).condition is Condition.PROVIDER_REFUSES
    asked = len(town.bank.requests())
    for _ in range(3):
        town.pass_time(86_400)
        outcome = await town.sync(second)
        assert (outcome.result, outcome.condition) == (RunResult.ACTION_NEEDED, Condition.PROVIDER_REFUSES)
        await town.engine.discover()
    assert len(town.bank.requests()) == asked
    town.bank.mend()
    assert (await town.sync(first, trigger=Trigger.PERSON)).condition is Condition.OK
    assert town.local_id(second) in town.due(), "whoever waited for the same token is asked again"
    assert (await town.sync(second)).condition is Condition.OK


async def test_a_bank_is_read_without_its_person_four_times_a_day_at_most(town: Town) -> None:
    connection = await town.linked()
    local = town.local_id(connection)

    def budget() -> Budget:
        return town.store.read_now(limits.budgets, town.clock.now())[local]

    assert budget() == Budget(UNATTENDED_MAX, UNATTENDED_MAX, None)
    begun = town.clock.now()
    for _ in range(6):
        outcome = await town.sync(connection, refresh=True, trigger=Trigger.SCHEDULE)
        assert outcome.condition is Condition.OK
        town.pass_time(600)
    assert len(asked_at_bank(town, connection)) == 3, "one is kept for the person"
    assert budget().left == 1
    await town.sync(connection, refresh=True, trigger=Trigger.LINK)
    await town.sync(connection, refresh=True, trigger=Trigger.LINK)
    assert len(asked_at_bank(town, connection)) == 4
    assert all("psu_requested=false" in each for each in asked_at_bank(town, connection))
    resets_at = budget().resets_at
    assert budget().left == 0
    assert resets_at is not None
    assert resets_at >= begun + timedelta(hours=24)
    outcome = await town.sync(connection, refresh=True, trigger=Trigger.PERSON)
    assert outcome.asked_bank
    assert "psu_requested=true" in asked_at_bank(town, connection)[-1]
    town.pass_time((resets_at - town.clock.now()).total_seconds())
    assert budget().left == 1


async def test_F62_what_a_relay_says_of_other_computers_halves_what_this_one_reads(town: Town) -> None:
    connection = await town.linked()
    town.store.write_now(lambda tx: mailbox.begin(tx, "", town.clock.now()))
    town.store.write_now(lambda tx: mailbox.told(tx, 2, None, None, town.clock.now()))
    for _ in range(4):
        await town.sync(connection, refresh=True, trigger=Trigger.SCHEDULE)
    assert len(asked_at_bank(town, connection)) == 1
    left = town.store.read_now(limits.budgets, town.clock.now())[town.local_id(connection)]
    assert (left.left, left.of) == (1, 2)
    scored = town.store.read_now(scores, town.clock.now()).connections[0].calls
    assert (scored.unattended, scored.budget) == (1, left)
    town.store.write_now(mailbox.forget)
    await town.sync(connection, refresh=True, trigger=Trigger.SCHEDULE)
    assert len(asked_at_bank(town, connection)) == 2, "without a relay it is alone, as far as it knows"


async def test_a_read_at_a_bank_counts_before_its_request_is_sent(town: Town) -> None:
    connection = await town.linked()
    town.bank.faults({"route": "PUT /2.0/", "kind": "reset", "times": None})
    await town.sync(connection, refresh=True, trigger=Trigger.SCHEDULE)
    town.reopen()
    assert town.store.read_now(limits.budgets, town.clock.now())[town.local_id(connection)].left == 3


@pytest.mark.parametrize("jump_days", [14, 4_000, -4_000])
async def test_F53_a_clock_that_jumps_gives_no_new_budget(town: Town, jump_days: int) -> None:
    connection = await town.linked()
    for _ in range(3):
        await town.sync(connection, refresh=True, trigger=Trigger.SCHEDULE)
    town.clock.set_wall(town.clock.now() + timedelta(days=jump_days))
    for _ in range(5):
        await town.sync(connection, refresh=True, trigger=Trigger.SCHEDULE)
    assert len(asked_at_bank(town, connection)) == 3


async def test_a_bank_whose_data_grows_old_is_read_now_and_then_though_nobody_asked(town: Town) -> None:
    connection = await town.linked()
    await town.sync(connection)
    assert asked_at_bank(town, connection) == [], "the aggregator reads it by itself"
    as_of = town.link_shown(connection).freshness.data_as_of
    assert as_of is not None
    town.bank.tell(f"/connections/{connection}/state", state="bug")
    town.pass_time(30 * 3_600)
    for _ in range(4):
        await town.sync(connection)
        town.pass_time(60)
    asked = asked_at_bank(town, connection)
    assert len(asked) <= 1, "spread over the day"
    assert all("psu_requested=false" in each for each in asked)


@pytest.mark.parametrize(
    "state", ["SCARequired", "webauthRequired", "wrongpass", "additionalInformationNeeded"]
)
async def test_F29_F31_a_bank_that_waits_for_its_person_is_left_alone(town: Town, state: str) -> None:
    connection = await town.linked()
    town.bank.tell(f"/connections/{connection}/state", state=state)
    for trigger in set(Trigger) - {Trigger.PERSON}:
        town.pass_time(30 * 3_600)
        outcome = await town.sync(connection, refresh=True, trigger=trigger)
        assert outcome.result is RunResult.ACTION_NEEDED
        assert not outcome.asked_bank
    assert asked_at_bank(town, connection) == []


async def test_F28_a_consent_that_ends_pauses_and_its_renewal_goes_on_where_it_stopped(town: Town) -> None:
    connection = await town.linked()
    account = town.checking(connection)
    before = town.rows(connection)
    ends_at = town.link_shown(connection).consent_expires_at
    assert ends_at is not None
    town.pass_time((ends_at - town.clock.now()).total_seconds() + 60)
    town.bank.tell(f"/connections/{connection}/state", state="SCARequired")
    for _ in range(3):
        outcome = await town.sync(connection)
        assert outcome.condition is Condition.CONSENT_EXPIRED
        town.pass_time(5 * 3_600)
    link = town.link_shown(connection)
    assert link.next_run_at is not None, "paused at the bank, not failing: a renewal elsewhere is noticed"
    assert before.keys() <= town.rows(connection).keys()
    town.bank.tell(f"/connections/{connection}/consent", expires_in_s=180 * 86_400)
    town.bank.tell(f"/connections/{connection}/state", state=None)
    town.bank.tell(f"/accounts/{account}/transactions", rows=[{"wording": "AFTER", "value": "-1.00"}])
    outcome = await town.sync(connection, trigger=Trigger.LINK)
    assert outcome.condition is Condition.OK
    assert outcome.counts.new >= 1
    assert "last_update=" in [each for each in town.bank.requests() if "/transactions?" in each][-1]
    town.tells_the_truth(connection)


def until_probe(town: Town) -> float:
    (host,) = [each for each in town.store.read_now(limits.breakers) if each.subject.startswith("host")]
    assert host.probe_at is not None
    return (host.probe_at - town.clock.now()).total_seconds()


async def test_F02_when_its_time_has_come_one_question_is_asked_by_one_sync(town: Town) -> None:
    first, second = await town.linked(), await town.linked()
    await fail_until_open(town, first)
    town.pass_time(until_probe(town))
    asked = len(town.bank.requests())
    outcomes = await asyncio.gather(town.sync(first), town.sync(second), town.sync(first))
    assert {each.condition for each in outcomes} == {Condition.PROVIDER_DOWN}
    assert sum(each.requests > 0 for each in outcomes) == 1
    since = town.bank.requests()[asked:]
    assert {each.split("?")[0] for each in since} == {"GET /2.0/users/me/connections"}
    assert breakers(town)["host"] is BreakerState.OPEN
    assert until_probe(town) > 300, "longer than the time before"


async def test_F02_looking_for_links_is_a_question_like_any_other(town: Town) -> None:
    connection = await town.linked()
    await fail_until_open(town, connection)
    assert not isinstance(await town.engine.discover(), tuple)
    town.pass_time(until_probe(town))
    assert not isinstance(await town.engine.discover(), tuple), "it is still down"
    town.bank.mend()
    assert not isinstance(await town.engine.discover(), tuple), "not before its time"
    assert isinstance(await town.engine.discover(attended=True), tuple), "but a person need not wait for it"
    await fail_until_open(town, connection)
    town.bank.mend()
    town.pass_time(until_probe(town))
    assert isinstance(await town.engine.discover(), tuple)
    assert breakers(town) == {}


async def test_F55_a_computer_without_a_network_blames_nobody(town: Town) -> None:
    connection = await town.linked()
    await fail_until_open(town, connection)
    town.pass_time(until_probe(town))
    town.bank.mend()
    town.bank.faults({"route": "GET /2.0/", "kind": "html", "times": None})
    outcome = await town.sync(connection)
    assert outcome.condition is Condition.OFFLINE
    assert breakers(town)["host"] is BreakerState.OPEN
    town.bank.mend()
    town.pass_time(until_probe(town))
    assert (await town.sync(connection)).condition in {Condition.OK, Condition.COMING_BACK}
    assert breakers(town) == {}


async def test_F33_a_provider_that_fails_while_a_link_is_removed_is_still_known_to_fail(town: Town) -> None:
    connection = await town.linked()
    town.store.write_now(lambda tx: links.close(tx, town.local_id(connection), town.clock.now()))
    town.bank.faults(DOWN)
    await town.sync(connection)
    (host,) = town.store.read_now(limits.breakers)
    assert (host.subject.partition(":")[0], host.failures) == ("host", 1)


async def test_a_token_renewed_on_the_way_is_written_down(town: Town) -> None:
    connection = await town.linked()
    town.bank.faults({"route": "GET /2.0/users/me/connections", "kind": "unauthorized", "times": 1})
    assert (await town.sync(connection)).condition is Condition.OK
    town.bank.faults({"route": "GET /2.0/users/me/connections", "kind": "unauthorized", "times": 1})
    town.pass_time(2 * 3_600)
    assert isinstance(await town.engine.discover(), tuple)
    assert events(town) == ["token_renewed", "token_renewed"]


async def test_F53_a_try_planned_by_a_clock_that_was_wrong_does_not_wait_for_years(town: Town) -> None:
    connection = await town.linked()
    real = town.clock.now()
    town.clock.set_wall(real.replace(year=2099))
    town.bank.faults(DOWN)
    await town.sync(connection)
    assert town.due() == ()
    town.clock.set_wall(real)
    town.bank.mend()
    assert town.due() == (town.local_id(connection),)
    assert (await town.sync(connection)).condition is Condition.OK
