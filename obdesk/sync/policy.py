"""When to try again and how to read: pure functions of what happened and of the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from obdesk.domain.conditions import Condition, Side, freshness_of, heals_alone, side_of
from obdesk.domain.entities import RunResult, SyncKind
from obdesk.domain.freshness import FreshnessState

if TYPE_CHECKING:
    from random import Random

INTERVAL = timedelta(hours=4)
FULL_EVERY = timedelta(days=7)
BACKOFF_FIRST_S = 120.0
BACKOFF_MAX_S = 4 * 3600.0
RETRY_AFTER_MIN_S = 1.0
RETRY_AFTER_MAX_S = 24 * 3600.0


def wants_full(cursor: str | None, full_sync_at: datetime | None, now: datetime) -> bool:
    """Tell whether a sync must read everything: the first time, weekly, and when a clock was set back."""
    if cursor is None or full_sync_at is None:
        return True
    return not timedelta(0) <= now - full_sync_at < FULL_EVERY


def kind_of(cursor: str | None, full_sync_at: datetime | None, now: datetime) -> SyncKind:
    """Return how much a sync reads: what changed, all for the first time, or all of it to be compared."""
    if cursor is None:
        return SyncKind.FULL
    return SyncKind.RECONCILE if wants_full(cursor, full_sync_at, now) else SyncKind.DELTA


def retry_at(
    now: datetime, condition: Condition, failures: int, after_s: float | None, rng: Random
) -> datetime | None:
    """Return when a failed sync is tried again by itself; None where only a person can help.

    Full jitter over an exponential bound; what the provider asks for is honoured, clamped to a day.
    """
    if not heals_alone(condition) and side_of(condition) is Side.YOU:
        return None
    if after_s is not None:
        wait_s = min(max(after_s, RETRY_AFTER_MIN_S), RETRY_AFTER_MAX_S)
    else:
        bound_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(failures, 10))
        wait_s = max(BACKOFF_FIRST_S / 2, rng.uniform(0, bound_s))
    return now + timedelta(seconds=wait_s)


def result_of(condition: Condition, *, changed: bool) -> RunResult:
    """Return how a sync that reached its end is told: by the state of the link, then by its rows."""
    match freshness_of(condition):
        case FreshnessState.NEEDS_YOU:
            return RunResult.ACTION_NEEDED
        case FreshnessState.DELAYED:
            return RunResult.RETRY_LATER
        case FreshnessState.BROKEN:
            return RunResult.BROKEN
        case _:
            return RunResult.UPDATED if changed else RunResult.UNCHANGED
