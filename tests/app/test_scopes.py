"""Tasks end with their scope, fail alone, and share work."""

from __future__ import annotations

import asyncio

import pytest

from obdesk.app.scopes import Scope

pytestmark = pytest.mark.anyio


class Failures:
    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def __call__(self, name: str, error: BaseException) -> None:
        self.heard.append((name, str(error)))


async def _fails() -> None:
    raise ValueError("mine")


async def test_a_failing_task_is_reported_and_ends_only_itself() -> None:
    failures, go_on, done = Failures(), asyncio.Event(), []

    async def other() -> None:
        await go_on.wait()
        done.append("other")

    async with Scope("s", failures) as scope:
        staying = scope.spawn("other", other())
        failing = scope.spawn("failing", _fails())
        assert failing is not None
        assert staying is not None
        await failing
        assert failures.heard == [("failing", "mine")]
        assert not scope.idle
        go_on.set()
        await staying
    assert done == ["other"]
    assert scope.idle


async def test_closing_cancels_what_runs_and_waits_for_its_cleaning_up() -> None:
    failures, order = Failures(), []
    begun, cleaned = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            order.append("cleaned")
            cleaned.set()

    scope = Scope("s", failures)
    scope.spawn("work", work())
    await begun.wait()
    await scope.close()
    order.append("closed")
    assert order == ["cleaned", "closed"]
    assert failures.heard == []


async def test_a_grace_lets_running_work_come_to_its_end() -> None:
    failures, go_on, ended = Failures(), asyncio.Event(), []

    async def work() -> None:
        await go_on.wait()
        ended.append("by itself")

    scope = Scope("s", failures)
    scope.spawn("work", work())
    asyncio.get_running_loop().call_soon(go_on.set)
    await scope.close(grace_s=30)
    assert ended == ["by itself"]


async def test_after_closing_nothing_is_started() -> None:
    scope = Scope("s", Failures())
    await scope.close()
    assert scope.spawn("late", _fails()) is None


async def test_a_task_cancelled_before_its_first_step_leaves_nothing_behind() -> None:
    scope = Scope("s", Failures())
    task = scope.spawn("never begun", _fails())
    await scope.close()
    assert task is not None
    assert task.cancelled()
