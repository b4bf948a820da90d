"""From one list of ids to another in few steps, so that rows that stay keep their selection."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

COMPARED_MAX = 50_000
"""Between the parts that are equal at both ends; more is taken out and put in as a whole."""
STEPS_MAX = 60


@dataclass(frozen=True, slots=True)
class Step:
    """Rows from `first` to `last` are taken out, or put in where they stand in the new list."""

    first: int
    last: int
    puts_in: bool


def steps(old: array[int], new: array[int]) -> list[Step]:
    """Return what turns `old` into `new`: what goes, from the end; then what comes, from the beginning."""
    head = _same_head(old, new)
    tail = _same_tail(old, new, min(len(old), len(new)) - head)
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    found = _fine(before, after, head) if len(before) + len(after) <= COMPARED_MAX else None
    return _whole(before, after, head) if found is None or len(found) > STEPS_MAX else found


def _whole(before: Sequence[int], after: Sequence[int], head: int) -> list[Step]:
    found = []
    if before:
        found.append(Step(head, head + len(before) - 1, puts_in=False))
    if after:
        found.append(Step(head, head + len(after) - 1, puts_in=True))
    return found


def _fine(before: Sequence[int], after: Sequence[int], head: int) -> list[Step]:
    place = {identity: at for at, identity in enumerate(after)}
    stay = {after[at] for at in _in_order([place[each] for each in before if each in place])}
    gone = _runs([identity not in stay for identity in before], head, puts_in=False)
    return [*reversed(gone), *_runs([identity not in stay for identity in after], head, puts_in=True)]


def _runs(marked: Sequence[bool], head: int, *, puts_in: bool) -> list[Step]:
    found: list[Step] = []
    start = -1
    for at, is_marked in enumerate([*marked, False]):
        if is_marked and start < 0:
            start = at
        elif not is_marked and start >= 0:
            found.append(Step(head + start, head + at - 1, puts_in=puts_in))
            start = -1
    return found


def _in_order(places: Sequence[int]) -> list[int]:
    """Return a longest part of `places` that ascends: the rows that need not move."""
    ends: list[int] = []
    links: list[int] = []
    last_at: list[int] = []
    for at, place in enumerate(places):
        length = bisect_left(ends, place)
        if length == len(ends):
            ends.append(place)
            last_at.append(at)
        else:
            ends[length] = place
            last_at[length] = at
        links.append(last_at[length - 1] if length else -1)
    found: list[int] = []
    at = last_at[-1] if last_at else -1
    while at >= 0:
        found.append(places[at])
        at = links[at]
    return found


def _same_head(one: array[int], other: array[int]) -> int:
    """Return how many ids two lists share at the beginning: by halves, comparing memory."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle].tobytes() == other[low:middle].tobytes():
            low = middle
        else:
            high = middle - 1
    return low


def _same_tail(one: array[int], other: array[int], at_most: int) -> int:
    """Return how many ids two lists share at the end, not more than `at_most`."""
    low, high = 0, at_most
    ends = len(one), len(other)
    while low < high:
        middle = (low + high + 1) // 2
        mine, theirs = (
            whole[end - middle : end - low] for whole, end in zip((one, other), ends, strict=True)
        )
        if mine.tobytes() == theirs.tobytes():
            low = middle
        else:
            high = middle - 1
    return low
