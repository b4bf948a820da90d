"""Which transactions are asked for, and the small language of the search field.

`amount:>20 date:2026-11 category:courses carte` becomes a `TransactionFilter`; words that are not
`key:value` are looked for in label, payee and note.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING
from unicodedata import combining, normalize

if TYPE_CHECKING:
    from obdesk.domain.entities import TransactionState
    from obdesk.domain.ids import AccountId


class Sort(Enum):
    """The columns a list can be sorted by."""

    DATE = "date"
    PAYEE = "payee"
    CATEGORY = "category"
    ACCOUNT = "account"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """The question a list asks; the default is everything, newest first, pending on top."""

    text: str = ""
    accounts: frozenset[AccountId] = frozenset()
    """Empty: all accounts."""
    date_from: date | None = None
    date_to: date | None = None
    state: TransactionState | None = None
    category: str | None = None
    """None: any; empty text: without a category."""
    amount_at_least: Decimal | None = None
    """On the amount's absolute value, in major units."""
    amount_at_most: Decimal | None = None
    sort: Sort = Sort.DATE
    descending: bool = True

    @property
    def narrows(self) -> bool:
        """Tell whether the filter leaves anything out."""
        return replace(self, sort=Sort.DATE, descending=True) != TransactionFilter()


_TOKEN = re.compile(r'(?<!\S)(?P<key>[^\W\d_]+):(?P<value>"[^"]*"(?!\S)|\S+)')
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")


def fold(text: str) -> str:
    """Return `text` as it is searched: lower case, without accents."""
    if text.isascii():
        return text.lower()
    # Taking letters apart can bring capitals to light (the sign for "TEL"), and folding marks.
    plain = normalize("NFKD", normalize("NFKD", text).casefold())
    return "".join(c for c in plain if not combining(c))


def parse_search(query: str, base: TransactionFilter | None = None) -> TransactionFilter:
    """Return `base` narrowed by what was typed; a token that cannot be read stays a searched word."""
    found = base or TransactionFilter()
    rest: list[str] = []
    position = 0
    for match in _TOKEN.finditer(query):
        rest.append(query[position : match.start()])
        position = match.end()
        narrowed = _narrow(found, fold(match["key"]), match["value"].strip('"'))
        if narrowed is None:
            rest.append(match[0])
        else:
            found = narrowed
    rest.append(query[position:])
    return replace(found, text=" ".join("".join(rest).split()))


def _narrow(base: TransactionFilter, key: str, value: str) -> TransactionFilter | None:
    match key:
        case "date" | "from" | "to" | "depuis" | "jusqu":
            return _by_date(base, key, value)
        case "amount" | "montant":
            return _by_amount(base, value)
        case "category" | "categorie":
            return replace(base, category=value)
        case _:
            return None


def _by_date(base: TransactionFilter, key: str, value: str) -> TransactionFilter | None:
    span = _span(value)
    if span is None:
        return None
    first, last = span
    if key in {"from", "depuis"}:
        return replace(base, date_from=first)
    if key in {"to", "jusqu"}:
        return replace(base, date_to=last)
    return replace(base, date_from=first, date_to=last)


def _span(value: str) -> tuple[date, date] | None:
    match = _DATE.match(value)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    try:
        if day is not None and month is not None:
            only = date(year, month, day)
            return only, only
        if month is not None:
            first = date(year, month, 1)
            return first, first.replace(day=monthrange(year, month)[1])
        return date(year, 1, 1), date(year, 12, 31)
    except ValueError:
        return None


def _by_amount(base: TransactionFilter, value: str) -> TransactionFilter | None:
    match = re.match(r"(>=|<=|>|<|)(\d{1,12}(?:[.,]\d{1,4})?)(?:\.\.(\d{1,12}(?:[.,]\d{1,4})?))?$", value)
    if match is None or (match[1] and match[3]):
        return None
    low = Decimal(match[2].replace(",", "."))
    high = Decimal(match[3].replace(",", ".")) if match[3] else None
    match match[1]:
        case ">" | ">=":
            return replace(base, amount_at_least=low)
        case "<" | "<=":
            return replace(base, amount_at_most=low)
        case _:
            return replace(base, amount_at_least=low, amount_at_most=high if high is not None else low)
