"""What one run changed, line by line: what it was, what it is; as plain values."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, assert_never

from obdesk.domain.commits import Subject, What, observed_of
from obdesk.domain.conditions import Condition, explain
from obdesk.domain.money import Money
from obdesk.domain.texts import mark, tr, trn
from obdesk.gui.activity.present import Cell, Column, Line
from obdesk.gui.format import DASH, Locale, count, day_month, money_or_dash, short_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from obdesk.domain.commits import ChangeLine, Commit
    from obdesk.domain.entities import Account, TransactionRow
    from obdesk.domain.money import Currency

LINES_MAX = 30
_FIELDS = {
    "pending": mark("now booked"),
    "amount_minor": mark("amount"),
    "balance_minor": mark("balance"),
    "coming_minor": mark("announced"),
    "booked_on": mark("date"),
    "done_on": mark("date"),
    "value_on": mark("date"),
    "label": mark("wording"),
    "payee": mark("wording"),
    "name": mark("name"),
    "category": mark("category of the bank"),
    "provider_id": mark("number"),
    "condition": mark("state"),
    "state": mark("state"),
    "bank": mark("name"),
}
"""The fields that a person knows; stamps and codes beside them tell nothing."""


def change_columns() -> tuple[Column, ...]:
    """Return the headings of a run's changes."""
    return (
        Column(""),
        Column(tr("Change")),
        Column(tr("What"), stretch=True),
        Column(tr("Before"), stretch=True),
        Column(tr("After"), stretch=True),
    )


class Changes:
    """Turns a commit's lines into words, with the rows and accounts they are about at hand."""

    def __init__(
        self, rows: Sequence[TransactionRow], accounts: Sequence[Account], locale: Locale, hidden: str = ""
    ) -> None:
        """Keep what is needed; `hidden` stands for amounts where they are hidden."""
        self._rows: Mapping[int, TransactionRow] = {row.id: row for row in rows}
        self._accounts: Mapping[int, Account] = {each.id: each for each in accounts}
        self._locale, self._hidden = locale, hidden

    def lines(self, commit: Commit) -> tuple[Line, ...]:
        """Return the first thirty lines that tell a person something."""
        found = list(self._new(commit))
        for line in commit.lines:
            told = self._told(line, commit.bank)
            if told is not None:
                found.append(told)
        return tuple(
            Line(place, None, cells[0].text, cells, " · ".join(cell.text for cell in cells))
            for place, cells in enumerate(found[:LINES_MAX])
        )

    def _new(self, commit: Commit) -> Iterator[tuple[Cell, ...]]:
        if commit.added is None:
            return
        first, last = commit.added
        for row in self._rows.values():
            if first <= row.id <= last:
                yield _cells(tr("new"), self._row_name(row), DASH, self._money(row.amount), "accent")

    def _told(self, line: ChangeLine, bank: str) -> tuple[Cell, ...] | None:
        match line.subject:
            case Subject.TRANSACTION:
                return self._of_row(line)
            case Subject.ACCOUNT:
                return self._of_account(line)
            case Subject.BALANCE:
                return self._of_balance(line)
            case Subject.CONNECTION:
                return self._of_link(line, bank)
            case other:
                assert_never(other)

    def _of_row(self, line: ChangeLine) -> tuple[Cell, ...] | None:
        row = self._rows.get(line.subject_id)
        name = tr("a row that is no longer known") if row is None else self._row_name(row)
        if line.what in {What.REMOVED, What.RESTORED}:
            if line.field != "deleted":
                return None
            amount = DASH if row is None else self._money(row.amount)
            if line.what is What.REMOVED:
                return _cells(tr("gone"), name, amount, DASH, "warning")
            return _cells(tr("back again"), name, DASH, amount, "accent")
        if line.field == "provider_id" and line.what is not What.RENUMBERED:
            return None
        account = None if row is None else self._accounts.get(row.account_id)
        return self._field(line, name, _currency(row, account))

    def _of_account(self, line: ChangeLine) -> tuple[Cell, ...] | None:
        account = self._accounts.get(line.subject_id)
        name = DASH if account is None else account.name
        if line.what is What.ADDED:
            return _cells(tr("new account"), name, DASH, DASH, "accent")
        return self._field(line, name, _currency(None, account))

    def _of_balance(self, line: ChangeLine) -> tuple[Cell, ...]:
        account = self._accounts.get(line.subject_id)
        currency = _currency(None, account)
        name = DASH if account is None else account.name
        before, after = (
            DASH if text is None else self._amount(str(observed_of(text)[0]), currency)
            for text in (line.old, line.new)
        )
        day = day_month(date.fromisoformat(line.field), self._locale)
        return _cells(tr("balance"), f"{day} · {name}", before, after)

    @staticmethod
    def _of_link(line: ChangeLine, bank: str) -> tuple[Cell, ...] | None:
        if line.field != "condition":
            return None
        before, after = (explain(Condition(text), bank).title for text in (line.old, line.new))
        return _cells(tr("state"), bank, before, after)

    def _field(self, line: ChangeLine, name: str, currency: Currency | None) -> tuple[Cell, ...] | None:
        word = _FIELDS.get(line.field)
        if word is None:
            return None
        before, after = (self._value(line.field, text, currency) for text in (line.old, line.new))
        return _cells(tr(word), name, before, after)

    def _value(self, field: str, text: str | None, currency: Currency | None) -> str:
        if not text:
            return DASH
        if field.endswith("_minor"):
            return self._amount(text, currency)
        if field.endswith("_on"):
            return short_date(date.fromisoformat(text), self._locale)
        if field == "pending":
            return tr("announced") if text == "1" else tr("in the balance")
        return text

    def _amount(self, text: str, currency: Currency | None) -> str:
        return DASH if currency is None else self._money(Money(int(text), currency))

    def _money(self, amount: Money | None) -> str:
        return self._hidden or money_or_dash(amount, self._locale)

    def _row_name(self, row: TransactionRow) -> str:
        return f"{day_month(row.booked_on, self._locale)} · {row.payee or row.label}"


def _cells(word: str, name: str, before: str, after: str, tone: str = "") -> tuple[Cell, ...]:
    return (Cell(word, tone or "info"), Cell(name), Cell(before, "muted"), Cell(after))


def _currency(row: TransactionRow | None, account: Account | None) -> Currency | None:
    amounts = (
        None if row is None else row.amount,
        *(() if account is None else (account.balance, account.coming)),
    )
    return next((amount.currency for amount in amounts if amount is not None), None)


def more_line(commit: Commit, shown: int, locale: Locale) -> str:
    """Return how much a run changed beyond what is shown; empty when that is all."""
    first, last = commit.added or (1, 0)
    left = (last - first + 1) + commit.lines_total - shown
    if shown < LINES_MAX or left <= 0:
        return ""
    text = count(left, locale)
    return trn("and about {many} more line", "and about {many} more lines", left, many=text)
