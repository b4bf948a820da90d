"""The clockwork: once a minute it is asked what is due. A job is one line that puts a hint.

What is due is decided on the wall clock from what the database says, so a machine that slept for hours
catches up with the first tick after it wakes, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from apscheduler.schedulers.asyncio import AsyncIOScheduler

TICK_S = 60


class Ticker:
    """Calls `hint` once a minute on the running loop until it is closed."""

    def __init__(self, hint: Callable[[], None]) -> None:
        self._hint = hint
        self._scheduler: AsyncIOScheduler | None = None

    def start(self) -> None:
        """Begin to tick; a tick that was missed while the machine slept comes once, late."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._scheduler.add_job(
            self._ring, "interval", seconds=TICK_S, coalesce=True, misfire_grace_time=None, max_instances=1
        )
        self._scheduler.start()

    async def _ring(self) -> None:
        # A coroutine, because APScheduler runs plain functions in a thread, where no task can be born.
        self._hint()

    def close(self) -> None:
        """Stop ticking."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
