"""What the list, the filter and the inspector say, from plain values."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.entities import (
    HistoryEntry,
    TransactionDetail,
    TransactionRow,
    TransactionState,
)
from obdesk.domain.filters import Sort, TransactionFilter, parse_search
from obdesk.domain.ids import AccountId, TransactionId
from obdesk.domain.money import Currency, Money
from obdesk.gui.format import MINUS, clean
from obdesk.gui.transactions.facts import as_of, bank_facts, history_facts, oldest_data
from obdesk.gui.transactions.filterpanel import amount_of, spans
from obdesk.gui.transactions.filters import Part, chips, sentence, without
from obdesk.gui.transactions.present import (
    HUES,
    Column,
    Empty,
    Presenter,
    copied,
    empty_sentence,
    hue,
    shown,
    why_empty,
)
from tests.gui.household import ACCOUNTS, ENGLISH, EUR, FRENCH, NOW, USD

TODAY = date(2026, 11, 24)
PRESENTER = Presenter(ENGLISH, TODAY)
NAMES = {account.id: account.name for account in ACCOUNTS}


def made(
    amount_minor: int | None = -2_390,
    *,
    on: date = date(2026, 11, 23),
    payee: str = "Librairie du Port",
    label: str = "CARTE 22/11 LIBRAIRIE DU PORT",
    state: TransactionState = TransactionState.BOOKED,
    currency: Currency = EUR,
    category: str = "Books",
) -> TransactionRow:
    amount = None if amount_minor is None else Money(amount_minor, currency)
    return TransactionRow(
        TransactionId(1), AccountId(1), "Courant", state, on, payee, label, category, amount, has_note=False
    )


def detail(row: TransactionRow, **known: object) -> TransactionDetail:
    base = TransactionDetail(
        row=row, note="", bank_category="books", iban="FR7612345678901234567890185",
        done_on=None, value_on=None,
        kind="deferred_card", original_amount=None, counterparty="", counterparty_account="", card="1111",
        provider="powens", provider_ids=("700412", "700399"), first_seen_at=NOW - timedelta(days=2),
        changed_at=NOW, data_as_of=NOW - timedelta(minutes=27), asked_at=NOW - timedelta(minutes=1),
    )  # fmt: skip
    return replace(base, **known)  # type: ignore[arg-type]


def test_an_expense_has_a_minus_and_income_a_plus() -> None:
    spent, earned = PRESENTER.line(made(-2_390)), PRESENTER.line(made(215_000))

    assert (spent.amount, spent.income) == (f"{MINUS}€23.90", False)
    assert (earned.amount, earned.income) == ("+€2,150.00", True)


def test_an_amount_the_bank_did_not_give_is_a_dash_and_not_a_zero() -> None:
    assert PRESENTER.line(made(None)).amount == "—"


def test_every_currency_keeps_its_own_decimals() -> None:
    yen = PRESENTER.line(made(-1_200, currency=Currency.of("JPY")))
    dinar = PRESENTER.line(made(-1_200, currency=Currency.of("TND")))

    assert yen.amount.endswith("1,200")
    assert dinar.amount.endswith("1.200")


def test_days_are_headed_by_their_name_and_a_far_one_by_its_year() -> None:
    near, far = PRESENTER.line(made()), PRESENTER.line(made(on=date(2024, 2, 29)))

    assert PRESENTER.section(near) == "Monday 23 November"
    assert PRESENTER.section(far) == "Thursday 29 February 2024"
    assert (near.date, far.date) == ("23 Nov", "29 Feb 2024")
    assert Presenter(FRENCH, TODAY).section(near) == "Lundi 23 novembre"


def test_pending_rows_share_one_heading_and_are_spoken_as_pending() -> None:
    one = PRESENTER.line(made(state=TransactionState.PENDING))
    other = PRESENTER.line(made(state=TransactionState.PENDING, on=date(2026, 11, 29)))

    assert one.section == other.section
    assert PRESENTER.section(one) == "Pending · not in booked balance"
    assert PRESENTER.spoken(one, Column.DATE) == "Pending, Monday 23 November 2026"


def test_a_row_without_a_payee_shows_its_label_once() -> None:
    bare = PRESENTER.line(made(payee=""))
    silent = PRESENTER.line(made(payee="", label="\0"))

    assert (bare.payee, bare.label) == ("CARTE 22/11 LIBRAIRIE DU PORT", "")
    assert silent.payee == "Without a label"


@pytest.mark.parametrize(
    ("hostile", "drawn"),
    [
        ("<b>BOLD</b> &amp;", "<b>BOLD</b> &amp;"),
        ("TWO\nLINES\r\x00NUL", "TWO LINES  NUL"),
        ("\u202eTXET DESREVER\u202c", "TXET DESREVER"),
        ("שלום עולם", "שלום עולם"),
        ("{name} %s", "{name} %s"),
    ],
)
def test_a_banks_words_are_one_line_of_plain_text(hostile: str, drawn: str) -> None:
    assert clean(hostile) == drawn
    assert PRESENTER.line(made(payee=hostile)).payee == drawn


@given(st.text())
def test_no_control_or_direction_mark_is_ever_drawn(text: str) -> None:
    left = clean(text)

    assert len(left) <= 300
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202a\u202e\u2066\u2069" for c in left)


@given(st.text())
def test_a_category_has_the_same_hue_every_time(name: str) -> None:
    assert 0 <= hue(name) < HUES
    assert hue(name) == hue(name)


def test_totals_name_what_was_found_and_never_add_currencies() -> None:
    sums = (Money(-91_244, EUR), Money(1_000, USD))

    assert PRESENTER.found(38, sums, narrowed=True) == f"38 found · {MINUS}€912.44 · $10.00"
    assert PRESENTER.found(1, None, narrowed=True) == "One found"
    assert PRESENTER.found(0, (), narrowed=True) == "Nothing found"
    assert PRESENTER.found(1_210, sums, narrowed=False) == "1,210 transactions"
    assert PRESENTER.selected(14, (Money(-31_240, EUR),)) == f"14 selected · {MINUS}€312.40"
    assert PRESENTER.selected(0, None) == ""


def test_copied_amounts_are_the_readers_numbers_or_the_machines() -> None:
    lines = [PRESENTER.line(made(-123_456)), PRESENTER.line(made(None)), PRESENTER.line(made(50))]

    assert copied(lines, FRENCH, for_machines=False) == f"{MINUS}1\u202f234,56\n0,50"
    assert copied(lines, FRENCH, for_machines=True) == "-1234.56\n0.50"


def test_cells_show_and_speak_the_same_row() -> None:
    line = PRESENTER.line(made(category=""))

    assert [shown(line, column) for column in Column] == [
        "23 Nov", "Librairie du Port", "", "Courant", f"{MINUS}€23.90",
    ]  # fmt: skip
    assert PRESENTER.spoken(line, Column.CATEGORY) == "Without a category"
    assert PRESENTER.spoken(line, Column.PAYEE) == "Librairie du Port, CARTE 22/11 LIBRAIRIE DU PORT"


def test_an_empty_list_says_which_of_three_reasons_it_has() -> None:
    never = tuple(replace(a, freshness=replace(a.freshness, asked_at=None)) for a in ACCOUNTS[:1])
    one_account = TransactionFilter(accounts=frozenset({ACCOUNTS[0].id}))

    assert why_empty(TransactionFilter(text="zqx"), ACCOUNTS) is Empty.NO_MATCH
    assert why_empty(TransactionFilter(), never) is Empty.NOTHING_YET
    assert why_empty(TransactionFilter(), ()) is Empty.NOTHING_YET
    assert why_empty(one_account, ACCOUNTS) is Empty.NOTHING_AT_BANK
    assert why_empty(replace(one_account, sort=Sort.AMOUNT), ACCOUNTS) is Empty.NOTHING_AT_BANK
    assert len({empty_sentence(reason, linked=linked) for reason in Empty for linked in (True, False)}) == 4


def test_a_filter_is_said_in_words() -> None:
    wanted = parse_search("amount:>20 date:2026-11 carte")

    assert sentence(wanted, NAMES, ENGLISH) == "filter: November 2026, amount from 20, “carte”"
    assert sentence(TransactionFilter(sort=Sort.AMOUNT), NAMES, ENGLISH) == ""


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (TransactionFilter(date_from=date(2026, 1, 1), date_to=date(2026, 12, 31)), "2026"),
        (TransactionFilter(date_from=date(2026, 11, 3), date_to=date(2026, 11, 3)), "3 Nov 2026"),
        (TransactionFilter(date_from=date(2026, 11, 3)), "since 3 Nov 2026"),
        (TransactionFilter(date_to=date(2026, 11, 3)), "until 3 Nov 2026"),
        (TransactionFilter(date_from=date(2025, 2, 1), date_to=date(2025, 2, 28)), "February 2025"),
        (
            TransactionFilter(date_from=date(2025, 12, 3), date_to=date(2026, 1, 4)),
            "3 Dec 2025 to 4 Jan 2026",
        ),
        (TransactionFilter(amount_at_least=Decimal("1234.50")), "amount from 1,234.5"),
        (TransactionFilter(amount_at_least=Decimal(5), amount_at_most=Decimal(5)), "amount 5"),
        (TransactionFilter(amount_at_most=Decimal(20)), "amount up to 20"),
        (TransactionFilter(category=""), "without a category"),
        (TransactionFilter(category="Books"), "category Books"),
        (TransactionFilter(state=TransactionState.PENDING), "pending"),
        (TransactionFilter(accounts=frozenset({AccountId(2), AccountId(1)})), "Carte or Compte courant"),
        (TransactionFilter(accounts=frozenset({AccountId(1), AccountId(2), AccountId(3)})), "3 accounts"),
    ],
)
def test_each_part_of_a_filter_is_a_chip(wanted: TransactionFilter, text: str) -> None:
    assert [chip.text for chip in chips(wanted, NAMES, ENGLISH)] == [text]


@given(st.sampled_from(Part))
def test_taking_a_chip_away_takes_only_that_part(part: Part) -> None:
    whole = TransactionFilter(
        text="carte", accounts=frozenset({AccountId(1)}), date_from=TODAY, state=TransactionState.BOOKED,
        category="Books", amount_at_least=Decimal(3),
    )  # fmt: skip

    left = {chip.part for chip in chips(without(whole, part), NAMES, ENGLISH)}

    assert left == set(Part) - {part}


def test_amounts_are_read_as_people_type_them() -> None:
    assert amount_of("1\u202f234,50") == Decimal("1234.50")
    assert amount_of("-20") == Decimal(20)
    assert amount_of("") is None
    assert amount_of("twelve") is None
    assert amount_of("NaN") is None


def test_the_named_periods_are_whole_months_and_years() -> None:
    _, month, before, ninety, year, last_year = spans(date(2026, 1, 15))

    assert month == (date(2026, 1, 1), date(2026, 1, 31))
    assert before == (date(2025, 12, 1), date(2025, 12, 31))
    assert ninety is not None
    assert (ninety[1] - ninety[0]).days == 89
    assert year == (date(2026, 1, 1), date(2026, 12, 31))
    assert last_year == (date(2025, 1, 1), date(2025, 12, 31))


def test_the_inspector_says_what_the_bank_says_and_leaves_out_what_it_does_not() -> None:
    told = {fact.label: fact.text for fact in bank_facts(detail(made()), NOW, ENGLISH)}

    assert told["Booked"] == "Mon 23 Nov 2026"
    assert told["IBAN"] == "FR76 1234 5678 9012 3456 7890 185"
    assert told["Ids"] == "700412, 700399"
    assert told["Bank data"] == "today 11:31"
    assert told["Kind"] == "deferred card"
    assert "Counterparty" not in told
    assert "Value date" not in told


def test_an_amount_carries_both_clocks_or_says_that_one_is_unknown() -> None:
    assert as_of(detail(made()), NOW, ENGLISH) == "Bank data as of today 11:31 · asked today 11:57"
    silent = as_of(detail(made(), data_as_of=None, asked_at=None), NOW, ENGLISH)
    assert silent == "The bank does not tell how old this is · asked never"


def test_a_sum_carries_the_date_of_its_oldest_part() -> None:
    assert oldest_data(list(ACCOUNTS[:5]), NOW, ENGLISH) == "Bank data as of Sun 22 Nov 18:58"
    unknown = replace(ACCOUNTS[0], freshness=replace(ACCOUNTS[0].freshness, data_as_of=None))
    assert "nobody knows" in oldest_data([unknown, ACCOUNTS[1]], NOW, ENGLISH)
    assert oldest_data([unknown], NOW, ENGLISH) == "The banks do not tell how old this is."


def test_history_is_told_in_sentences_newest_first() -> None:
    entries = tuple(
        HistoryEntry(NOW - timedelta(minutes=n), who, field, old, new)
        for n, (who, field, old, new) in enumerate(
            [
                ("you", "note", "", "a gift"),
                ("you", "category", "Books", ""),
                ("sync", "amount_minor", "-4000", "-4600"),
                ("sync", "pending", "1", "0"),
                ("sync", "booked_on", "2026-11-22", "2026-11-23"),
                ("sync", "deleted", "", "1"),
                ("sync", "label", "OLD <b>", "NEW"),
                ("sync", "colour", "", "red"),
            ]
        )
    )

    told = [fact.text for fact in history_facts(detail(made(), history=entries), NOW, ENGLISH)]

    assert told == [
        "you noted “a gift”",
        "you went back to the bank's category",
        f"amount {MINUS}€40.00, now {MINUS}€46.00",
        "pending became booked",
        "date 22 Nov 2026, now 23 Nov 2026",
        "gone at the bank",
        "the bank's label was “OLD <b>”",
        "colour: —, now red",
        "first seen",
    ]
