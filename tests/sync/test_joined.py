"""A row that the person made of two, and a bank that withdraws one of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.app import merging
from obdesk.domain.ids import TransactionId
from obdesk.storage.store import Store
from obdesk.sync.matching import WantsFullError
from tests.seed import KEY, NOW, row
from tests.storage.files import checked
from tests.sync.book import Book

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BAKER = row(1, label="BOULANGER", on="2026-11-20", amount_minor=-900)
TWICE = row(2, label="BOULANGER PARIS", on="2026-11-20", amount_minor=-900)
OLDEST = row(5, label="OLDEST", on="2026-11-01")
WITHDRAWN = "2026-11-25 05:00:00"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        made = Book(store)
        made.take(BAKER, TWICE, OLDEST)
        pair = TransactionId(1), TransactionId(2)
        store.write_now(lambda tx: merging.merge(tx, *pair, NOW))
        yield made
        checked(store)


def test_a_row_of_two_of_which_the_bank_withdraws_one_goes_on_as_the_other(book: Book) -> None:
    gone = BAKER._replace(deleted=True, updated=WITHDRAWN)
    with pytest.raises(WantsFullError):
        book.take(gone, series="delta")
    book.take(gone, TWICE, OLDEST)
    assert book.rows() == [(1, TWICE.label), (3, OLDEST.label)]


def test_any_other_withdrawal_is_understood_by_itself(book: Book) -> None:
    assert book.take(OLDEST._replace(deleted=True, updated=WITHDRAWN), series="delta").counts.removed == 1
    assert book.take(TWICE._replace(deleted=True, updated=WITHDRAWN), series="delta").counts.removed == 0
    assert book.rows() == [(1, BAKER.label)]
