"""What the stories share: an aggregator, and the person's side of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from obdesk.simulator.server import Simulator, running
from obdesk.simulator.switches import Switches
from tests.e2e.aggregator import Aggregator
from tests.e2e.stage import raised_stage
from tests.simulator.person import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

from tests.e2e.stage import Stage


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Give an aggregator whose banks invent nothing by themselves."""
    quiet = Switches(refresh_adds_rows=False)
    with running(Simulator(seed=11, switches=quiet)) as simulator:
        yield simulator


@pytest.fixture
def banks(simulator: Simulator) -> Iterator[Aggregator]:
    """Give the banks behind the aggregator."""
    with httpx.Client(timeout=30, trust_env=False) as http:
        yield Aggregator(Client(simulator, http))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Give a desktop with a keyring."""
    with raised_stage(tmp_path) as stage:
        yield stage
