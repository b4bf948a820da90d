"""What looks wrong in the banks' data, one by one: what it is, where, why, and what happens next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain import findings as kinds
from obdesk.domain.findings import words_of
from obdesk.domain.ids import AccountId
from obdesk.domain.texts import tr, trn
from obdesk.gui.activity.matter import Matter, Settles, Way, around, rows_text
from obdesk.gui.format import Locale, count, instant

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.app.interface import Activity
    from obdesk.domain.entities import Account, DataProblem, TransactionRow

_PARTS = {kinds.MANY_MISSING: " of ", kinds.CURRENCY_CHANGED: " to "}
"""What stands between the two halves of a detail."""


def findings_of(found: Activity, now: datetime, locale: Locale) -> tuple[Matter, ...]:
    """Return the newest findings, one by one."""
    telling = _Telling(found, now, locale)
    return tuple(map(telling.matter, found.problems))


def more_findings(found: Activity, locale: Locale) -> str:
    """Return how many findings there are beyond those that are told one by one."""
    more = sum(each.many for each in found.scores.findings) - len(found.problems)
    if more <= 0:
        return ""
    return trn("and {many} more finding", "and {many} more findings", more, many=count(more, locale))


class _Telling:
    """Tells findings with the names of the accounts and rows they are about."""

    def __init__(self, found: Activity, now: datetime, locale: Locale) -> None:
        self._now, self._locale = now, locale
        self._accounts = {each.id: each for each in found.accounts}
        self._rows = {int(each.id): each for each in found.rows}
        self._banks = {each.connection_id: each.bank for each in found.scores.connections}

    def matter(self, each: DataProblem) -> Matter:
        """Return one finding as something to look at."""
        words = words_of(each.kind)
        rows = [self._rows[row] for row in kinds.rows_named(each.kind, each.subject) if row in self._rows]
        accounts = self._about(each)
        leads_to_rows = bool(accounts) and not kinds.is_refused(each.kind)
        return Matter(
            self._text(each, words.title[:1].lower() + words.title[1:], rows, accounts),
            self._seen(each),
            Way.ROWS if leads_to_rows else Way.BANKS,
            each.connection_id,
            f"{words.cause} {words.next_step}",
            around([account.id for account in accounts], rows) if leads_to_rows else None,
            tuple(row.id for row in rows),
            Settles(said, each.id) if (said := kinds.settled_by(each.kind)) else None,
        )

    def _about(self, each: DataProblem) -> list[Account]:
        """Return the account concerned; of a finding about two, also the other one."""
        ids = [] if each.account_id is None else [each.account_id]
        if each.kind in kinds.ABOUT_TWO_ACCOUNTS:
            ids.append(AccountId(kinds.account_named(each.detail)))
        return [self._accounts[of] for of in ids if of in self._accounts]

    def _text(
        self, each: DataProblem, title: str, rows: list[TransactionRow], accounts: list[Account]
    ) -> str:
        if len(accounts) == 2:
            return _of_two(each.kind, title, *accounts)
        where = accounts[0].name if accounts else self._banks.get(each.connection_id, "")
        about = rows_text(rows, self._locale) or _figures(each)
        if about:
            return tr("{where}: {title} ({about}).", where=where, title=title, about=about)
        return tr("{where}: {title}.", where=where, title=title)

    def _seen(self, each: DataProblem) -> str:
        seen = tr("seen {when}", when=instant(each.seen_at, self._now, self._locale))
        if kinds.is_refused(each.kind) and each.subject:
            return tr("number {number} at the aggregator, {seen}", number=each.subject, seen=seen)
        return seen


def _of_two(kind: str, title: str, first: Account, second: Account) -> str:
    if kind != kinds.SUCCESSOR:
        one, other = (f"{each.name} ({each.bank})" for each in (first, second))
        return tr("{one}, {other}: {title}.", one=one, other=other, title=title)
    if first.iban and first.iban == second.iban:
        return tr("{came} may continue {gone}: same IBAN.", came=second.name, gone=first.name)
    return tr("{came} may continue {gone}: same kind and currency.", came=second.name, gone=first.name)


def _figures(each: DataProblem) -> str:
    """Return the figures of a finding about an account in the reader's words."""
    first, between, second = each.detail.partition(_PARTS.get(each.kind, "\n"))
    if not between:
        return ""
    if each.kind == kinds.MANY_MISSING:
        return tr("{first} of {total} rows", first=first, total=second)
    return tr("{first} before, {second} now", first=first, second=second)
