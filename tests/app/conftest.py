"""A running application on a real file before the simulated banks."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from obdesk.app import background
from obdesk.simulator.server import running
from tests.app.house import House, housed
from tests.app.post import Post
from tests.flows.mailroom import Mailroom
from tests.flows.town import Bankside, small_simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.fakes import FrozenClock


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait for more events about one thing."""
    monkeypatch.setattr(background, "SETTLE_S", 0.0)


@pytest.fixture
def bank(clock: FrozenClock) -> Iterator[Bankside]:
    """Give the simulated banks, served on loopback."""
    with running(small_simulator(clock)) as served:
        counter = Bankside(served)
        yield counter
        counter.close()


@pytest.fixture
async def house(tmp_path: Path, bank: Bankside, clock: FrozenClock) -> AsyncIterator[House]:
    """Give a running application whose aggregator is set up, with nothing linked yet."""
    async with housed(tmp_path / "data", bank, clock) as made:
        await made.configure()
        yield made


@pytest.fixture
def post(house: House) -> Post:
    """Give the house with a relay at hand, which it is no device of yet."""
    return Post(house, Mailroom(house.clock.now, random.Random(7)))  # noqa: S311 - chance, not secrets
