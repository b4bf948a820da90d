"""What a worker remembers for a moment, and what makes it ask anew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from obdesk.relay.server.asking import Patience
from obdesk.relay.server.known import FRESH_S, Known
from obdesk.relay.server.metrics import Metrics
from tests.relay.places import a_device, a_source, address, token
from tests.relay.server.kit import Clock

if TYPE_CHECKING:
    from tests.relay.places import Place


async def test_a_change_elsewhere_counts_after_a_moment_and_one_here_at_once(place: Place) -> None:
    clock = Clock()
    async with place.store() as store:
        known = Known(store, Patience(Metrics()), clock.now_s, has_others=False)
        home = a_source()
        assert await known.source_of(address(home)) is None
        await store.add_source(home, address(home))
        assert await known.source_of(address(home)) == home, "what is not there is asked for each time"
        assert await known.recipients(home.id, None) == ()
        device = a_device("laptop", home)
        await store.add_device(device, token(device))
        await store.remove_source("another", 1)
        assert await known.recipients(home.id, None) == ()
        clock.advance(FRESH_S)
        assert await known.recipients(home.id, None) == (device,)
        second = a_device("phone", home)
        await store.add_device(second, token(second))
        await known.settled()
        assert set(await known.recipients(home.id, None)) == {device, second}


async def test_an_answer_that_a_change_overtook_is_not_remembered(place: Place) -> None:
    clock = Clock()
    async with place.store() as store:
        known = Known(store, Patience(Metrics()), clock.now_s, has_others=False)
        home = a_source()
        await store.add_source(home, address(home))
        found, go_on = asyncio.Event(), asyncio.Event()
        asked = store.recipients

        async def late(source_id: str, route: bytes | None) -> object:
            answer = await asked(source_id, route)
            found.set()
            await go_on.wait()
            return answer

        setattr(store, "recipients", late)  # noqa: B010 - its answer is held up
        question = asyncio.ensure_future(known.recipients(home.id, None))
        await found.wait()
        device = a_device("laptop", home)
        await store.add_device(device, token(device))
        known.changed()
        go_on.set()

        assert await question == ()
        assert await known.recipients(home.id, None) == (device,)


async def test_where_others_share_the_store_a_pairing_takes_until_they_know(sqlite_place: Place) -> None:
    async with sqlite_place.store() as store:
        known = Known(store, Patience(Metrics()), Clock().now_s, has_others=True)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await known.settled()

        assert loop.time() - began_s >= FRESH_S * 0.95
