"""The end of a consent is told in time, and each warning once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain import consent
from obdesk.domain.ids import ConnectionId
from tests.fakes import SOME_MORNING as NOW


@pytest.mark.parametrize(
    ("left", "warning", "days"),
    [
        (timedelta(days=30, seconds=1), None, 31),
        (timedelta(days=30), 30, 30),
        (timedelta(days=13, hours=5), 14, 14),
        (timedelta(days=7), 7, 7),
        (timedelta(hours=20), 1, 1),
        (timedelta(0), 0, 0),
        (timedelta(days=-400), 0, 0),
    ],
)
def test_F28_the_warnings_and_the_days_they_say(left: timedelta, warning: int | None, days: int) -> None:
    assert consent.reached(NOW + left, NOW) == warning
    assert consent.days_left(NOW + left, NOW) == days


@given(st.lists(st.floats(0.001, 40), min_size=1, max_size=60))
def test_F28_however_seldom_the_program_runs_no_warning_comes_twice(gaps_days: list[float]) -> None:
    ending = consent.Ending(ConnectionId(3), "Banque du Port", NOW + timedelta(days=45))
    told: set[str] = set()
    warnings = []
    now = NOW
    for gap in gaps_days:
        now += timedelta(days=gap)
        warning = consent.reached(ending.expires_at, now)
        if warning is not None:
            keys = consent.keys(ending, warning)
            if keys[0] not in told:
                warnings.append(warning)
            told.update(keys)
    assert warnings == sorted(set(warnings), reverse=True)
    if now >= ending.expires_at:
        assert warnings[-1] == 0
