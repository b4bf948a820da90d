"""Where rows and day bands stand, for any list, any height and any scroll position."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from obdesk.gui.transactions.layout import RowLayout

ROW_H, BAND_H = 38, 26


@dataclass(frozen=True, slots=True)
class Case:
    layout: RowLayout
    value: int
    row: int


@st.composite
def cases(draw: st.DrawFn, *, banded: bool | None = None) -> Case:
    count = draw(st.integers(1, 150))
    days = frozenset(draw(st.lists(st.integers(1, max(1, count - 1)), max_size=60))) | {0}
    with_bands = draw(st.booleans()) if banded is None else banded
    layout = RowLayout(
        count, ROW_H, BAND_H if with_bands else 0, draw(st.integers(80, 900)), days.__contains__
    )
    value = draw(st.integers(0, layout.value_max()))
    return Case(layout, value, draw(st.integers(0, count - 1)))


@given(cases())
def test_visible_rows_follow_each_other_without_a_gap_but_the_bands(case: Case) -> None:
    placed = [place for place in case.layout.places(case.value) if not place.band]

    assert [place.row for place in placed] == list(range(placed[0].row, placed[0].row + len(placed)))
    for above, below in pairwise(placed):
        assert below.y - above.y == case.layout.block_h(above.row)


@given(cases())
def test_at_the_end_of_the_scroll_bar_the_last_row_stands_at_the_lower_edge(case: Case) -> None:
    layout = case.layout
    end = layout.value_max()
    last = [place for place in layout.places(end) if not place.band][-1]

    assert last.row == layout.count - 1
    assert last.y + ROW_H <= layout.height
    assert end == 0 or last.y + ROW_H >= layout.height - 3


@given(cases())
def test_every_row_can_be_brought_into_view_whole(case: Case) -> None:
    layout = case.layout
    value = layout.value_showing(case.row, case.value)
    y = layout.y_of(case.row, value)

    assert 0 <= value <= layout.value_max()
    assert layout.top <= y
    assert y + ROW_H <= layout.height


@given(cases(), st.integers(0, ROW_H - 1))
def test_a_point_on_a_row_finds_that_row_on_and_off_the_screen(case: Case, within: int) -> None:
    layout = case.layout
    y = layout.y_of(case.row, case.value) + within

    assert layout.row_near(y, case.value) == case.row
    if layout.top <= y < layout.height:
        assert layout.row_at(y, case.value) == case.row


@given(cases(banded=True))
def test_the_day_of_the_top_row_is_always_named(case: Case) -> None:
    *_, sticky = case.layout.places(case.value)

    assert sticky.band
    assert sticky.row == case.layout.anchor(case.value)[0]
    assert -BAND_H < sticky.y <= 0


@given(cases())
def test_scrolling_moves_the_list_smoothly_and_never_back(case: Case) -> None:
    layout = case.layout
    below = min(layout.anchor(case.value)[0] + 1, layout.count - 1)

    moved = layout.y_of(below, case.value) - layout.y_of(below, case.value + 1)

    assert 0 <= moved <= 2


def test_a_million_rows_are_placed_without_being_asked_about() -> None:
    asked: list[int] = []

    def starts(row: int) -> bool:
        asked.append(row)
        return row % 9 == 0

    layout = RowLayout(1_000_000, ROW_H, BAND_H, 700, starts)
    first = next(iter(layout.places(600_000 * ROW_H)))

    assert first.row == 600_000
    assert layout.value_max() > 999_970 * ROW_H
    assert len(asked) < 100
