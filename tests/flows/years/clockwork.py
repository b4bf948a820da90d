"""Time without waiting: an event loop that jumps to its next timer, and threads that are none.

Everything runs in one thread in one order, so a seed replays a run exactly.
"""

from __future__ import annotations

import asyncio
import selectors
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from obdesk.storage import store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEGINNING = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)


class StuckError(RuntimeError):
    """Everybody waits and nothing will ever happen: a real program would hang."""


class InlineExecutor(ThreadPoolExecutor):
    """Runs what it is given at once in the caller's thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Override ThreadPoolExecutor.submit."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - a future hands on whatever was raised
            future.set_exception(error)
        return future


@contextmanager
def inline_threads() -> Iterator[None]:
    """Let the store run in the caller's thread."""
    real = vars(store)["ThreadPoolExecutor"]
    vars(store)["ThreadPoolExecutor"] = InlineExecutor
    try:
        yield
    finally:
        vars(store)["ThreadPoolExecutor"] = real


class _Selector(selectors.DefaultSelector):
    """Never waits: time passes instead."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Override BaseSelector.select; nothing outside of the loop ever happens."""
        if timeout is None:
            raise StuckError("nothing is left to wait for")
        if timeout > 0:
            self.passed_s += timeout
        return []


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose seconds cost nothing."""

    def __init__(self) -> None:
        self._time_selector = _Selector()
        super().__init__(self._time_selector)
        self.set_default_executor(InlineExecutor(1))
        # After some months a float of seconds has no nanoseconds any more, and a timer would never be due.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Return the seconds since the beginning."""
        return self._time_selector.passed_s

    def _write_to_self(self) -> None:
        """Override: there is one thread only, so nobody has to be woken."""


class SimClock:
    """The computer's two clocks (obdesk.domain.clock.Clock), and the true time behind them."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._slept_s = 0.0
        self.off_by = timedelta()
        """How wrong the wall clock is."""

    def true_now(self) -> datetime:
        """Return the time at the bank."""
        return BEGINNING + timedelta(seconds=self._loop.time())

    def now(self) -> datetime:
        """Return what the computer's wall clock shows."""
        return self.true_now() + self.off_by

    def monotonic_s(self) -> float:
        """Return the seconds that the computer was awake."""
        return self._loop.time() - self._slept_s

    def has_slept(self, seconds: float) -> None:
        """Keep that the computer was suspended for so long."""
        self._slept_s += seconds
