"""How often hints are followed, whatever a relay says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from obdesk.sync import policy
from tests.fakes import SOME_MORNING


@given(
    st.lists(st.integers(-90_000, 90_000).map(lambda s: SOME_MORNING + timedelta(seconds=s)), max_size=200)
)
def test_hints_are_never_followed_more_often_than_allowed_and_never_forgotten(reads_made: list[Any]) -> None:
    at = policy.hinted_at(reads_made, SOME_MORNING)
    assert SOME_MORNING <= at <= SOME_MORNING + timedelta(days=1)
    earlier = [min(each, SOME_MORNING) for each in reads_made]
    for most, window in policy.HINTED_MAX:
        assert len([each for each in earlier if each > at - window]) < most or at == SOME_MORNING
