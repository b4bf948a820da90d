"""Pages, ids, rows, sums and records agree with each other and with a plain look through every row."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from obdesk.domain.entities import TransactionRow, TransactionState
from obdesk.domain.filters import Sort, TransactionFilter, fold
from obdesk.domain.ids import AccountId, ConnectionId, TransactionId
from obdesk.domain.money import Currency
from obdesk.storage.queries import records, transactions
from obdesk.storage.store import Store
from obdesk.storage.writes import accounts, connections, edits
from obdesk.sync.saving import save
from tests.seed import KEY, NOW, SeedPage, answer_of, remote_account, remote_connection, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from obdesk.domain.remote import RemoteTransaction
    from obdesk.storage.tx import Tx

ACCOUNTS = {
    1801: Currency.of("EUR"),
    1802: Currency.of("USD"),
    1803: Currency.of("JPY"),
    1804: Currency.of("TND"),
    1805: Currency("BTC", 8),
}
LABELS = (
    "CARTE 22/11 LIBRAIRIE DU PORT BREST CB*1111", "CAFÉ DE LA MARINE", "Cafe\u0301 de l'Étoile",
    "100% COTON", "A_B PRICING", "A\\B", "L'ÎLE \"AUX\" MOINES", "UBER *TRIP", "GROẞE STRAẞE",
    "日本橋 とらや", "ab", "", "PRLV SEPA EDF", "10%", "é", "VIR; DROP TABLE transactions --",
)  # fmt: skip
PAYEES = ("", "LIBRAIRIE", "Café", "UBER", "EDF", "ÉTOILE", "librairie")
NOTES = ("", "Remboursé par Zoé", "100 % à partager", "voir facture n°12", "CAFÉ", "a_b")
CATEGORIES = ("", "courses", "Courses", "vie quotidienne")


@dataclass(frozen=True)
class Plain:
    """A row as this test knows it, without SQL."""

    id: int
    account: int
    told: RemoteTransaction
    note: str
    own_category: str

    @property
    def category(self) -> str:
        return self.own_category or self.told.category

    @property
    def amount(self) -> Decimal | None:
        minor = self.told.amount_minor
        exponent = ACCOUNTS[1800 + self.account].exponent
        return None if minor is None else Decimal(minor).scaleb(-exponent)


class Books:
    """An open file with rows of every kind, and the same rows in plain Python."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.rows: list[Plain] = []
        store.write_now(self._fill)

    def _fill(self, tx: Tx) -> None:
        connection_id = connections.adopt(tx, "powens", remote_connection(), NOW)
        told = [remote_account(each, f"Compte {each}", currency=ACCOUNTS[each]) for each in ACCOUNTS]
        rows = list(_rows())
        save(tx, answer_of(connection_id, told, [SeedPage(tuple(rows))]))
        for number, each in enumerate(rows, 1):
            note, category = NOTES[number % 11 % len(NOTES)], CATEGORIES[number % 7 % len(CATEGORIES)]
            if note or category:
                edits.edit_transaction(tx, TransactionId(number), note=note, category=category, now=NOW)
            self.rows.append(Plain(number, each.account_provider_id - 1800, each, note, category))
        accounts.rename(tx, AccountId(2), "À moi")
        gone = [each._replace(deleted=True, updated="2026-11-25 00:00:00") for each in rows[::17]]
        save(tx, answer_of(connection_id, told, [SeedPage(tuple(gone))], series="delta"))
        self.rows = [each for number, each in enumerate(self.rows) if number % 17]

    def matching(self, wanted: TransactionFilter) -> list[Plain]:
        return [each for each in self.rows if _passes(each, wanted)]


def _rows() -> Iterator[RemoteTransaction]:
    for n in range(300):
        account = 1801 + n % len(ACCOUNTS)
        pending = n % 13 == 0
        yield row(
            9_000 - n,
            account=account,
            on=date.fromordinal(date(2026, 11, 24).toordinal() - n * 7 % 400).isoformat(),
            amount_minor=None if pending and n % 2 else (n * 7_919 % 40_000 - 20_000) * 10 ** (n % 3),
            label=LABELS[n % len(LABELS)],
            payee=PAYEES[n % len(PAYEES)],
            pending=pending,
            category=CATEGORIES[n % 5 % len(CATEGORIES)],
        )


