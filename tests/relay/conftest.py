"""What the relay's tests share: tests that are coroutines, and a place for a store of each kind."""

from __future__ import annotations

import asyncio
import inspect
import os
from typing import TYPE_CHECKING

import pytest

from tests.relay.places import RedisPlace, SqlitePlace
from tests.relay.redis_server import PROGRAM, RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.relay.places import Place

KINDS = ("sqlite", "redis")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine in an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give a Redis that all tests of a run share; nobody may end it."""
    need_redis()
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


def need_redis() -> None:
    """Leave out a test where there is no Redis, which the continuous integration always has."""
    if PROGRAM is None and not os.environ.get("CI"):
        pytest.skip("redis-server is not installed (packaging/bootstrap.py system ci installs it)")


@pytest.fixture
def redis(shared_redis: RedisServer) -> RedisServer:
    """Give a Redis with nothing in it."""
    assert shared_redis.say("FLUSHALL") == "+OK"
    return shared_redis


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Give a Redis that the test may end and start again."""
    need_redis()
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Give an empty place for a store, of each kind in turn."""
    if request.param == "sqlite":
        return SqlitePlace(tmp_path / "relay.db")
    server: RedisServer = request.getfixturevalue("redis")
    return RedisPlace(server.url)
