"""Tasks are born here: a named scope owns them, reports what fails, and ends them when it closes.

One bank's error must never cancel another's sync, which a bare TaskGroup would do; and no task may
outlive its owner, which a bare `create_task` would allow.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

T = TypeVar("T")
log = logging.getLogger(__name__)


class Scope:
    """A group of tasks that end together; a failing task is reported and ends only itself."""

    def __init__(self, name: str, on_failure: Callable[[str, BaseException], None]) -> None:
        self._name = name
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def idle(self) -> bool:
        """Tell whether nothing is running."""
        return not self._tasks

    def spawn(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any] | None:
        """Run `work` as a task of this scope; after closing nothing is started any more."""
        if self._closed:
            work.close()
            return None
        task = asyncio.get_running_loop().create_task(self._watched(name, work), name=f"{self._name}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _watched(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the edge where a task's failure becomes a report
            self._on_failure(name, error)

    async def close(self, grace_s: float = 0.0) -> None:
        """Give running tasks a moment, then cancel what is left and wait for it to clean up."""
        self._closed = True
        if self._tasks and grace_s > 0:
            await asyncio.wait(set(self._tasks), timeout=grace_s)
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()


async def gathered(work: Sequence[Callable[[], Awaitable[T]]], *, at_once_max: int) -> list[T]:
    """Run every piece of work, a few at once, and return the answers in order.

    The first failure is raised after all have ended, so that none is left running or torn apart.
    """
    limit = asyncio.Semaphore(at_once_max)

    async def limited(piece: Callable[[], Awaitable[T]]) -> T:
        async with limit:
            return await piece()

    answers = await asyncio.gather(*(limited(piece) for piece in work), return_exceptions=True)
    good: list[T] = []
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
        good.append(answer)
    return good


class Shared:
    """Work that several callers may wait for: who comes while it runs gets the same answer."""

    def __init__(self) -> None:
        self._running: dict[object, asyncio.Future[Any]] = {}

    def running(self, key: object) -> bool:
        """Tell whether work under `key` is under way."""
        return key in self._running

    async def once(self, key: object, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run `work`, or join the run of the same key; its first caller's cancellation ends it."""
        joined: asyncio.Future[T] | None = self._running.get(key)
        if joined is not None:
            return await asyncio.shield(joined)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._running[key] = answer
        try:
            value = await work()
        except BaseException as error:
            if isinstance(error, Exception):
                answer.set_exception(error)
                answer.exception()  # those who joined have it; nobody else must be warned about it
            else:
                answer.cancel()
            raise
        else:
            answer.set_result(value)
            return value
        finally:
            del self._running[key]
