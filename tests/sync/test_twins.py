"""Two rows that the person made one stay one whatever their ids at the bank, and can be taken apart again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.ids import TransactionId
from obdesk.storage.queries import transactions
from obdesk.storage.store import Store
from obdesk.storage.writes import merges
from obdesk.sync.matching import WantsFullError
from tests.seed import KEY, NOW, row
from tests.storage.files import checked
from tests.sync.book import ONE, Book

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from obdesk.domain.remote import RemoteTransaction
    from obdesk.domain.suggestions import MergeId

NEW_IDS = replace(ONE, provider_id=1901)
OLD = row(9, on="2026-11-01", label="OLD")
X = row(1, on="2026-11-20", label="CARTE LIBRAIRIE DU PORT")
Y = row(2, on="2026-11-21", label="LIBRAIRIE DU PORT CB")
TOLD = (OLD, X, Y)
"""Our ids are 1, 2 and 3."""


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Book(store)
        checked(store)


def merged(book: Book, kept: int = 2, other: int = 3) -> MergeId:
    return book.store.write_now(lambda tx: merges.merge(tx, kept, other, "you", NOW))


def under_new_ids(rows: Sequence[RemoteTransaction], by: int = 900) -> list[RemoteTransaction]:
    return [
        each._replace(provider_id=by + each.provider_id, account_provider_id=NEW_IDS.provider_id)
        for each in rows
    ]


def note_of(book: Book, row_id: int) -> str:
    detail = book.store.read_now(transactions.detail, TransactionId(row_id))
    assert detail is not None
    return detail.note


@pytest.mark.parametrize("second", [Y, X._replace(provider_id=2)])
def test_F15_what_the_person_made_one_stays_one_when_the_account_is_numbered_anew(
    book: Book, second: RemoteTransaction
) -> None:
    book.take(OLD, X, second)
    book.note(3, "mine")
    merged(book)
    shown = book.rows()
    for by in (900, 1_800):
        told = under_new_ids([OLD, X, second], by)
        saved = book.take(*told, accounts=[NEW_IDS], days=by)
        assert (saved.counts.new, saved.counts.removed) == (0, 0)
        assert book.rows() == shown
        for each in told:
            assert book.take(each, accounts=[NEW_IDS], series="delta").counts.unchanged == 1
    assert note_of(book, 2) == "mine"


@pytest.mark.parametrize("second", [Y, X._replace(provider_id=2)])
def test_F15_what_is_taken_apart_after_the_account_was_numbered_anew_is_two_rows(
    book: Book, second: RemoteTransaction
) -> None:
    book.take(OLD, X, second)
    made = merged(book)
    told = under_new_ids([OLD, X, second])
    book.take(*told, accounts=[NEW_IDS])
    book.store.write_now(lambda tx: merges.split(tx, made, NOW))
    for _ in range(2):
        book.take(*told, accounts=[NEW_IDS])
        assert book.rows() == [(1, "OLD"), (2, X.label), (3, second.label)]


def test_F15_where_only_one_of_the_two_is_listed_any_more_it_goes_on_as_both(book: Book) -> None:
    book.take(*TOLD)
    book.note(2, "mine")
    merged(book)
    book.take(*under_new_ids([OLD, Y]), accounts=[NEW_IDS])
    assert book.rows() == [(1, "OLD"), (2, Y.label)]
    assert note_of(book, 2) == "mine"


def test_F18_another_row_like_the_one_merged_away_is_another_operation(book: Book) -> None:
    book.take(*TOLD)
    merged(book)
    again = Y._replace(provider_id=5)
    with pytest.raises(WantsFullError):
        book.take(again, series="delta")
    assert book.take(*TOLD, again).counts.new == 1
    assert len(book.rows()) == 3


def test_F15_one_that_was_made_one_does_not_stand_for_another_like_it_that_is_gone(book: Book) -> None:
    book.take(*TOLD, Y._replace(provider_id=3))
    merged(book)
    assert book.take(*TOLD).counts.removed == 1
    assert book.rows() == [(1, "OLD"), (2, X.label)]


def test_F18_where_the_bank_had_withdrawn_one_of_the_two_it_lists_one(book: Book) -> None:
    book.take(*TOLD)
    book.take(X._replace(deleted=True, updated="2026-11-25 05:00:00"), series="delta")
    merged(book)
    again = Y._replace(provider_id=5)
    assert book.take(*under_new_ids([OLD, Y, again]), accounts=[NEW_IDS]).counts.new == 1
    assert [label for _, label in book.rows()] == ["OLD", Y.label, Y.label]


def test_F15_three_that_were_made_one_in_two_steps_stay_one(book: Book) -> None:
    third = row(3, on="2026-11-22", label="PORT")
    book.take(*TOLD, third)
    merged(book, 3, 4)
    merged(book, 2, 3)
    book.take(*under_new_ids([*TOLD, third]), accounts=[NEW_IDS])
    assert book.rows() == [(1, "OLD"), (2, X.label)]


def test_F15_a_merged_row_that_was_withdrawn_takes_no_other_with_it(book: Book) -> None:
    book.take(*TOLD)
    merged(book)
    book.take(OLD, X._replace(deleted=True, updated="2026-11-25 05:00:00"))
    assert book.rows() == [(1, "OLD")]
    book.take(*under_new_ids([OLD, Y]), accounts=[NEW_IDS])
    assert [label for _, label in book.rows()] == ["OLD", Y.label]
