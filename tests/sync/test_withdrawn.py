"""Rows that the bank takes back: what stays gone, what comes back as another row, and with whose words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.domain.ids import TransactionId
from obdesk.storage.queries import transactions
from obdesk.storage.queries.suggestions import suggestions
from obdesk.storage.store import Store
from obdesk.storage.writes.suggestions import learn
from obdesk.sync.matching import WantsFullError
from obdesk.sync.reconcile.likeness import lesson_of
from tests.seed import KEY, NOW, row
from tests.storage.files import checked
from tests.sync.book import ONE, SAVINGS, Book

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.domain.remote import RemoteTransaction

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


def test_F14_a_row_that_comes_back_beside_its_twin_is_not_taken_for_it(book: Book) -> None:
    book.take(OLD, CAFE)
    book.note(2, "mine")
    book.take(CAFE._replace(deleted=True, updated=LATER), series="delta")
    book.take(OLD, CAFE._replace(updated=LAST), CAFE._replace(provider_id=2, updated=LAST))
    assert [label for _, label in book.rows()] == ["OLD", "CAFE LUX", "CAFE LUX"]
    assert note_of(book, 2) == ("mine", ("1",))


# What became of it comes in a later answer

HOTEL = row(1, on="2026-11-22", label="AUTORISATION HOTEL DU PORT BREST", pending=True, updated=EARLY)
BOOKED = HOTEL._replace(provider_id=2, pending=False, updated=LAST)
SHOP = CAFE._replace(label="LIBRAIRIE DIALOGUES")


def note_of(book: Book, row_id: int) -> tuple[str, tuple[str, ...]]:
    detail = book.store.read_now(transactions.detail, TransactionId(row_id))
    assert detail is not None
    return detail.note, detail.provider_ids


def asked(book: Book) -> list[tuple[int, int, int, list[str]]]:
    return [
        (each.kept.id, each.other.id, each.score, [reason.value for reason in each.why])
        for each in book.store.read_now(suggestions)
    ]


def gone_then(book: Book, gone: RemoteTransaction, *came: RemoteTransaction, series: str = "delta") -> None:
    """Take in a row with a note, its withdrawal, and what comes the day after."""
    book.take(OLD, gone)
    book.note(2, "gift")
    book.take(gone._replace(deleted=True, updated=LATER), series="delta", days=1)
    book.take(*(came if series == "delta" else (OLD, *came)), series=series, days=2)


@pytest.mark.parametrize("series", ["delta", "full"])
def test_F17_a_reservation_withdrawn_one_day_and_booked_the_next_keeps_its_note(
    book: Book, series: str
) -> None:
    gone_then(book, HOTEL, BOOKED, BOOKED._replace(provider_id=3), series=series)
    assert note_of(book, 2) == ("gift", ("2", "1"))
    assert [each for each, _ in book.rows()] == [1, 2, 3], "one of the two is another"
    assert asked(book) == []


@pytest.mark.parametrize("series", ["delta", "full"])
@pytest.mark.parametrize(
    ("came", "score", "why"),
    [
        ({"label": "CARTE 22/11 HOTEL DU PORT BREST"}, 80, ["amount", "date", "label_alike"]),
        ({"booked_on": "2026-11-25"}, 80, ["amount", "date_near", "label"]),
        ({"booked_on": "2026-12-02"}, 70, ["amount", "label"]),
        ({"booked_on": "2026-11-24", "label": "SUMUP"}, 70, ["amount", "date_near"]),
        ({"amount_minor": -2_500}, 70, ["date", "label"]),
        ({"booked_on": "2026-12-03"}, None, []),
        ({"booked_on": "2026-11-25", "label": "SUMUP"}, None, []),
        ({"booked_on": "2026-11-24", "pending": True}, None, []),
        ({"account_provider_id": 1802}, None, []),
    ],
)
def test_F17_what_a_withdrawn_reservation_may_have_become_is_asked_about(
    book: Book, series: str, came: dict[str, object], score: int | None, why: list[str]
) -> None:
    book.take(OLD, HOTEL, accounts=[ONE, SAVINGS])
    book.note(2, "gift")
    book.take(HOTEL._replace(deleted=True, updated=LATER), accounts=[ONE, SAVINGS], series="delta", days=1)
    told = [BOOKED._replace(**came)] if series == "delta" else [OLD, BOOKED._replace(**came)]  # type: ignore[arg-type]
    assert book.take(*told, accounts=[ONE, SAVINGS], series=series, days=2).counts.new == 1
    assert asked(book) == ([] if score is None else [(2, 3, score, why)])


@pytest.mark.parametrize(
    ("came", "score"),
    [
        ({"label": "LIBRAIRIE DIALOGUES 29"}, 100),
        ({"label": "DIALOGUES"}, 75),
        ({"booked_on": "2026-11-25"}, 70),
        ({"booked_on": "2026-11-26"}, None),
        ({"label": "LIBRAIRIE DIALOGUES 29", "booked_on": "2026-11-26"}, None),
        ({"label": "SUMUP", "booked_on": "2026-11-23"}, None),
    ],
)
def test_F15_a_booked_row_withdrawn_one_day_and_told_otherwise_the_next_is_asked_about(
    book: Book, came: dict[str, object], score: int | None
) -> None:
    gone_then(book, SHOP, SHOP._replace(provider_id=2, updated=LAST, **came))  # type: ignore[arg-type]
    assert [(each[0], each[1], each[2]) for each in asked(book)] == ([] if score is None else [(2, 3, score)])
    assert [each for each, _ in book.rows()] == [1, 3]


def test_F17_of_several_the_likeliest_is_asked_about_and_each_only_once(book: Book) -> None:
    other = HOTEL._replace(provider_id=5, booked_on="2026-11-20")
    book.take(OLD, HOTEL, other)
    for number in (2, 3):
        book.note(number, "gift")
    gone = [each._replace(deleted=True, updated=LATER) for each in (HOTEL, other)]
    book.take(*gone, series="delta", days=1)
    near, far = BOOKED._replace(label="HOTEL DU PORT"), BOOKED._replace(provider_id=3, booked_on="2026-12-02")
    book.take(near, far, series="delta", days=2)
    assert [each[:2] for each in asked(book)] == [(2, 4)]
    book.take(BOOKED._replace(provider_id=6, booked_on="2026-11-29"), series="delta", days=3)
    assert [each[:2] for each in asked(book)][1:] == [(2, 6)], "the first that is as likely"


def test_F17_wordings_that_the_person_called_different_are_not_asked_about(book: Book) -> None:
    lesson = lesson_of(1, HOTEL.label, "HOTEL DU PORT")
    book.take(OLD, HOTEL)
    book.store.write_now(lambda tx: learn(tx, lesson, NOW, same=False))
    book.note(2, "gift")
    book.take(HOTEL._replace(deleted=True, updated=LATER), series="delta", days=1)
    book.take(BOOKED._replace(label="HOTEL DU PORT"), series="delta", days=2)
    assert asked(book) == []


def test_F17_a_row_that_may_be_one_that_goes_now_is_asked_about_once(book: Book) -> None:
    second = SHOP._replace(provider_id=5)
    book.take(OLD, SHOP, second)
    for number in (2, 3):
        book.note(number, "gift")
    book.take(SHOP._replace(deleted=True, updated=LATER), series="delta", days=1)
    book.take(OLD, second._replace(provider_id=6, label="SUMUP", updated=LAST), days=2)
    assert [each[:2] for each in asked(book)] == [(3, 4)]
