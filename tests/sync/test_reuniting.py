"""An account that was kept twice, because it came again too early or said too little, is made one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.entities import AccountKind, AccountState
from obdesk.domain.ids import AccountId, ConnectionId, TransactionId
from obdesk.domain.ledger import StoredAccount
from obdesk.domain.money import Currency
from obdesk.storage.queries import accounts as account_reads
from obdesk.storage.queries import suggestions as suggestion_reads
from obdesk.storage.queries import transactions
from obdesk.storage.store import Store
from obdesk.storage.writes import accounts, connections, merges
from obdesk.sync.matching import WantsFullError
from obdesk.sync.reconcile.accounts import reunions
from tests.seed import EUR, KEY, NOW, remote_account, row
from tests.storage.files import checked
from tests.sync.book import ONE, Book, months

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.domain.remote import RemoteAccount, RemoteTransaction

HOME = replace(ONE, iban="FR76")
ABROAD = replace(HOME, provider_id=2801)
"""The same account as another link lists it."""
NAME_ALONE = replace(
    HOME, provider_id=1901, iban="", number="", balance_minor=None, data_as_of=None, kind=AccountKind.OTHER,
    currency=Currency.of("XXX"), state=AccountState.DISABLED,
)  # fmt: skip
"""What is listed of an account that the person does not share yet."""


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Book(store)
        checked(store)


def note(book: Book, row_id: int) -> str:
    told = book.store.read_now(transactions.detail, TransactionId(row_id))
    return "" if told is None else told.note


def holes(book: Book) -> list[tuple[str, str]]:
    return book.store.read_now(
        lambda opened: opened.execute("SELECT from_day, to_day FROM holes WHERE closed_at IS NULL").fetchall()
    )


def ends(book: Book, link: int = 1) -> None:
    book.store.write_now(lambda tx: connections.mark_gone(tx, ConnectionId(link), NOW))


def twice(book: Book, here: list[RemoteTransaction], there: list[RemoteTransaction]) -> None:
    """Link one account at two live links, and let the first one end."""
    book.take(*here, accounts=[HOME])
    book.link("312")
    book.take(*there, accounts=[ABROAD], link=2)
    ends(book)


def test_F15_a_bank_that_was_linked_again_before_its_first_link_ended_is_one_once_it_has(book: Book) -> None:
    book.take(*months(8), accounts=[HOME])
    book.note(2, "mine")
    book.link("312")
    book.take(*months(8, 801, 2801), row(900, account=2801, label="LATER"), accounts=[ABROAD], link=2)
    book.note(9, "said twice")
    book.note(17, "kept")
    assert book.findings() == [("same_account_twice", "account 1")]
    ends(book)
    saved = book.take(*months(8, 801, 2801), row(900, account=2801, label="LATER"), accounts=[ABROAD], link=2)
    assert (saved.counts.new, saved.counts.removed) == (0, 0)
    assert book.accounts() == {1: ("2801", "active")}
    assert book.findings() == []
    shown = book.rows()
    assert len(shown) == 9
    assert sorted(label for _, label in shown) == sorted([*(f"SHOP {n}" for n in range(8)), "LATER"])
    assert {note(book, row_id) for row_id, _ in shown} == {"", "mine", "said twice", "kept"}


def test_F15_a_row_that_only_one_of_both_knows_stays_and_what_is_deleted_stays_so(book: Book) -> None:
    gone = [each._replace(deleted=True) for each in months(1, 807, 2801)]
    twice(book, [*months(3), row(50, label="OLD ONE", on="2026-09-01")], [*months(4, 804, 2801), *gone])
    book.take(*months(4, 804, 2801), *gone, accounts=[ABROAD], link=2)
    assert sorted(label for _, label in book.rows()) == ["OLD ONE", "SHOP 0", "SHOP 1", "SHOP 2"]
    book.take(*months(4, 804, 2801), accounts=[ABROAD], link=2, days=1)
    assert "SHOP 3" not in {label for _, label in book.rows()}, "an older word lifts no tombstone"


def test_F15_what_is_alike_and_not_equal_is_asked_about(book: Book) -> None:
    there = months(9, 801, 2801)
    there[3] = there[3]._replace(amount_minor=-99_000)
    twice(book, months(9), there)
    book.take(*there, accounts=[ABROAD], link=2)
    (asked,) = book.store.read_now(suggestion_reads.suggestions)
    assert asked.kept.label == asked.other.label == "SHOP 3"
    assert asked.kept.amount != asked.other.amount


def test_F15_words_on_both_rows_of_one_operation_are_kept_together(book: Book) -> None:
    book.take(*months(2), accounts=[HOME])
    book.note(1, "from here")
    book.link("312")
    book.take(*months(2, 801, 2801), accounts=[ABROAD], link=2)
    book.note(3, "from there")
    ends(book)
    book.take(*months(2, 801, 2801), accounts=[ABROAD], link=2)
    assert note(book, 1) == "from here\nfrom there"


def test_F15_a_live_row_stays_where_the_account_that_is_gone_had_it_deleted(book: Book) -> None:
    late = "2026-11-25 05:00:00"
    book.take(*months(3), accounts=[HOME])
    book.note(2, "on the tombstone")
    book.take(months(2)[1]._replace(deleted=True, updated=late), accounts=[HOME], series="delta")
    book.link("312")
    moved = [each._replace(account_provider_id=2801) for each in months(3)]
    book.take(*moved, accounts=[ABROAD], link=2)
    ends(book)
    book.take(*moved, accounts=[ABROAD], link=2)
    assert sorted(label for _, label in book.rows()) == ["SHOP 0", "SHOP 1", "SHOP 2"]
    assert "on the tombstone" in {note(book, row_id) for row_id, _ in book.rows()}


@pytest.mark.parametrize("kept_twice", [False, True])
def test_F15_what_the_person_made_one_at_the_second_link_can_still_be_split(
    book: Book, *, kept_twice: bool
) -> None:
    mine = [row(810, account=2801, label="LIBRAIRIE"), row(811, account=2801, label="LIBRAIRIE DU PORT")]
    here = [row(1, label="LIBRAIRIE")] if kept_twice else []
    book.take(*months(2, 11), *here, accounts=[HOME])
    book.link("312")
    book.take(*months(2, 801, 2801), *mine, accounts=[ABROAD], link=2)
    kept, other = (
        row_id for row_id, label in book.rows() if label.startswith("LIB") and row_id > len(here) + 2
    )
    merge = book.store.write_now(lambda tx: merges.merge(tx, kept, other, "", NOW))
    ends(book)
    book.take(*months(2, 801, 2801), *mine, accounts=[ABROAD], link=2)
    assert sorted(label for _, label in book.rows()) == ["LIBRAIRIE", "SHOP 0", "SHOP 1"]
    if not kept_twice:  # otherwise the first link's row has taken the place of the merged one
        book.store.write_now(lambda tx: merges.split(tx, merge, NOW))
        book.take(*months(2, 801, 2801), *mine, accounts=[ABROAD], link=2, days=1)
        assert sorted(label for _, label in book.rows()) == [
            "LIBRAIRIE",
            "LIBRAIRIE DU PORT",
            "SHOP 0",
            "SHOP 1",
        ]


def test_balances_names_and_marks_of_both_go_on_with_the_one(book: Book) -> None:
    def told(account: RemoteAccount, minor: int, day: int) -> RemoteAccount:
        return replace(account, balance_minor=minor, data_as_of=NOW + timedelta(days=day))

    book.take(*months(2), accounts=[told(HOME, 100, 0)])
    book.take(*months(2), accounts=[told(HOME, 200, 1)], days=1)
    book.link("312")
    book.take(*months(2, 801, 2801), accounts=[told(ABROAD, 300, 2)], link=2, days=2)
    book.store.write_now(lambda tx: accounts.rename(tx, AccountId(2), "my own"))
    ends(book)
    book.take(*months(2, 801, 2801), accounts=[told(ABROAD, 300, 2)], link=2, days=2)
    (shown,) = book.store.read_now(account_reads.accounts, NOW)
    assert (shown.name, shown.balance.text() if shown.balance else "") == ("my own", "3.00")
    kept = book.store.read_now(
        lambda opened: opened.execute("SELECT balance_minor FROM balances ORDER BY day").fetchall()
    )
    assert [each for (each,) in kept] == [100, 200, 300]


def test_F30_days_between_both_that_nothing_covers_are_found(book: Book) -> None:
    now = NOW + timedelta(days=200)
    later = [row(801, account=2801, on="2027-05-20"), row(802, account=2801, on="2027-06-01")]
    book.take(row(1), accounts=[replace(HOME, data_as_of=NOW)])
    book.link("312")
    book.take(*later, accounts=[replace(ABROAD, data_as_of=now)], link=2, days=200)
    ends(book)
    book.take(*later, accounts=[replace(ABROAD, data_as_of=now)], link=2, days=200)
    assert holes(book) == [("2026-11-25", "2027-03-13")]


def test_F30_an_account_that_came_over_from_a_link_that_ended_was_covered_until_then(book: Book) -> None:
    book.take(row(1), accounts=[replace(HOME, data_as_of=NOW)])
    ends(book)
    book.link("312")
    now = NOW + timedelta(days=200)
    book.take(
        row(801, account=2801, on="2027-05-20"), accounts=[replace(ABROAD, data_as_of=now)], link=2, days=200
    )
    assert holes(book) == [("2026-11-25", "2027-03-13")]


# What is absent is no news


@pytest.mark.parametrize("linked_again", [False, True])
def test_F15_an_account_that_was_listed_by_its_name_alone_is_known_once_it_says_who_it_is(
    book: Book, *, linked_again: bool
) -> None:
    book.take(*months(20), accounts=[HOME])
    book.note(2, "mine")
    if linked_again:
        ends(book)
        book.link("312")
    link = 2 if linked_again else 1
    book.take(accounts=[NAME_ALONE], link=link)
    full = [replace(HOME, provider_id=1901)]
    saved = book.take(*months(20, 901, 1901), accounts=full, link=link, days=1)
    assert (saved.counts.new, len(book.rows()), note(book, 2)) == (0, 20, "mine")
    assert book.accounts() == {1: ("1901", "active")}


def test_F20_what_an_answer_leaves_out_of_an_account_is_no_news(book: Book) -> None:
    yen = remote_account(
        1804, "yen", currency=Currency.of("JPY"), balance_minor=25_000, kind=AccountKind.SAVINGS
    )
    yen = replace(yen, iban="JP1", number="77", data_as_of=NOW)
    book.take(row(1, account=1804, amount_minor=-1_500), accounts=[yen])
    bare = replace(
        yen, iban="", number="", name="", kind=AccountKind.OTHER, currency=Currency.of("XXX"),
        balance_minor=2_400_000, data_as_of=NOW + timedelta(days=1),
    )  # fmt: skip
    book.take(accounts=[bare], series="delta", days=1)
    (shown,) = book.store.read_now(account_reads.accounts, NOW)
    assert (shown.iban, shown.number, shown.name, shown.kind) == ("JP1", "77", "yen", AccountKind.SAVINGS)
    assert shown.balance is not None
    assert (shown.balance.text(), shown.balance.currency.code) == ("24000", "JPY")
    assert book.findings() == []
    odd = replace(bare, balance_minor=2_400_050, data_as_of=NOW + timedelta(days=2))
    book.take(accounts=[odd], series="delta", days=2)
    (shown,) = book.store.read_now(account_reads.accounts, NOW)
    assert shown.balance is not None
    assert (shown.balance.text(), shown.freshness.data_as_of) == ("24000", NOW + timedelta(days=1))


def test_an_account_that_tells_its_currency_later_has_not_changed_it(book: Book) -> None:
    book.take(accounts=[replace(NAME_ALONE, state=AccountState.ACTIVE)])
    book.take(*months(2, 901, 1901), accounts=[replace(HOME, provider_id=1901)])
    assert book.findings() == []
    (shown,) = book.store.read_now(account_reads.accounts, NOW)
    assert shown.balance is not None
    assert shown.balance.currency == EUR


def test_a_delta_tells_not_enough_of_an_account_that_has_no_history_yet(book: Book) -> None:
    def delta(*others: RemoteAccount) -> None:
        book.take(accounts=[HOME, *others], series="delta", cursor="2026-11-24 05:00:00")

    shared = replace(NAME_ALONE, state=AccountState.ACTIVE)
    book.take(*months(2), accounts=[HOME])
    delta()
    with pytest.raises(WantsFullError):
        delta(NAME_ALONE, remote_account(1905, "new"))
    delta(NAME_ALONE)
    with pytest.raises(WantsFullError):
        delta(shared)
    book.take(accounts=[HOME, shared])
    delta(shared)


# Which account continues which


def test_only_one_account_continues_only_one(book: Book) -> None:
    book.take(*months(1), accounts=[HOME, replace(HOME, provider_id=1802)])
    book.link("312")
    book.take(*months(1, 801, 2801), accounts=[ABROAD], link=2)
    stored = book.store.write_now(lambda tx: accounts.recognisable(tx, ConnectionId(2)))
    assert reunions(stored, [ABROAD]) == [], "both are alive"
    gone = [replace(each, gone=each.provider_id != ABROAD.provider_id) for each in stored]
    assert reunions(gone, [ABROAD]) == [], "it could be either"
    one = [each for each in gone if each.provider_id != 1802]
    assert reunions(one, [ABROAD]) == [(1, 3)]
    assert reunions(one, [replace(ABROAD, state=AccountState.GONE)]) == []
    assert reunions(one, [replace(ABROAD, provider_id=2809)]) == [], "it is not known yet"
    assert reunions(one, [replace(ABROAD, currency=Currency.of("USD"))]) == []


OLD = StoredAccount(1, 1801, AccountKind.SAVINGS, "", "0042", "EUR", gone=True, here=False, same_bank=True)
NEW = StoredAccount(2, 2801, AccountKind.SAVINGS, "", "0042", "EUR", gone=False, here=True, same_bank=True)
TOLD = replace(remote_account(2801, "savings", kind=AccountKind.SAVINGS), iban="", number="0042")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (OLD, NEW, TOLD),
        (OLD, NEW, replace(TOLD, number="")),
        (OLD, NEW, replace(TOLD, number="", kind=AccountKind.OTHER, currency=Currency.of("XXX"))),
        (OLD, replace(NEW, number=""), TOLD),
        (OLD, replace(NEW, kind=AccountKind.CHECKING), TOLD),
        (replace(OLD, here=True, same_bank=False), NEW, TOLD),
        (replace(OLD, iban="FR1", same_bank=False), NEW, replace(TOLD, iban="FR1")),
        (replace(OLD, iban="FR1", kind=AccountKind.OTHER), replace(NEW, iban="FR1"), TOLD),
    ],
    ids=["all", "known before", "bare", "told now", "kind told now", "one link", "other bank", "by IBAN"],
)
def test_F15_it_is_the_account_that_is_gone(
    old: StoredAccount, new: StoredAccount, told: RemoteAccount
) -> None:
    assert reunions([old, new], [told]) == [(1, 2)]


@pytest.mark.parametrize(
    ("old", "told"),
    [
        (replace(OLD, gone=False), TOLD),
        (replace(OLD, gone=False, here=True), TOLD),
        (replace(OLD, same_bank=False), TOLD),
        (replace(OLD, kind=AccountKind.CHECKING), TOLD),
        (OLD, replace(TOLD, kind=AccountKind.CHECKING)),
        (OLD, replace(TOLD, currency=Currency.of("USD"))),
        (OLD, replace(TOLD, number="0043")),
        (OLD, replace(TOLD, iban="FR1")),
    ],
    ids=["alive", "alive here", "other bank", "kind", "told kind", "currency", "number", "IBAN"],
)
def test_F19_it_is_another_account(old: StoredAccount, told: RemoteAccount) -> None:
    assert reunions([old, NEW], [told]) == []


def test_F15_two_are_made_one_by_a_complete_answer_which_says_what_both_have(book: Book) -> None:
    only_here = row(50, label="ONLY HERE", on="2026-10-03")
    twice(book, [*months(4), only_here], months(4, 801, 2801))
    with pytest.raises(WantsFullError):
        book.take(accounts=[ABROAD], link=2, series="delta", cursor="2026-11-24 05:00:00")
    assert len(book.accounts()) == 2
    saved = book.take(*months(4, 801, 2801), accounts=[ABROAD], link=2)
    assert (saved.counts.new, saved.counts.removed) == (0, 1)
    assert [label for _, label in book.rows()] == ["SHOP 0", "SHOP 1", "SHOP 2", "SHOP 3"]


def test_F15_an_account_that_a_living_link_calls_gone_is_not_taken_over_by_another_link(book: Book) -> None:
    book.take(*months(3), accounts=[HOME])
    book.link("312")
    book.take(*months(3, 801, 2801), accounts=[ABROAD], link=2)
    book.take(*months(3), accounts=[replace(HOME, state=AccountState.GONE)])
    book.take(*months(3, 801, 2801), accounts=[ABROAD], link=2)
    book.take(*months(3), accounts=[replace(HOME, state=AccountState.GONE)])
    assert book.accounts() == {1: ("1801", "gone"), 2: ("2801", "active")}
    assert len(book.rows()) == 6
