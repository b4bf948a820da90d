"""Where a chart's axis puts its marks: pure arithmetic on integers and dates."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Axis(NamedTuple):
    """A value axis in minor units: its ends and its round marks."""

    low: int
    high: int
    marks: tuple[int, ...]


def value_axis(values: Sequence[int], unit: int, marks_wanted: int = 4) -> Axis:
    """Return an axis that holds all values with marks at 1, 2, 2.5 or 5 times a power of ten.

    `unit` is one major unit in minor units: no mark is finer. The axis does not have to begin at zero
    (the marks are labelled), but it does when the values come near it.
    """
    low, high = min(values, default=0), max(values, default=0)
    if low >= 0 and low <= (high - low):
        low = 0
    if high <= 0 and -high <= (high - low):
        high = 0
    if low == high:
        low, high = low - unit, high + unit
    step = _round_step(max(1, (high - low) // max(1, marks_wanted - 1)), unit)
    first, last = (low // step) * step, -(-high // step) * step
    return Axis(first, last, tuple(range(first, last + 1, step)))


def _round_step(rough: int, unit: int) -> int:
    step = unit
    while True:
        for factor in (10, 20, 25, 50):
            candidate = step * factor // 10
            if candidate >= unit and candidate >= rough and candidate * 10 % factor == 0:
                return candidate
        step *= 10


def month_marks(first: date, last: date, marks_max: int) -> tuple[date, ...]:
    """Return the firsts of months between two days, thinned to at most `marks_max`."""
    months: list[date] = []
    year, month = first.year, first.month
    while (day := date(year, month, 1)) <= last:
        if day >= first:
            months.append(day)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    step = max(1, -(-len(months) // max(1, marks_max)))
    return tuple(months[::step])
