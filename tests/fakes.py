"""The only fakes: time and, later on, the desktop that shows notices. Everything else is real in tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SOME_MORNING = datetime(2026, 3, 17, 8, 30, tzinfo=UTC)
"""When a frozen clock starts: a Tuesday, outside summer time in Europe."""


class FrozenClock:
    """A clock that moves only when a test says so (obdesk.domain.clock.Clock)."""

    def __init__(self, start: datetime = SOME_MORNING) -> None:
        self._now = start
        self._monotonic_s = 1_000.0

    def now(self) -> datetime:
        """Return the wall clock, an aware UTC instant."""
        return self._now

    def monotonic_s(self) -> float:
        """Return the seconds that never jump."""
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        assert seconds >= 0, "time does not run backwards; use set_wall for a corrected clock"
        self._now += timedelta(seconds=seconds)
        self._monotonic_s += seconds

    def suspend(self, seconds: float) -> None:
        """Sleep the machine: the wall clock goes on, the monotonic clock stands still (as on Linux)."""
        self._now += timedelta(seconds=seconds)

    def set_wall(self, instant: datetime) -> None:
        """Correct the wall clock, as a person or a time server does; no time passes."""
        self._now = instant
