"""An erasure that failed is tried again: ever more rarely, at a moment of its own, and never given up."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.conditions import Condition
from obdesk.domain.outcomes import RetryLater
from obdesk.sync.erasing import next_try
from tests.seed import NOW


def wait_s(attempts: int, failure: RetryLater | None = None, seed: int = 7) -> float:
    rng = Random(seed)  # noqa: S311 - chance, not secrets
    return (next_try(NOW, attempts, failure, rng) - NOW).total_seconds()


@given(st.integers(0, 100_000), st.integers(0, 99))
def test_F34_each_try_waits_longer_up_to_a_day(attempts: int, seed: int) -> None:
    bound_s = min(86_400.0, 60.0 * 2 ** min(attempts, 20))
    assert bound_s / 2 <= wait_s(attempts, seed=seed) <= bound_s


def test_F34_desktops_that_failed_together_do_not_come_back_together() -> None:
    assert len({wait_s(3, seed=seed) for seed in range(50)}) == 50


def test_F34_a_wish_of_the_provider_is_honoured_up_to_a_day() -> None:
    asked = [RetryLater(Condition.PROVIDER_BUSY, after_s=each) for each in (0.0, 900.0, 900_000.0)]
    assert [wait_s(3, each) for each in asked] == [1.0, 900.0, 86_400.0]
    assert 240 <= wait_s(3, RetryLater(Condition.PROVIDER_DOWN)) <= 480
