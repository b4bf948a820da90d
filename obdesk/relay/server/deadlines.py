"""Time limits for very many short waits, all of one length, at the price of one timer.

`asyncio.timeout` sets and cancels a timer each time, which costs as much as checking a signature.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class Deadlines:
    """The limits of one length that run at the moment."""

    def __init__(self, time_s: float) -> None:
        self._time_s = time_s
        self._running: dict[Deadline, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def limit(self, spent_s: float = 0.0) -> Deadline:
        """Return a context that raises TimeoutError if it is not left in time, of which some is spent."""
        return Deadline(self, spent_s)

    def begin(self, deadline: Deadline) -> None:
        """Let a limit run."""
        loop = asyncio.get_running_loop()
        deadline.ends_s = loop.time() + self._time_s - deadline.spent_s
        self._running[deadline] = None
        if self._timer is None or deadline.ends_s < self._timer.when():
            self._look_at(deadline.ends_s, loop)

    def _look_at(self, when_s: float, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(when_s, self._sweep, loop)

    def end(self, deadline: Deadline) -> None:
        """Let a limit run no more."""
        self._running.pop(deadline, None)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Break what is over, and come again for the next of the rest, if there is any."""
        now_s = loop.time()
        self._timer = None
        over = [deadline for deadline in self._running if deadline.ends_s <= now_s]
        if len(over) < len(self._running):
            rest = (deadline.ends_s for deadline in self._running)
            self._look_at(min(ends_s for ends_s in rest if ends_s > now_s), loop)
        for deadline in over:
            self.end(deadline)
            deadline.cut()


class Deadline:
    """One wait with its limit; what asyncio.timeout is, but for the timer."""

    def __init__(self, deadlines: Deadlines, spent_s: float) -> None:
        self._deadlines = deadlines
        self.spent_s = spent_s
        self._task: asyncio.Task[object] | None = None
        self._cancels = 0
        self._is_cut = False
        self.ends_s = 0.0

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        assert self._task is not None, "only a task can be interrupted"
        self._cancels = self._task.cancelling()
        self._deadlines.begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        del trace
        self._deadlines.end(self)
        if self._is_cut and self._task is not None:
            is_ours = self._task.uncancel() <= self._cancels
            if is_ours and kind is not None and issubclass(kind, asyncio.CancelledError):
                raise TimeoutError from raised

    def cut(self) -> None:
        """Interrupt the wait."""
        self._is_cut = True
        if self._task is not None:
            self._task.cancel()
