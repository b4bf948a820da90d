"""What the relay's tests share: tests that are coroutines, and a place for a store of each kind."""

from __future__ import annotations

import asyncio
import inspect
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.relay.places import RedisPlace, SqlitePlace
from tests.relay.redis_server import PROGRAM, RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@contextmanager
def _in_memory() -> Iterator[Path]:
    """Yield a folder in memory where there is one: what a disk does is told in test_sqlite_disk.py."""
    shared = Path("/dev/shm")  # noqa: S108 - the folder inside it gets a name of its own
    with tempfile.TemporaryDirectory(prefix="obdesk-relay-", dir=shared if shared.is_dir() else None) as made:
        yield Path(made)


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """Give a Redis that all tests of a run share; nobody may end it."""
    need_redis()
    with _in_memory() as folder, RedisServer(folder) as server:
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


@pytest.fixture
def memory() -> Iterator[Path]:
    """Give a folder of the test's own, in memory where that can be."""
    with _in_memory() as folder:
        yield folder


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, memory: Path) -> Place:
    """Give an empty place for a store, of each kind in turn."""
    if request.param == "sqlite":
        return SqlitePlace(memory / "relay.db")
    server: RedisServer = request.getfixturevalue("redis")
    return RedisPlace(server.url)
