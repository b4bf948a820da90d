"""One thing that is open, and where its button leads."""

from __future__ import annotations

from enum import Enum
from textwrap import shorten
from typing import TYPE_CHECKING, NamedTuple, assert_never

from obdesk.domain.filters import TransactionFilter
from obdesk.domain.texts import tr
from obdesk.gui.format import Locale, clean, day_month_year

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from obdesk.domain.entities import TransactionRow
    from obdesk.domain.ids import AccountId, ConnectionId, TransactionId

WORDING_MAX = 40


class Way(Enum):
    """Where the button of a matter leads."""

    ROWS = "rows"
    """The transactions that it is about."""
    PAIR = "pair"
    """The likeliest pair of transactions that may be one, with the question."""
    BANKS = "banks"
    """The bank's card, with its details."""
    RENEW = "renew"
    """Renewing access."""


class Settles(NamedTuple):
    """The person's word that something is right as it is: what they say, and what of."""

    text: str
    problem_id: int | None = None
    days: tuple[AccountId, date, date] | None = None
    """An account and the days of it in which nothing is missing."""


class Matter(NamedTuple):
    """Something that is open: a sentence, what explains it, when it was seen, and where its button leads."""

    text: str
    seen: str
    way: Way
    connection_id: ConnectionId
    note: str = ""
    wanted: TransactionFilter | None = None
    """What the button shows where it leads to transactions."""
    rows: tuple[TransactionId, ...] = ()
    """Which of them are selected."""
    settles: Settles | None = None


def way_text(way: Way) -> str:
    """Return what the button says."""
    match way:
        case Way.ROWS:
            return tr("Show transactions")
        case Way.PAIR:
            return tr("Show the pair")
        case Way.BANKS:
            return tr("Show the bank")
        case Way.RENEW:
            return tr("Renew access")
        case other:
            assert_never(other)


def rows_text(rows: Iterable[TransactionRow], locale: Locale) -> str:
    """Return rows as a sentence names them: their words and days, never an amount; equal ones once."""
    return " · ".join(dict.fromkeys(_row(each, locale) for each in rows))


def _row(row: TransactionRow, locale: Locale) -> str:
    words = shorten(clean(row.payee or row.label), WORDING_MAX, placeholder="…")
    return tr("{row}, {day}", row=words, day=day_month_year(row.booked_on, locale))


def around(
    accounts: Iterable[AccountId], rows: Sequence[TransactionRow], days: Sequence[date] = ()
) -> TransactionFilter:
    """Return the filter that shows rows, from the first day that matters to the last."""
    told = [*(each.booked_on for each in rows), *days]
    return TransactionFilter(
        accounts=frozenset(accounts), date_from=min(told, default=None), date_to=max(told, default=None)
    )
