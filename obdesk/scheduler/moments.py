"""Whether now is a good moment to ask by schedule: pure rules over clocks, network, power, quiet hours."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from obdesk.domain.jobs import Priority

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, time
    from random import Random
    from typing import TypeAlias

    from obdesk.domain.jobs import Waiting

    Allows: TypeAlias = Callable[[Waiting], bool]

SLEPT_S = 150.0
"""Ticks come once a minute: after a longer silence the machine slept, or its clock was set."""
SETTLE_S = (30.0, 60.0)
"""How long the network is left alone once it is up. With the next tick that is 30 to 120 seconds."""
STALE_FOR_GOOD = timedelta(hours=24)
"""Older than this, data is read even over a network that costs money."""
BATTERY_LOW_PERCENT = 20


class Moments:
    """Remembers the last tick and the network, and says when the schedule may ask again.

    After a sleep, and after the network was away, it waits a moment by chance: the network settles, and
    the computers that come back together do not all ask at once.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._last: tuple[datetime, float] | None = None
        self._offline = False
        self._settled_at_s = 0.0

    def network(self, monotonic_s: float, *, online: bool | None) -> bool:
        """Take in how the network is (None: not known); tell whether it has just come back."""
        came_back = self._offline and online is not False
        self._offline = online is False
        if came_back:
            self._settle(monotonic_s)
        return came_back

    def tick(self, now: datetime, monotonic_s: float) -> bool:
        """Tell whether the schedule may ask at this tick."""
        if self._last is not None:
            wall_s = (now - self._last[0]).total_seconds()
            since_s = monotonic_s - self._last[1]
            if since_s > SLEPT_S or abs(wall_s - since_s) > SLEPT_S:
                self._settle(monotonic_s)
        self._last = now, monotonic_s
        return not self._offline and monotonic_s >= self._settled_at_s

    def _settle(self, monotonic_s: float) -> None:
        self._settled_at_s = monotonic_s + self._rng.uniform(*SETTLE_S)


def is_quiet(local: time, begins: time | None, ends: time | None) -> bool:
    """Tell whether a local time is within the quiet hours, which may go over midnight."""
    if begins is None or ends is None or begins == ends:
        return False
    if begins < ends:
        return begins <= local < ends
    return local >= begins or local < ends


def is_scarce(*, metered: bool | None, battery_percent: int | None) -> bool:
    """Tell whether network or battery should be spared; what is not known is no reason to wait.

    The charge counts only while the battery is in use (None: it is not, or there is none).
    """
    return bool(metered) or (battery_percent is not None and battery_percent < BATTERY_LOW_PERCENT)


def may_read(waiting: Waiting, now: datetime, *, quiet: bool, scarce: bool) -> bool:
    """Tell whether a job may be done now; what a person asked for always may."""
    if waiting.job.priority is Priority.PERSON:
        return True
    if quiet:
        return False
    asked_at = waiting.asked_at
    return not scarce or asked_at is None or not timedelta(0) <= now - asked_at < STALE_FOR_GOOD
