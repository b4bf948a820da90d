"""An amount keeps every digit from the wire to the screen, or it is refused; it is never rounded."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.digits import decimal_text
from obdesk.domain.money import (
    MINOR_MAX,
    AmountTooLargeError,
    Currency,
    FinerThanCurrencyError,
    MixedCurrenciesError,
    Money,
    minor_of,
)

EUR, USD, JPY, TND = (Currency.of(code) for code in ("EUR", "USD", "JPY", "TND"))
minors = st.integers(-MINOR_MAX, MINOR_MAX)
exponents = st.integers(0, 8)


@given(minors, exponents)
def test_an_amount_survives_the_way_to_text_and_back(minor: int, exponent: int) -> None:
    text = decimal_text(minor, exponent)
    assert minor_of(Decimal(text), exponent) == minor
    assert Money(minor, Currency("XTS", exponent)).text() == text


@given(minors, exponents)
def test_the_text_is_plain_with_exactly_the_decimals_of_the_currency(minor: int, exponent: int) -> None:
    whole, _, decimals = decimal_text(minor, exponent).partition(".")
    assert len(decimals) == exponent
    assert whole.removeprefix("-").isdecimal()
    assert whole in {"0", "-0"} or not whole.removeprefix("-").startswith("0")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (0, EUR, "0.00"),
        (-2_390, EUR, "-23.90"),
        (5, EUR, "0.05"),
        (-5, EUR, "-0.05"),
        (-1_500, JPY, "-1500"),
        (1, TND, "0.001"),
        (12_345, Currency.of("CLF"), "1.2345"),
        (MINOR_MAX, EUR, "92233720368547758.07"),
    ],
)
def test_amounts_as_a_person_or_a_program_reads_them(minor: int, currency: Currency, text: str) -> None:
    assert Money(minor, currency).text() == text
    assert Money(minor, currency).decimal() == Decimal(text)
    assert Money.of(Decimal(text), currency) == Money(minor, currency)


_TAILS = tuple("1." + "0" * zeros + "1" for zeros in (2, 30, 70))
"""A tail that the usual context of decimals rounds away, and one that every context would."""


@pytest.mark.parametrize("text", ["0.001", "-23.905", "1E-10", "0." + "1" * 70, *_TAILS])
def test_an_amount_finer_than_a_cent_is_refused_not_rounded(text: str) -> None:
    with pytest.raises(FinerThanCurrencyError, match=f"^{re.escape(text)}$"):
        Money.of(Decimal(text), EUR)


def test_zeros_behind_the_last_decimal_are_no_finer_amount() -> None:
    assert Money.of(Decimal("23.9000"), EUR) == Money(2_390, EUR)
    assert Money.of(Decimal("1.5E+3"), JPY) == Money(1_500, JPY)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1E+400", "92233720368547758.08", "1E+19"])
def test_an_amount_no_account_can_hold_is_refused(text: str) -> None:
    with pytest.raises(AmountTooLargeError, match=f"^{re.escape(text)}$"):
        Money.of(Decimal(text), EUR)


@given(st.decimals(allow_nan=True, allow_infinity=True), exponents)
def test_whatever_decimal_comes_it_is_exact_or_refused(value: Decimal, exponent: int) -> None:
    try:
        minor = minor_of(value, exponent)
    except (FinerThanCurrencyError, AmountTooLargeError):
        return
    assert Decimal(decimal_text(minor, exponent)) == value


@given(minors, minors)
def test_sums_are_those_of_whole_numbers(one: int, other: int) -> None:
    assert Money(one, EUR) + Money(other, EUR) == Money(one + other, EUR)
    assert Money(one, EUR) + -Money(one, EUR) == Money(0, EUR)


def test_two_currencies_never_meet_in_one_sum() -> None:
    with pytest.raises(MixedCurrenciesError, match=r"EUR \+ USD"):
        _ = Money(1, EUR) + Money(1, USD)


def test_one_code_with_two_exponents_is_two_currencies() -> None:
    with pytest.raises(MixedCurrenciesError):
        _ = Money(1, Currency("BTC", 8)) + Money(1, Currency("BTC", 2))


def test_the_standard_knows_better_than_the_provider_how_many_decimals_a_currency_has() -> None:
    assert Currency.of("EUR", provider_exponent=5).exponent == 2
    assert Currency.of("JPY", provider_exponent=2).exponent == 0
    assert Currency.of("BTC", provider_exponent=8).exponent == 8
    assert Currency.of("BTC").exponent == 2


@pytest.mark.parametrize(
    ("decimals", "codes"),
    [
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
        (2, "AUD BGN BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS INR"),
        (2, "MAD MXN NOK NZD PLN RON SEK SGD THB TRY UAH USD ZAR"),
    ],
)
def test_each_currency_has_the_decimals_of_the_standard_whatever_a_provider_says(
    decimals: int, codes: str
) -> None:
    for code in codes.split():
        for told in (None, 0, 7):
            assert Currency.of(code, provider_exponent=told) == Currency(code, decimals)


@pytest.mark.parametrize("minor", [10**18, -(10**18), MINOR_MAX, -MINOR_MAX])
def test_the_largest_amounts_of_a_currency_without_decimals_fit(minor: int) -> None:
    assert Money.of(Decimal(minor), JPY) == Money(minor, JPY)


def test_the_largest_amount_is_what_one_column_of_the_ledger_holds() -> None:
    assert MINOR_MAX == 9_223_372_036_854_775_807
