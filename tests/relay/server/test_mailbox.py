"""How a device reads its hints: cursors, waiting, acknowledging, and what shows that a store was put back."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from obdesk.relay.protocol import DIRTY, Cursor, SourceKind
from obdesk.relay.server.keys import Keys, hashed
from obdesk.relay.server.limits import Rate
from obdesk.relay.server.mailbox import Closing
from obdesk.relay.server.store import StoreDownError
from tests.relay.server.kit import NOT_FOUND, Kit, connection_synced, kit

if TYPE_CHECKING:
    from tests.guards import ExpectsLog
    from tests.relay.places import Place
    from tests.relay.server.kit import Desk


async def _waiting(relay: Kit, many: int = 1) -> None:
    """Return when so many more pulls have begun to wait for news."""
    for _ in range(many):
        await relay.begun.acquire()


async def test_a_pull_that_waits_is_answered_when_a_delivery_comes(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        desk, other = await relay.desk(home), await relay.desk(home)
        pull, also = asyncio.ensure_future(desk.page(25)), asyncio.ensure_future(other.page(25))
        await _waiting(relay, 2)
        began_s = time.perf_counter()
        await relay.deliver(home, connection_synced(payload=1))
        page, second = await pull, await also
        took_s = time.perf_counter() - began_s

        assert [hint.connection for hint in desk.opened(page)] == ["311"]
        assert len(second.entries) == 1
        assert took_s < 1
        assert relay.waiting() == 0


async def test_a_pull_without_news_is_answered_when_its_time_is_over(sqlite_place: Place) -> None:
    async with kit(sqlite_place) as relay:
        desk = await relay.desk(await relay.source())
        first = await desk.page()
        page = await desk.page(1, first.cursor)

        assert (page.entries, page.cursor, page.peers) == ((), first.cursor, 1)


async def test_a_worker_that_ends_lets_those_go_who_wait(place: Place) -> None:
    closing = Closing()
    async with kit(place, closing=closing) as relay:
        desk = await relay.desk(await relay.source())
        pull = asyncio.ensure_future(desk.page(25))
        await _waiting(relay)
        closing.close()

        assert (await pull).entries == ()
        assert (await desk.page(25)).entries == (), "nobody waits from then on"


async def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        for payload in range(5):
            await relay.deliver(home, connection_synced(300 + payload, payload=payload))
        first = await desk.page(limit=2)
        again = await desk.page(limit=2)
        rest = await desk.page(after=first.cursor)
        for _ in range(2):
            answer = await desk.ask("POST", "/v1/mailbox/ack", json={"upto": first.entries[1].cursor})
            assert answer.status_code == 204
        left = await desk.page()

        assert desk.opened(first) == desk.opened(again)
        assert [hint.connection for hint in desk.opened(first)] == ["300", "301"]
        assert [hint.connection for hint in desk.opened(rest)] == ["302", "303", "304"]
        assert desk.opened(left) == desk.opened(rest)
        assert first.cursor == first.entries[-1].cursor


async def test_each_device_acknowledges_for_itself(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        laptop, phone = await relay.desk(home), await relay.desk(home)
        await relay.deliver(home, connection_synced(payload=1))

        assert len(await laptop.hints()) == 1
        assert len(await phone.hints()) == 1
        assert (await laptop.page()).peers == 2


async def test_peers_are_the_devices_of_the_same_user(place: Place) -> None:
    async with kit(place) as relay:
        crowd = await relay.source("crowd", SourceKind.SHARED)
        anna, phone = await relay.desk(crowd, "1"), await relay.desk(crowd, "1")
        ben, nobody = await relay.desk(crowd, "2"), await relay.desk(crowd)

        pages = [await desk.page() for desk in (anna, phone, ben, nobody)]
        assert [(page.peers, page.seat) for page in pages] == [(2, 0), (2, 1), (1, 0), (1, None)]


async def test_a_device_that_has_not_asked_for_a_week_is_nobodys_peer_until_it_asks_again(
    place: Place,
) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        laptop, phone = await relay.desk(home), await relay.desk(home)
        assert (await laptop.page()).peers == 2, "from the moment it was paired"
        relay.clock.advance(7 * 24 * 3600)
        assert (await laptop.page()).peers == 1
        assert (await phone.page()).peers == 2
        assert (await laptop.page()).peers == 2


async def test_what_waits_is_handed_over_also_where_nothing_can_be_written(
    place: Place, monkeypatch: pytest.MonkeyPatch, expects_log: ExpectsLog
) -> None:
    expects_log("the store is down")

    async def full(_device_id: str, _now_us: int) -> None:
        raise StoreDownError("the disk of the store is full")

    async with kit(place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        await relay.deliver(home, connection_synced(payload=1))
        monkeypatch.setattr(relay.store, "pulled", full)
        relay.clock.advance(3600)
        assert len((await desk.page()).entries) == 1


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"after": "x"},
        {"after": "A" * 22 + ":01"},
        {"after": "A" * 22 + ":" + "9" * 30},
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "-1"},
        {"wait": "26"},
        {"wait": "1.5"},
        {"wait": "١"},
        {"limit": "9" * 5000},
        {"more": "1"},
    ],
)
async def test_a_pull_that_asks_for_something_else_is_not_understood(
    sqlite_place: Place, query: dict[str, str]
) -> None:
    async with kit(sqlite_place) as relay:
        desk = await relay.desk(await relay.source())
        asked = {} if not query else {"after": desk.cursor, **query}
        answer = await desk.ask("GET", "/v1/mailbox/events", params=asked)

        assert (answer.status_code, answer.json()["status"]) == (400, 400)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"upto":7}', b'{"upto":"x"}', b"{" * 9000, b'{"upto":null}'])
async def test_an_acknowledgement_of_something_else_is_not_understood(
    sqlite_place: Place, body: bytes
) -> None:
    async with kit(sqlite_place) as relay:
        desk = await relay.desk(await relay.source())
        assert (await desk.ask("POST", "/v1/mailbox/ack", content=body)).status_code == 400
        assert (await desk.ask("POST", "/v1/mailbox/ack", content=b" " * 20_000)).status_code == 413


async def test_F58_in_another_life_of_the_store_a_device_is_told_so_and_reads_all_that_waits(
    place: Place,
) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        await relay.deliver(home, connection_synced(payload=1))
        before = await desk.page()
        epoch = await relay.store.renew_epoch()
        page = await desk.page(25, before.cursor)
        late = await desk.ask("POST", "/v1/mailbox/ack", json={"upto": before.cursor})

        assert Cursor.parse(page.cursor) is not None
        assert page.cursor.startswith(epoch), "it does not wait for news: this is news"
        assert len(page.entries) == 1
        assert late.status_code == 204
        assert len((await desk.page()).entries) == 1, "what was read in an earlier life says nothing here"


async def test_F59_a_number_that_was_given_and_is_not_there_any_more_begins_a_new_life(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        desk, other = await relay.desk(home), await relay.desk(home)
        before = await relay.store.epoch()
        device = await relay.store.device_of(hashed(desk.paired.token))
        assert device is not None
        lost = relay.clock() + 5_000_000
        given = Cursor(before, lost, relay.keys.mark(device.id, before, lost))
        page = await desk.page(25, str(given))

        assert not page.cursor.startswith(before)
        assert (await other.page(25)).cursor.startswith(await relay.store.epoch())
        assert await relay.store.epoch() != before


async def test_a_number_that_nobody_gave_makes_its_own_device_ask_about_everything_and_no_other(
    place: Place,
) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        liar, other = await relay.desk(home), await relay.desk(home)
        before = await relay.store.epoch()
        others = (await relay.store.device_of(hashed(other.paired.token))) or pytest.fail("it is there")
        stolen = relay.keys.mark(others.id, before, 10**17)
        guessed = Keys(bytes(32)).mark("x", before, 10**17)
        for mark in ("", stolen, guessed):
            page = await liar.page(25, str(Cursor(before, 10**17, mark)))
            assert [hint.event for hint in liar.opened(page)] == [DIRTY]
            assert Cursor.parse(page.cursor) == Cursor(before, 0, Cursor.parse(page.cursor).mark)  # type: ignore[union-attr]
        assert await relay.store.epoch() == before


async def test_a_device_that_is_removed_while_it_waits_finds_nothing(sqlite_place: Place) -> None:
    async with kit(sqlite_place) as relay:
        desk = await relay.desk(await relay.source())
        device = await relay.store.device_of(hashed(desk.paired.token))
        assert device is not None
        asked = {"after": desk.cursor, "wait": 1}
        pull = asyncio.ensure_future(desk.ask("GET", "/v1/mailbox/events", params=asked))
        await _waiting(relay)
        await relay.store.remove_device(device.id)
        answer = await pull

        assert (answer.status_code, answer.content) == (404, NOT_FOUND)


async def test_of_too_many_pulls_of_one_device_the_oldest_ends(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        desk, other = await relay.desk(home), await relay.desk(home)
        oldest = asyncio.ensure_future(desk.page(25))
        await _waiting(relay)
        pulls = [asyncio.ensure_future(desk.page(25)) for _ in range(4)]
        others = asyncio.ensure_future(other.page(25))
        assert (await oldest).entries == (), (
            "nobody may be there any more, and a new one is not refused for it"
        )
        await _waiting(relay, 5)
        await relay.deliver(home, connection_synced(payload=1))
        pages = await asyncio.gather(*pulls, others)

        assert [len(page.entries) for page in pages] == [1] * 5
        assert relay.waiting() == 0


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_a_number_that_nobody_gave_gets_no_more_than_was_asked_for(
    sqlite_place: Place, limit: int
) -> None:
    async with kit(sqlite_place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        for number in range(3):
            await relay.deliver(home, connection_synced(number, payload=number))
        page = await desk.page(after=f"{desk.cursor.split(':')[0]}:{10**17}", limit=limit)
        assert len(page.entries) == min(limit, 4)
        seen = desk.opened(page)
        while page.entries:
            page = await desk.page(after=page.cursor, limit=limit)
            seen += desk.opened(page)

        assert seen[0].event == "DIRTY"
        assert [hint.connection for hint in seen[1:]] == ["0", "1", "2"]


async def test_a_device_that_asks_too_often_waits_and_others_do_not(sqlite_place: Place) -> None:
    async with kit(sqlite_place, device=Rate(1, 5)) as relay:
        home = await relay.source()
        busy, calm = await relay.desk(home), await relay.desk(home)
        statuses = [await _status(busy) for _ in range(7)]
        assert statuses == [200] * 5 + [429] * 2
        assert await _status(calm) == 200
        relay.clock.advance(1)
        assert [await _status(busy), await _status(busy)] == [200, 429]


async def test_who_tries_tokens_is_told_to_wait_and_nobody_else_of_its_network(sqlite_place: Place) -> None:
    async with kit(sqlite_place, failures=Rate(1, 3), address=Rate(1, 20)) as relay:
        home = await relay.source()
        desk, fresh = await relay.desk(home), await relay.desk(home)
        assert await _status(desk) == 200
        tries = await _tries(relay, 5)
        assert tries == [404] * 3 + [429] * 2
        assert await _status(fresh) == 200, "one that was never here before"
        await _tries(relay, 40)
        assert await _status(desk) == 200, "one that was here lately, whatever a neighbour does"


async def test_a_device_that_was_removed_is_looked_up_no_more_often_than_a_guess(sqlite_place: Place) -> None:
    async with kit(sqlite_place, address=Rate(1, 3)) as relay:
        desk = await relay.desk(await relay.source())
        assert (await desk.ask("DELETE", "/v1/devices/me")).status_code == 204
        assert [await _status(desk) for _ in range(6)] == [404] * 3 + [429] * 3


async def _tries(relay: Kit, times: int) -> list[int]:
    wrong = {"Authorization": "Bearer guess"}
    return [(await relay.http.delete("/v1/devices/me", headers=wrong)).status_code for _ in range(times)]


async def _status(desk: Desk) -> int:
    return (await desk.ask("GET", "/v1/mailbox/events", params={"after": desk.cursor})).status_code
