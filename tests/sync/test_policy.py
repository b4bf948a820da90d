"""When a failed sync is tried again, and when everything is read."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.conditions import Condition, Side, heals_alone, side_of
from obdesk.domain.entities import RunResult, SyncKind
from obdesk.sync import policy
from tests.fakes import SOME_MORNING as NOW

conditions = st.sampled_from(Condition)


@given(conditions, st.integers(0, 5_000), st.integers())
def test_waiting_is_bounded_and_random(condition: Condition, failures: int, seed: int) -> None:
    again = policy.retry_at(NOW, condition, failures, None, Random(seed))  # noqa: S311 - chance, not secrets
    if again is not None:
        waits = again - NOW
        assert timedelta(seconds=60) <= waits <= timedelta(hours=4)


def test_the_bound_grows_with_each_failure_and_then_no_more() -> None:
    def longest(failures: int) -> float:
        waits = [
            policy.retry_at(NOW, Condition.BANK_DOWN, failures, None, Random(seed))  # noqa: S311 - chance, not secrets
            for seed in range(200)
        ]
        return max((each - NOW).total_seconds() for each in waits if each)

    bounds = [longest(failures) for failures in (0, 2, 4, 6, 20)]
    assert bounds == sorted(bounds)
    assert bounds[0] <= 120
    assert bounds[-1] > 3 * 3600


@pytest.mark.parametrize(
    ("wished_s", "waits_s"),
    [(30.0, 30), (0.0, 1), (-5.0, 1), (400 * 86_400.0, 86_400), (float("inf"), 86_400)],
)
def test_a_wish_of_the_provider_is_honoured_within_reason(wished_s: float, waits_s: float) -> None:
    again = policy.retry_at(NOW, Condition.PROVIDER_BUSY, 9, wished_s, Random(1))  # noqa: S311 - chance, not secrets
    assert again == NOW + timedelta(seconds=waits_s)


@given(conditions, st.one_of(st.none(), st.floats(0, 1e9)))
def test_what_only_the_person_can_mend_is_never_tried_by_itself(
    condition: Condition, after_s: float | None
) -> None:
    again = policy.retry_at(NOW, condition, 3, after_s, Random(1))  # noqa: S311 - chance, not secrets
    waits_for_the_person = side_of(condition) is Side.YOU and not heals_alone(condition)
    assert (again is None) == waits_for_the_person


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
