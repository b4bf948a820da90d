"""How old a figure is, on two clocks: when we last asked, and how fresh the bank's answer was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

ASKED_FRESH_MAX = timedelta(hours=8)  # twice the default interval between two checks
DATA_FRESH_MAX = timedelta(hours=26)  # aggregators read most banks once a day
DATA_AGEING_MAX = timedelta(hours=74)  # a long weekend


class FreshnessState(Enum):
    """What a glyph may say; the order of the members is the order from best to worst."""

    FRESH = "fresh"
    REFRESHING = "refreshing"
    AGEING = "ageing"
    PAUSED = "paused"
    STALE = "stale"
    DELAYED = "delayed"
    UNKNOWN = "unknown"
    BROKEN = "broken"
    NEEDS_YOU = "needs_you"


_RANK = {state: rank for rank, state in enumerate(FreshnessState)}


@dataclass(frozen=True, slots=True)
class Freshness:
    """The two clocks of a figure and the state they add up to."""

    asked_at: datetime | None
    data_as_of: datetime | None
    state: FreshnessState


def age_state(asked_at: datetime | None, data_as_of: datetime | None, now: datetime) -> FreshnessState:
    """Return the state that age alone gives: nothing is fresh because a call returned 200.

    An instant in the future (a clock was set back) counts as unknown, never as fresh.
    """
    if asked_at is None or data_as_of is None:
        return FreshnessState.UNKNOWN
    asked_age, data_age = now - asked_at, now - data_as_of
    if min(asked_age, data_age) < -timedelta(minutes=5):
        return FreshnessState.UNKNOWN
    if data_age > DATA_AGEING_MAX:
        return FreshnessState.STALE
    if data_age > DATA_FRESH_MAX or asked_age > ASKED_FRESH_MAX:
        return FreshnessState.AGEING
    return FreshnessState.FRESH


def worst(states: list[FreshnessState]) -> FreshnessState:
    """Return the worst state of a group: what its single glyph must show."""
    return max(states, key=_RANK.__getitem__, default=FreshnessState.UNKNOWN)


def oldest(instants: list[datetime | None]) -> datetime | None:
    """Return the date a total carries: the oldest of its parts, or None when a part has no date."""
    known = [instant for instant in instants if instant is not None]
    return min(known) if known and len(known) == len(instants) else None
