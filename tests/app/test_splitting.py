"""Merges that are undone after a bank, a person or a revert went on: nothing fails, doubles or is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from obdesk.app import merging
from obdesk.domain.ids import RunId, TransactionId
from obdesk.storage.queries import suggestions as reads
from obdesk.storage.queries import transactions
from obdesk.storage.store import Store
from obdesk.storage.writes import commits
from tests.seed import KEY, NOW, row
from tests.storage.files import checked
from tests.sync.book import Book

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.domain.suggestions import MergeId

BAKER = row(1, label="PAIEMENT CB BOULANGER 1111", on="2026-11-20", amount_minor=-900)
BOOKS = row(2, label="LIBRAIRIE DU PORT", on="2026-11-21", amount_minor=-1200)
COFFEE = row(3, label="CAFE DE LA GARE", on="2026-11-22", amount_minor=-300)
OLDEST = row(5, label="OLDEST", on="2026-11-01")
ALL = (BAKER, BOOKS, COFFEE, OLDEST)
LATER = "2026-11-25 05:00:00"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        made = Book(store)
        made.take(*ALL)
        yield made
        checked(store)


def merge(book: Book, kept: int, other: int) -> MergeId:
    pair = TransactionId(kept), TransactionId(other)
    return book.store.write_now(lambda tx: merging.merge(tx, *pair, NOW))[0]


def split(book: Book, merge_id: MergeId) -> None:
    assert book.store.write_now(lambda tx: merging.split(tx, merge_id, NOW))


def revert(book: Book) -> None:
    """Take the last sync back."""
    last = book.store.read_now(lambda opened: opened.execute("SELECT max(id) FROM runs").fetchone()[0])
    book.store.write_now(lambda tx: commits.revert(tx, RunId(last), NOW))


def labels(book: Book) -> list[str]:
    return sorted(label for _, label in book.rows())


def shown(book: Book) -> dict[str, tuple[int, str]]:
    """Return our id and the person's note of each row that is shown, by its label."""
    found: dict[str, tuple[int, str]] = {}
    for row_id, label in book.rows():
        detail = book.store.read_now(transactions.detail, TransactionId(row_id))
        assert detail is not None
        found[label] = row_id, detail.note
    return found


def test_a_merge_on_which_another_builds_is_undone_after_it(book: Book) -> None:
    first = merge(book, 1, 2)
    second = merge(book, 3, 1)
    with pytest.raises(merging.BuiltOnError) as refused:
        split(book, first)
    assert refused.value.title
    assert refused.value.cause
    assert refused.value.next_step == f"Nothing was changed. Undo {second} first: obdesk split {second}"
    assert labels(book) == [COFFEE.label, OLDEST.label], "nothing came back that is counted in another"
    split(book, second)
    split(book, first)
    assert labels(book) == sorted(each.label for each in ALL)


def test_of_several_that_build_on_one_another_the_newest_is_named(book: Book) -> None:
    first = merge(book, 1, 2)
    merge(book, 3, 1)
    newest = merge(book, 4, 3)
    with pytest.raises(merging.BuiltOnError, match="Another merge") as refused:
        split(book, first)
    assert f"Undo {newest} first" in refused.value.next_step


def test_a_merge_that_is_undone_already_is_built_on_by_none(book: Book) -> None:
    first = merge(book, 1, 2)
    split(book, first)
    merge(book, 1, 3)
    assert book.store.write_now(lambda tx: merging.split(tx, first, NOW)) is None


def test_two_rows_made_one_with_a_withdrawn_one_come_apart_again(book: Book) -> None:
    book.take(BAKER._replace(deleted=True, updated=LATER), BOOKS, COFFEE, OLDEST)
    made = [merge(book, 1, 2), merge(book, 1, 3)]
    with pytest.raises(merging.BuiltOnError):
        split(book, made[0])
    for each in reversed(made):
        split(book, each)
    assert labels(book) == [COFFEE.label, BOOKS.label, OLDEST.label]


def renumbered_and_taken_back(book: Book) -> MergeId:
    """Have the bank call a row otherwise, merge it, take that sync back; it then comes as a new row."""
    book.note(1, "for Zoe")
    book.take(BAKER._replace(provider_id=11), BOOKS, COFFEE, OLDEST)
    made = merge(book, 1, 2)
    revert(book)
    return made


def test_a_row_that_the_bank_told_anew_meanwhile_is_not_there_twice(book: Book) -> None:
    made = renumbered_and_taken_back(book)
    book.take(BAKER._replace(provider_id=11, label="BOULANGERIE MARTIN"), BOOKS, COFFEE, OLDEST)
    before = {label: found[0] for label, found in shown(book).items()}
    assert before["BOULANGERIE MARTIN"] not in {1, 2, 3, 4}, "the bank's row is another one of ours now"
    split(book, made)
    told = shown(book)
    assert told.keys() == {"BOULANGERIE MARTIN", BOOKS.label, COFFEE.label, OLDEST.label}
    assert told["BOULANGERIE MARTIN"] == (before["BOULANGERIE MARTIN"], "for Zoe")
    saved = book.take(BAKER._replace(provider_id=11, label="BOULANGERIE MARTIN"), BOOKS, COFFEE, OLDEST)
    assert (saved.counts.new, saved.counts.removed) == (0, 0)
    assert shown(book) == told


