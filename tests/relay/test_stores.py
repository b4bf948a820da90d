"""What every store does, whichever it is; what only one can suffer is in test_sqlite.py and test_redis.py."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from obdesk.relay.protocol import RETENTION_S, SourceKind
from obdesk.relay.server.store import LIVE_US, Broker, BrokerStep, Code, Device, Gzip, Source, Store
from tests.relay.places import (
    DAY_US,
    NOON_US,
    Place,
    a_device,
    a_source,
    address,
    mail,
    texts,
    token,
    with_device,
)

_RETENTION_US = RETENTION_S * 1_000_000


async def _spent(store: Store, device: Device, code: bytes = b"code") -> str | None:
    return await store.spend_code(code, device, token(device), NOON_US)


async def test_a_source_comes_back_as_it_was_kept_even_after_a_restart(place: Place) -> None:
    source = Source("an id", "crowd", SourceKind.SHARED, (b"\x00old", b"\xffnew"), Gzip.SIGNED_PLAIN, 5, 7)
    async with place.store() as store:
        await store.add_source(source, b"\x00address")
    async with place.store() as store:
        assert await store.source("an id") == source
        assert await store.source_of(b"\x00address") == source
        assert await store.sources() == (source,)
        assert await store.source("another") is None
        assert await store.source_of(b"another") is None


async def test_a_source_made_again_with_another_address_leaves_the_old_one(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        await store.deliver(device.source_id, None, [mail(device)], NOON_US)
        changed = replace(a_source(), secrets=(b"a", b"b"))
        await store.add_source(changed, b"a new address")

        assert await store.source_of(b"a new address") == changed
        assert await store.source_of(address(a_source())) is None
        assert await store.devices(device.source_id) == (device,)
        assert await texts(store, device) == ["hint"]


async def test_sources_are_listed_by_name(place: Place) -> None:
    async with place.store() as store:
        for name in ("zoo", "attic", "home"):
            await store.add_source(a_source(name), address(a_source(name)))

        assert [source.name for source in await store.sources()] == ["attic", "home", "zoo"]


async def test_a_removed_source_takes_its_devices_hints_and_codes_with_it(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        other = await with_device(store, "other", a_source("office"))
        await store.deliver(device.source_id, None, [mail(device)], NOON_US)
        await store.deliver(other.source_id, None, [mail(other)], NOON_US)
        await store.add_code(b"code", device.source_id, NOON_US + DAY_US)
        await store.add_code(b"other code", other.source_id, NOON_US + DAY_US)

        assert await store.remove_source(device.source_id, NOON_US)
        assert not await store.remove_source(device.source_id, NOON_US + 1)
        assert not await store.remove_source("unknown", NOON_US)

        assert await store.source(device.source_id) is None
        assert [source.name for source in await store.sources()] == ["office"]
        assert await store.device_of(token(device)) is None
        assert await store.devices(device.source_id) == ()
        assert await texts(store, device) == []
        assert await store.code(b"code", NOON_US) is None
        assert await store.device_of(token(other)) == other
        assert await texts(store, other) == ["hint"]
        assert await store.code(b"other code", NOON_US) == Code(other.source_id)


async def test_the_address_of_a_removed_source_is_gone_for_30_days_and_then_unknown(place: Place) -> None:
    async with place.store() as store:
        source = a_source()
        await store.add_source(source, address(source))
        await store.saw_bearer(source.id, NOON_US - 1)
        await store.deliver(source.id, None, [], NOON_US - 1)
        await store.remove_source(source.id, NOON_US)

        await store.purge(NOON_US + _RETENTION_US - 1)
        gone = await store.source_of(address(source))
        assert gone == Source(source.id, "", source.kind, (), removed_at_us=NOON_US), "it tells nothing else"
        await store.saw_bearer(source.id, NOON_US)
        await store.deliver(source.id, None, [], NOON_US)
        assert await store.source_of(address(source)) == gone

        assert await store.purge(NOON_US + _RETENTION_US) == 1
        assert await store.source_of(address(source)) is None


async def test_a_removed_source_can_be_made_again(place: Place) -> None:
    async with place.store() as store:
        source = a_source()
        await store.add_source(source, address(source))
        await store.remove_source(source.id, NOON_US)
        await store.add_source(source, address(source))

        assert await store.source_of(address(source)) == source
        await store.purge(NOON_US + 2 * _RETENTION_US)
        assert await store.source(source.id) == source


async def test_a_live_token_that_came_is_remembered_until_the_source_is_made_again(place: Place) -> None:
    async with place.store() as store:
        source = a_source()
        await store.add_source(source, address(source))
        await store.saw_bearer(source.id, NOON_US)
        await store.saw_bearer(source.id, NOON_US - 5)
        await store.saw_bearer("unknown", NOON_US)

        assert await store.source(source.id) == replace(source, bearer_seen_at_us=NOON_US)
        assert await store.purge(NOON_US + _RETENTION_US - 1) == 0
        assert await store.purge(NOON_US + _RETENTION_US) == 1
        assert await store.source(source.id) == source, "it is told for 30 days"
        await store.add_source(source, address(source))
        assert await store.source(source.id) == source


async def test_a_one_time_code_is_spent_once_of_many_that_try_at_once(place: Place) -> None:
    async with place.store() as store:
        source = a_source()
        await store.add_source(source, address(source))
        await store.add_code(b"code", source.id, NOON_US + 1)

        made = [a_device(str(number), source) for number in range(50)]
        spent = await asyncio.gather(*(_spent(store, each) for each in made))

        (device_id,) = [each for each in spent if each is not None]
        assert [each.id for each in await store.devices(source.id)] == [device_id]


async def test_a_code_that_the_same_key_spends_again_gives_the_same_device_another_token(
    place: Place,
) -> None:
    async with place.store() as store:
        source = a_source()
        await store.add_source(source, address(source))
        await store.add_code(b"code", source.id, NOON_US + 2)
        first = a_device("laptop", source)
        assert await _spent(store, first) == first.id
        await store.deliver(source.id, None, [mail(first)], NOON_US)
        again = replace(first, id="another id", route=b"user")

        assert await store.code(b"code", NOON_US) == Code(source.id, first.id, first.public_key)
        assert await store.spend_code(b"code", again, b"another token", NOON_US + 1) == first.id
        assert await store.device_of(token(first)) is None
        assert await store.device_of(b"another token") == replace(first, route=b"user")
        assert await texts(store, first) == ["hint"], "nothing is lost by it"
        assert await store.spend_code(b"code", a_device("thief", source), b"x", NOON_US + 1) is None
        await store.remove_device(first.id)
        assert await store.spend_code(b"code", first, b"x", NOON_US + 1) is None, "it was removed"
        assert await store.spend_code(b"code", first, b"x", NOON_US + 2) is None


async def test_devices_of_a_user_that_ask_have_seats_of_their_own_and_keep_them(place: Place) -> None:
    async def seats() -> list[int | None]:
        return [each.seat for each in sorted(await store.devices(source.id), key=lambda each: each.id)]

    async with place.store() as store:
        source = a_source()
        a, b, c = [await with_device(store, name, source) for name in "abc"]
        for each in (b, a, b):
            await store.pulled(each.id, NOON_US)
        assert await seats() == [1, 0, None]
        await store.pulled(c.id, NOON_US + LIVE_US)
        assert await seats() == [1, 0, 0], "who asks no more gives way"
        await store.pulled(a.id, NOON_US + LIVE_US + 1)
        await store.pulled(b.id, NOON_US + LIVE_US + 2)
        assert await seats() == [1, 2, 0]
        await store.set_route(c.id, b"user")
        await store.pulled("nobody", NOON_US)
        assert await seats() == [1, 2, None], "among those of another user it has none yet"
        await store.pulled(c.id, NOON_US + LIVE_US + 3)
        assert await seats() == [1, 2, 0]
        assert (await store.recipients(source.id, b"user"))[0].pulled_at_us == NOON_US + LIVE_US + 3


async def test_a_code_whose_time_is_over_is_worth_nothing(place: Place) -> None:
    async with place.store() as store:
        source = a_source()
        await store.add_source(source, address(source))
        await store.add_code(b"code", source.id, NOON_US)
        await store.add_code(b"later", source.id, NOON_US + 1)

        assert await store.code(b"code", NOON_US) is None
        assert await _spent(store, a_device("laptop", source)) is None
        assert await store.purge(NOON_US + 1) == 2
        assert await store.code(b"later", NOON_US) is None


async def test_a_device_is_known_by_its_token_even_after_a_restart(place: Place) -> None:
    source = a_source()
    device = replace(a_device("phone", source, b"\x00route"), public_key=bytes(range(32)))
    async with place.store() as store:
        await store.add_source(source, address(source))
        await store.add_device(device, b"\x00token")
    async with place.store() as store:
        assert await store.device_of(b"\x00token") == device
        assert await store.device_of(b"another") is None


async def test_a_device_that_announces_itself_again_has_a_new_token_and_an_empty_mailbox(
    place: Place,
) -> None:
    async with place.store() as store:
        device = await with_device(store)
        done = Broker(BrokerStep.DONE, b"locked user")
        await store.set_broker(device.id, BrokerStep.NONE, done)
        await store.deliver(device.source_id, None, [mail(device)], NOON_US)
        head = (await store.inbox(device.id, 0, 100)).head
        again = replace(device, public_key=b"another key")
        await store.add_device(again, b"another token")

        assert await store.device_of(token(device)) is None
        assert await store.device_of(b"another token") == again
        assert await texts(store, device) == []
        assert (await store.inbox(device.id, 0, 100)).head == head, "no number is given twice"
        assert await store.broker(device.id) == done, "no second user is made for it"


async def test_a_removed_device_leaves_nothing(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        other = await with_device(store, "other")
        await store.set_route(device.id, b"user")
        for each in (device, other):
            await store.deliver(device.source_id, None, [mail(each)], NOON_US)

        assert await store.remove_device(device.id)
        assert not await store.remove_device(device.id)

        assert await store.device_of(token(device)) is None
        assert await store.devices(device.source_id) == (other,)
        assert await store.recipients(device.source_id, b"user") == ()
        assert (await store.inbox(device.id, 0, 100)).waiting == ()
        assert (await store.figures()).waiting == 1
        assert await texts(store, other) == ["hint"]
        await store.deliver(device.source_id, None, [mail(device), mail(other, "b", "next")], NOON_US)
        assert (await store.inbox(device.id, 0, 100)).waiting == (), "a mail for a device that is gone"
        assert await texts(store, other) == ["hint", "next"]


async def test_deliveries_go_to_all_devices_of_a_source_or_to_those_of_one_user(place: Place) -> None:
    async with place.store() as store:
        crowd = a_source("crowd", SourceKind.SHARED)
        await store.add_source(crowd, address(crowd))
        anna, annas_phone, ben = (a_device(name, crowd) for name in ("anna", "phone", "ben"))
        for device in (anna, annas_phone, ben):
            await store.add_device(device, token(device))
        await with_device(store, "stranger", a_source("other"))
        for device, route in ((anna, b"anna"), (annas_phone, b"ben"), (annas_phone, b"anna"), (ben, b"ben")):
            await store.set_route(device.id, route)
        anna, annas_phone = (replace(each, route=b"anna") for each in (anna, annas_phone))

        assert set(await store.recipients(crowd.id, b"anna")) == {anna, annas_phone}
        assert await store.recipients(crowd.id, b"ben") == (replace(ben, route=b"ben"),)
        assert await store.recipients(crowd.id, b"nobody") == ()
        assert len(await store.recipients(crowd.id, None)) == 3
        assert await store.recipients("unknown", None) == ()
        await store.set_route("unknown", b"anna")
        assert len(await store.recipients(crowd.id, b"anna")) == 2


@pytest.mark.parametrize("step", [BrokerStep.BEGUN, BrokerStep.DONE])
async def test_how_far_the_broker_came_survives_a_restart(place: Place, step: BrokerStep) -> None:
    come = Broker(step, b"locked user")
    async with place.store() as store:
        device = await with_device(store)
        assert await store.broker(device.id) == Broker()
        assert await store.set_broker(device.id, BrokerStep.NONE, come)
        assert not await store.set_broker("unknown", BrokerStep.NONE, come)
    async with place.store() as store:
        assert await store.broker(device.id) == come
        assert await store.broker("unknown") == Broker()
        assert await store.set_broker(device.id, step, Broker())
        assert await store.broker(device.id) == Broker()


async def test_of_two_who_begin_to_make_a_user_at_once_one_succeeds(place: Place) -> None:
    async with place.store() as store:
        device = await with_device(store)
        begun = Broker(BrokerStep.BEGUN)
        tries = [store.set_broker(device.id, BrokerStep.NONE, begun) for _ in range(5)]
        assert sorted(await asyncio.gather(*tries)) == [False] * 4 + [True]


async def test_what_was_removed_on_purpose_is_remembered(place: Place) -> None:
    async with place.store() as store:
        device, other = await with_device(store), await with_device(store, "other")
        assert not await store.was_removed(device.id)
        await store.remove_device(device.id)
        await store.remove_device("unknown")
        assert [await store.was_removed(each) for each in (device.id, other.id, "unknown")] == [
            True, False, False,
        ]  # fmt: skip
        await store.remove_source(other.source_id, NOON_US)
    async with place.store() as store:
        assert await store.was_removed(device.id)
        assert await store.was_removed(other.id)


async def test_figures_count_what_is_there(place: Place) -> None:
    async with place.store() as store:
        empty = await store.figures()
        assert (empty.sources, empty.devices, empty.waiting, empty.oldest_at_us) == (0, 0, 0, None)
        device = await with_device(store)
        other = await with_device(store, "other", a_source("office"))
        mails = [mail(device, "a"), mail(device, "b")]
        await store.deliver(device.source_id, None, mails, NOON_US + 1)
        await store.deliver(other.source_id, None, [mail(other)], NOON_US)
        full = await store.figures()
        assert (full.sources, full.devices, full.waiting, full.oldest_at_us) == (2, 2, 3, NOON_US)
        await store.acknowledge(other.id, NOON_US)
        await store.remove_source(other.source_id, NOON_US)
        left = await store.figures()
        assert (left.sources, left.devices, left.waiting, left.oldest_at_us) == (1, 1, 2, NOON_US + 1)


async def test_the_epoch_stays_over_restarts_and_changes_when_asked(place: Place) -> None:
    async with place.store() as store:
        first = await store.epoch()
        device = await with_device(store)
    async with place.store() as store:
        assert await store.epoch() == first
        second = await store.renew_epoch()
        assert second != first
        assert (await store.inbox(device.id, 0, 1)).epoch == second == await store.epoch()
    async with place.store() as store:
        assert await store.epoch() == second
