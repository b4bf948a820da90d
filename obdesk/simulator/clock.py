"""The simulator's clock: follows real time from a chosen start, or stands still until moved."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """A virtual clock. Everything in the simulator that has a date asks this object.

    It starts at `start` (default: the real instant) and runs at the speed of real time unless it is
    frozen; it can always be moved by hand. It never goes backwards.
    """

    def __init__(
        self,
        start: datetime | None = None,
        *,
        frozen: bool = False,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic_s = monotonic_s
        self._base = (start or datetime.now(UTC)).astimezone(UTC)
        self._frozen = frozen
        self._origin_s = monotonic_s()

    @property
    def frozen(self) -> bool:
        """Whether time stands still between moves."""
        return self._frozen

    def now(self) -> datetime:
        """Return the current virtual instant, in UTC."""
        if self._frozen:
            return self._base
        return self._base + timedelta(seconds=self._monotonic_s() - self._origin_s)

    def seconds(self) -> int:
        """Return the current virtual instant in whole seconds since 1970, UTC."""
        return int(self.now().timestamp())

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`; raises ValueError for a negative number."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._rebase(self.now() + timedelta(seconds=seconds))

    def move_to(self, instant: datetime) -> None:
        """Move forward to `instant`; raises ValueError when that lies in the past."""
        if instant < self.now():
            raise ValueError("the clock only moves forward")
        self._rebase(instant.astimezone(UTC))

    def freeze(self) -> None:
        """Stand still from now on."""
        self._rebase(self.now())
        self._frozen = True

    def run(self) -> None:
        """Follow real time again from the current virtual instant."""
        self._rebase(self.now())
        self._frozen = False

    def _rebase(self, instant: datetime) -> None:
        self._base = instant
        self._origin_s = self._monotonic_s()
