"""Pending rows of an account that is no longer at the bank do not stay pending for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.entities import AccountState
from obdesk.domain.ids import TransactionId
from obdesk.storage.queries import transactions
from obdesk.storage.store import Store
from tests.seed import KEY, row
from tests.storage.files import checked
from tests.sync.book import ONE, SAVINGS, Book

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GONE = (replace(ONE, state=AccountState.GONE), SAVINGS)
BOOKED = row(9, on="2026-11-01", label="BOOKED")
PENDING = row(1, pending=True, on="2026-11-23", label="PENDING")
OTHERS = row(5, account=1802, pending=True, on="2026-12-05", label="SAVED")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        made = Book(store)
        made.take(BOOKED, PENDING, OTHERS, accounts=(ONE, SAVINGS))
        yield made
        checked(store)


def labels(book: Book) -> list[str]:
    return sorted(label for _, label in book.rows())


def test_F17_a_pending_row_of_a_gone_account_goes_once_it_should_long_have_been_booked(book: Book) -> None:
    (pending,) = [found for found, label in book.rows() if label == "PENDING"]
    book.note(pending, "mine")
    book.take(OTHERS, accounts=GONE, days=1)
    assert labels(book) == ["BOOKED", "PENDING", "SAVED"], "not before its time"
    book.take(accounts=GONE, days=12, series="delta")
    assert labels(book) == ["BOOKED", "PENDING", "SAVED"], "a part of an answer is no proof"
    saved = book.take(OTHERS, accounts=GONE, days=12)
    assert labels(book) == ["BOOKED", "SAVED"], "what an answer speaks of is its to decide"
    assert saved.counts.removed == 1
    assert book.take(OTHERS, accounts=GONE, days=13).counts.removed == 0
    back = row(1, pending=True, on="2026-11-23", label="PENDING", updated="2026-12-08 05:00:00")
    book.take(BOOKED, back, OTHERS, accounts=(ONE, SAVINGS), days=14)
    told = book.store.read_now(transactions.detail, TransactionId(pending))
    assert told is not None, "the account is back"
    assert told.note == "mine"


def test_F17_a_gone_accounts_pending_row_that_the_bank_withdraws_is_counted_once(book: Book) -> None:
    withdrawn = row(1, pending=True, on="2026-11-23", deleted=True, updated="2026-12-06 05:00:00")
    assert book.take(withdrawn, OTHERS, accounts=GONE, days=12).counts.removed == 1
    assert labels(book) == ["BOOKED", "SAVED"]


def test_F17_an_account_that_was_gone_from_one_list_only_keeps_what_is_pending(book: Book) -> None:
    book.take(OTHERS, accounts=GONE, days=1)
    book.take(BOOKED, PENDING, OTHERS, accounts=(ONE, SAVINGS), days=12)
    assert labels(book) == ["BOOKED", "PENDING", "SAVED"]
