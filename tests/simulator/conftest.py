from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from obdesk.simulator.options import Options
from obdesk.simulator.server import Simulator, running
from tests.simulator.person import Client, Person

if TYPE_CHECKING:
    from collections.abc import Iterator

START = "2026-02-03T08:00:00+00:00"


@pytest.fixture(scope="session")
def served() -> Iterator[Simulator]:
    """Serve one simulator over real HTTP for all tests; each test starts it over."""
    with running(Simulator(options=Options(history_days=240))) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def pool() -> Iterator[httpx.Client]:
    """Keep connections open between tests."""
    with httpx.Client(timeout=30, follow_redirects=False) as client:
        yield client


@pytest.fixture
def client(served: Simulator, pool: httpx.Client) -> Client:
    """Give a client of a fresh world whose clock stands still, with no surprises on refresh."""
    fresh = Client(served, pool)
    fresh.control("POST", "/reset", {"start": START, "frozen": True})
    fresh.switch(refresh_adds_rows=False)
    return fresh


@pytest.fixture
def me(client: Client) -> Client:
    """Give a client that signed up."""
    return client.sign_up()


@pytest.fixture
def person(me: Client) -> Person:
    """Give a person whose application signed up."""
    return Person(me)
