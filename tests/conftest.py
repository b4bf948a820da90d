"""What all tests share: the guards, the clock, and how hard Hypothesis looks."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.fakes import FrozenClock

pytest_plugins = ["tests.guards"]

# No deadline: on a machine shared by two cores a slow example says nothing about the code.
settings.register_profile("default", deadline=None, print_blob=True)
# The same examples each time, so that a failure in continuous integration belongs to its change.
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.register_profile(
    "long",
    settings.get_profile("default"),
    max_examples=2_000,
    stateful_step_count=200,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


@pytest.fixture
def clock() -> FrozenClock:
    """Give a clock that stands still until the test moves it."""
    return FrozenClock()
