"""Rows that the bank takes back: what stays gone, what comes back as another row, and with whose words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.storage.store import Store
from obdesk.sync.matching import WantsFullError
from tests.seed import KEY, row
from tests.storage.files import checked
from tests.sync.test_identity import Book

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD = row(9, on="2026-11-01", label="OLD")
EARLY, LATER, LAST = "2026-11-22 05:00:00", "2026-11-23 05:00:00", "2026-11-24 05:00:00"
CAFE = row(1, on="2026-11-22", label="CAFE LUX", updated=EARLY)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Book(store)
        checked(store)


@pytest.mark.parametrize("stamp", ["", "2026-11-22 04:30:00"])
def test_F14_an_old_word_lifts_no_withdrawal_that_came_without_a_newer_stamp(book: Book, stamp: str) -> None:
    book.take(OLD, CAFE)
    gone = CAFE._replace(deleted=True, updated=stamp)
    assert book.take(gone, series="delta").counts.removed == 1
    assert book.take(CAFE, series="delta").counts.unchanged == 1
    assert book.take(gone, series="delta").counts.unchanged == 1
    assert book.rows() == [(1, "OLD")]
    assert book.take(CAFE._replace(updated=LATER), series="delta").counts.updated == 1
    assert book.rows() == [(1, "OLD"), (2, "CAFE LUX")]


def test_F16_another_operation_under_one_id_is_told_of_whatever_its_stamp(book: Book) -> None:
    other = CAFE._replace(booked_on="2026-11-20", amount_minor=-9_900, label="GARAGE", updated=LATER)
    for rows in ((CAFE, other), (other, CAFE), (OLD, CAFE, other)):
        book.take(*rows)
        assert "GARAGE" in {label for _, label in book.rows()}
        assert book.findings() == [("shared_id", "id")]
    book.take(OLD, other)
    assert book.findings() == []


def test_F16_a_correction_and_a_booking_under_one_id_are_one_operation(book: Book) -> None:
    corrected = CAFE._replace(booked_on="2026-11-20", amount_minor=-9_900, updated=LATER)
    booked = CAFE._replace(booked_on="2026-11-20", amount_minor=-9_900, label="LUX", updated=LATER)
    for rows in ((CAFE, corrected), (CAFE._replace(pending=True), booked)):
        book.take(OLD, *rows)
        assert book.findings() == []


def test_F15_a_pending_row_under_another_id_is_one_row_at_once(book: Book) -> None:
    waiting = CAFE._replace(pending=True)
    book.take(OLD, waiting)
    again = waiting._replace(provider_id=2, updated=LAST)
    with pytest.raises(WantsFullError):
        book.take(again, series="delta")
    assert book.take(OLD, again).counts.updated == 1
    assert book.rows() == [(1, "OLD"), (2, "CAFE LUX")]
    assert book.take(waiting, again, series="delta").counts.new == 0, "its former id"
