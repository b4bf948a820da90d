"""Where rows and day bands stand: in the scroll bar all rows are alike, and none has to be loaded.

The scroll bar counts rows, each worth `row_h` units, so a position is found by one division however
long the list is. What is drawn may be taller: a band with the day's name precedes the first row of each
day. A row and the band that follows it form a block, and scrolling through a block of 64 pixels takes
the same 38 units as through one of 38; only blocks on the screen need to know whether they have a band.
The band of the day at the top stays in view while its rows pass under it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Place:
    """Something to draw: a row, or the band that introduces `row`, with its top edge."""

    row: int
    y: int
    band: bool = False


@dataclass(frozen=True, slots=True)
class RowLayout:
    """A list of `count` rows in a view of `height` pixels; `starts` tells which rows begin a day."""

    count: int
    row_h: int
    band_h: int
    """Zero when the list has no bands (it is not sorted by date)."""
    height: int
    starts: Callable[[int], bool]

    @property
    def top(self) -> int:
        """Where the first row stands: below the band that stays in view."""
        return self.band_h

    def block_h(self, row: int) -> int:
        """Return the height of a row together with the band that follows it."""
        following = row + 1
        if self.band_h and following < self.count and self.starts(following):
            return self.row_h + self.band_h
        return self.row_h

    def anchor(self, value: int) -> tuple[int, int]:
        """Return the row that crosses the top at a scroll position, and how much of its block is hidden."""
        row, part = divmod(value, self.row_h)
        row = min(row, max(0, self.count - 1))
        return row, part * self.block_h(row) // self.row_h

    def value_at(self, row: int, hidden: int) -> int:
        """Return the scroll position that hides at least `hidden` pixels of a row's block."""
        return row * self.row_h + -(-hidden * self.row_h // self.block_h(row))

    def places(self, value: int) -> Iterator[Place]:
        """Yield what is visible from top to bottom; last the band that stays in view, over the others."""
        if not self.count:
            return
        row, hidden = self.anchor(value)
        first = row
        y = self.top - hidden
        sticky_y, sticky_row = 0, first
        while y < self.height and row < self.count:
            yield Place(row, y)
            y += self.row_h
            row += 1
            if self.band_h and row < self.count and self.starts(row):
                yield Place(row, y, band=True)
                if row == first + 1 and y < self.band_h:
                    sticky_y = y - self.band_h
                y += self.band_h
        if self.band_h:
            yield Place(sticky_row, sticky_y, band=True)

    def rows(self, value: int) -> tuple[int, int]:
        """Return the first and the last visible row, or (0, -1) when there is none."""
        seen = [place.row for place in self.places(value) if not place.band]
        return (seen[0], seen[-1]) if seen else (0, -1)

    def y_of(self, row: int, value: int) -> int:
        """Return the top edge of a row; out of sight every row counts alike, as in the scroll bar."""
        at, hidden = self.anchor(value)
        y = self.top - hidden
        if row <= at:
            return y - (at - row) * self.row_h
        for between in range(at, row):
            if y >= self.height:
                return y + (row - between) * self.row_h
            y += self.block_h(between)
        return y

    def row_at(self, y: int, value: int) -> int:
        """Return the row under a point, or -1 on a band or below the last row."""
        if not self.top <= y < self.height:
            return -1
        rows = (place for place in self.places(value) if not place.band)
        return next((place.row for place in rows if place.y <= y < place.y + self.row_h), -1)

    def row_near(self, y: int, value: int) -> int:
        """Return the row at a height that may be out of sight: the inverse of `y_of`, within the list."""
        at, hidden = self.anchor(value)
        edge = self.top - hidden
        if y < edge:
            return max(0, at - -(-(edge - y) // self.row_h))
        row = at
        while row < self.count - 1:
            if edge >= self.height:
                return min(self.count - 1, row + (y - edge) // self.row_h)
            edge += self.block_h(row)
            if y < edge:
                break
            row += 1
        return row

    def value_for_bottom(self, row: int) -> int:
        """Return the smallest scroll position at which a row ends at or above the lower edge."""
        above = self.height - self.top - self.row_h
        at = row
        while at > 0 and above > 0:
            at -= 1
            above -= self.block_h(at)
        return 0 if above >= 0 and at == 0 else self.value_at(at, max(0, -above))

    def value_max(self) -> int:
        """Return the scroll position that shows the end of the list."""
        return self.value_for_bottom(self.count - 1) if self.count else 0

    def value_showing(self, row: int, value: int) -> int:
        """Return the scroll position nearest to `value` at which a whole row is visible."""
        y = self.y_of(row, value)
        if y < self.top:
            return row * self.row_h
        if y + self.row_h > self.height:
            return max(value, self.value_for_bottom(row))
        return value

    def page(self) -> int:
        """Return how many scroll units make a page."""
        return max(self.row_h, (self.height - self.top) // self.row_h * self.row_h)
