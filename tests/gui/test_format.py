"""Amounts and dates as the reader writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QLocale

from obdesk.domain.money import Currency, Money
from obdesk.gui import format as fmt
from obdesk.gui.format import MINUS, NARROW_SPACE, NO_BREAK_SPACE
from obdesk.gui.locales import locale_of
from tests.gui.household import ENGLISH, FRENCH, NOW, PARIS

EUR, USD, JPY, TND, CHF = (Currency.of(code) for code in ("EUR", "USD", "JPY", "TND", "CHF"))


@pytest.mark.parametrize(
    ("minor", "currency", "english", "french"),
    [
        (123_456_789, EUR, "€1,234,567.89", f"1{NARROW_SPACE}234{NARROW_SPACE}567,89{NO_BREAK_SPACE}€"),
        (-2_390, EUR, f"{MINUS}€23.90", f"{MINUS}23,90{NO_BREAK_SPACE}€"),
        (5, EUR, "€0.05", f"0,05{NO_BREAK_SPACE}€"),
        (1_500, JPY, "¥1,500", f"1{NARROW_SPACE}500{NO_BREAK_SPACE}¥"),
        (1_500, TND, f"TND{NO_BREAK_SPACE}1.500", f"1,500{NO_BREAK_SPACE}TND"),
        (0, CHF, f"CHF{NO_BREAK_SPACE}0.00", f"0,00{NO_BREAK_SPACE}CHF"),
    ],
)
def test_an_amount_is_written_as_the_locale_does(
    minor: int, currency: Currency, english: str, french: str
) -> None:
    amount = Money(minor, currency)

    assert fmt.money(amount, ENGLISH) == english
    assert fmt.money(amount, FRENCH) == french


@given(st.integers(-(10**15), 10**15))
def test_no_digit_is_lost_whatever_the_locale(minor: int) -> None:
    for locale in (ENGLISH, FRENCH):
        written = fmt.money(Money(minor, EUR), locale)
        digits = "".join(c for c in written if c.isdigit())
        assert int(digits) == abs(minor)
        assert (MINUS in written) == (minor < 0)
        assert "-" not in written


def test_income_carries_its_sign() -> None:
    assert fmt.signed_money(Money(100, EUR), ENGLISH) == "+€1.00"
    assert fmt.signed_money(Money(-100, EUR), ENGLISH) == f"{MINUS}€1.00"
    assert fmt.signed_money(Money(0, EUR), ENGLISH) == "€0.00"


def test_a_missing_amount_is_a_dash_not_a_zero() -> None:
    assert fmt.money_or_dash(None, ENGLISH) == fmt.DASH


@pytest.mark.parametrize(
    ("minor", "english", "french"),
    [
        (9_000_000, "€90k", f"90{NARROW_SPACE}k€"),
        (152_000_000, "€1.5M", f"1,5{NARROW_SPACE}M€"),
        (-2_000_000, f"{MINUS}€20k", f"{MINUS}20{NARROW_SPACE}k€"),
        (50_000, "€500", f"500{NARROW_SPACE}€"),
    ],
)
def test_an_axis_writes_amounts_short(minor: int, english: str, french: str) -> None:
    assert fmt.compact_money(Money(minor, EUR), ENGLISH) == english
    assert fmt.compact_money(Money(minor, EUR), FRENCH) == french


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(minutes=2), "today 11:56"),
        (timedelta(hours=14), "yesterday 21:58"),
        (timedelta(hours=41), "Sun 22 Nov 18:58"),
        (timedelta(days=300), "Wed 28 Jan 2026 11:58"),
        (-timedelta(hours=2, minutes=7), "today 14:05"),
        (-timedelta(hours=20), "tomorrow 07:58"),
        (-timedelta(days=20), "Mon 14 Dec 11:58"),
    ],
)
def test_an_instant_is_relative_only_within_two_days(ago: timedelta, said: str) -> None:
    assert fmt.instant(NOW - ago, NOW, ENGLISH) == said


def test_the_day_is_that_of_the_reader_not_of_utc() -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)  # already the 24th in Paris

    assert fmt.instant(late, NOW, ENGLISH) == "today 00:30"
    assert fmt.today(late, ENGLISH) == date(2026, 11, 24)


def test_a_consents_day_has_its_weekday() -> None:
    assert fmt.weekday_date(date(2026, 11, 22), date(2026, 11, 24), ENGLISH) == "Sunday 22 Nov"
    assert fmt.weekday_date(date(2027, 6, 22), date(2026, 11, 24), ENGLISH) == "Tuesday 22 Jun 2027"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.6, f"0.6{NARROW_SPACE}s"),
        (42, f"42{NARROW_SPACE}s"),
        (185, f"3{NARROW_SPACE}min 05{NARROW_SPACE}s"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert fmt.duration(seconds, ENGLISH) == said


@pytest.mark.parametrize(
    "name", ["fr_FR", "en_GB", "en_US", "de_DE", "de_CH", "nl_NL", "sv_SE", "ja_JP", "ar_EG", "en_IN"]
)
def test_qts_locales_make_readable_amounts(name: str) -> None:
    locale = locale_of(QLocale(name), zone=PARIS)
    written = fmt.money(Money(-123_456, EUR), locale)

    assert "€" in written
    assert MINUS in written
    assert "1" in written
    assert all(mark not in fmt.short_date(date(2026, 11, 2), locale) for mark in "{}dMy")


def test_french_and_american_ways() -> None:
    french, american = locale_of(QLocale("fr_FR"), zone=PARIS), locale_of(QLocale("en_US"), zone=PARIS)

    assert fmt.money(Money(-123_456, EUR), french) == f"{MINUS}1{NARROW_SPACE}234,56{NO_BREAK_SPACE}€"
    assert fmt.short_date(date(2026, 11, 2), french) == "02/11/2026"
    assert fmt.short_date(date(2026, 11, 2), american) == "11/2/2026"
    assert fmt.clock(NOW, american) == f"11:58{NARROW_SPACE}am"
    assert fmt.day_month(date(2026, 11, 2), american) == "Nov 2"
    assert fmt.day_month(date(2026, 11, 2), french) == "2 nov"
