"""What a person types in the search field is understood, or searched for as it stands; never lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.entities import TransactionState
from obdesk.domain.filters import Sort, TransactionFilter, fold, parse_search
from obdesk.domain.ids import AccountId

NOTHING = TransactionFilter()


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("date:2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("date:2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("date:2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("date:2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("date:2026-11-24", date(2026, 11, 24), date(2026, 11, 24)),
        ("date:9999-12", date(9999, 12, 1), date(9999, 12, 31)),
        ("from:2026-11", date(2026, 11, 1), None),
        ("depuis:2026-11", date(2026, 11, 1), None),
        ("to:2026-11", None, date(2026, 11, 30)),
        ("jusqu:2026-11", None, date(2026, 11, 30)),
        ("from:2026-01 to:2026-03", date(2026, 1, 1), date(2026, 3, 31)),
        ("DATE:2026", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_dates(typed: str, first: date | None, last: date | None) -> None:
    assert parse_search(typed) == TransactionFilter(date_from=first, date_to=last)


@pytest.mark.parametrize(
    ("typed", "low", "high"),
    [
        ("amount:>20", "20", None),
        ("amount:>=20.5", "20.5", None),
        ("amount:<20,50", None, "20.50"),
        ("montant:<=20", None, "20"),
        ("amount:23.90", "23.90", "23.90"),
        ("montant:10..20,5", "10", "20.5"),
    ],
)
def test_amounts(typed: str, low: str | None, high: str | None) -> None:
    assert parse_search(typed) == TransactionFilter(
        amount_at_least=None if low is None else Decimal(low),
        amount_at_most=None if high is None else Decimal(high),
    )


@pytest.mark.parametrize("typed", ["category:courses", "categorie:courses", "catégorie:courses"])
def test_categories_in_both_languages(typed: str) -> None:
    assert parse_search(typed) == TransactionFilter(category="courses")


def test_a_value_with_spaces_stands_in_quotes_and_an_empty_one_means_none() -> None:
    assert parse_search('category:"vie quotidienne" pain') == TransactionFilter(
        category="vie quotidienne", text="pain"
    )
    assert parse_search('category:""').category == ""


@pytest.mark.parametrize(
    "typed",
    [
        "amount:lots",
        "amount:>20..30",
        "amount:1e5",
        "date:2026-13",
        "date:2026-02-30",
        "date:yesterday",
        "date:0000",
        "colour:red",
        "https://example.org/?amount:5",
        "12:30",
        "category:",
        "tramway-date:2026",
        '"',
        "a:b:c",
    ],
)
def test_what_cannot_be_read_is_searched_for_as_it_was_typed(typed: str) -> None:
    assert parse_search(typed) == TransactionFilter(text=typed)


def test_words_keep_their_order_around_the_tokens() -> None:
    found = parse_search("carte date:2026-11 du  port amount:>20 brest")
    assert found.text == "carte du port brest"
    assert (found.date_from, found.amount_at_least) == (date(2026, 11, 1), Decimal(20))


def test_what_is_typed_narrows_the_filter_that_was_there() -> None:
    base = TransactionFilter(accounts=frozenset({AccountId(3)}), state=TransactionState.PENDING)
    assert parse_search("port date:2026", base) == replace(
        base, text="port", date_from=date(2026, 1, 1), date_to=date(2026, 12, 31)
    )


def test_a_sorted_list_of_everything_leaves_nothing_out() -> None:
    assert not NOTHING.narrows
    assert not replace(NOTHING, sort=Sort.AMOUNT, descending=False).narrows
    assert replace(NOTHING, text="x").narrows
    assert replace(NOTHING, category="").narrows


@given(st.text())
def test_no_text_breaks_the_search(typed: str) -> None:
    parse_search(typed)


tokens = st.sampled_from(
    ["date:2026-11", "amount:>20", "category:x", "colour:red", "amount:x", "date:99", "é:a", "port", "œuf"]
)


@given(st.lists(tokens, max_size=6))
def test_every_token_narrows_or_stays_a_word(typed: list[str]) -> None:
    found = parse_search(" ".join(typed))
    understood = {"date:2026-11", "amount:>20", "category:x"}
    assert found.text.split() == [token for token in typed if token not in understood]
    assert (found.date_from is not None) == ("date:2026-11" in typed)
    assert (found.amount_at_least is not None) == ("amount:>20" in typed)
    assert (found.category is not None) == ("category:x" in typed)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("CAFÉ DE LA MARINE", "cafe de la marine"),
        ("Cafe\u0301", "cafe"),
        ("GROẞE STRASSE", "grosse strasse"),
        ("ﬁn", "fin"),
        ("ÎLE D'OUESSANT", "ile d'ouessant"),
        ("\u2121", "tel"),
    ],
)
def test_folding_forgets_case_and_accents(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_folding_forgets_how_a_letter_was_composed(text: str) -> None:
    from unicodedata import normalize

    assert fold(normalize("NFC", text)) == fold(normalize("NFD", text))
