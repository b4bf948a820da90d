"""What an answer lacks, and what that says: who cannot be read is there, and one old row is only itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.ids import TransactionId
from obdesk.domain.remote import PageRows, RowProblem
from obdesk.storage.queries import transactions
from obdesk.storage.store import Store
from obdesk.sync.saving import Saved, save
from tests.seed import KEY, NOW, SeedPage, answer_of, row
from tests.storage.files import checked
from tests.sync.book import ONE, SAVINGS, Book, months

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from obdesk.domain.remote import RemoteTransaction

WAITING = row(50, on="2026-10-08", label="HOTEL", pending=True)
ROWS = [*months(5), WAITING, row(60, account=1802, label="INTEREST"), row(61, account=1802, label="FEE")]
"""Our ids are 1 to 5, 6 for what waits, and 7 and 8 for the savings."""
ELSEWHERE = 999


@dataclass(frozen=True)
class OddPage(SeedPage):
    """A page with rows that are refused."""

    problems: tuple[RowProblem, ...] = ()

    def decode(self, exponents: Mapping[int, int]) -> PageRows:
        return replace(super().decode(exponents), problems=self.problems)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Book(store)
        checked(store)


def odd(subject: str, account: int | None) -> RowProblem:
    return RowProblem("no_amount" if subject else "unreadable", subject, "value", account)


def take(
    book: Book, *rows: RemoteTransaction, problems: tuple[RowProblem, ...], series: str = "full"
) -> Saved:
    answer = answer_of(1, [ONE, SAVINGS], [OddPage(rows, None, problems)], series=series, asked_at=NOW)
    return book.store.write_now(lambda tx: save(tx, answer))


def lost(book: Book, *problems: RowProblem) -> set[int]:
    """Return which rows of ours go with an answer in which all but the first of each kind is unreadable."""
    take(book, *ROWS, problems=())
    before = {each for each, _ in book.rows()}
    take(book, *(each for each in ROWS if each.provider_id not in {3, 50, 61}), problems=problems)
    return before - {each for each, _ in book.rows()}


@pytest.mark.parametrize(
    ("problems", "goes"),
    [
        ([], {3, 6, 8}),
        ([odd("3", 1801), odd("50", 1801), odd("61", 1802)], set()),
        ([odd("3", 1801)], {6, 8}),
        ([odd("3", None), odd("61", None)], {6}),
        ([odd("3", 1802)], {3, 6, 8}),
        ([odd("3", ELSEWHERE), odd("", ELSEWHERE)], {3, 6, 8}),
        ([odd("", 1801)], {8}),
        ([odd("", None)], set()),
    ],
)
def test_F07_a_row_that_cannot_be_read_is_not_gone(
    book: Book, problems: list[RowProblem], goes: set[int]
) -> None:
    assert lost(book, *problems) == goes


def test_F07_what_is_withdrawn_by_name_goes_beside_a_row_that_cannot_be_read(book: Book) -> None:
    gone = ROWS[2]._replace(deleted=True, updated="2026-11-25 05:00:00")
    take(book, *ROWS, problems=())
    saved = take(book, *(gone if each == ROWS[2] else each for each in ROWS), problems=(odd("", None),))
    assert saved.counts.removed == 1


def test_F07_a_row_that_goes_on_under_another_id_does_so_beside_one_that_cannot_be_read(book: Book) -> None:
    take(book, *ROWS, problems=())
    book.note(3, "mine")
    again = [each._replace(provider_id=77) if each.provider_id == 3 else each for each in ROWS]
    assert take(book, *again, problems=(odd("", 1801),)).counts.updated == 1
    detail = book.store.read_now(transactions.detail, TransactionId(3))
    assert detail is not None
    assert (detail.note, detail.provider_ids) == ("mine", ("77", "3"))


def test_F07_a_delta_with_a_reservation_that_cannot_be_read_is_no_riddle(book: Book) -> None:
    take(book, *ROWS, problems=())
    booked = WAITING._replace(provider_id=70, pending=False)
    saved = take(book, booked, problems=(odd("50", 1801),), series="delta")
    assert saved.counts.new == 1


def test_F17_one_old_reservation_says_nothing_of_what_was_booked_since(book: Book) -> None:
    rows = months(40)
    book.take(*rows)
    book.take(row(90, on="2026-10-01", label="HOTEL", pending=True), *rows[28:])
    assert len(book.rows()) == 41


def test_F15_one_old_row_does_not_withdraw_months_when_the_account_is_numbered_anew(book: Book) -> None:
    renumbered, rows = replace(ONE, provider_id=1901), months(50)
    book.take(*rows)
    again = months(50, 901, 1901)
    served = [again[0], *again[22:]]
    assert book.take(*served, accounts=[renumbered], days=7).counts.removed == 0
    assert book.findings() == [("many_rows_missing", "21 of 50")]
    assert book.take(*served, accounts=[renumbered], days=14).counts.removed == 21, "it was said twice"


def test_a_few_rows_after_the_oldest_one_are_gone_at_once(book: Book) -> None:
    book.take(*(rows := months(50)))
    assert book.take(rows[0], *rows[11:]).counts.removed == 10
    assert book.take(rows[0], *rows[12:20], *rows[23:35]).counts.removed == 19, "not all before the bulk"