def _passes(each: Plain, wanted: TransactionFilter) -> bool:
    told = each.told
    conditions: list[bool] = [
        not wanted.accounts or each.account in wanted.accounts,
        wanted.state is None or (wanted.state is TransactionState.PENDING) == told.pending,
        wanted.date_from is None or date.fromisoformat(told.booked_on) >= wanted.date_from,
        wanted.date_to is None or date.fromisoformat(told.booked_on) <= wanted.date_to,
        wanted.category is None or each.category.lower() == wanted.category.lower(),
        wanted.amount_at_least is None
        or (each.amount is not None and abs(each.amount) >= wanted.amount_at_least),
        wanted.amount_at_most is None
        or (each.amount is not None and abs(each.amount) <= wanted.amount_at_most),
    ]
    searched = fold(f"{told.label} {told.payee}")
    words = fold(wanted.text[:200].replace("\0", " ")).split()
    return all(conditions) and all(word in searched or word in fold(each.note) for word in words)


def _sort_key(wanted: TransactionFilter) -> Callable[[Plain], tuple[object, ...]]:
    """Give the order of equal rows first; the sorted column is compared apart, for its direction."""
    match wanted.sort:
        case Sort.DATE:
            return lambda each: (each.told.pending, each.told.booked_on, each.id)
        case Sort.AMOUNT:
            return lambda each: (each.told.amount_minor is not None, each.told.amount_minor or 0)
        case Sort.PAYEE:
            return lambda each: (_nocase(each.told.payee or each.told.label),)
        case Sort.CATEGORY:
            return lambda each: (_nocase(each.category),)
        case Sort.ACCOUNT:
            return lambda each: (_nocase("À moi" if each.account == 2 else f"Compte {1800 + each.account}"),)


def _nocase(text: str) -> bytes:
    return "".join(c.lower() if c.isascii() else c for c in text).encode()


def in_order(rows: Sequence[Plain], wanted: TransactionFilter) -> list[int]:
    by_date = sorted(rows, key=lambda each: (each.told.booked_on, each.id), reverse=True)
    return [each.id for each in sorted(by_date, key=_sort_key(wanted), reverse=wanted.descending)]


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(tmp_path_factory.mktemp("books") / "a.db", KEY))
        yield Books(store)


WORDS = (
        "café", "cafe", "CAFÉ", "port", "librairie", "LIBRAIRIE DU", "100%", "%", "_", "a_b", "A\\B", "\\",
        '"', '"aux"', "l'île", "é", "e", "ab", "1", "22/11", "zoe", "rembourse", "n°12", "edf", "straße",
        "日本", "日本橋", "*", "-", "uber trip", "drop table", "nothing", "\0", "¨", "½", "AND", "NOT x",
        "( ", "^a", "note:zoe", "brest 1111", "strasse", "x" * 250,
)  # fmt: skip
words = st.sampled_from(WORDS)
texts = st.lists(st.one_of(words, st.text(max_size=4)), max_size=3).map(" ".join)
amounts = st.one_of(st.none(), st.decimals(0, 100_000, places=3), st.just(Decimal(999_999_999_999)))
days = st.one_of(st.none(), st.dates(date(2025, 10, 1), date(2026, 12, 1)))
filters = st.builds(
    TransactionFilter,
    text=texts,
    accounts=st.frozensets(st.integers(1, 6).map(AccountId), max_size=3),
    date_from=days,
    date_to=days,
    state=st.one_of(st.none(), st.sampled_from(TransactionState)),
    category=st.one_of(st.none(), st.sampled_from([*CATEGORIES, "COURSES", "x"])),
    amount_at_least=amounts,
    amount_at_most=amounts,
    sort=st.sampled_from(Sort),
    descending=st.booleans(),
)


@given(filters)
@example(TransactionFilter(text="zoé café"))
@example(TransactionFilter(text="\0ab"))
@example(TransactionFilter(amount_at_least=Decimal("0.00000001"), amount_at_most=Decimal("0.5")))
def test_a_filter_finds_what_a_plain_look_through_all_rows_finds(
    books: Books, wanted: TransactionFilter
) -> None:
    wanted_ids = in_order(books.matching(wanted), wanted)
    found = list(books.store.read_now(transactions.ids, wanted))
    assert found == wanted_ids


