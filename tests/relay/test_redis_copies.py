"""A Redis that is put back from a copy while no relay runs: what was lost with it is noticed (F59)."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from obdesk.relay.server.redis import open_store
from tests.relay.places import NOON_US, mail, with_device

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from obdesk.relay.server.store import Store
    from tests.guards import ExpectsLog
    from tests.relay.redis_server import RedisServer


@asynccontextmanager
async def _relay(server: RedisServer, folder: Path, *, beside: bool = False) -> AsyncIterator[Store]:
    store = await open_store(server.url, folder=folder, beside=beside)
    try:
        yield store
    finally:
        await store.close()


def _put_back(server: RedisServer, copied: Path) -> None:
    server.kill()
    server.put_back(copied)
    server.start()


async def test_F59_a_redis_put_back_while_no_relay_runs_begins_another_epoch(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    async with _relay(own_redis, tmp_path / "state") as store:
        device = await with_device(store)
        first = await store.epoch()
        copied = own_redis.copy(tmp_path / "copy")
        await store.deliver(device.source_id, None, [mail(device)], NOON_US)
    _put_back(own_redis, copied)
    async with _relay(own_redis, tmp_path / "state") as store:
        second = await store.epoch()
        assert second != first
    async with _relay(own_redis, tmp_path / "state") as store:
        assert await store.epoch() == second, "once is enough"


async def test_F59_it_is_an_operators_command_that_notices_where_that_comes_first(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    async with _relay(own_redis, tmp_path / "state") as store:
        first = await store.epoch()
        copied = own_redis.copy(tmp_path / "copy")
        await with_device(store)
    _put_back(own_redis, copied)
    async with _relay(own_redis, tmp_path / "state", beside=True) as store:
        assert await store.epoch() != first


async def test_F59_what_any_of_several_workers_has_seen_counts(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    async with _relay(own_redis, state) as early, _relay(own_redis, state) as late:
        device = await with_device(early)
        first = await early.epoch()
        copied = own_redis.copy(tmp_path / "copy")
        await late.deliver(device.source_id, None, [mail(device)], NOON_US)
    _put_back(own_redis, copied)
    async with _relay(own_redis, state) as store:
        assert await store.epoch() != first
    assert len(list(state.iterdir())) == 2, "a file serves whoever comes next"


async def test_a_redis_that_lost_nothing_goes_on_as_it_was(own_redis: RedisServer, tmp_path: Path) -> None:
    async with _relay(own_redis, tmp_path / "state") as store:
        await with_device(store)
        first = await store.epoch()
    own_redis.kill()
    own_redis.start()
    async with _relay(own_redis, tmp_path / "state") as store:
        assert await store.epoch() == first


async def test_a_host_that_can_keep_nothing_serves_all_the_same_and_says_so(
    redis: RedisServer, tmp_path: Path, expects_log: ExpectsLog
) -> None:
    (tmp_path / "file").write_text("no folder")
    expects_log("run obdesk relay new-epoch")
    async with _relay(redis, tmp_path / "file") as store:
        await with_device(store)
