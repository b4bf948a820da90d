"""What the relay's tests share: tests that are coroutines, and a place for a store of each kind."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

import pytest

from tests.relay.places import SqlitePlace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.relay.places import Place


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine in an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(params=["sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Give an empty place for a store, of each kind in turn."""
    assert request.param == "sqlite"
    return SqlitePlace(tmp_path / "relay.db")
