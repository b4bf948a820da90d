"""Never more requests in a minute than allowed: waiting, not failing, also across a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.app.pacing import HostPace
from obdesk.providers import counting
from obdesk.storage.store import Store
from tests.providers.conftest import Naps
from tests.seed import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.app.house import House
    from tests.fakes import FrozenClock

pytestmark = pytest.mark.anyio
HOST = "acme.biapi.pro"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "ledger.db", KEY) as made:
        yield made


def counted(store: Store) -> int:
    rows = store.read_now(lambda opened: opened.execute("SELECT sum(calls) FROM host_calls").fetchone())
    return int(rows[0])


async def test_no_minute_has_more_requests_than_allowed(store: Store, clock: FrozenClock) -> None:
    pace, sent = HostPace(store, HOST, 30, clock, Naps(clock)), []
    waited = counting.begin()
    told: list[float] = []
    waited.on_wait = told.append
    for number in range(200):
        await pace.turn()
        sent.append(clock.monotonic_s())
        clock.advance(0.1 * (number % 7))
    most = max(sum(start <= at < start + 60 for at in sent) for start in sent)
    assert most == 30
    assert sent[-1] - sent[0] < 200 / 30 * 60 + 60, "nor is it slower than it has to be"
    assert told, "whoever has a deadline hears of the waiting"
    assert counted(store) == 200


async def test_a_program_that_comes_back_knows_what_it_asked(store: Store, clock: FrozenClock) -> None:
    naps = Naps(clock)
    first = HostPace(store, HOST, 30, clock, naps)
    for _ in range(30):
        await first.turn()
    assert naps.taken == []
    again = HostPace(store, HOST, 30, clock, naps)
    await again.turn()
    assert sum(naps.taken) == pytest.approx(60)


async def test_requests_are_counted_where_nothing_limits_them(house: House) -> None:
    await house.linked()
    (outcome,) = await house.sync()
    asked = [each for each in house.bank.requests() if "/2.0/" in each]
    assert outcome.requests > 2
    assert 0 < counted(house.store) <= len(asked)
