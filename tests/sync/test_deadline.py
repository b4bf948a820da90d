"""No sync hangs, and none is given up because it had to wait for its turn."""

from __future__ import annotations

import asyncio

import pytest

from obdesk.providers import counting
from obdesk.sync.deadline import reading_within

pytestmark = pytest.mark.anyio


async def test_F05_reading_ends_at_its_bound_and_not_before_by_waiting_for_a_turn() -> None:
    requests = counting.begin()
    loop = asyncio.get_running_loop()
    passed = asyncio.Event()
    async with reading_within(0.02, requests):
        counting.waits(3_600)
        loop.call_later(0.06, passed.set)
        await passed.wait()

    async def hang() -> None:
        async with reading_within(0.02, requests):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await hang()
    counting.waits(1)  # nobody's bound any more


async def test_F05_what_is_too_late_already_cannot_put_its_end_off() -> None:
    async def wait_too_long() -> None:
        async with reading_within(0.0, counting.begin()):
            try:
                await asyncio.Event().wait()
            finally:
                counting.waits(3_600)

    with pytest.raises(TimeoutError):
        await wait_too_long()


async def test_a_read_that_is_quick_enough_ends_by_itself() -> None:
    done = asyncio.Event()
    async with reading_within(60, counting.begin()):
        asyncio.get_running_loop().call_soon(done.set)
        await done.wait()


async def test_a_wait_for_a_turn_comes_on_top_of_what_is_left() -> None:
    done = asyncio.Event()
    async with reading_within(60, counting.begin()):
        counting.waits(0.001)
        asyncio.get_running_loop().call_later(0.02, done.set)
        await done.wait()


async def test_F05_a_sync_that_had_to_wait_for_its_turn_has_its_bound_all_the_same() -> None:
    async def hang() -> None:
        async with reading_within(0.01, counting.begin()):
            counting.waits(0.01)
            await asyncio.Event().wait()

    async def ends() -> None:
        with pytest.raises(TimeoutError):
            await hang()

    await asyncio.wait_for(ends(), 30)
