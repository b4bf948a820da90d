"""Tasks end with their scope, fail alone, and share work."""

from __future__ import annotations

import asyncio

import pytest

from obdesk.app.scopes import Scope, Shared, gathered

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


async def test_gathered_answers_in_order_a_few_at_once() -> None:
    running, most = 0, 0

    async def piece(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(10 - number):
            await asyncio.sleep(0)
        running -= 1
        return number

    work = [lambda n=n: piece(n) for n in range(8)]
    assert await gathered(work, at_once_max=3) == list(range(8))
    assert most == 3


async def test_gathered_ends_everything_before_it_tells_of_a_failure() -> None:
    ended = []

    async def piece() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        ended.append("piece")

    with pytest.raises(ValueError, match="mine"):
        await gathered([_fails, piece, piece], at_once_max=3)
    assert ended == ["piece", "piece"]


async def test_who_comes_while_it_runs_gets_the_same_answer() -> None:
    shared, go_on, runs = Shared(), asyncio.Event(), []

    async def work() -> int:
        runs.append("run")
        await go_on.wait()
        return len(runs)

    async with asyncio.TaskGroup() as group:
        callers = [group.create_task(shared.once("key", work)) for _ in range(3)]
        other = group.create_task(shared.once("other", work))
        await asyncio.sleep(0)
        assert shared.running("key")
        go_on.set()
    assert [caller.result() for caller in callers] == [2, 2, 2]
    assert (other.result(), runs) == (2, ["run", "run"])
    assert not shared.running("key")
    assert await shared.once("key", work) == 3, "who comes later starts anew"


async def test_a_failure_reaches_everybody_who_waits() -> None:
    shared, go_on = Shared(), asyncio.Event()

    async def work() -> int:
        await go_on.wait()
        raise ValueError("mine")

    callers = [asyncio.ensure_future(shared.once("key", work)) for _ in range(3)]
    await asyncio.sleep(0)
    go_on.set()
    results = await asyncio.gather(*callers, return_exceptions=True)
    assert [str(result) for result in results] == ["mine"] * 3


async def test_who_joined_and_leaves_does_not_end_the_work() -> None:
    shared, go_on = Shared(), asyncio.Event()

    async def work() -> int:
        await go_on.wait()
        return 5

    first = asyncio.ensure_future(shared.once("key", work))
    await asyncio.sleep(0)
    joined = asyncio.ensure_future(shared.once("key", work))
    await asyncio.sleep(0)
    joined.cancel()
    go_on.set()
    assert await first == 5
