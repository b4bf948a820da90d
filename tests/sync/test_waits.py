"""Every wait in numbers: its shortest and its longest, and the very moment at which it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import Trigger
from obdesk.domain.limits import BankCall, Breaker, BreakerState
from obdesk.domain.outcomes import Broken, RetryLater
from obdesk.sync import erasing, policy
from tests.fakes import SOME_MORNING as NOW
from tests.sync.bench import Longest, Shortest

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DOWN, BUSY, REFUSES = Condition.PROVIDER_DOWN, Condition.PROVIDER_BUSY, Condition.PROVIDER_REFUSES
WELL = Breaker("host:bank.example", BreakerState.CLOSED, 0, 0, Condition.OK, None, None)
OPEN = Breaker("host:bank.example", BreakerState.OPEN, 5, 1, DOWN, NOW - HOUR, NOW + HOUR)


def range_s(condition: Condition, failures: int) -> tuple[float, float]:
    found = [policy.retry_at(NOW, condition, failures, None, rng) for rng in (Shortest(), Longest())]
    near, far = ((each - NOW).total_seconds() for each in found if each)
    return near, far


@pytest.mark.parametrize(
    ("failures", "longest_s"), [(0, 120), (1, 240), (2, 480), (3, 960), (4, 1_920), (5, 4_500), (99, 4_500)]
)
def test_F02_backoff_doubles_from_two_minutes_and_then_stays_at_an_hour(
    failures: int, longest_s: float
) -> None:
    assert range_s(DOWN, failures) == (2_700 if failures >= 5 else 60, longest_s)


@pytest.mark.parametrize(("failures", "about_h"), [(0, 1), (1, 2), (2, 4), (3, 4), (2_000, 4)])
def test_what_must_not_be_hurried_is_tried_hourly_and_then_every_four_hours(
    failures: int, about_h: int
) -> None:
    assert range_s(Condition.BANK_THROTTLES, failures) == (about_h * 2_700, about_h * 4_500)


@pytest.mark.parametrize(
    ("trips", "about_s"), [(1, 300), (2, 600), (3, 1_200), (4, 2_400), (5, 3_600), (2_000, 3_600)]
)
def test_F02_tries_of_a_breaker_come_after_five_minutes_and_then_ever_more_rarely(
    trips: int, about_s: float
) -> None:
    out = replace(OPEN, state=BreakerState.HALF_OPEN, trips=trips - 1)
    for rng, share in ((Shortest(), 0.75), (Longest(), 1.25)):
        after = policy.after_failure(out, DOWN, NOW, None, rng)
        assert after == replace(
            OPEN, failures=6, trips=trips, probe_at=NOW + timedelta(seconds=about_s * share)
        )


def test_F02_the_fifth_failure_in_a_row_opens_a_breaker_and_the_fourth_does_not() -> None:
    third = replace(WELL, failures=3, since=NOW - HOUR, reason=BUSY)
    fourth = policy.after_failure(third, DOWN, NOW, 900.0, Longest())
    assert fourth == replace(third, failures=4, reason=DOWN)
    fifth = policy.after_failure(fourth, BUSY, NOW, None, Longest())
    assert fifth == replace(OPEN, reason=BUSY, probe_at=NOW + 375 * SECOND)
    wished = policy.after_failure(fourth, BUSY, NOW, 900.0, Longest())
    assert wished.probe_at == NOW + 15 * MINUTE


def test_a_failure_behind_an_open_breaker_moves_its_try_only_where_somebody_said_when() -> None:
    assert policy.after_failure(OPEN, BUSY, NOW, None, Longest()) == replace(OPEN, failures=6, reason=BUSY)
    told = policy.after_failure(OPEN, BUSY, NOW, 0.0, Longest())
    assert told.probe_at == NOW + SECOND, "nobody is asked again at once"
    refused = replace(OPEN, reason=REFUSES, probe_at=None)
    assert policy.after_failure(refused, DOWN, NOW, None, Longest()).probe_at == NOW


def test_F27_a_refusal_waits_for_the_person_from_whatever_state_it_comes() -> None:
    for breaker in (WELL, OPEN, replace(OPEN, state=BreakerState.HALF_OPEN)):
        refused = policy.after_failure(breaker, REFUSES, NOW, 60.0, Longest())
        assert (refused.state, refused.reason, refused.probe_at) == (BreakerState.OPEN, REFUSES, None)
        assert refused.failures == breaker.failures + 1
        assert refused.since == (breaker.since or NOW)
        assert refused.trips == breaker.trips


def test_a_try_that_told_nothing_is_made_again_in_about_five_minutes() -> None:
    out = replace(OPEN, state=BreakerState.HALF_OPEN, trips=4)
    for rng, wait_s in ((Shortest(), 225), (Longest(), 375)):
        assert policy.after_nothing(out, NOW, rng) == replace(OPEN, trips=4, probe_at=NOW + wait_s * SECOND)
    assert policy.after_nothing(OPEN, NOW, Longest()) == OPEN


def test_a_try_has_ten_minutes_before_it_counts_as_lost() -> None:
    probe = policy.admit(OPEN, NOW + HOUR, attended=False)
    assert probe == (
        True,
        replace(OPEN, state=BreakerState.HALF_OPEN, probe_at=NOW + HOUR + 10 * MINUTE),
        True,
    )
    assert not policy.admit(probe.breaker, NOW + HOUR + 10 * MINUTE - SECOND, attended=False).may_ask
    assert policy.admit(probe.breaker, NOW + HOUR + 10 * MINUTE, attended=False).is_probe


def test_nobody_is_asked_a_second_before_the_time_of_a_try_has_come() -> None:
    early = policy.admit(OPEN, NOW + HOUR - SECOND, attended=False)
    assert early == (False, OPEN, False)
    assert policy.admit(OPEN, NOW, attended=True) == (True, OPEN, False)
    busy = replace(OPEN, reason=BUSY)
    assert policy.admit(busy, NOW, attended=True) == (False, busy, False)
    assert policy.admit(WELL, NOW, attended=False) == (True, WELL, False)


def test_F53_what_is_planned_more_than_25_hours_ahead_was_planned_by_a_wrong_clock() -> None:
    for ahead, is_ahead in (
        (timedelta(0), False),
        (SECOND, True),
        (25 * HOUR, True),
        (25 * HOUR + SECOND, False),
        (-SECOND, False),
    ):
        assert policy.lies_ahead(NOW + ahead, NOW) is is_ahead
    assert policy.lies_ahead(None, NOW) is False


def test_F03_who_says_when_to_come_again_is_believed_between_a_second_and_a_day() -> None:
    for wished_s, wait in ((0.0, SECOND), (1.5, 1.5 * SECOND), (900.0, 15 * MINUTE), (9e9, 24 * HOUR)):
        told = policy.told_to_wait(WELL, BUSY, NOW, wished_s)
        assert told == replace(WELL, state=BreakerState.OPEN, since=NOW, reason=BUSY, probe_at=NOW + wait)
    assert policy.told_to_wait(OPEN, BUSY, NOW, 5.0).since == OPEN.since


@pytest.mark.parametrize("condition", Condition)
def test_what_the_aggregator_holds_is_read_where_only_the_bank_could_not_be(condition: Condition) -> None:
    reads_on = condition in {Condition.PROVIDER_BUSY, Condition.BANK_THROTTLES, Condition.BANK_DOWN}
    assert policy.reads_on(RetryLater(condition)) is reads_on
    assert policy.reads_on(Broken(condition, "")) is reads_on
    assert policy.reads_on(RetryLater(condition, 60.0)) is False
    assert policy.reads_on(RetryLater(condition, 0.0)) is False


def test_F02_who_comes_back_waits_as_long_as_the_outage_was_and_at_most_about_a_turn() -> None:
    for away, longest_s in ((-HOUR, 0), (timedelta(0), 0), (HOUR, 4_500), (4 * HOUR, 18_000)):
        assert policy.comeback_s(away, Longest()) == longest_s
        assert policy.comeback_s(away, Shortest()) == 0
    assert policy.comeback_s(timedelta(days=400), Longest()) == 18_000


@pytest.mark.parametrize("trigger", Trigger)
def test_how_many_reads_of_a_bank_each_may_make_in_a_day(trigger: Trigger) -> None:
    most = {Trigger.PERSON: 99, Trigger.LINK: 4}.get(trigger, 3)
    for made in range(6):
        calls = [BankCall(NOW - n * HOUR, attended=False) for n in range(made)]
        assert policy.has_budget(calls, trigger, NOW) is (made < most)


def test_a_bank_nobody_asked_about_is_read_after_26_hours_and_six_hours_apart() -> None:
    def wants(data: timedelta, *calls: timedelta) -> bool:
        made = [BankCall(NOW - each, attended=False) for each in calls]
        return policy.wants_bank(NOW - data, made, Trigger.START, NOW)

    assert not wants(26 * HOUR)
    assert wants(26 * HOUR + SECOND)
    assert wants(48 * HOUR, 6 * HOUR)
    assert not wants(48 * HOUR, 6 * HOUR - SECOND)
    assert not wants(48 * HOUR, 12 * HOUR, HOUR)


@pytest.mark.parametrize(
    ("attempts", "bound_s"), [(0, 60), (1, 120), (10, 61_440), (11, 86_400), (5_000, 86_400)]
)
def test_F34_an_erasure_is_tried_again_after_a_minute_and_at_last_once_a_day(
    attempts: int, bound_s: float
) -> None:
    for rng, wait_s in ((Shortest(), bound_s / 2), (Longest(), bound_s)):
        assert erasing.next_try(NOW, attempts, None, rng) == NOW + timedelta(seconds=wait_s)


def test_a_clock_that_stands_still_does_not_make_a_sync_read_everything() -> None:
    for ago, is_full in ((timedelta(0), False), (7 * 24 * HOUR - SECOND, False), (-SECOND, True)):
        assert policy.wants_full("c", NOW - ago, NOW) is is_full
