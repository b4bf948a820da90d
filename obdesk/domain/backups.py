"""Which daily copies of the data stay: by how many there are, never by how old a clock calls them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

DAYS_KEPT = 7
WEEKS_KEPT = 4
_NAME = re.compile(r"ledger-(\d{4}-\d{2}-\d{2})-(\d{4,9})\.db", re.ASCII)


@dataclass(frozen=True, slots=True)
class Backup:
    """One copy: the local day it was made on, as the clock then said, and its place in the order of making.

    The number counts up whatever the clock does: which copy is newer is never asked of a day.
    """

    day: date
    number: int

    @property
    def name(self) -> str:
        """Return the name of its file."""
        return f"ledger-{self.day.isoformat()}-{self.number:04}.db"


def parsed(name: str) -> Backup | None:
    """Return what a file's name says, None where it is not one of ours to the letter."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        found = Backup(date.fromisoformat(match[1]), int(match[2]))
    except ValueError:
        return None
    return found if found.name == name else None


def newest_first(known: Collection[Backup]) -> list[Backup]:
    """Return copies in the order they were made, the last one first."""
    return sorted(known, key=lambda each: (each.number, each.day), reverse=True)


def following(known: Collection[Backup], day: date) -> Backup:
    """Return the copy that is made next."""
    return Backup(day, max((each.number for each in known), default=0) + 1)


def surplus(known: Collection[Backup]) -> tuple[Backup, ...]:
    """Return the copies that may go: all but the newest of each of the last days and weeks that have one."""
    of_day: dict[date, Backup] = {}
    of_week: dict[tuple[int, int], Backup] = {}
    ordered = newest_first(known)
    for each in ordered:
        week = each.day.isocalendar()[:2]
        if len(of_day) < DAYS_KEPT:
            of_day.setdefault(each.day, each)
        if len(of_week) < WEEKS_KEPT:
            of_week.setdefault(week, each)
    kept = {*of_day.values(), *of_week.values()}
    return tuple(each for each in ordered if each not in kept)
