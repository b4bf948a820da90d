"""No figure looks fresher than it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.freshness import FreshnessState, age_state, oldest, worst

NOW = datetime(2026, 3, 17, 8, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
FRESH, AGEING, STALE, UNKNOWN = (
    FreshnessState.FRESH,
    FreshnessState.AGEING,
    FreshnessState.STALE,
    FreshnessState.UNKNOWN,
)
instants = st.datetimes(datetime(1970, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone comes last


@pytest.mark.parametrize(
    ("asked_h", "data_h", "state"),
    [
        (0, 0, FRESH),
        (8, 26, FRESH),
        (8.1, 1, AGEING),
        (0, 26.1, AGEING),
        (0, 74, AGEING),
        (0, 74.1, STALE),
        (200, 200, STALE),
        (-1, 0, UNKNOWN),
        (0, -1, UNKNOWN),
        (-0.05, 0, FRESH),
    ],
)
def test_both_clocks_count(asked_h: float, data_h: float, state: FreshnessState) -> None:
    assert age_state(NOW - asked_h * HOUR, NOW - data_h * HOUR, NOW) is state


def test_a_figure_without_a_date_is_unknown() -> None:
    assert age_state(None, NOW, NOW) is UNKNOWN
    assert age_state(NOW, None, NOW) is UNKNOWN


@given(instants, instants, instants)
def test_waiting_never_makes_a_figure_fresher(asked: datetime, data: datetime, now: datetime) -> None:
    rank = [FRESH, AGEING, STALE]
    before, after = age_state(asked, data, now), age_state(asked, data, now + 5 * HOUR)
    if before is UNKNOWN:
        return  # the clock was set back; it may come right again
    assert after in rank
    assert rank.index(after) >= rank.index(before)


@given(instants, instants, instants)
def test_a_future_instant_is_never_fresh(asked: datetime, data: datetime, now: datetime) -> None:
    if max(asked, data) > now + timedelta(minutes=5):
        assert age_state(asked, data, now) is UNKNOWN


@given(st.lists(st.sampled_from(FreshnessState), min_size=1))
def test_a_group_shows_its_worst_member(states: list[FreshnessState]) -> None:
    order = list(FreshnessState)
    assert worst(states) is order[max(order.index(state) for state in states)]


def test_an_empty_group_is_unknown() -> None:
    assert worst([]) is UNKNOWN


@given(st.lists(instants, min_size=1))
def test_a_total_is_as_old_as_its_oldest_part(parts: list[datetime]) -> None:
    assert oldest(list(parts)) == min(parts)
    assert oldest([*parts, None]) is None
    assert oldest([]) is None
