"""Tasks are born here: a named scope owns them, reports what fails, and ends them when it closes.

One bank's error must never cancel another's sync, which a bare TaskGroup would do; and no task may
outlive its owner, which a bare `create_task` would allow.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

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
        task.add_done_callback(lambda _task: work.close())  # one cancelled before its first step never ran
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
