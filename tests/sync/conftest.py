"""A town for each test: the simulator in a thread, a ledger in a file, coroutines on asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.simulator.server import running
from tests.flows.town import Bankside, Town, small_simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.fakes import FrozenClock


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
