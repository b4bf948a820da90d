"""The rows of one API account, in columns, ordered for paging.

A row keeps its slot for ever; the two sorted key arrays say where it stands when rows are listed by
booking date or by application date. A key packs (date descending, id ascending) into one integer, so a
cursor is one bisection and a page costs the same at any depth.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from obdesk.simulator.bank.statement import Row

_ID_BITS = 40
_ID_MASK = (1 << _ID_BITS) - 1
_LAST_DAY = (1 << 22) - 1


def key_of(day: int, row_id: int) -> int:
    """Return the paging key of a row: smaller comes first, newest day first, then lowest id."""
    return (_LAST_DAY - day) << _ID_BITS | row_id


def day_of(key: int) -> int:
    """Return the date, as an ordinal, inside a paging key."""
    return _LAST_DAY - (key >> _ID_BITS)


def id_of(key: int) -> int:
    """Return the row id inside a paging key."""
    return key & _ID_MASK


@dataclass(slots=True)
class Note:
    """What is unusual about one row: edits by the user, corrections, deletion, a hand-written wording."""

    deleted: int | None = None
    wording: str | None = None
    original: str | None = None
    comment: str | None = None
    categories: tuple[tuple[str, str | None], ...] | None = None
    active: bool = True
    coming: bool = False
    unknown_value: bool = False
    kind: str | None = None


class Ledger:
    """The rows of one account. Row ids must be added in ascending order."""

    def __init__(self) -> None:
        self.ids = array("q")
        self.days = array("i")
        self.rdays = array("i")
        self.application_days = array("i")
        self.minors = array("q")
        self.labels = array("i")
        self.updates = array("q")
        self.scraped = array("q")
        self.by_date = array("q")
        self.by_application_date = array("q")
        self.notes: dict[int, Note] = {}
        self.version = 0
        self._deleted: set[int] = set()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def deleted(self) -> frozenset[int]:
        """The ids of the rows that the bank withdrew."""
        return frozenset(self._deleted)

    def fill(self, rows: Iterable[Row], new_id: Callable[[], int], at: int) -> int:
        """Append many booked rows at once and return the sum of their amounts."""
        first = len(self.ids)
        for row in rows:
            self.ids.append(new_id())
            self.days.append(row.day)
            self.rdays.append(row.rday)
            self.minors.append(row.minor)
            self.labels.append(row.label)
        added = len(self.ids) - first
        self.application_days.extend(self.rdays[first:])
        self.updates.extend([at] * added)
        self.scraped.extend([at] * added)
        self._sort()
        return sum(self.minors[first:])

    def add(self, row: Row, row_id: int, at: int, note: Note | None = None) -> int:
        """Append one row and return its slot."""
        slot = len(self.ids)
        self.ids.append(row_id)
        self.days.append(row.day)
        self.rdays.append(row.rday)
        self.application_days.append(row.rday)
        self.minors.append(row.minor)
        self.labels.append(row.label)
        self.updates.append(at)
        self.scraped.append(at)
        if note is not None:
            self.notes[slot] = note
        insort(self.by_date, key_of(row.day, row_id))
        insort(self.by_application_date, key_of(row.rday, row_id))
        self.version += 1
        return slot

    def slot(self, row_id: int) -> int | None:
        """Return the slot of a row id, or None."""
        place = bisect_left(self.ids, row_id)
        return place if place < len(self.ids) and self.ids[place] == row_id else None

    def note(self, slot: int) -> Note:
        """Return the note of a row, making an empty one when it has none."""
        return self.notes.setdefault(slot, Note())

    def touch(self, slot: int, at: int) -> None:
        """Record that a row changed at `at`."""
        self.updates[slot] = at
        self.version += 1

    def delete(self, slot: int, at: int) -> None:
        """Withdraw a row; it stays listed for whoever asks for deleted rows."""
        self.note(slot).deleted = at
        self._deleted.add(self.ids[slot])
        self.touch(slot, at)

    def undelete(self, slot: int, at: int) -> None:
        """Bring a withdrawn row back."""
        self.note(slot).deleted = None
        self._deleted.discard(self.ids[slot])
        self.touch(slot, at)

    def move(self, slot: int, day: int, rday: int) -> None:
        """Change the dates of a row."""
        row_id = self.ids[slot]
        if self.application_days[slot] == self.rdays[slot]:
            self.set_application_day(slot, rday)
        self._replace_key(self.by_date, key_of(self.days[slot], row_id), key_of(day, row_id))
        self.days[slot], self.rdays[slot] = day, rday
        self.version += 1

    def set_application_day(self, slot: int, day: int) -> None:
        """Change the date the user files a row under."""
        row_id = self.ids[slot]
        old = key_of(self.application_days[slot], row_id)
        self._replace_key(self.by_application_date, old, key_of(day, row_id))
        self.application_days[slot] = day
        self.version += 1

    def booked_minor(self) -> int:
        """Return the sum of the booked rows that were not withdrawn."""
        total = sum(self.minors)
        for slot, note in self.notes.items():
            if note.coming or note.deleted is not None:
                total -= self.minors[slot]
        return total

    def coming_minor(self) -> int:
        """Return the sum of the pending rows whose amount is known."""
        return sum(
            self.minors[slot]
            for slot, note in self.notes.items()
            if note.coming and note.deleted is None and not note.unknown_value
        )

    def _sort(self) -> None:
        dated = zip(self.days, self.ids, strict=True)
        applied = zip(self.application_days, self.ids, strict=True)
        self.by_date = array("q", sorted([key_of(day, row_id) for day, row_id in dated]))
        self.by_application_date = array("q", sorted([key_of(day, row_id) for day, row_id in applied]))
        self.version += 1

    @staticmethod
    def _replace_key(keys: array[int], old: int, new: int) -> None:
        del keys[bisect_left(keys, old)]
        insort(keys, new)
