"""What waits for the person, or for its time: open matters, accesses left, the queue; as plain values."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, assert_never

from obdesk.domain.proofs import cause_text
from obdesk.domain.texts import mark, tr, trn
from obdesk.gui.activity.present import kind_word, trigger_word
from obdesk.gui.format import Locale, count, day_month_year, instant, money, time_today

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from obdesk.domain.ids import AccountId, ConnectionId
    from obdesk.domain.proofs import AccountProof
    from obdesk.domain.scores import ConnectionScore, Finding, OpenHole, QueuedJob, Scores


class Way(Enum):
    """Where the button of a matter leads."""

    ROWS = "rows"
    """The transactions of its account."""
    BANKS = "banks"
    """The bank's card, with its details."""
    RENEW = "renew"
    """Renewing access."""


class Matter(NamedTuple):
    """Something that is open: a sentence, when it was seen, and one button."""

    text: str
    seen: str
    way: Way
    connection_id: ConnectionId
    account_id: AccountId | None = None


class CallsLine(NamedTuple):
    """How many unattended accesses a bank has left."""

    bank: str
    left: str
    tone: str
    note: str


class QueueLine(NamedTuple):
    """A sync that is wanted or under way."""

    bank: str
    text: str


def way_text(way: Way) -> str:
    """Return what the button says."""
    match way:
        case Way.ROWS:
            return tr("Show transactions")
        case Way.BANKS:
            return tr("Show the bank")
        case Way.RENEW:
            return tr("Renew access")
        case other:
            assert_never(other)


def matters_of(scores: Scores, now: datetime, locale: Locale, *, hidden: str = "") -> tuple[Matter, ...]:
    """Return what is open, what costs money first; `hidden` stands for amounts where they are hidden."""
    return (
        *(matter for each in scores.proofs.broken for matter in _proof(each, now, locale, hidden)),
        *(_hole(each, now, locale) for each in scores.holes),
        *_pairs(scores, now, locale),
        *_findings(scores, now, locale),
    )


def _day(day: date, locale: Locale) -> str:
    return day_month_year(day, locale)


def _proof(each: AccountProof, now: datetime, locale: Locale, hidden: str) -> Iterator[Matter]:
    if each.first_bad_day is None or each.checked_at is None:
        return
    day = _day(each.first_bad_day, locale)
    if each.gap is None:
        text = tr("{account}: rows and balance part on {day}.", account=each.account_name, day=day)
    else:
        text = tr(
            "{account}: rows and balance part on {day}, by {gap}.",
            account=each.account_name,
            day=day,
            gap=hidden or money(each.gap, locale),
        )
    if each.candidates:
        text = f"{text} {cause_text(each.candidates[0].cause)}"
    seen = tr("found {when}", when=instant(each.checked_at, now, locale))
    yield Matter(text, seen, Way.ROWS, each.connection_id, each.account_id)


def _hole(each: OpenHole, now: datetime, locale: Locale) -> Matter:
    text = tr(
        "{account}: nothing covers {first} to {last}. Renewing access may bring the missing days.",
        account=each.account_name,
        first=_day(each.from_day, locale),
        last=_day(each.to_day, locale),
    )
    seen = tr("found {when}", when=instant(each.found_at, now, locale))
    return Matter(text, seen, Way.RENEW, each.connection_id, each.account_id)


def _pairs(scores: Scores, now: datetime, locale: Locale) -> Iterator[Matter]:
    seen = tr("as of {when}", when=instant(scores.as_of, now, locale))
    for each in scores.connections:
        if each.duplicates:
            text = trn(
                "{bank}: {n} pair of rows may be one operation. You decide.",
                "{bank}: {n} pairs of rows may be one operation. You decide.",
                each.duplicates,
                bank=each.bank,
            )
            yield Matter(text, seen, Way.ROWS, each.connection_id)


_ABOUT_ACCOUNTS = {
    "same_account_twice": mark("{bank}: an account is linked twice; both are kept."),
    "many_rows_missing": mark(
        "{bank}: most rows of an account were missing from one answer; kept until another says so."
    ),
    "account_successor": mark("{bank}: one account went and one of its kind came; they may be the same."),
    "currency_changed": mark("{bank}: an account has another currency now; older balances do not compare."),
}
"""Findings that are about accounts; all others are about rows."""


def _findings(scores: Scores, now: datetime, locale: Locale) -> Iterator[Matter]:
    for each in scores.findings:
        seen = tr("seen {when}", when=instant(each.seen_at, now, locale))
        yield Matter(_finding(each), seen, Way.BANKS, each.connection_id)


def _finding(each: Finding) -> str:
    known = _ABOUT_ACCOUNTS.get(each.kind)
    if known is not None:
        return tr(known, bank=each.bank)
    return trn(
        "{bank}: {n} finding in the data ({kind}). Nothing was made up for it.",
        "{bank}: {n} findings in the data ({kind}). Nothing was made up for them.",
        each.many,
        bank=each.bank,
        kind=each.kind.replace("_", " "),
    )


def calls_of(scores: Scores, now: datetime, locale: Locale) -> tuple[CallsLine, ...]:
    """Return how many unattended accesses each bank has left in these 24 hours."""
    return tuple(_calls(each, now, locale) for each in scores.connections)


def _calls(each: ConnectionScore, now: datetime, locale: Locale) -> CallsLine:
    calls = each.calls.budget
    left = tr("{left} of {of}", left=count(calls.left, locale), of=count(calls.of, locale))
    note = ""
    if calls.resets_at is not None and calls.left < calls.of:
        note = tr("one more {when}", when=instant(calls.resets_at, now, locale))
    return CallsLine(each.bank, left, "warning" if calls.left <= 1 else "", note)


def queue_of(scores: Scores, now: datetime, locale: Locale) -> tuple[QueueLine, ...]:
    """Return what runs and what waits."""
    return tuple(QueueLine(job.bank, _job(job, now, locale)) for job in scores.queue)


def _job(job: QueuedJob, now: datetime, locale: Locale) -> str:
    why = f"{trigger_word(job.trigger)}, {kind_word(job.kind)}"
    if job.running:
        return tr("running ({why})", why=why)
    if job.not_before <= now:
        return tr("next, waiting since {when} ({why})", when=time_today(job.put_at, now, locale), why=why)
    return tr("{when} ({why})", when=time_today(job.not_before, now, locale), why=why)
