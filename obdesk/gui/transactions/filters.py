"""A filter in words: the chips above the list, the sentence in the status bar, and taking a part away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from obdesk.domain.entities import TransactionState
from obdesk.domain.texts import tr, trn
from obdesk.gui import format as fmt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from decimal import Decimal

    from obdesk.domain.filters import TransactionFilter
    from obdesk.domain.ids import AccountId


class Part(Enum):
    """What a filter can be narrowed by, each a chip of its own."""

    ACCOUNTS = "accounts"
    DATES = "dates"
    STATE = "state"
    CATEGORY = "category"
    AMOUNT = "amount"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Chip:
    """One part of a filter in words."""

    part: Part
    text: str


def without(wanted: TransactionFilter, part: Part) -> TransactionFilter:
    """Return a filter that no longer narrows by one part."""
    match part:
        case Part.ACCOUNTS:
            return replace(wanted, accounts=frozenset())
        case Part.DATES:
            return replace(wanted, date_from=None, date_to=None)
        case Part.STATE:
            return replace(wanted, state=None)
        case Part.CATEGORY:
            return replace(wanted, category=None)
        case Part.AMOUNT:
            return replace(wanted, amount_at_least=None, amount_at_most=None)
        case Part.TEXT:
            return replace(wanted, text="")


def chips(
    wanted: TransactionFilter, accounts: Mapping[AccountId, str], locale: fmt.Locale
) -> tuple[Chip, ...]:
    """Return the parts of a filter in words, in the order of the bar; `accounts` are names by id."""
    texts = {
        Part.ACCOUNTS: _accounts(wanted, accounts),
        Part.DATES: _dates(wanted.date_from, wanted.date_to, locale),
        Part.STATE: _state(wanted.state),
        Part.CATEGORY: _category(wanted.category),
        Part.AMOUNT: _amount(wanted.amount_at_least, wanted.amount_at_most, locale),
        Part.TEXT: tr("“{words}”", words=wanted.text) if wanted.text else "",
    }
    return tuple(Chip(part, text) for part, text in texts.items() if text)


def sentence(wanted: TransactionFilter, accounts: Mapping[AccountId, str], locale: fmt.Locale) -> str:
    """Return a filter as the status bar says it; nothing when it leaves nothing out."""
    parts = [chip.text for chip in chips(wanted, accounts, locale)]
    return tr("filter: {parts}", parts=", ".join(parts)) if parts else ""


def _accounts(wanted: TransactionFilter, names: Mapping[AccountId, str]) -> str:
    if len(wanted.accounts) > 2:
        return trn("{n} account", "{n} accounts", len(wanted.accounts))
    known = sorted(names.get(account, "") or tr("one account") for account in wanted.accounts)
    return tr("{one} or {other}", one=known[0], other=known[1]) if len(known) == 2 else "".join(known)


def _state(state: TransactionState | None) -> str:
    match state:
        case None:
            return ""
        case TransactionState.PENDING:
            return tr("pending")
        case TransactionState.BOOKED:
            return tr("booked")


def _category(category: str | None) -> str:
    if category is None:
        return ""
    return tr("category {name}", name=category) if category else tr("without a category")


def _dates(first: date | None, last: date | None, locale: fmt.Locale) -> str:
    if first is None and last is None:
        return ""
    if last is None:
        assert first is not None
        return tr("since {day}", day=fmt.day_month_year(first, locale))
    if first is None:
        return tr("until {day}", day=fmt.day_month_year(last, locale))
    if first == last:
        return fmt.day_month_year(first, locale)
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and first.year == last.year:
        return str(first.year)
    if first.day == 1 and (last + timedelta(days=1)).day == 1 and (last - first).days < 31:
        return f"{fmt.month_name(first, locale)} {first.year}"
    begin = fmt.day_month(first, locale) if first.year == last.year else fmt.day_month_year(first, locale)
    return tr("{first} to {last}", first=begin, last=fmt.day_month_year(last, locale))


def _amount(low: Decimal | None, high: Decimal | None, locale: fmt.Locale) -> str:
    if low is not None and high is not None:
        if low == high:
            return tr("amount {amount}", amount=_plain(low, locale))
        return tr("amount {low} to {high}", low=_plain(low, locale), high=_plain(high, locale))
    if low is not None:
        return tr("amount from {amount}", amount=_plain(low, locale))
    if high is not None:
        return tr("amount up to {amount}", amount=_plain(high, locale))
    return ""


def _plain(amount: Decimal, locale: fmt.Locale) -> str:
    places = max(0, -int(amount.normalize().as_tuple().exponent))
    return fmt.number(int(amount.scaleb(places)), places, locale)
