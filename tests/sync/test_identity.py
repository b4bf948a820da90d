"""Identity is evidence: accounts and rows that come back under other ids, and what is left to the person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.entities import AccountKind, AccountState
from obdesk.domain.ids import ConnectionId, RunId, TransactionId
from obdesk.domain.ledger import StoredAccount
from obdesk.domain.money import Currency, Money
from obdesk.storage.queries import connections as reads
from obdesk.storage.queries import suggestions as suggestion_reads
from obdesk.storage.queries import transactions
from obdesk.storage.store import Store
from obdesk.storage.writes import commits, connections, findings
from obdesk.sync.matching import ShiftedError, WantsFullError
from obdesk.sync.reconcile.accounts import identify
from tests.seed import EUR, KEY, NOW, remote_account, row
from tests.storage.files import checked
from tests.sync.book import ONE, SAVINGS, Book, months

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.domain.remote import RemoteAccount


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Book(store)
        checked(store)


# Accounts


def test_F15_an_account_under_a_new_id_goes_on_with_its_rows(book: Book) -> None:
    book.take(*months(5))
    book.note(2, "mine")
    renumbered = replace(ONE, provider_id=1901)
    with pytest.raises(WantsFullError):
        book.take(accounts=[renumbered], series="delta")
    saved = book.take(*months(5, 901, 1901), accounts=[renumbered])
    assert (saved.counts.new, saved.counts.removed, len(book.rows())) == (0, 0, 5)
    assert book.accounts() == {1: ("1901", "active")}
    assert book.store.read_now(transactions.detail, TransactionId(2)).note == "mine"  # type: ignore[union-attr]
    again = book.take(*months(5, 901, 1901), accounts=[renumbered, replace(ONE, state=AccountState.GONE)])
    assert (again.counts.new, len(book.accounts())) == (0, 1), "the old id, still listed, is no other account"


def test_F15_an_account_that_goes_back_to_its_first_id_is_still_itself(book: Book) -> None:
    book.take(*months(3))
    book.take(*months(3, 901, 1901), accounts=[replace(ONE, provider_id=1901)])
    saved = book.take(*months(3))
    assert (saved.counts.new, saved.counts.removed, len(book.rows())) == (0, 0, 3)
    assert book.accounts() == {1: ("1801", "active")}


@pytest.mark.parametrize("by_number", [False, True])
def test_F15_a_bank_linked_again_takes_over_the_accounts_of_the_link_that_ended(
    book: Book, *, by_number: bool
) -> None:
    old = replace(SAVINGS, number="0042") if by_number else ONE
    book.take(*months(4, 1, old.provider_id), accounts=[old])
    book.store.write_now(lambda tx: connections.mark_gone(tx, ConnectionId(1), NOW))
    book.link("312")
    new = replace(old, provider_id=2801, connection_provider_id="312")
    saved = book.take(*months(4, 801, 2801), accounts=[new], link=2)
    assert (saved.counts.new, len(book.rows()), len(book.accounts())) == (0, 4, 1)
    assert book.take(*months(4, 801, 2801), accounts=[new], link=2).counts.unchanged == 4


def test_two_live_links_to_one_account_are_both_kept_and_said(book: Book) -> None:
    book.take(*months(2))
    book.link("312")
    twin = replace(ONE, provider_id=2801)
    book.take(*months(2, 801, 2801), accounts=[twin], link=2)
    assert len(book.rows()) == 4
    assert book.findings() == [("same_account_twice", "account 1")]
    book.store.write_now(lambda tx: connections.mark_gone(tx, ConnectionId(1), NOW))
    book.take(*months(2, 801, 2801), accounts=[replace(twin, name="renamed")], link=2)
    assert book.findings() == []


def test_F19_the_successor_of_a_closed_account_is_suggested_not_assumed(book: Book) -> None:
    book.take(*months(3, 1, 1802), accounts=[ONE, SAVINGS])
    book.take(accounts=[ONE, replace(SAVINGS, provider_id=1805, number="777")])
    assert {state for _, state in book.accounts().values()} == {"active", "gone"}
    assert len(book.accounts()) == 3
    assert len(book.rows()) == 3, "its history stays"
    assert book.findings() == [("account_successor", "account 3")]


def test_F19_F20_an_iban_in_another_currency_is_a_successor_to_be_asked_about(book: Book) -> None:
    first = replace(ONE, iban="FR76")
    book.take(*months(3), accounts=[first])
    book.note(1, "kept")
    dollars = replace(first, provider_id=1805, currency=Currency.of("USD"))
    book.take(*months(3, 11, 1805), accounts=[dollars])
    assert {each: state for each, (_, state) in book.accounts().items()} == {1: "gone", 2: "active"}
    assert book.findings() == [("account_successor", "account 2")]
    assert [label for _, label in book.rows()] == [f"SHOP {n}" for n in range(3)] * 2, "euros stay euros"


def stored(provider_id: int, **told: Any) -> StoredAccount:
    first = StoredAccount(
        provider_id,
        provider_id,
        AccountKind.CHECKING,
        "FR76",
        "1",
        "EUR",
        gone=True,
        here=True,
        same_bank=True,
    )
    return replace(first, **told)


def listed(provider_id: int, **told: Any) -> RemoteAccount:
    return replace(remote_account(provider_id), iban="FR76", number="1", **told)


@pytest.mark.parametrize(
    ("accounts", "answer", "renamed"),
    [
        ([stored(1)], [listed(9)], {9: 1}),
        ([stored(1, gone=False)], [listed(9)], {9: 1}),
        ([stored(1, gone=False)], [listed(9), listed(1)], {}),
        ([stored(1, gone=False)], [listed(9), listed(1, state=AccountState.GONE)], {9: 1}),
        ([stored(1), stored(2)], [listed(9)], {}),
        ([stored(1)], [listed(8), listed(9)], {}),
        ([stored(1, currency="USD")], [listed(9)], {}),
        ([stored(1, here=False, gone=False)], [listed(9)], {}),
        ([stored(1, here=False)], [listed(9)], {9: 1}),
        ([stored(1, here=False, iban="", same_bank=False)], [replace(listed(9), iban="")], {}),
        ([stored(1, here=False, iban="")], [replace(listed(9), iban="")], {9: 1}),
        ([stored(1, iban="", number="")], [replace(listed(9), iban="", number="")], {}),
        ([stored(1)], [listed(9, state=AccountState.GONE)], {}),
    ],
)
def test_only_equal_evidence_that_points_to_one_account_counts(
    accounts: list[StoredAccount], answer: list[RemoteAccount], renamed: dict[int, int]
) -> None:
    assert identify(accounts, answer, {}).renamed == renamed
    assert identify(accounts[::-1], answer[::-1], {}).renamed == renamed


@pytest.mark.parametrize(
    ("answer", "renamed", "shadows"),
    [
        ([listed(7)], {7: 1}, set()),
        ([listed(7), listed(1)], {}, {7}),
        ([listed(7), listed(1, state=AccountState.GONE)], {7: 1}, {1}),
        ([listed(6), listed(7)], {6: 1}, {7}),
    ],
)
def test_a_former_id_is_the_same_account(
    answer: list[RemoteAccount], renamed: dict[int, int], shadows: set[int]
) -> None:
    found = identify([stored(1)], answer, {6: 1, 7: 1})
    assert (found.renamed, found.shadows) == (renamed, shadows)


# Rows


def test_F16_two_operations_under_one_id_are_not_lost_silently(book: Book) -> None:
    coffee, book_shop = row(1, label="COFFEE"), row(1, label="BOOKS")
    for rows in ([coffee, book_shop], [book_shop, coffee], [row(2, on="2026-11-20"), coffee, book_shop]):
        book.take(*rows)
        assert [label for _, label in book.rows() if label in {"COFFEE", "BOOKS"}] == ["COFFEE"]
        assert ("shared_id", "id") in book.findings()
    book.take(coffee, row(2, on="2026-11-20"))
    assert book.findings() == []


def test_a_delta_that_may_double_a_row_is_refused_before_anything_is_written(book: Book) -> None:
    book.take(row(1, label="COFFEE"), row(2, label="OTHER"))
    twin = row(9, label="coffee  ")
    with pytest.raises(WantsFullError):
        book.take(twin, series="delta")
    assert len(book.rows()) == 2
    assert book.take(row(1, label="COFFEE"), row(2, label="OTHER"), twin).counts.new == 1, "a second coffee"
    assert book.take(twin, series="delta").counts.unchanged == 1
    assert book.take(row(2, label="OTHER"), twin, row(10, label="COFFEE")).counts.new == 0, "renumbered"
    assert book.take(row(11, label="LUNCH"), series="delta").counts.new == 1


def test_a_delta_that_may_double_a_pending_row_or_strand_a_note_is_refused(book: Book) -> None:
    waiting = row(1, label="CB PORT BREST", pending=True, amount_minor=-500)
    noted = row(2, label="LIBRAIRIE DIALOGUES", on="2026-11-20", amount_minor=-900)
    oldest = row(3, label="OLDEST", on="2026-11-10")
    book.take(waiting, noted, oldest)
    book.note(2, "mine")
    with pytest.raises(WantsFullError):
        book.take(row(9, label="CARTE PORT BREST", amount_minor=-500), series="delta")
    drifted = row(9, label="LIBRAIRIE DIALOGUES PARIS", on="2026-11-21", amount_minor=-900)
    with pytest.raises(WantsFullError):
        book.take(drifted, series="delta")
    assert book.take(waiting, drifted, oldest).counts.updated == 1
    assert book.store.read_now(transactions.detail, TransactionId(2)).note == "mine"  # type: ignore[union-attr]


def test_a_pending_row_that_is_long_due_is_asked_about_once(book: Book) -> None:
    waiting = row(1, label="CB PORT BREST", pending=True)
    other = row(2, label="OTHER")
    book.take(waiting, other)
    assert book.take(other, series="delta", days=5).counts.unchanged == 1
    with pytest.raises(WantsFullError):
        book.take(other, series="delta", days=12)
    book.take(waiting, other, days=12)
    assert book.take(other, series="delta", days=13).counts.unchanged == 1, "the bank still lists it"
    assert book.take(other, days=14).counts.removed == 1


def test_most_rows_of_an_account_vanish_only_when_two_complete_answers_say_so(book: Book) -> None:
    rows = months(20)
    few = [rows[0], *rows[15:]]
    book.take(*rows)
    assert book.take(*few).counts.removed == 0
    assert book.findings() == [("many_rows_missing", "14 of 20")]
    book.take(*rows)
    assert book.findings() == [], "it was a lie"
    book.take(*few)
    assert book.take(*few).counts.removed == 14
    assert book.findings() == []
    assert len(book.rows()) == 6


def test_rows_of_an_account_that_is_switched_off_are_not_missing(book: Book) -> None:
    both = [*months(3), *months(3, 101, 1802)]
    book.take(*both, accounts=[ONE, SAVINGS])
    off = replace(SAVINGS, state=AccountState.DISABLED)
    assert book.take(*months(3), accounts=[ONE, off]).counts.removed == 0


def test_a_deleted_row_that_comes_back_under_a_new_id_has_its_note(book: Book) -> None:
    book.take(row(1, label="COFFEE"), row(2, label="OTHER"))
    book.note(1, "mine")
    book.take(row(1, deleted=True, updated="2026-11-25 05:00:00"), series="delta")
    assert book.take(row(9, label="COFFEE"), series="delta").counts.updated == 1
    assert book.rows() == [(1, "COFFEE"), (2, "OTHER")]
    assert book.take(row(1, label="COFFEE"), series="delta").counts.unchanged == 1, "the old id is old news"


def test_F09_a_row_that_slipped_past_while_others_came_twice_is_not_gone(book: Book) -> None:
    rows = [*months(9), row(20, on="2026-10-05", pending=True, label="CAFE")]
    book.take(*rows)
    shown = book.rows()
    for slipped in (4, 9):
        with pytest.raises(ShiftedError):
            book.take(*rows[:slipped], rows[0], *rows[slipped + 1 :])
    assert book.rows() == shown
    book.take(*rows, rows[0])
    assert book.rows() == shown, "told twice with none lacking says nothing"
    book.take(*rows[:4], rows[0], *rows[5:], reread=True)
    assert [each for each, _ in book.rows()] == [1, 2, 3, 4, 6, 7, 8, 9, 10]


NEW_IDS = replace(ONE, provider_id=1805)


def test_F15_an_amount_corrected_as_the_account_is_numbered_anew_keeps_its_note(book: Book) -> None:
    book.take(*months(9))
    book.note(4, "kept")
    again = months(9, 101, 1805)
    again[3] = again[3]._replace(amount_minor=-2_450)
    saved = book.take(*again, accounts=[NEW_IDS], days=1)
    assert (saved.counts.new, saved.counts.removed) == (0, 0)
    assert book.rows() == [(n + 1, f"SHOP {n}") for n in range(9)]
    detail = book.store.read_now(transactions.detail, TransactionId(4))
    assert detail is not None
    assert (detail.note, detail.row.amount) == ("kept", Money(-2_450, EUR))


def test_F15_an_amount_that_is_far_off_in_an_account_numbered_anew_is_asked_about(book: Book) -> None:
    book.take(*months(9))
    again = months(9, 101, 1805)
    again[3] = again[3]._replace(amount_minor=-99_000)
    saved = book.take(*again, accounts=[NEW_IDS], days=1)
    assert (saved.counts.new, saved.counts.removed) == (1, 1)
    asked = book.store.read_now(suggestion_reads.suggestions)
    assert [(each.kept.id, each.other.id) for each in asked] == [(4, 10)]


def test_F15_another_amount_under_another_id_is_asked_about_in_an_account_as_before(book: Book) -> None:
    book.take(*(rows := months(9)))
    rows[3] = rows[3]._replace(provider_id=77, amount_minor=-2_450)
    saved = book.take(*rows, days=1)
    assert (saved.counts.new, saved.counts.removed) == (1, 1)
    assert len(book.store.read_now(suggestion_reads.suggestions)) == 1


def test_F14_F15_the_oldest_row_withdrawn_as_the_account_is_numbered_anew_is_gone(book: Book) -> None:
    book.take(*months(9))
    again = months(9, 101, 1805)
    again[0] = again[0]._replace(deleted=True)
    book.take(*again, accounts=[NEW_IDS], days=1)
    assert book.rows() == [(n + 1, f"SHOP {n}") for n in range(1, 9)]


def test_F14_what_is_older_than_all_the_bank_tells_of_stays(book: Book) -> None:
    book.take(*months(9))
    again = months(9, 101, 1805)[2:]
    again[0] = again[0]._replace(deleted=True)
    book.take(*again, accounts=[NEW_IDS], days=1)
    assert book.rows() == [(n + 1, f"SHOP {n}") for n in (0, 1, *range(3, 9))]


def test_F20_balances_of_another_currency_are_not_compared(book: Book) -> None:
    book.take(accounts=[ONE])
    book.take(accounts=[replace(ONE, currency=Currency.of("USD"))])
    assert book.findings() == [("currency_changed", "EUR to USD")]

    def days(opened: Any) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = opened.execute(
            "SELECT b.account_id, b.balance_minor FROM balances b JOIN accounts a ON a.id = b.account_id "
            "AND a.currency = b.currency"
        ).fetchall()
        return found

    book.take(accounts=[replace(ONE, currency=Currency.of("USD"), balance_minor=7)], days=0)
    assert book.store.read_now(days) == [(1, 7)]


def test_F20_no_balance_is_lost_when_a_currency_changes_and_both_changes_are_taken_back(book: Book) -> None:
    def kept(opened: Any) -> list[tuple[str, str, int]]:
        found: list[tuple[str, str, int]] = opened.execute(
            "SELECT currency, day, balance_minor FROM balances ORDER BY day"
        ).fetchall()
        return found

    def told(day: int, currency: str, minor: int) -> None:
        asked = NOW + timedelta(days=day)
        account = replace(ONE, currency=Currency.of(currency), balance_minor=minor, data_as_of=asked)
        book.take(accounts=[account], days=day)

    for day in range(3):
        told(day, "EUR", 1000 + day)
    before = book.store.read_now(kept)
    assert [minor for _, _, minor in before] == [1000, 1001, 1002]
    told(3, "USD", 5)
    (changed,) = book.store.read_now(reads.problems, 9)
    assert book.store.write_now(lambda tx: findings.settle(tx, changed.id, NOW)) == 1
    assert book.findings() == []
    told(3, "USD", 6)
    assert book.findings() == [], "what was settled stays so while it is the same"
    (settled,) = book.store.read_now(partial(reads.problems, limit=9, settled=True))
    assert settled.id == changed.id
    told(3, "GBP", 5)  # the same figure on the same day, and not the same money
    assert book.findings() == [("currency_changed", "USD to GBP")]
    assert [(code, minor) for code, _, minor in book.store.read_now(kept)[3:]] == [("GBP", 5), ("USD", 6)]
    assert book.store.write_now(lambda tx: findings.settle(tx, 4711, NOW)) is None
    for run in (RunId(6), RunId(5), RunId(4)):
        book.store.write_now(partial(commits.revert, run_id=run, now=NOW))
    assert book.store.read_now(kept) == before
    assert book.findings() == []
