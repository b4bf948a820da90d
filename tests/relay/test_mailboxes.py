"""What every store does with deliveries: kept once, folded, in order, for the right device."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from obdesk.relay.protocol import RETENTION_S
from obdesk.relay.server.store import MAILBOX_MAX, Kept
from tests.relay.places import DAY_US, NOON_US, Place, a_source, mail, texts, with_device

_RETENTION_US = RETENTION_S * 1_000_000


async def test_hints_of_one_connection_fold_into_the_latest(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        for slot, text in (("a", "a1"), ("b", "b1"), ("a", "a2"), ("c", "c1"), ("a", "a3")):
            await store.deliver(device.source_id, None, [mail(device, slot, text)], NOON_US)

        assert await texts(store, device) == ["b1", "c1", "a3"]


async def test_numbers_only_grow_even_when_the_clock_goes_back(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        for number, now_us in enumerate((NOON_US, NOON_US, NOON_US - DAY_US, NOON_US + 5)):
            await store.deliver(device.source_id, None, [mail(device, str(number))], now_us)
        inbox = await store.inbox(device.id, 0, 100)

        assert [each.seq for each in inbox.waiting] == [NOON_US, NOON_US + 1, NOON_US + 2, NOON_US + 5]
        assert inbox.head == NOON_US + 5


async def test_numbers_follow_the_order_of_the_commits(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        seen: list[int] = []

        async def read() -> None:
            while len(seen) < 60:
                await store.wait(device.id, seen[-1] if seen else 0, 5)
                inbox = await store.inbox(device.id, seen[-1] if seen else 0, 7)
                seen.extend(each.seq for each in inbox.waiting)

        async def post(number: int) -> None:
            await store.deliver(device.source_id, None, [mail(device, str(number))], NOON_US - number)

        async with asyncio.timeout(20):
            await asyncio.gather(read(), *(post(number) for number in range(60)))

        assert all(earlier < later for earlier, later in pairwise(seen))
        assert len((await store.inbox(device.id, 0, 100)).waiting) == len(seen) == 60, "a reader skips none"


async def test_a_pull_returns_the_oldest_after_a_number_and_no_more_than_asked(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        for number in range(5):
            await store.deliver(
                device.source_id, None, [mail(device, str(number), str(number))], NOON_US + number
            )

        assert await texts(store, device, limit=2) == ["0", "1"]
        assert await texts(store, device, after=NOON_US + 1, limit=2) == ["2", "3"]
        assert await texts(store, device, after=NOON_US + 4) == []
        empty = await store.inbox(device.id, NOON_US + 9, 100)
        assert (empty.head, empty.epoch) == (NOON_US + 4, await store.epoch())


async def test_what_is_acknowledged_is_deleted_and_nothing_else(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        other = await with_device(store, "other")
        for number in range(4):
            mails = [mail(each, str(number), str(number)) for each in (device, other)]
            await store.deliver(device.source_id, None, mails, NOON_US + number)
        for _ in range(2):
            await store.acknowledge(device.id, NOON_US + 1)
        await store.acknowledge("unknown", NOON_US + 9)

        assert await texts(store, device) == ["2", "3"]
        assert await texts(store, other) == ["0", "1", "2", "3"]
        assert (await store.inbox(device.id, 0, 100)).head == NOON_US + 3


async def test_what_was_read_before_a_hint_folded_is_acknowledged_without_losing_the_later(
    place: Place,
) -> None:
    async with place.store() as store:
        device = await with_device(store)
        await store.deliver(device.source_id, None, [mail(device, "a", "first")], NOON_US)
        read = await store.inbox(device.id, 0, 100)
        await store.deliver(device.source_id, None, [mail(device, "a", "second")], NOON_US)
        await store.acknowledge(device.id, read.waiting[-1].seq)

        assert await texts(store, device) == ["second"]


async def test_a_delivery_that_comes_twice_changes_nothing(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        posts = [store.deliver(device.source_id, b"id", [mail(device)], NOON_US) for _ in range(20)]
        kept = await asyncio.gather(*posts)
        before = await store.inbox(device.id, 0, 100)

        assert sorted(each.value for each in kept) == ["duplicate"] * 19 + ["stored"]
        assert len(before.waiting) == 1
        await store.acknowledge(device.id, before.head)
        again = await store.deliver(device.source_id, b"id", [mail(device)], NOON_US + DAY_US)
        assert again is Kept.DUPLICATE
        after = await store.inbox(device.id, 0, 100)
        assert (after.head, after.waiting) == (before.head, ())
        found = await store.source(device.source_id)
        assert found is not None
        assert found.delivered_at_us == NOON_US


async def test_more_deliveries_than_fit_in_one_commit_are_all_kept(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        posts = (
            store.deliver(device.source_id, str(n).encode(), [mail(device, str(n % 10), str(n))], NOON_US)
            for n in range(1_500)
        )

        assert set(await asyncio.gather(*posts)) == {Kept.STORED}
        # Which of those that came at once is the newest, nobody can say; each link has one.
        assert sorted(int(text) % 10 for text in await texts(store, device)) == list(range(10))


async def test_a_request_that_is_given_up_spoils_none_of_those_beside_it(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        posts = [
            asyncio.ensure_future(
                store.deliver(device.source_id, None, [mail(device, str(n), str(n))], NOON_US)
            )
            for n in range(30)
        ]
        await asyncio.wait(posts, timeout=0)
        for post in posts[::2]:
            post.cancel()
        done = await asyncio.gather(*posts, return_exceptions=True)
        await store.ping()

        assert done[1::2] == [Kept.STORED] * 15
        assert {str(n) for n in range(1, 30, 2)} <= set(await texts(store, device))


async def test_a_delivery_for_nobody_is_remembered_too(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)

        assert await store.deliver(device.source_id, b"id", [], NOON_US) is Kept.STORED
        assert await store.deliver(device.source_id, b"id", [mail(device)], NOON_US) is Kept.DUPLICATE
        assert await texts(store, device) == []


async def test_a_full_mailbox_becomes_one_hint_that_anything_may_have_changed(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        other = await with_device(store, "other")
        mails = [mail(device, str(number), str(number)) for number in range(MAILBOX_MAX)]
        await store.deliver(device.source_id, None, [*mails, mail(other)], NOON_US)
        assert len((await store.inbox(device.id, 0, 2 * MAILBOX_MAX)).waiting) == MAILBOX_MAX
        await store.deliver(device.source_id, None, [mail(device, "0", "folds")], NOON_US + DAY_US)
        full = await store.inbox(device.id, 0, 2 * MAILBOX_MAX)
        assert len(full.waiting) == MAILBOX_MAX, "a hint that folds needs no room"

        await store.deliver(device.source_id, None, [mail(device, "new", "too much")], NOON_US + 2 * DAY_US)

        inbox = await store.inbox(device.id, full.head, 100)
        assert [each.sealed for each in inbox.waiting] == [mail(device).dirty]
        assert inbox.waiting[0].seq == inbox.head > full.head
        assert await texts(store, device) == [mail(device).dirty.decode()]
        assert await texts(store, other) == ["hint"]
        await store.deliver(device.source_id, None, [mail(device, "new", "next")], NOON_US + 3 * DAY_US)
        assert await texts(store, device) == [mail(device).dirty.decode(), "next"]


async def test_a_mail_that_names_a_device_of_another_source_is_dropped(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        stranger = await with_device(store, "stranger", a_source("other"))
        await store.deliver(device.source_id, None, [mail(stranger), mail(device)], NOON_US)

        assert await texts(store, stranger) == []
        assert await texts(store, device) == ["hint"]


async def test_all_that_is_older_than_30_days_is_purged(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        await store.deliver(device.source_id, b"old", [mail(device, "a", "old")], NOON_US)
        await store.deliver(device.source_id, b"young", [mail(device, "b", "young")], NOON_US + 2)
        assert await store.purge(NOON_US + _RETENTION_US - 1) == 0
        assert await texts(store, device) == ["old", "young"]

        assert await store.purge(NOON_US + _RETENTION_US + 1) == 2

        assert await texts(store, device) == ["young"]
        assert await store.deliver(device.source_id, b"young", [], NOON_US) is Kept.DUPLICATE
        assert await store.deliver(device.source_id, b"old", [], NOON_US) is Kept.STORED
        assert (await store.inbox(device.id, 0, 100)).head == NOON_US + 2


async def test_a_hint_that_folds_is_as_old_as_its_latest(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        await store.deliver(device.source_id, None, [mail(device, "a", "first")], NOON_US)
        await store.deliver(device.source_id, None, [mail(device, "a", "second")], NOON_US + DAY_US)
        await store.purge(NOON_US + _RETENTION_US)

        assert await texts(store, device) == ["second"]
        assert (await store.figures()).oldest_at_us == NOON_US + DAY_US


async def test_who_waits_is_woken_by_news_of_its_own_device_only(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        other = await with_device(store, "other")
        await store.deliver(device.source_id, None, [mail(device)], NOON_US)
        waits = asyncio.ensure_future(store.wait(device.id, NOON_US, 30))
        others = asyncio.ensure_future(store.wait(other.id, 0, 30))
        for _ in range(3):
            await store.ping()
        assert not waits.done(), "what was read already is no news"
        await store.deliver(device.source_id, None, [mail(device)], NOON_US)
        async with asyncio.timeout(10):
            await waits

        assert not others.done()
        await store.deliver(device.source_id, None, [mail(other)], NOON_US)
        async with asyncio.timeout(10):
            await others


async def test_nobody_waits_when_there_is_news_already_or_no_time(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        await store.wait(device.id, 0, 0)
        await store.deliver(device.source_id, None, [mail(device)], NOON_US)
        async with asyncio.timeout(10):
            await store.wait(device.id, NOON_US - 1, 30)
            await store.wait(device.id, NOON_US, 0.01)


async def test_who_waits_is_let_go_when_the_relay_ends(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        waits = asyncio.ensure_future(store.wait(device.id, 0, 30))
        await store.ping()
    async with asyncio.timeout(10):
        await waits
