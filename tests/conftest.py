"""What all tests share: the guards, the clock, and how hard Hypothesis looks."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from obdesk.domain import texts
from tests.fakes import FrozenClock
from tests.ports import the_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

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


_SHARED_PORTS = frozenset({"test_loopback", "test_linking_journey", "test_linking_hostile", "test_journey"})
"""Modules that are about the ports which the aggregator knows, of which a computer has one set."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together, where several processes run the tests, what shares fixtures or ports."""
    for item in items:
        module = item.path.stem
        group = "ports" if module in _SHARED_PORTS else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(autouse=True)
def ports_to_itself(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let nobody else on this computer link a bank while a test is about the ports for it."""
    with the_ports() if request.path.stem in _SHARED_PORTS else nullcontext():
        yield


@pytest.fixture(autouse=True)
def files_as_usual() -> Iterator[None]:
    """Undo what opening a profile does to the process: later tests make files that others may read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    """Give up the language that a test chose, or a window that it opened: the next one reads English."""
    yield
    texts.install("en", {})


@pytest.fixture
def clock() -> FrozenClock:
    """Give a clock that stands still until the test moves it."""
    return FrozenClock()
