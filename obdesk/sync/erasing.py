"""When to ask a provider again to erase a link: pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from obdesk.domain.outcomes import RetryLater

if TYPE_CHECKING:
    from random import Random

    from obdesk.domain.outcomes import Failure

FIRST_S = 60.0
MOST_S = 24 * 3600.0


def next_try(now: datetime, attempts: int, failure: Failure | None, rng: Random) -> datetime:
    """Return when a failed erasure is tried again: never later than in a day, and never given up.

    Full jitter over a bound that doubles; what the provider asks for is honoured up to a day. Without a
    `failure` there was nobody to ask.
    """
    wished_s = failure.after_s if isinstance(failure, RetryLater) else None
    bound_s = min(MOST_S, FIRST_S * 2 ** min(attempts, 12))
    wait_s = rng.uniform(bound_s / 2, bound_s) if wished_s is None else min(max(wished_s, 1.0), MOST_S)
    return now + timedelta(seconds=wait_s)
