"""Days that no answer covers: found, narrowed and closed by what came. Pure functions over days.

Without a login of the person's a bank shows about the last 90 days (RTS on SCA, article 10a). Whoever was
away for longer may miss what lies before them, and no later answer brings it by itself.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVED = timedelta(days=90)
"""How far back a bank shows rows without a login."""
OVERLAP = timedelta(days=14)
"""Rows that begin this soon after the last covered day leave no hole: few accounts move more often."""
_DAY = timedelta(days=1)

Hole = tuple[date, date]
"""First and last day that no answer covers."""


def away(covered: date, as_of: date) -> bool:
    """Tell whether longer passed since the last covered day than a bank shows."""
    return as_of - covered > SERVED + _DAY


def hole_of(covered: date, as_of: date, came: Sequence[date]) -> Hole | None:
    """Return the hole between the last covered day and what an answer as of a later day brought.

    `came` are the days of the rows that came new. An answer whose rows begin where the last one ended
    covers everything; otherwise only what a bank shows anyway is taken as covered.
    """
    if not away(covered, as_of):
        return None
    found = (covered + _DAY, as_of - SERVED - _DAY)
    return narrowed(found, [day for day in came if day > covered])


def narrowed(hole: Hole, came: Sequence[date]) -> Hole | None:
    """Return what is left of a hole after rows of some days came; None where they cover it.

    Rows are served from some day on: all from the oldest of them is covered.
    """
    first, last = hole
    inside = [day for day in came if first <= day <= last]
    if not inside:
        return hole
    oldest = min(inside)
    if oldest - first < OVERLAP:
        return None
    return first, oldest - _DAY
