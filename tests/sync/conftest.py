"""A town for each test: the simulator in a thread, a ledger in a file, coroutines on asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.simulator.server import running
from obdesk.storage.store import Store
from tests.fakes import FrozenClock
from tests.flows.town import Bankside, Town, small_simulator
from tests.seed import KEY, NOW
from tests.sync.bench import Bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def bank(clock: FrozenClock) -> Iterator[Bankside]:
    """Give the simulated banks, served on loopback."""
    with running(small_simulator(clock)) as served:
        counter = Bankside(served)
        yield counter
        counter.close()


@pytest.fixture
async def town(tmp_path: Path, bank: Bankside, clock: FrozenClock) -> AsyncIterator[Town]:
    """Give one person's ledger before the banks."""
    async with Town(tmp_path, bank, clock) as made:
        yield made


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Give one link before an aggregator that answers what it is told to."""
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Bench(store, FrozenClock(NOW))
