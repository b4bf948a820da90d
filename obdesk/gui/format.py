"""Money, dates and durations in the reader's way of writing: pure functions over a `Locale` value.

No Qt here, so that every `present.py` may use it; `obdesk.gui.locales` makes a `Locale` from Qt's data.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from obdesk.domain.digits import decimal_text
from obdesk.domain.texts import tr, trn

if TYPE_CHECKING:
    from datetime import tzinfo

    from obdesk.domain.money import Money

MINUS = "\N{MINUS SIGN}"
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
DASH = "\N{EM DASH}"

SYMBOLS = {
    "EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩", "TRY": "₺",
    "UAH": "₴", "VND": "₫", "ILS": "₪", "PLN": "zł", "CZK": "Kč",
}  # fmt: skip

_LABEL_MAX = 300  # more does not fit any screen

# Banks send line breaks, NULs and direction marks; one line of plain text stays one line of plain text.
_NOT_DRAWN = dict.fromkeys((*range(32), 127, *range(128, 160), 8232, 8233), " ") | dict.fromkeys(
    (0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF), ""
)


class Locale(NamedTuple):
    """How a reader writes numbers and dates; the default is plain British English."""

    language: str = "en"
    decimal: str = "."
    group: str = ","
    symbol_first: bool = True
    symbol_gap: str = ""
    """Between amount and symbol; a code such as CHF always gets a space."""
    day_first: bool = True
    short_date_pattern: str = "{day:02}/{month:02}/{year}"
    clock_24h: bool = True
    months: tuple[str, ...] = (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    )  # fmt: skip
    months_short: tuple[str, ...] = (
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    )  # fmt: skip
    weekdays: tuple[str, ...] = (
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    )  # fmt: skip
    weekdays_short: tuple[str, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    zone: tzinfo | None = None
    """Where the reader is; None is this computer's own zone."""


def clean(text: str) -> str:
    """Return a bank's words as one line: no control characters, no marks that turn the reading direction."""
    return text[:_LABEL_MAX].translate(_NOT_DRAWN).strip()


def number(minor: int, exponent: int, locale: Locale) -> str:
    """Return minor units as a number with the locale's signs and exactly `exponent` decimals."""
    whole, _, decimals = decimal_text(abs(minor), exponent).partition(".")
    text = _grouped(whole, locale.group)
    if decimals:
        text = f"{text}{locale.decimal}{decimals}"
    return f"{MINUS}{text}" if minor < 0 else text


def count(value: int, locale: Locale) -> str:
    """Return a whole number with the locale's grouping."""
    return number(value, 0, locale)


def _grouped(whole: str, sign: str) -> str:
    if len(whole) <= 3 or not sign:
        return whole
    head = len(whole) % 3
    groups = [whole[:head]] if head else []
    groups += [whole[place : place + 3] for place in range(head, len(whole), 3)]
    return sign.join(groups)


def money(amount: Money, locale: Locale, *, code: bool = False) -> str:
    """Return an amount with its currency where the locale puts it; `code` asks for the ISO code."""
    currency = amount.currency
    mark = currency.code if code else SYMBOLS.get(currency.code, currency.code)
    return marked(amount.amount_minor, mark, currency.exponent, locale)


def minor_money(amount_minor: int, code: str, exponent: int, locale: Locale) -> str:
    """Return an amount that is still in its columns as `money` writes it."""
    return marked(amount_minor, SYMBOLS.get(code, code), exponent, locale)


def marked(amount_minor: int, mark: str, exponent: int, locale: Locale) -> str:
    """Return an amount with a currency's mark where the locale puts it."""
    digits = number(abs(amount_minor), exponent, locale)
    gap = locale.symbol_gap or (NO_BREAK_SPACE if len(mark) > 1 and mark.isalpha() else "")
    text = f"{mark}{gap}{digits}" if locale.symbol_first else f"{digits}{gap}{mark}"
    return f"{MINUS}{text}" if amount_minor < 0 else text


def money_or_dash(amount: Money | None, locale: Locale) -> str:
    """Return an amount, or a dash where the bank gave none: no figure is better than a wrong zero."""
    return DASH if amount is None else money(amount, locale)


def signed_money(amount: Money, locale: Locale) -> str:
    """Return an amount with its sign always written, for changes and income."""
    text = money(amount, locale)
    return f"+{text}" if amount.amount_minor > 0 else text


