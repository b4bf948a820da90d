"""Time as something that is handed in, so that nothing below the composition root reads a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """What the program may know about time."""

    def now(self) -> datetime:
        """Return the wall clock as an aware UTC instant: for display, dates and consent only."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that never jump: for intervals, deadlines and durations."""
        ...
