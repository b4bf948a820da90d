"""What the list shows: stored rows turned into texts that are drawn as they are."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from obdesk.domain.entities import TransactionState
from obdesk.domain.filters import Sort
from obdesk.domain.texts import mark, tr, trn
from obdesk.gui import format as fmt
from obdesk.gui.format import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from datetime import date as Day  # noqa: N812 - beside a field of that name

    from obdesk.domain.entities import Account, TransactionRow
    from obdesk.domain.filters import TransactionFilter
    from obdesk.domain.ids import TransactionId
    from obdesk.domain.money import Money

HUES = 8
PENDING_SECTION = 0  # no calendar day has this ordinal


class Column(IntEnum):
    """The columns in the order in which a fresh profile shows them."""

    DATE = 0
    PAYEE = 1
    CATEGORY = 2
    ACCOUNT = 3
    AMOUNT = 4


SORTS = {
    Column.DATE: Sort.DATE,
    Column.PAYEE: Sort.PAYEE,
    Column.CATEGORY: Sort.CATEGORY,
    Column.ACCOUNT: Sort.ACCOUNT,
    Column.AMOUNT: Sort.AMOUNT,
}
_TITLES = {
    Column.DATE: mark("Date"),
    Column.PAYEE: mark("Payee"),
    Column.CATEGORY: mark("Category"),
    Column.ACCOUNT: mark("Account"),
    Column.AMOUNT: mark("Amount"),
}


class Line(NamedTuple):
    """One row ready to be drawn; a tuple because some ten thousand are made while a person scrolls."""

    id: TransactionId
    section: int
    """Rows of one day share it; see `PENDING_SECTION`."""
    date: str
    payee: str
    label: str
    category: str
    hue: int
    account: str
    amount: str
    income: bool
    pending: bool
    has_note: bool
    on: Day
    money: Money | None


class Empty(Enum):
    """Why a list has no rows."""

    NOTHING_YET = "nothing_yet"
    NO_MATCH = "no_match"
    NOTHING_AT_BANK = "nothing_at_bank"


def title(column: Column) -> str:
    """Return a column's heading in the reader's language."""
    return tr(_TITLES[column])


def hue(category: str) -> int:
    """Return which of the eight hues a category has; the same on every computer and in every run."""
    return crc32(category.encode()) % HUES


class Presenter:
    """Turns rows into lines for one reader on one day."""

    def __init__(self, locale: fmt.Locale, today: date) -> None:
        self.locale = locale
        self.today = today

    def line(self, row: TransactionRow) -> Line:
        """Return a row as it is drawn."""
        pending = row.state is TransactionState.PENDING
        amount = row.amount
        payee, label = clean(row.payee), clean(row.label)
        return Line(
            id=row.id,
            section=PENDING_SECTION if pending else row.booked_on.toordinal(),
            date=self.day(row.booked_on),
            payee=payee or label or tr("Without a label"),
            label=label if payee else "",
            category=clean(row.category),
            hue=hue(row.category),
            account=clean(row.account_name),
            amount=fmt.DASH if amount is None else fmt.signed_money(amount, self.locale),
            income=amount is not None and amount.amount_minor > 0,
            pending=pending,
            has_note=row.has_note,
            on=row.booked_on,
            money=amount,
        )

    def day(self, day: date) -> str:
        """Return a day for a column, with its year only when it is not obvious."""
        return fmt.column_date(day, self.today, self.locale)

    def whole_date(self, line: Line) -> str:
        """Return a line's day in full, and whether it is pending: for tool tips and screen readers."""
        whole = fmt.full_date(line.on, self.locale)
        return tr("Pending, {date}", date=whole) if line.pending else whole

    def spoken(self, line: Line, column: Column) -> str:
        """Return a cell for a screen reader, which sees neither colour nor italics."""
        match column:
            case Column.DATE:
                return self.whole_date(line)
            case Column.PAYEE:
                return f"{line.payee}, {line.label}" if line.label else line.payee
            case Column.CATEGORY:
                return line.category or tr("Without a category")
            case _:
                return shown(line, column)

    def section(self, line: Line) -> str:
        """Return the heading of the day a line belongs to."""
        if line.section == PENDING_SECTION:
            return tr("Pending · not in booked balance")
        return self.heading(type(self.today).fromordinal(line.section))

    def heading(self, day: date) -> str:
        """Return a day in words, with its year only when it is not obvious: `Monday 23 November`."""
        return fmt.day_heading(day, self.today, self.locale)

    def found(self, count: int, sums: Sequence[Money] | None, *, narrowed: bool) -> str:
        """Return the sentence of a whole filter; the sums may still be on their way."""
        if not count:
            return tr("Nothing found") if narrowed else ""
        number = fmt.count(count, self.locale)
        if narrowed:
            head = trn("One found", "{count} found", count, count=number)
        else:
            head = trn("One transaction", "{count} transactions", count, count=number)
        return self._with_sums(head, sums if narrowed else None)

    def selected(self, count: int, sums: Sequence[Money] | None) -> str:
        """Return the sentence of a selection; nothing for none."""
        if not count:
            return ""
        number = fmt.count(count, self.locale)
        return self._with_sums(trn("One selected", "{count} selected", count, count=number), sums)

    def _with_sums(self, head: str, sums: Sequence[Money] | None) -> str:
        return " · ".join([head, *(fmt.money(amount, self.locale) for amount in sums or ())])

    def sums(self, sums: Sequence[Money]) -> str:
        """Return sums of several currencies side by side: they are never added up."""
        return " · ".join(fmt.money(amount, self.locale) for amount in sums) or fmt.DASH


def shown(line: Line, column: Column) -> str:
    """Return a cell's text as it is drawn."""
    match column:
        case Column.DATE:
            return line.date
        case Column.PAYEE:
            return line.payee
        case Column.CATEGORY:
            return line.category
        case Column.ACCOUNT:
            return line.account
        case Column.AMOUNT:
            return line.amount


def copied(lines: Iterable[Line], locale: fmt.Locale, *, for_machines: bool) -> str:
    """Return amounts for the clipboard, one a line: as the reader writes numbers, or as machines do."""
    amounts = [line.money for line in lines if line.money is not None]
    if for_machines:
        return "\n".join(amount.text() for amount in amounts)
    return "\n".join(fmt.number(m.amount_minor, m.currency.exponent, locale) for m in amounts)


def why_empty(wanted: TransactionFilter, accounts: Sequence[Account]) -> Empty:
    """Return which of the three reasons leaves a list without rows."""
    if replace(wanted, accounts=frozenset()).narrows:
        return Empty.NO_MATCH
    shown_accounts = [a for a in accounts if not wanted.accounts or a.id in wanted.accounts]
    if not any(account.freshness.asked_at for account in shown_accounts):
        return Empty.NOTHING_YET
    return Empty.NOTHING_AT_BANK


def empty_sentence(reason: Empty, *, linked: bool) -> str:
    """Return what an empty list says; `linked` tells whether there is any bank at all."""
    match reason:
        case Empty.NO_MATCH:
            return tr("Nothing in this filter. No transaction fits everything you asked for.")
        case Empty.NOTHING_YET if linked:
            return tr("Nothing here yet. Rows appear here while the first sync runs.")
        case Empty.NOTHING_YET:
            return tr("Nothing here yet. Link a bank and its transactions appear here.")
        case Empty.NOTHING_AT_BANK:
            return tr("Nothing at the bank in the period it lets us read.")
