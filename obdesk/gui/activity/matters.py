"""What waits for the person, or for its time: open matters, accesses left, the queue; as plain values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from obdesk.domain.proofs import cause_text
from obdesk.domain.texts import tr, trn
from obdesk.gui.activity.findings import findings_of
from obdesk.gui.activity.matter import Matter, Settles, Way, around, rows_text
from obdesk.gui.activity.present import kind_word, trigger_word
from obdesk.gui.format import Locale, count, day_month_year, instant, money, time_today

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from obdesk.app.interface import Activity
    from obdesk.domain.entities import TransactionRow
    from obdesk.domain.proofs import AccountProof, Candidate
    from obdesk.domain.scores import ConnectionScore, OpenHole, QueuedJob, Scores

CAUSES_MAX = 3
"""How many causes of a gap are told, the likeliest first."""


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


def matters_of(found: Activity, now: datetime, locale: Locale, *, hidden: str = "") -> tuple[Matter, ...]:
    """Return what is open, what costs money first; `hidden` stands for amounts where they are hidden."""
    rows = {int(each.id): each for each in found.rows}
    scores = found.scores
    return (
        *(matter for each in scores.proofs.broken for matter in _proof(each, rows, now, locale, hidden)),
        *(_hole(each, now, locale) for each in scores.holes),
        *_pairs(scores, now, locale),
        *findings_of(found, now, locale),
    )


def _day(day: date, locale: Locale) -> str:
    return day_month_year(day, locale)


def _proof(
    each: AccountProof, known: Mapping[int, TransactionRow], now: datetime, locale: Locale, hidden: str
) -> Iterator[Matter]:
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
    causes = [(cause, [known[row] for row in cause.rows if row in known]) for cause in each.candidates]
    causes = causes[:CAUSES_MAX]
    likeliest = next((rows for _, rows in causes if rows), [])
    named = [row for _, rows in causes for row in rows]
    yield Matter(
        text,
        tr("found {when}", when=instant(each.checked_at, now, locale)),
        Way.ROWS,
        each.connection_id,
        "\n".join(_cause(cause, rows, locale) for cause, rows in causes),
        replace(around([each.account_id], named, [each.first_bad_day]), date_to=None),
        tuple(row.id for row in likeliest),
    )


def _cause(cause: Candidate, rows: Sequence[TransactionRow], locale: Locale) -> str:
    """Return a candidate cause with the rows that speak for it."""
    said = cause_text(cause.cause)
    if not rows:
        return said
    return tr("{cause} ({rows}).", cause=said.rstrip("."), rows=rows_text(rows, locale))


def _hole(each: OpenHole, now: datetime, locale: Locale) -> Matter:
    text = tr(
        "{account}: nothing covers {first} to {last}. Renewing access may bring the missing days.",
        account=each.account_name,
        first=_day(each.from_day, locale),
        last=_day(each.to_day, locale),
    )
    seen = tr("found {when}", when=instant(each.found_at, now, locale))
    settles = Settles(tr("Nothing is missing"), days=(each.account_id, each.from_day, each.to_day))
    return Matter(text, seen, Way.RENEW, each.connection_id, settles=settles)


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
            yield Matter(text, seen, Way.PAIR, each.connection_id)


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
