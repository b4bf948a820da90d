"""What can happen to a Redis store: many workers, a Redis that ends, forgets, is full or is put back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ResponseError

from obdesk.relay.protocol import RETENTION_S
from obdesk.relay.server.redis import RedisStore, open_store
from obdesk.relay.server.store import StoreDownError, StoreRefusedError
from tests.relay.places import DAY_US, NOON_US, RedisPlace, mail, texts, token, with_device

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.relay.redis_server import RedisServer

_PATIENCE_S = 20


async def until_it_heals(work: Callable[[], Awaitable[object]]) -> None:
    """Try again until the store is there, as whoever is told 503 does."""
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            try:
                await work()
            except StoreDownError:
                await asyncio.sleep(0.01)
            else:
                return


async def test_a_delivery_at_one_worker_wakes_who_waits_at_another(redis: RedisServer) -> None:
    place = RedisPlace(redis.url)
    async with place.store() as here, place.store() as there:
        device = await with_device(here)
        waits = asyncio.ensure_future(there.wait(device.id, 0, 30))
        await there.ping()
        await here.deliver(device.source_id, None, [mail(device)], NOON_US)
        async with asyncio.timeout(_PATIENCE_S):
            await waits

        assert await texts(there, device) == ["hint"]


async def test_workers_that_deliver_at_once_give_no_number_twice(redis: RedisServer) -> None:
    place = RedisPlace(redis.url)
    async with place.store() as here, place.store() as there:
        device = await with_device(here)
        mails = [mail(device, str(number)) for number in range(100)]
        posts = (
            (here, there)[number % 2].deliver(device.source_id, None, [each], NOON_US)
            for number, each in enumerate(mails)
        )
        await asyncio.gather(*posts)
        inbox = await there.inbox(device.id, 0, 1_000)

        assert len({each.seq for each in inbox.waiting}) == 100
        assert inbox.head == NOON_US + 99


async def test_a_code_is_spent_once_of_two_workers_that_try(redis: RedisServer) -> None:
    place = RedisPlace(redis.url)
    async with place.store() as here, place.store() as there:
        device = await with_device(here)
        await here.add_code(b"code", device.source_id, NOON_US + 1)
        made = [replace(device, id=f"device {number}", public_key=b"%d" % number) for number in range(20)]
        spent = await asyncio.gather(
            *(
                (here, there)[number % 2].spend_code(b"code", each, token(each), NOON_US)
                for number, each in enumerate(made)
            )
        )

        assert len([each for each in spent if each is not None]) == 1
        assert len(await here.devices(device.source_id)) == 2


@pytest.mark.parametrize(
    ("name", "unsafe", "safe"),
    [
        ("appendonly", "no", "yes"),
        ("appendfsync", "everysec", "always"),
        ("no-appendfsync-on-rewrite", "yes", "no"),
        ("maxmemory-policy", "allkeys-lru", "noeviction"),
    ],
)
async def test_a_redis_that_may_forget_what_it_confirmed_is_refused(
    redis: RedisServer, name: str, unsafe: str, safe: str
) -> None:
    redis.say("CONFIG", "SET", name, unsafe)
    try:
        with pytest.raises(StoreRefusedError, match=f"set {name} {safe}"):
            await open_store(redis.url)
    finally:
        redis.say("CONFIG", "SET", name, safe)


async def test_a_redis_that_does_not_tell_its_settings_is_refused(redis: RedisServer) -> None:
    redis.say("ACL", "SETUSER", "relay", "on", ">secret", "~*", "&*", "+@all", "-config")
    url = redis.url.replace("unix://", "unix://relay:secret@")
    try:
        with pytest.raises(StoreRefusedError, match="let the relay's user run CONFIG GET"):
            await open_store(url)
        redis.say("ACL", "SETUSER", "relay", "+config|get")
        async with RedisPlace(url).store() as store:
            await with_device(store)
    finally:
        redis.say("ACL", "DELUSER", "relay")


async def test_a_user_of_redis_who_may_not_do_all_that_is_needed_is_told_of(redis: RedisServer) -> None:
    redis.say("ACL", "SETUSER", "relay", "on", ">secret", "~*", "&*", "+@all", "-publish")
    url = redis.url.replace("unix://", "unix://relay:secret@")
    try:
        async with RedisPlace(url).store() as store:
            device = await with_device(store)
            with pytest.raises(StoreDownError, match="look at the rights of the relay's user"):
                await store.deliver(device.source_id, None, [mail(device)], NOON_US)
    finally:
        redis.say("ACL", "DELUSER", "relay")


async def test_a_mistake_of_the_relays_is_no_trouble_of_the_store(redis: RedisServer) -> None:
    async with RedisPlace(redis.url).store() as store:
        assert isinstance(store, RedisStore)
        with pytest.raises(ResponseError):
            await store._link.call("what nobody can do")
        await store.ping()


@pytest.mark.parametrize("url", ["http://localhost", "localhost", "redis://localhost:none"])
async def test_what_is_no_address_of_a_redis_is_refused(url: str) -> None:
    with pytest.raises(StoreRefusedError, match="no address"):
        await open_store(url)


async def test_where_no_redis_is_the_store_is_down(tmp_path: Path) -> None:
    with pytest.raises(StoreDownError, match="cannot be reached"):
        await open_store(f"unix://{tmp_path}/none")


async def test_a_wrong_password_is_told(redis: RedisServer) -> None:
    with pytest.raises(StoreDownError, match="does not let the relay in"):
        await open_store(redis.url.replace("unix://", "unix://somebody:wrong@"))


async def test_F60_what_was_acknowledged_is_there_after_redis_was_killed_and_the_relay_goes_on(
    own_redis: RedisServer,
) -> None:
    async with RedisPlace(own_redis.url).store() as store:
        device = await with_device(store)
        epoch = await store.epoch()
        await store.deliver(device.source_id, b"id", [mail(device)], NOON_US)
        own_redis.kill()
        with pytest.raises(StoreDownError, match="cannot be reached"):
            await store.ping()
        own_redis.start()
        await until_it_heals(store.ping)

        assert await store.epoch() == epoch
        assert await store.device_of(token(device)) == device
        assert await texts(store, device) == ["hint"]


async def test_who_waits_while_redis_starts_again_is_woken_by_what_comes_then(
    own_redis: RedisServer,
) -> None:
    place = RedisPlace(own_redis.url)
    async with place.store() as here, place.store() as there:
        device = await with_device(here)
        waits = asyncio.ensure_future(there.wait(device.id, 0, _PATIENCE_S))
        await there.ping()
        own_redis.kill()
        own_redis.start()
        await until_it_heals(lambda: here.deliver(device.source_id, None, [mail(device)], NOON_US))
        async with asyncio.timeout(_PATIENCE_S / 2):
            await waits


async def test_a_worker_that_hears_nothing_for_long_asks_and_is_woken_all_the_same(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obdesk.relay.server.redis_link._PATIENCE_S", 0.05)
    place = RedisPlace(redis.url)
    async with place.store() as here, place.store() as there:
        device = await with_device(here)
        await there.wait("nobody", 0, 0.4)  # longer than a few silences
        waits = asyncio.ensure_future(there.wait(device.id, 0, 30))
        await there.ping()
        await here.deliver(device.source_id, None, [mail(device)], NOON_US)
        async with asyncio.timeout(_PATIENCE_S):
            await waits


async def test_a_connection_that_redis_ended_costs_no_request(redis: RedisServer) -> None:
    async with RedisPlace(redis.url).store() as store:
        device = await with_device(store)
        for _ in range(3):
            await asyncio.to_thread(redis.say, "CLIENT", "KILL", "TYPE", "normal")
            assert await store.device_of(token(device)) == device


async def test_a_redis_that_hangs_is_down_until_it_goes_on(
    own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obdesk.relay.server.redis_link._PATIENCE_S", 0.2)
    async with RedisPlace(own_redis.url).store() as store:
        device = await with_device(store)
        own_redis.pause()
        with pytest.raises(StoreDownError, match="in time"):
            await store.deliver(device.source_id, b"id", [mail(device)], NOON_US)
        own_redis.go_on()
        await until_it_heals(lambda: store.deliver(device.source_id, b"id", [mail(device)], NOON_US))

        assert await texts(store, device) == ["hint"]


async def test_a_redis_without_memory_takes_no_more_gives_what_it_has_and_heals(redis: RedisServer) -> None:
    async with RedisPlace(redis.url).store() as store:
        device = await with_device(store)
        await store.deliver(device.source_id, b"one", [mail(device)], NOON_US)
        redis.say("CONFIG", "SET", "maxmemory", "1")
        try:
            with pytest.raises(StoreDownError, match="no memory left"):
                await store.deliver(device.source_id, b"two", [mail(device, "b", "next")], NOON_US)
            with pytest.raises(StoreDownError, match="no memory left"):
                await store.ping()
            assert await texts(store, device) == ["hint"]
            await store.acknowledge(device.id, NOON_US)
            assert await texts(store, device) == [], "what makes room is done"
        finally:
            redis.say("CONFIG", "SET", "maxmemory", "0")
        await store.deliver(device.source_id, b"two", [mail(device, "b", "next")], NOON_US)
        assert await texts(store, device) == ["next"]


async def test_a_replica_is_not_written_and_told_of(redis: RedisServer) -> None:
    async with RedisPlace(redis.url).store() as store:
        redis.say("REPLICAOF", "127.0.0.1", "1")
        try:
            with pytest.raises(StoreDownError, match="replica"):
                await store.ping()
        finally:
            redis.say("REPLICAOF", "NO", "ONE")
        await store.ping()


async def test_a_redis_that_comes_back_with_unsafe_settings_is_refused_then(own_redis: RedisServer) -> None:
    async with RedisPlace(own_redis.url).store() as store:
        own_redis.say("CONFIG", "SET", "appendfsync", "everysec")
        await asyncio.to_thread(own_redis.say, "CLIENT", "KILL", "TYPE", "normal")
        with pytest.raises(StoreRefusedError, match="set appendfsync always"):
            await store.ping()
        own_redis.say("CONFIG", "SET", "appendfsync", "always")
        await store.ping()


async def test_scripts_that_redis_was_told_to_forget_are_taught_again(redis: RedisServer) -> None:
    async with RedisPlace(redis.url).store() as store:
        await store.ping()
        redis.say("SCRIPT", "FLUSH")
        await until_it_heals(store.ping)


async def test_what_is_deleted_is_gone_from_redis(redis: RedisServer) -> None:
    async with RedisPlace(redis.url).store() as store:
        device = await with_device(store)
        await store.set_route(device.id, b"user")
        await store.add_code(b"code", device.source_id, NOON_US)
        await store.deliver(device.source_id, b"id", [mail(device, "a"), mail(device, "b")], NOON_US)
        assert redis.say("DBSIZE") == ":16"
        await store.acknowledge(device.id, NOON_US + 9)
        assert (
            redis.say("EXISTS", *(f"{{obdesk-relay}}:{kind}:{device.id}" for kind in ("mail", "order")))
            == ":0"
        )
        await store.deliver(device.source_id, b"another", [mail(device)], NOON_US)
        await store.remove_source(device.source_id, NOON_US)
        assert redis.say("EXISTS", "{obdesk-relay}:codes", "{obdesk-relay}:code_times") == ":0"
        await store.purge(NOON_US + RETENTION_S * 1_000_000)

        assert redis.say("DBSIZE") == ":4"
        kept = (f"{{obdesk-relay}}:{name}" for name in ("epoch", "commits", "removed", "shortened"))
        assert redis.say("EXISTS", *kept) == ":4"


async def test_what_was_deleted_is_gone_from_redis_s_files_a_day_later(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    def on_disk() -> bytes:
        parts = []
        for path in (tmp_path / "appendonlydir").iterdir():
            with suppress(FileNotFoundError):  # it was just written anew
                parts.append(path.read_bytes())
        return b"".join(parts)

    async def shortened() -> None:
        if b"a sealed hint" in on_disk():
            raise StoreDownError

    async with RedisPlace(own_redis.url).store() as store:
        await store.purge(NOON_US)
        device = await with_device(store)
        await store.deliver(device.source_id, None, [mail(device, "a", "a sealed hint")], NOON_US)
        await store.acknowledge(device.id, NOON_US)
        await store.purge(NOON_US + DAY_US - 1)
        assert b"a sealed hint" in on_disk()
        own_redis.say("ACL", "SETUSER", "default", "-bgrewriteaof")
        await store.purge(NOON_US + DAY_US)
        await store.ping()
        own_redis.say("ACL", "SETUSER", "default", "+bgrewriteaof")
        await store.purge(NOON_US + 2 * DAY_US)
        await until_it_heals(shortened)
        assert await store.device_of(token(device)) == device


async def test_F58_a_redis_emptied_under_a_running_relay_begins_another_epoch(redis: RedisServer) -> None:
    async with RedisPlace(redis.url).store() as store:
        first = await store.epoch()
        device = await with_device(store)
        redis.say("FLUSHALL")

        second = await store.epoch()
        assert second != first
        assert await store.device_of(token(device)) is None
        assert (await store.inbox(device.id, 0, 1)).epoch == second == await store.epoch()


async def test_F59_a_redis_put_back_to_an_earlier_state_begins_another_epoch(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    async with RedisPlace(own_redis.url).store() as store:
        first = await store.epoch()
        device = await with_device(store)
        copied = own_redis.copy(tmp_path / "copy")
        await store.deliver(device.source_id, None, [mail(device)], NOON_US)
        given = (await store.inbox(device.id, 0, 1)).head
        own_redis.kill()
        own_redis.put_back(copied)
        own_redis.start()
        await until_it_heals(lambda: store.inbox(device.id, 0, 1))

        second = await store.epoch()
        assert second != first
        assert await texts(store, device) == []
        await store.deliver(device.source_id, None, [mail(device)], NOON_US + 5)
        assert (await store.inbox(device.id, 0, 1)).head > given
        assert await store.epoch() == second
