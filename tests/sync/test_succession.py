"""That an account may continue one that went is said while it is so, and no longer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.entities import AccountState
from obdesk.domain.findings import (
    ABOUT_ACCOUNTS,
    DUPLICATE,
    IMPOSSIBLE_DATE,
    SUSPECTED,
    account_named,
    is_refused,
    rows_named,
)
from obdesk.storage.store import Store
from tests.seed import KEY
from tests.sync.book import ONE, SAVINGS, Book, months

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECOND = replace(SAVINGS, provider_id=1805, number="777")
THIRD = replace(SAVINGS, provider_id=1807, number="778")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        made = Book(store)
        made.take(*months(3, 1, 1802), accounts=[ONE, SAVINGS])
        made.take(accounts=[ONE, SECOND])
        assert made.findings() == [("account_successor", "account 3")]
        yield made


def test_the_question_stays_while_nothing_about_the_two_is_new(book: Book) -> None:
    book.take(accounts=[replace(ONE, name="renamed"), SECOND])
    assert book.findings() == [("account_successor", "account 3")]


def test_the_question_goes_when_the_one_that_went_is_back(book: Book) -> None:
    book.take(*months(3, 1, 1802), accounts=[ONE, SAVINGS, SECOND])
    assert book.findings() == []


@pytest.mark.parametrize("listed", [[ONE], [ONE, replace(SECOND, state=AccountState.GONE)]])
def test_the_question_goes_with_the_newcomer(book: Book, listed: list[object]) -> None:
    book.take(accounts=listed)  # type: ignore[arg-type] # accounts, by the hands of the parameters
    assert book.findings() == []


def test_a_newcomer_that_was_continued_itself_leads_on_and_ends_with_the_last(book: Book) -> None:
    book.take(accounts=[ONE, THIRD])
    assert sorted(book.findings()) == [("account_successor", "account 3"), ("account_successor", "account 4")]
    book.take(accounts=[ONE])
    assert book.findings() == []


def test_a_finding_names_the_rows_and_accounts_that_it_is_about() -> None:
    assert rows_named(DUPLICATE, "transactions 4 17") == (4, 17)
    assert rows_named(IMPOSSIBLE_DATE, "transaction 4") == (4,)
    assert rows_named("no_date", "4 17") == (), "the number of a row that was refused is not one of ours"
    assert account_named("account 17") == 17
    assert not any(map(is_refused, (*SUSPECTED, *ABOUT_ACCOUNTS)))
    assert is_refused("shared_id")
    assert is_refused("a kind that nobody knows")
