"""Where the relay's tasks are born: each has an owner, ends with it, and does not fail unheard."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Coroutine

_AGAIN_S: Final = 0.1

_log = logging.getLogger(__name__)


class Tasks:
    """Some tasks that end together."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something beside everything else."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a task ended by an error", exc_info=error)

    async def close(self) -> None:
        """Give up what still runs and wait until it has cleaned up."""
        while self._running:
            for task in self._running:
                task.cancel()
            # Before Python 3.12 `asyncio.wait_for` may swallow a cancellation, so one is not always enough.
            await asyncio.wait(tuple(self._running), timeout=_AGAIN_S)
