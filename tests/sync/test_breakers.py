"""Who does not answer is spared: breakers under any history, and how many come back at once."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from obdesk.domain.conditions import Condition
from obdesk.domain.limits import Breaker, BreakerState
from obdesk.sync import policy
from tests.fakes import SOME_MORNING as NOW

WELL = Breaker("host:bank.example", BreakerState.CLOSED, 0, 0, Condition.OK, None, None)
DOWN = Condition.PROVIDER_DOWN


def chance(seed: int = 1) -> Random:
    return Random(seed)  # noqa: S311 - chance, not secrets


def failed(times: int, now: datetime = NOW, condition: Condition = DOWN) -> Breaker:
    breaker = WELL
    for _ in range(times):
        breaker = policy.after_failure(breaker, condition, now, None, chance())
    return breaker


def test_F02_failures_in_a_row_open_it_and_one_try_at_a_time_closes_it() -> None:
    almost = failed(policy.OPENS_AFTER - 1)
    assert policy.admit(almost, NOW, attended=False).may_ask
    opened = failed(policy.OPENS_AFTER)
    assert (opened.state, opened.since, opened.reason) == (BreakerState.OPEN, NOW, DOWN)
    assert not policy.admit(opened, NOW, attended=False).may_ask
    assert opened.probe_at is not None
    probe = policy.admit(opened, opened.probe_at, attended=False)
    assert probe.may_ask
    assert probe.is_probe
    assert not policy.admit(probe.breaker, opened.probe_at, attended=False).may_ask, "one is enough"
    assert policy.after_success(probe.breaker) == WELL
    again = policy.after_failure(probe.breaker, DOWN, opened.probe_at, None, chance())
    assert (again.state, again.since) == (BreakerState.OPEN, NOW)


def test_F02_tries_of_somebody_down_for_days_come_about_once_an_hour() -> None:
    breaker, now, tries = failed(policy.OPENS_AFTER), NOW, 0
    while now < NOW + timedelta(days=3):
        assert breaker.probe_at is not None
        now = breaker.probe_at
        breaker = policy.admit(breaker, now, attended=False).breaker
        breaker = policy.after_failure(breaker, DOWN, now, None, chance(tries))
        tries += 1
    assert 60 <= tries <= 90
    assert breaker.since == NOW


def test_a_try_that_was_lost_in_a_crash_is_made_again() -> None:
    opened = failed(policy.OPENS_AFTER)
    assert opened.probe_at is not None
    out = policy.admit(opened, opened.probe_at, attended=False).breaker
    later = opened.probe_at + policy.PROBE_LEASE
    assert policy.admit(out, later, attended=False).is_probe


def test_a_person_who_waits_is_a_try_at_any_time_and_changes_no_plan() -> None:
    opened = failed(policy.OPENS_AFTER)
    verdict = policy.admit(opened, NOW, attended=True)
    assert verdict.may_ask
    assert verdict.breaker == opened
    after = policy.after_failure(opened, DOWN, NOW + timedelta(seconds=9), None, chance())
    assert (after.probe_at, after.trips) == (opened.probe_at, opened.trips)


def test_F03_F04_somebody_who_said_how_long_to_wait_is_not_asked_before_even_for_a_person() -> None:
    busy = failed(policy.OPENS_AFTER - 1, condition=Condition.PROVIDER_BUSY)
    opened = policy.after_failure(busy, Condition.PROVIDER_BUSY, NOW, 7_200.0, chance())
    assert opened.probe_at == NOW + timedelta(hours=2)
    assert not policy.admit(opened, NOW + timedelta(hours=1), attended=True).may_ask
    longer = policy.after_failure(opened, Condition.PROVIDER_BUSY, NOW, 9_000.0, chance())
    assert longer.probe_at == NOW + timedelta(hours=2.5)


def test_F27_who_refuses_us_is_not_asked_again_until_the_person_acts() -> None:
    refused = policy.after_failure(WELL, Condition.PROVIDER_REFUSES, NOW, None, chance())
    for days in (0, 1, 400):
        assert not policy.admit(refused, NOW + timedelta(days=days), attended=False).may_ask
    assert policy.admit(refused, NOW, attended=True).may_ask
    still = policy.after_failure(refused, DOWN, NOW, None, chance())
    assert still.probe_at is not None, "once it fails another way it may be tried again"


def test_a_try_without_a_network_decides_nothing() -> None:
    opened = failed(policy.OPENS_AFTER)
    assert opened.probe_at is not None
    out = policy.admit(opened, opened.probe_at, attended=False).breaker
    undecided = policy.after_nothing(out, opened.probe_at, chance())
    assert (undecided.state, undecided.trips) == (BreakerState.OPEN, opened.trips)
    assert policy.after_nothing(WELL, NOW, chance()) == WELL


def test_F53_a_clock_set_back_by_years_does_not_keep_it_open_for_years() -> None:
    opened = failed(policy.OPENS_AFTER, now=NOW.replace(year=2099))
    assert policy.admit(opened, NOW, attended=False).is_probe


@pytest.mark.parametrize("condition", Condition)
def test_only_what_is_somebodys_doing_is_held_against_them(condition: Condition) -> None:
    host, link = policy.sign_of_host(condition), policy.sign_of_connection(condition)
    assert [host, link].count(policy.Sign.FAILING) <= 1
    if condition is Condition.OFFLINE:
        assert host is link is policy.Sign.NOTHING


class Breakers(RuleBasedStateMachine):
    """Any history of failures, answers, waiting, crashes and clock jumps."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker, self.now, self.rng = WELL, NOW, chance()

    @rule(
        condition=st.sampled_from([DOWN, Condition.PROVIDER_BUSY]),
        after_s=st.none() | st.floats(-10, 1e9),
    )
    def fails(self, condition: Condition, after_s: float | None) -> None:
        verdict = policy.admit(self.breaker, self.now, attended=False)
        if verdict.may_ask:
            self.breaker = policy.after_failure(verdict.breaker, condition, self.now, after_s, self.rng)

    @rule()
    def crashes_while_it_tries(self) -> None:
        self.breaker = policy.admit(self.breaker, self.now, attended=False).breaker

    @rule()
    def loses_its_network(self) -> None:
        verdict = policy.admit(self.breaker, self.now, attended=False)
        if verdict.may_ask:
            self.breaker = policy.after_nothing(verdict.breaker, self.now, self.rng)

    @precondition(lambda self: policy.admit(self.breaker, self.now, attended=False).may_ask)
    @rule()
    def answers(self) -> None:
        self.breaker = policy.after_success(self.breaker)
        assert self.breaker == replace(WELL, subject=self.breaker.subject)

    @rule(seconds=st.floats(-4e8, 4e8))
    def time_moves(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def there_is_a_way_out(self) -> None:
        later = [self.now + timedelta(hours=hours) for hours in (0, 26)]
        assert any(policy.admit(self.breaker, at, attended=False).may_ask for at in later)


TestBreakers = Breakers.TestCase


class Desktop:
    """One of many: syncs every four hours and waits as the rules say when nobody answers."""

    SYNC_REQUESTS = 4

    def __init__(self, number: int) -> None:
        self.rng = chance(number)
        self.breaker = WELL
        self.failures = 0
        self.waits_for_turn = False

    def first(self) -> datetime:
        return NOW + timedelta(seconds=self.rng.uniform(0, policy.INTERVAL.total_seconds()))

    def act(self, now: datetime, *, up: bool) -> tuple[int, datetime]:
        """Return how many requests are made now, and when it acts next."""
        probing = policy.admit(self.breaker, now, attended=False)
        if not probing.may_ask:
            assert self.breaker.probe_at is not None
            return 0, self.breaker.probe_at
        if not up:
            self.breaker = policy.after_failure(probing.breaker, DOWN, now, None, self.rng)
            again = policy.retry_at(now, DOWN, self.failures, None, self.rng)
            assert again is not None
            self.failures += 1
            return 1, max(again, self.breaker.probe_at or again)
        was, self.breaker = self.breaker, policy.after_success(self.breaker)
        self.failures = 0
        if probing.is_probe and was.since is not None:
            return 1, now + timedelta(seconds=policy.comeback_s(now - was.since, self.rng))
        return self.SYNC_REQUESTS, now + policy.INTERVAL * self.rng.uniform(0.95, 1.05)


@pytest.mark.parametrize("outage_h", [5, 24, 72])
def test_F02_a_thousand_desktops_come_back_without_a_stampede(outage_h: int) -> None:
    desktops = [Desktop(number) for number in range(1_000)]
    down_at = NOW + timedelta(hours=12)
    up_at = down_at + timedelta(hours=outage_h)
    queue = [(each.first(), number) for number, each in enumerate(desktops)]
    heapq.heapify(queue)
    quarters: Counter[int] = Counter()
    while queue[0][0] < up_at + timedelta(hours=12):
        now, number = heapq.heappop(queue)
        asked, again = desktops[number].act(now, up=not down_at <= now < up_at)
        quarters[(now - NOW) // timedelta(minutes=15)] += asked
        heapq.heappush(queue, (again, number))
    steady = sum(quarters[each] for each in range(16, 48)) / 32
    back = [quarters[each] for each in range(48 + 4 * outage_h, 96 + 4 * outage_h)]
    assert 200 < steady < 300
    assert max(back) <= 2 * steady, (max(back), steady)
