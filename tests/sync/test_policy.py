"""When a failed sync is tried again, and when everything is read."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.conditions import Condition, Side, explain, mended_by_renewing, side_of
from obdesk.domain.entities import RunResult, SyncKind, Trigger
from obdesk.domain.errors import Action
from obdesk.sync import policy
from tests.fakes import SOME_MORNING as NOW

conditions = st.sampled_from(Condition)


def chance(seed: int = 1) -> Random:
    return Random(seed)  # noqa: S311 - chance, not secrets


@given(conditions, st.integers(0, 5_000), st.integers())
def test_waiting_is_bounded_and_random(condition: Condition, failures: int, seed: int) -> None:
    again = policy.retry_at(NOW, condition, failures, None, chance(seed))
    if again is not None:
        assert timedelta(seconds=60) <= again - NOW <= timedelta(hours=5)


def waits_s(condition: Condition, failures: int, after_s: float | None = None) -> list[float]:
    found = [policy.retry_at(NOW, condition, failures, after_s, chance(seed)) for seed in range(200)]
    return [(each - NOW).total_seconds() for each in found if each]


def test_F01_a_passing_fault_is_tried_again_soon_and_at_no_fixed_time() -> None:
    waits = waits_s(Condition.PROVIDER_FAULT, 0)
    assert max(waits) <= 120
    waits = waits_s(Condition.PROVIDER_FAULT, 3)
    assert max(waits) > 800
    assert len(set(waits)) > 150, "full jitter: those who failed together do not come back together"


def test_F02_after_some_tries_the_schedule_slows_to_an_hour_and_is_never_silent() -> None:
    bounds = [max(waits_s(Condition.PROVIDER_DOWN, failures)) for failures in (0, 2, 4, 6, 1_000)]
    assert bounds[:3] == sorted(bounds[:3])
    for failures in (policy.FAST_TRIES, 50, 5_000):
        slow = waits_s(Condition.PROVIDER_DOWN, failures)
        assert len(slow) == 200
        assert 45 * 60 <= min(slow) <= max(slow) <= 75 * 60


def test_a_bank_that_asks_for_calm_gets_it() -> None:
    assert min(waits_s(Condition.BANK_THROTTLES, 0)) >= 45 * 60
    assert min(waits_s(Condition.BANK_THROTTLES, 9)) >= 3 * 3600


@pytest.mark.parametrize(
    ("wished_s", "waits"),
    [(30.0, 30), (0.0, 1), (-5.0, 1), (400 * 86_400.0, 86_400), (float("inf"), 86_400)],
)
def test_F03_a_wish_of_the_provider_is_honoured_within_reason(wished_s: float, waits: float) -> None:
    again = policy.retry_at(NOW, Condition.PROVIDER_BUSY, 9, wished_s, chance())
    assert again == NOW + timedelta(seconds=waits)


@given(conditions, st.one_of(st.none(), st.floats(0, 1e9)))
def test_what_only_the_person_can_mend_is_never_tried_by_itself(
    condition: Condition, after_s: float | None
) -> None:
    again = policy.retry_at(NOW, condition, 3, after_s, chance())
    waits = policy.reaction_to(condition) in {policy.Reaction.WAIT_FOR_PERSON, policy.Reaction.STOP}
    assert (again is None) == waits


@pytest.mark.parametrize("condition", Condition)
def test_no_condition_is_without_a_way_out(condition: Condition) -> None:
    match policy.reaction_to(condition):
        case policy.Reaction.GO_ON | policy.Reaction.RETRY_SOON | policy.Reaction.RETRY_SLOW:
            assert policy.retry_at(NOW, condition, 10_000, None, chance()) is not None
        case policy.Reaction.WAIT_FOR_PERSON:
            told = explain(condition, "Banque du Port")
            assert told.action not in {Action.NONE, Action.WAIT}, "one button helps"
        case policy.Reaction.STOP:
            assert explain(condition, "Banque du Port").action is Action.LINK_BANK


@pytest.mark.parametrize("condition", Condition)
def test_F29_F31_nothing_that_could_lock_a_login_or_send_a_code_is_done_by_itself(
    condition: Condition,
) -> None:
    for trigger in set(Trigger) - {Trigger.PERSON}:
        may = policy.may_ask_bank(condition, None, trigger, NOW)
        assert not (may and (mended_by_renewing(condition) or side_of(condition) is Side.YOU))
        assert not (may and condition is Condition.VALIDATING)
    assert policy.may_ask_bank(condition, None, Trigger.PERSON, NOW) is (not mended_by_renewing(condition))


def test_F28_a_bank_whose_consent_is_over_is_not_asked_by_itself() -> None:
    for ends_at, may in ((NOW, False), (NOW + timedelta(seconds=1), True), (None, True)):
        assert policy.may_ask_bank(Condition.OK, ends_at, Trigger.SCHEDULE, NOW) is may


@pytest.mark.parametrize(
    ("cursor", "days_ago", "full"),
    [
        (None, 1, True),
        ("c", None, True),
        ("c", 0, False),
        ("c", 6.9, False),
        ("c", 7, True),
        ("c", 400, True),
        ("c", -1, True),
    ],
)
def test_everything_is_read_at_first_weekly_and_when_a_clock_was_set_back(
    cursor: str | None, days_ago: float | None, *, full: bool
) -> None:
    last = None if days_ago is None else NOW - timedelta(days=days_ago)
    assert policy.wants_full(cursor, last, NOW) is full


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        (Condition.NEEDS_SCA, RunResult.ACTION_NEEDED),
        (Condition.WRONG_PASSWORD, RunResult.ACTION_NEEDED),
        (Condition.BANK_DOWN, RunResult.RETRY_LATER),
        (Condition.UNKNOWN_STATE, RunResult.BROKEN),
    ],
)
def test_a_link_in_trouble_is_never_told_as_up_to_date(condition: Condition, result: RunResult) -> None:
    assert policy.result_of(condition, changed=True) is result
    assert policy.result_of(condition, changed=False) is result


def test_a_link_that_is_well_says_whether_anything_came() -> None:
    assert policy.result_of(Condition.OK, changed=True) is RunResult.UPDATED
    assert policy.result_of(Condition.OK, changed=False) is RunResult.UNCHANGED


def test_how_much_is_read_depends_on_what_was_read_before() -> None:
    assert policy.kind_of(None, None, NOW) is SyncKind.FULL
    assert policy.kind_of("c", NOW, NOW + timedelta(days=1)) is SyncKind.DELTA
    assert policy.kind_of("c", NOW, NOW + timedelta(days=7)) is SyncKind.RECONCILE
    assert policy.kind_of("c", None, NOW) is SyncKind.RECONCILE


SOON = {
    Condition.VALIDATING, Condition.BANK_DOWN, Condition.PROVIDER_FAULT, Condition.PROVIDER_DOWN,
    Condition.PROVIDER_BUSY, Condition.BAD_ANSWER, Condition.OFFLINE, Condition.COMING_BACK,
}  # fmt: skip
SLOWLY = {Condition.BANK_THROTTLES, Condition.NOT_SUPPORTED, Condition.STUCK, Condition.UNKNOWN_STATE}
WELL = {Condition.OK, Condition.NEVER_SYNCED}


@pytest.mark.parametrize("condition", Condition)
def test_what_the_program_does_by_itself_about_each_condition(condition: Condition) -> None:
    reaction = policy.reaction_to(condition)
    assert (reaction is policy.Reaction.GO_ON) is (condition in WELL)
    assert (reaction is policy.Reaction.RETRY_SOON) is (condition in SOON)
    assert (reaction is policy.Reaction.RETRY_SLOW) is (condition in SLOWLY)
    assert (reaction is policy.Reaction.STOP) is (condition is Condition.GONE)


@pytest.mark.parametrize("condition", Condition)
def test_whose_failure_each_condition_is(condition: Condition) -> None:
    of_host = {Condition.PROVIDER_DOWN, Condition.PROVIDER_BUSY, Condition.PROVIDER_REFUSES}
    host, link = policy.sign_of_host(condition), policy.sign_of_connection(condition)
    if condition is Condition.OFFLINE:
        assert host is link is policy.Sign.NOTHING
    elif condition in of_host:
        assert (host, link) == (policy.Sign.FAILING, policy.Sign.NOTHING)
    else:
        is_failing = condition in SOON | SLOWLY
        assert (host, link) == (policy.Sign.FINE, policy.Sign.FAILING if is_failing else policy.Sign.FINE)


@pytest.mark.parametrize("condition", Condition)
def test_who_may_ask_a_bank_without_its_person(condition: Condition) -> None:
    may = condition in (WELL | SOON | SLOWLY) - {Condition.VALIDATING}
    for trigger in set(Trigger) - {Trigger.PERSON}:
        assert policy.may_ask_bank(condition, NOW + timedelta(days=1), trigger, NOW) is may


def test_what_a_person_asks_for_is_no_reason_to_ask_unasked() -> None:
    for trigger in (Trigger.PERSON, Trigger.LINK):
        assert policy.wants_bank(NOW - timedelta(days=9), [], trigger, NOW) is False
