"""Two rows that may be one: asked, made one, split again, and remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.app import merging
from obdesk.domain.entities import AccountKind
from obdesk.domain.suggestions import MergeId, SuggestionId, why_text
from obdesk.storage.queries import accounts as account_reads
from obdesk.storage.queries import suggestions as reads
from obdesk.storage.queries import transactions
from obdesk.storage.store import Store
from tests.seed import KEY, NOW, row
from tests.storage.files import checked
from tests.sync.book import ONE, Book

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.domain.suggestions import Suggestion

BEFORE = row(1, label="PAIEMENT CB LIBRAIRIE 1111", on="2026-11-20", amount_minor=-900)
AFTER = row(9, label="LIBRAIRIE DU PORT BREST SARL", on="2026-11-21", amount_minor=-900)
OLDEST = row(5, label="OLDEST", on="2026-11-01")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Book(store)
        checked(store)


def suggested(book: Book) -> Suggestion:
    """Take in an answer in which a row goes and one comes that may be it."""
    book.take(BEFORE, OLDEST)
    book.note(1, "for Zoe")
    book.take(AFTER, OLDEST)
    (found,) = book.store.read_now(reads.suggestions)
    return found


def dump(book: Book) -> list[Any]:
    def read(opened: Any) -> list[Any]:
        return [
            opened.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - names of our own tables
            for table in ("transactions", "transaction_edits", "transaction_aliases")
        ]

    return book.store.read_now(read)


def note_of(book: Book, row_id: int) -> str | None:
    found = book.store.read_now(transactions.detail, row_id)
    return None if found is None else found.note


def test_what_is_unsure_is_asked_with_its_reasons_and_changes_nothing(book: Book) -> None:
    found = suggested(book)
    assert (found.kept.id, found.other.label) == (1, AFTER.label)
    assert 50 <= found.score < 70
    assert why_text(found) == "same amount, a few days apart, similar wording"
    assert book.store.read_now(reads.suggestions, found.other.id) == (found,)
    assert {label for _, label in book.rows()} == {AFTER.label, "OLDEST"}
    book.take(AFTER, OLDEST)
    assert len(book.store.read_now(reads.suggestions)) == 1


def test_an_accepted_suggestion_is_one_row_with_the_note_and_stays_one(book: Book) -> None:
    found = suggested(book)
    book.store.write_now(lambda tx: merging.accept(tx, found.id, NOW))
    assert (1, AFTER.label) in book.rows()
    assert len(book.rows()) == 2
    assert note_of(book, 1) == "for Zoe"
    assert book.store.read_now(reads.suggestions) == ()
    assert book.take(AFTER, OLDEST).counts.new == 0, "its number is not new"
    assert book.take(BEFORE, AFTER, OLDEST).counts.new == 0, "nor the one before"
    assert len(book.rows()) == 2
    changed = AFTER._replace(label="LIBRAIRIE", updated="2026-11-25 05:00:00")
    assert book.take(changed, OLDEST).counts.updated == 1


def test_a_merge_that_is_undone_was_never_there(book: Book) -> None:
    found = suggested(book)
    before = dump(book)
    made = book.store.write_now(lambda tx: merging.accept(tx, found.id, NOW))
    assert made is not None
    assert dump(book) != before
    assert len(book.store.read_now(reads.merges)) == 1
    assert book.store.write_now(lambda tx: merging.split(tx, made[0], NOW))
    assert dump(book) == before
    assert book.store.read_now(reads.merges) == ()
    assert book.store.write_now(lambda tx: merging.split(tx, made[0], NOW)) is None
    book.take(AFTER, OLDEST)
    assert book.store.read_now(reads.suggestions) == (), "the answer was no"


def test_two_live_rows_become_one_and_both_notes_stay(book: Book) -> None:
    book.take(BEFORE, AFTER, OLDEST)
    book.note(1, "one")
    book.note(2, "two")
    before = dump(book)
    made, _ = book.store.write_now(lambda tx: merging.merge(tx, 1, 2, NOW))  # type: ignore[arg-type]
    assert note_of(book, 1) == "one\ntwo"
    assert len(book.rows()) == 2
    assert book.take(BEFORE, AFTER, OLDEST).counts.new == 0
    touched = AFTER._replace(updated="2026-11-26 05:00:00")
    assert book.take(touched, series="delta").counts.new == 0, "a newer word on it is about the same row"
    assert book.take(AFTER, OLDEST).counts.removed == 0, "it goes on under the number that is left"
    assert len(book.rows()) == 2
    book.take(BEFORE, AFTER, OLDEST)
    assert book.store.write_now(lambda tx: merging.split(tx, made, NOW))
    book.take(BEFORE, AFTER, OLDEST)
    assert [each[:3] for each in dump(book)[0]] == [each[:3] for each in before[0]]
    assert (note_of(book, 1), note_of(book, 2)) == ("one", "two")
    assert len(book.rows()) == 3


def test_what_was_written_since_a_merge_outlives_its_end(book: Book) -> None:
    book.take(BEFORE, AFTER)
    made, _ = book.store.write_now(lambda tx: merging.merge(tx, 1, 2, NOW))  # type: ignore[arg-type]
    book.note(1, "later")
    book.store.write_now(lambda tx: merging.split(tx, made, NOW))
    assert note_of(book, 1) == "later"


def test_a_refusal_is_remembered_for_the_wording(book: Book) -> None:
    found = suggested(book)
    assert book.store.write_now(lambda tx: merging.refuse(tx, found.id, NOW))
    assert book.store.write_now(lambda tx: merging.refuse(tx, found.id, NOW)) is None
    assert book.store.write_now(lambda tx: merging.accept(tx, SuggestionId(99), NOW)) is None
    book.take(BEFORE._replace(provider_id=101, booked_on="2026-11-10"), AFTER, OLDEST)
    book.take(AFTER._replace(provider_id=109, booked_on="2026-11-11"), AFTER, OLDEST)
    assert book.store.read_now(reads.suggestions) == ()


def test_an_agreement_is_remembered_for_the_wording(book: Book) -> None:
    found = suggested(book)
    book.store.write_now(lambda tx: merging.accept(tx, found.id, NOW))
    book.take(BEFORE._replace(provider_id=101, booked_on="2026-11-10"), AFTER, OLDEST)
    saved = book.take(AFTER._replace(provider_id=109, booked_on="2026-11-11"), AFTER, OLDEST)
    assert (saved.counts.new, saved.counts.updated) == (0, 1)


@pytest.mark.parametrize("pair", [(1, 1), (1, 99), (99, 1), (1, 3)])
def test_rows_that_cannot_be_one_are_left_alone(book: Book, pair: tuple[int, int]) -> None:
    other = replace(ONE, provider_id=1802, iban="", number="7")
    book.take(BEFORE, AFTER, row(3, account=1802), accounts=[ONE, other])
    before = dump(book)
    with pytest.raises(merging.NotOneError):
        book.store.write_now(lambda tx: merging.merge(tx, *pair, NOW))  # type: ignore[arg-type]
    assert dump(book) == before
    assert book.store.write_now(lambda tx: merging.split(tx, MergeId(1), NOW)) is None


def test_a_deferred_card_is_counted_once_in_a_month(book: Book) -> None:
    card = replace(ONE, provider_id=1803, iban="", number="9", kind=AccountKind.CARD, parent_provider_id=1801)
    bought = row(3, account=1803, amount_minor=-6_490, kind="deferred_card")
    debit = row(4, amount_minor=-6_490, kind="summary_card", label="DEBIT CARTE")
    book.take(bought, debit, accounts=[ONE, card])
    (flow,) = book.store.read_now(account_reads.month_flows, NOW)
    assert flow.spending.amount_minor == -6_490
    (worth,) = book.store.read_now(account_reads.net_worth, NOW)
    assert worth.account_count == 1, "the card is part of its account"


def test_the_debit_of_a_card_whose_purchases_are_not_here_is_spending(book: Book) -> None:
    book.take(row(4, amount_minor=-6_490, kind="summary_card", label="DEBIT CARTE"))
    (flow,) = book.store.read_now(account_reads.month_flows, NOW)
    assert flow.spending.amount_minor == -6_490