@pytest.mark.parametrize("text", WORDS)
def test_every_odd_word_means_itself(books: Books, text: str) -> None:
    wanted = TransactionFilter(text=text)
    found = books.store.read_now(transactions.ids, wanted)
    assert list(found) == in_order(books.matching(wanted), wanted)


@given(filters, st.integers(0, 40), st.integers(1, 60))
def test_every_way_of_reading_a_filter_tells_the_same(
    books: Books, wanted: TransactionFilter, offset: int, limit: int
) -> None:
    store = books.store
    ids = list(store.read_now(transactions.ids, wanted))
    page = store.read_now(transactions.page, wanted, offset, limit)
    assert [each.id for each in page] == ids[offset : offset + limit]
    assert page == store.read_now(transactions.rows, ids[offset : offset + limit])
    assert tuple(each.row for each in store.read_now(records.records, wanted, offset, limit)) == page
    totals = store.read_now(transactions.totals, wanted)
    assert totals == store.read_now(transactions.selection, ids)
    assert totals.count == len(ids)


@given(filters)
def test_sums_are_exact_and_never_cross_currencies(books: Books, wanted: TransactionFilter) -> None:
    sums: dict[Currency, int] = {}
    rows = books.matching(wanted)
    for each in rows:
        currency = ACCOUNTS[1800 + each.account]
        sums[currency] = sums.get(currency, 0) + (each.told.amount_minor or 0)
    found = books.store.read_now(transactions.totals, wanted)
    assert {money.currency: money.amount_minor for money in found.sums} == sums
    assert found.count == len(rows)


def test_a_row_shows_what_the_bank_and_the_person_say(books: Books) -> None:
    shown = {each.id: each for each in books.store.read_now(transactions.page, TransactionFilter(), 0, 999)}
    assert len(shown) == len(books.rows)
    for plain in books.rows:
        each: TransactionRow = shown[TransactionId(plain.id)]
        assert each.payee == (plain.told.payee or plain.told.label)
        assert each.category == plain.category
        assert each.has_note == bool(plain.note)
        assert (each.amount is None) == (plain.told.amount_minor is None)
        if each.amount is not None:
            assert each.amount.decimal() == plain.amount
            assert each.amount.currency == ACCOUNTS[1800 + plain.account]


def test_rows_come_in_the_order_asked_for_and_gone_ones_are_left_out(books: Books) -> None:
    asked = [5, 3, 999_999, 1, 4, 2]  # 1 was deleted by the bank
    assert [each.id for each in books.store.read_now(transactions.rows, asked)] == [5, 3, 4, 2]
    assert books.store.read_now(transactions.detail, TransactionId(1)) is None
    assert books.store.read_now(transactions.detail, TransactionId(999_999)) is None


def test_upcoming_is_what_is_pending_soonest_first(books: Books) -> None:
    pending = sorted(
        (each for each in books.rows if each.told.pending), key=lambda each: (each.told.booked_on, each.id)
    )
    found = books.store.read_now(transactions.upcoming, 500)
    assert [each.id for each in found] == [each.id for each in pending]


def test_categories_in_use_the_persons_own_first(books: Books) -> None:
    found = books.store.read_now(transactions.categories)
    assert set(found) == set(CATEGORIES) - {""}
    assert len(found) == len(set(found))


def test_a_common_word_is_found_far_down_as_well(tmp_path: Path) -> None:
    """The index gives up on common words; the walk down the dates has to find them, to the last one."""
    with Store.open(tmp_path / "a.db", KEY) as store:

        def fill(tx: Tx) -> ConnectionId:
            connection_id = connections.adopt(tx, "powens", remote_connection(), NOW)
            rows = [
                row(
                    n,
                    on=f"20{26 - n % 9:02}-01-01",
                    label=f"COMMON {'RARE' if n % 1000 == 7 else 'WORD'}",
                    payee="",
                )
                for n in range(1, 3_001)
            ]
            save(tx, answer_of(connection_id, [remote_account()], [SeedPage(tuple(rows))]))
            return connection_id

        store.write_now(fill)
        for text, expected in (("common", 3_000), ("common rare", 3), ("rare", 3), ("co", 3_000), ("ra", 3)):
            wanted = TransactionFilter(text=text)
            ids = list(store.read_now(transactions.ids, wanted))
            assert len(ids) == expected
            for offset in (0, 2, expected - 2):
                page = store.read_now(transactions.page, wanted, offset, 50)
                assert [each.id for each in page] == ids[offset : offset + 50]