def compact_money(amount: Money, locale: Locale) -> str:
    """Return an amount short enough for a chart's axis: `€90k`, `90 k€`."""
    scale = 10**amount.currency.exponent
    whole = abs(amount.amount_minor)
    digits, letter = count(whole // scale, locale), ""
    for size, sign in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if whole >= size * scale:
            tenths = round(whole * 10 / (size * scale))
            digits = number(tenths, 1, locale) if tenths % 10 else count(tenths // 10, locale)
            letter = sign
            break
    mark = SYMBOLS.get(amount.currency.code, amount.currency.code)
    text = f"{mark}{digits}{letter}" if locale.symbol_first else f"{digits}{NARROW_SPACE}{letter}{mark}"
    return f"{MINUS}{text}" if amount.amount_minor < 0 else text


def local(instant: datetime, locale: Locale) -> datetime:
    """Return an aware instant in the reader's zone."""
    return instant.astimezone(locale.zone)


def clock(instant: datetime, locale: Locale) -> str:
    """Return the time of day: `14:05` or `2:05 pm`."""
    here = local(instant, locale)
    if locale.clock_24h:
        return f"{here.hour:02}:{here.minute:02}"
    half = "am" if here.hour < 12 else "pm"
    return f"{here.hour % 12 or 12}:{here.minute:02}{NARROW_SPACE}{half}"


def short_date(day: date, locale: Locale) -> str:
    """Return the locale's short numeric date with a four-digit year."""
    return locale.short_date_pattern.format(day=day.day, month=day.month, year=day.year)


def day_month(day: date, locale: Locale) -> str:
    """Return a day without its year: `22 Nov`."""
    month = locale.months_short[day.month - 1]
    return f"{day.day} {month}" if locale.day_first else f"{month} {day.day}"


def day_month_year(day: date, locale: Locale) -> str:
    """Return a day with its year: `22 Nov 2026`."""
    text = day_month(day, locale)
    return f"{text} {day.year}" if locale.day_first else f"{text}, {day.year}"


def weekday_date(day: date, today: date, locale: Locale) -> str:
    """Return a day with its weekday, and its year unless that is obvious: `Sunday 22 Nov`."""
    near = abs((day - today).days) <= 180
    text = day_month(day, locale) if near else day_month_year(day, locale)
    weekday = locale.weekdays[day.weekday()]
    return f"{weekday} {text}" if locale.day_first else f"{weekday}, {text}"


def near(day: date, today: date) -> bool:
    """Tell whether a day needs no year to be understood."""
    return abs((day - today).days) <= 180


def column_date(day: date, today: date, locale: Locale) -> str:
    """Return a day for a column, with its year only when it is not obvious."""
    return day_month(day, locale) if near(day, today) else day_month_year(day, locale)


def day_heading(day: date, today: date, locale: Locale) -> str:
    """Return a day in words, with its year only when it is not obvious: `Monday 23 November`."""
    weekday, month = locale.weekdays[day.weekday()], locale.months[day.month - 1]
    year = "" if near(day, today) else f"{day.year}"
    if locale.day_first:
        text = f"{weekday} {day.day} {month} {year}".rstrip()
    else:
        text = f"{weekday}, {month} {day.day}" + (f", {year}" if year else "")
    return text[:1].upper() + text[1:]


def full_date(day: date, locale: Locale) -> str:
    """Return the whole date in words: `Sunday 22 November 2026`."""
    weekday, month = locale.weekdays[day.weekday()], locale.months[day.month - 1]
    if locale.day_first:
        return f"{weekday} {day.day} {month} {day.year}"
    return f"{weekday}, {month} {day.day}, {day.year}"


def month_name(day: date, locale: Locale) -> str:
    """Return the month's name as a heading."""
    name = locale.months[day.month - 1]
    return name[:1].upper() + name[1:]


def instant(when: datetime, now: datetime, locale: Locale) -> str:
    """Return an instant: relative within 48 hours (`yesterday 22:10`), else `Sun 22 Nov 18:00`."""
    here, today = local(when, locale), local(now, locale).date()
    time = clock(when, locale)
    near = abs(when - now) < timedelta(hours=48)
    match (here.date() - today).days:
        case 0:
            return tr("today {time}", time=time)
        case -1 if near:
            return tr("yesterday {time}", time=time)
        case 1 if near:
            return tr("tomorrow {time}", time=time)
        case days:
            near_year = abs(days) <= 180
            day = day_month(here.date(), locale) if near_year else day_month_year(here.date(), locale)
            weekday = locale.weekdays_short[here.weekday()]
            return f"{weekday} {day} {time}" if locale.day_first else f"{weekday}, {day} {time}"


def instant_or(when: datetime | None, now: datetime, locale: Locale, absent: str) -> str:
    """Return an instant, or `absent` where there is none."""
    return absent if when is None else instant(when, now, locale)


def time_today(when: datetime, now: datetime, locale: Locale) -> str:
    """Return only the time when the instant is today, else as `instant`: for narrow columns."""
    if local(when, locale).date() == local(now, locale).date():
        return clock(when, locale)
    return instant(when, now, locale)


def absolute(when: datetime, locale: Locale) -> str:
    """Return the whole date and time in words, for tooltips."""
    return f"{full_date(local(when, locale).date(), locale)} {clock(when, locale)}"


def days_left(until: datetime, now: datetime, locale: Locale) -> int:
    """Return the calendar days from today to `until`, negative when it is past."""
    return (local(until, locale).date() - local(now, locale).date()).days


def age(since: datetime, now: datetime) -> str:
    """Return how long ago an instant was, roughly: `3 h ago`."""
    seconds = max(0, int((now - since).total_seconds()))
    if seconds < 60:
        return tr("just now")
    if seconds < 3_600:
        return tr("{minutes} min ago", minutes=seconds // 60)
    if seconds < 172_800:
        return tr("{hours} h ago", hours=seconds // 3_600)
    return trn("{n} day ago", "{n} days ago", seconds // 86_400)


def duration(seconds: float, locale: Locale) -> str:
    """Return a duration: `0.6 s`, `42 s`, `3 min 05 s`."""
    if seconds < 10:
        return f"{number(round(seconds * 10), 1, locale)}{NARROW_SPACE}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{NARROW_SPACE}s"
    return f"{whole // 60}{NARROW_SPACE}min {whole % 60:02}{NARROW_SPACE}s"


def today(now: datetime, locale: Locale) -> date:
    """Return the reader's calendar day."""
    return local(now, locale).date()


def utc_text(when: datetime) -> str:
    """Return an instant for a bug report: ISO 8601 in UTC, to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
