"""When the list of links is asked for though no link is due: else one nobody here knows stays unknown."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from obdesk.domain.outcomes import RetryLater
from obdesk.sync import policy

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from obdesk.domain.outcomes import Failure

SLACK = timedelta(minutes=15)
"""A link that is due brings the list along; where none was within this time it is asked for by itself."""


class Looks:
    """Remembers when the list was last asked for; a program that starts has not asked yet."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._begun_at: datetime | None = None
        self._again: timedelta | None = None

    def is_due(self, now: datetime, interval: timedelta) -> bool:
        """Tell whether the list is asked for; a look that seems to lie ahead was before a clock was set."""
        if self._begun_at is None:
            return True
        wait = interval + SLACK if self._again is None else self._again
        return not timedelta(0) <= now - self._begun_at < wait

    def begin(self, now: datetime) -> None:
        """Keep that the list is asked for now, whatever comes of it."""
        self._begun_at, self._again = now, None

    def failed(self, now: datetime, failure: Failure) -> None:
        """Keep that there was no list: it is asked for again about hourly, or when we were told to."""
        after_s = failure.after_s if isinstance(failure, RetryLater) else None
        again = policy.retry_at(now, failure.condition, policy.FAST_TRIES, after_s, self._rng)
        self._again = None if again is None else again - now
