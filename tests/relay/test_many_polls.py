"""A crowd of desktops that wait: each costs little, and what it cost is given back."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tests.relay.places import NOON_US, a_device, a_source, address, mail, token

if TYPE_CHECKING:
    from obdesk.relay.server.store import Store
    from tests.relay.places import Place

_EACH_BYTES = 6 * 1024
_LEFT_BYTES = 64 * 1024


async def _crowd_waits(store: Store, crowd: int, now_us: int) -> tuple[int, int]:
    """Let a crowd wait and go; return what it took of the memory, and what it did not give back."""
    before, _ = tracemalloc.get_traced_memory()
    waits = [asyncio.ensure_future(store.wait(f"desk {desk}", 0, 60)) for desk in range(crowd)]
    await store.ping()
    busy = a_device("busy", a_source())
    await store.deliver(busy.source_id, None, [mail(busy)], now_us)
    taken, _ = tracemalloc.get_traced_memory()
    assert not any(wait.done() for wait in waits)
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    del waits
    await store.ping()  # whatever the loop keeps until its next turn is gone then
    gc.collect()
    left, _ = tracemalloc.get_traced_memory()
    return taken - before, left - before


@pytest.mark.parametrize("crowd", [300, pytest.param(10_000, marks=pytest.mark.long)])
async def test_a_crowd_that_waits_costs_little_and_leaves_nothing(place: Place, crowd: int) -> None:
    async with place.store() as store:
        await store.add_source(a_source(), address(a_source()))
        busy = a_device("busy", a_source())
        await store.add_device(busy, token(busy))
        tracemalloc.start()
        try:
            await _crowd_waits(store, crowd, NOON_US)  # the first makes room that stays
            taken, left = await _crowd_waits(store, crowd, NOON_US + 1)
        finally:
            tracemalloc.stop()

    assert taken < crowd * _EACH_BYTES
    assert left < _LEFT_BYTES