def test_what_was_made_one_stays_one_when_a_sync_before_is_taken_back(book: Book) -> None:
    book.take(BAKER, BOOKS._replace(provider_id=12), COFFEE, OLDEST)
    made = merge(book, 1, 2)
    revert(book)
    assert labels(book) == [COFFEE.label, OLDEST.label, BAKER.label]
    assert book.take(BAKER, BOOKS._replace(updated=LATER), COFFEE, OLDEST).counts.new == 0
    assert labels(book) == [COFFEE.label, OLDEST.label, BAKER.label]
    split(book, made)
    assert labels(book) == sorted(each.label for each in ALL)


def test_a_withdrawal_that_is_taken_back_does_not_bring_a_merged_row_back(book: Book) -> None:
    book.take(BAKER, BOOKS._replace(deleted=True, updated=LATER), COFFEE, OLDEST)
    merge(book, 1, 2)
    revert(book)
    assert labels(book) == [COFFEE.label, OLDEST.label, BAKER.label]


def test_a_former_id_that_is_another_rows_meanwhile_stays_with_that_one(book: Book) -> None:
    book.take(BAKER._replace(provider_id=11), BOOKS, COFFEE, OLDEST)
    made = merge(book, 1, 2)

    def taken(tx: Any) -> None:
        tx.execute("UPDATE transaction_aliases SET transaction_id = 3 WHERE provider_id = 1")

    book.store.write_now(taken)
    split(book, made)
    owners = book.store.read_now(
        lambda opened: opened.execute(
            "SELECT provider_id, transaction_id FROM transaction_aliases"
        ).fetchall()
    )
    assert [tuple(each) for each in owners] == [(1, 3)]


def test_what_the_bank_said_since_a_merge_is_read_with_the_next_sync(book: Book) -> None:
    def last_full(opened: Any) -> Any:
        return opened.execute("SELECT full_sync_at FROM connections").fetchone()[0]

    book.store.write_now(lambda tx: tx.execute("UPDATE connections SET full_sync_at = 1"))
    made = merge(book, 1, 2)
    assert book.store.read_now(last_full) == 1
    split(book, made)
    assert book.store.read_now(last_full) is None, "which asks for everything"


def test_undoing_a_merge_of_one_wording_parts_no_other_rows_of_that_shop(book: Book) -> None:
    twin = BAKER._replace(provider_id=6, booked_on="2026-11-19", label="PAIEMENT CB BOULANGER 2222")
    third = BAKER._replace(provider_id=7, booked_on="2026-11-10", amount_minor=-4500)
    book.take(*ALL, twin, third)
    (third_id,) = (row_id for row_id, _ in book.rows() if row_id == 6)
    book.note(third_id, "for Zoe")
    split(book, merge(book, 1, 5))
    moved = third._replace(provider_id=9, booked_on="2026-11-11")
    assert book.take(*ALL, twin, moved).counts.new == 0
    assert "for Zoe" in {note for _, note in notes(book)}


def test_a_lesson_on_one_wording_from_an_older_version_teaches_nothing(book: Book) -> None:
    lesson = (1, "boulanger", "boulanger", 0, 0)
    book.store.write_now(
        lambda tx: tx.execute(
            "INSERT INTO lessons(account_id, left_key, right_key, same, made_at) VALUES (?, ?, ?, ?, ?)",
            lesson,
        )
    )
    book.note(1, "for Zoe")
    moved = BAKER._replace(provider_id=11, booked_on="2026-11-19")
    assert book.take(moved, BOOKS, COFFEE, OLDEST).counts.new == 0
    assert (1, "for Zoe") in notes(book)


def notes(book: Book) -> list[tuple[int, str]]:
    """Return our id and the note of each row that is shown."""
    found = [
        (row_id, book.store.read_now(transactions.detail, TransactionId(row_id))) for row_id, _ in book.rows()
    ]
    return [(row_id, detail.note) for row_id, detail in found if detail is not None]


def asked(book: Book) -> int:
    """Have one row go and one come that may be it; return the number of the suggestion."""
    book.take(BAKER._replace(provider_id=9, label="BOULANGER MARTIN SARL", booked_on="2026-11-21"), *ALL[1:])
    (found,) = book.store.read_now(reads.suggestions)
    assert (found.kept.id, found.other.id) == (1, 5)
    return found.id


def test_a_suggestion_is_answered_by_a_merge_the_other_way_round(book: Book) -> None:
    asked(book)
    split(book, merge(book, 5, 1))
    assert book.store.read_now(reads.suggestions) == ()


def test_what_cannot_be_accepted_any_more_is_not_asked(book: Book) -> None:
    asked(book)
    other_pair = merge(book, 3, 5)
    assert book.store.read_now(reads.suggestions) == (), "one of both is in another already"
    split(book, other_pair)
    assert len(book.store.read_now(reads.suggestions)) == 1, "and is not any more"
    book.take(*ALL[1:])
    assert book.store.read_now(reads.suggestions) == (), "both are gone"
