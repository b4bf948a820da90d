"""What the activity says, as plain values: runs, banks, accounts and open matters in the reader's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, assert_never

from obdesk.domain.conditions import explain, freshness_of
from obdesk.domain.entities import AccountState, RunResult, SyncKind, Trigger
from obdesk.domain.freshness import FreshnessState
from obdesk.domain.limits import BreakerState
from obdesk.domain.texts import mark, tr, trn
from obdesk.gui.format import (
    DASH,
    Locale,
    absolute,
    count,
    duration,
    instant,
    instant_or,
    local,
    short_date,
    time_today,
)
from obdesk.gui.widgets.status import Glyph, glyph_of, word_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from obdesk.domain.entities import Account, Run
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.limits import Breaker
    from obdesk.domain.scores import ConnectionScore, Scores


class Column(NamedTuple):
    """A column of one of the tables."""

    title: str
    right: bool = False
    stretch: bool = False


class Cell(NamedTuple):
    """One text of a line; `tone` is "", "muted" or a colour's name."""

    text: str
    tone: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: a glyph with its word where it has one, then a cell per column."""

    key: int
    glyph: Glyph | None
    word: str
    cells: tuple[Cell, ...]
    sentence: str
    """All of it, for tooltip and screen readers."""


_TRIGGERS = {
    Trigger.PERSON: mark("you"),
    Trigger.START: mark("start"),
    Trigger.SCHEDULE: mark("schedule"),
    Trigger.LINK: mark("new link"),
    Trigger.RETRY: mark("retry"),
    Trigger.WEBHOOK: mark("webhook"),
}
_KINDS = {
    SyncKind.DELTA: mark("what changed"),
    SyncKind.FULL: mark("everything"),
    SyncKind.RECONCILE: mark("comparison"),
}
_RESULTS: Mapping[RunResult, tuple[Glyph, str]] = {
    RunResult.UPDATED: (Glyph.FRESH, mark("new data")),
    RunResult.UNCHANGED: (Glyph.FRESH, mark("nothing new")),
    RunResult.ACTION_NEEDED: (Glyph.NEEDS_YOU, mark("needs you")),
    RunResult.RETRY_LATER: (Glyph.DELAYED, mark("delayed")),
    RunResult.BROKEN: (Glyph.BROKEN, mark("failed")),
    RunResult.CANCELLED: (Glyph.UNKNOWN, mark("cancelled")),
}


def run_columns() -> tuple[Column, ...]:
    """Return the headings of the runs."""
    return (
        Column(""),
        Column(tr("When")),
        Column(tr("Bank")),
        Column(tr("What came of it"), stretch=True),
        Column(tr("Trigger")),
        Column(tr("Read")),
        Column(tr("Took"), right=True),
    )


def bank_columns() -> tuple[Column, ...]:
    """Return the headings of the banks."""
    return (
        Column(""),
        Column(tr("Bank")),
        Column(tr("State")),
        Column(tr("Last success")),
        Column(tr("Runs"), right=True),
        Column(tr("Failures"), stretch=True),
        Column(tr("Asked")),
    )


def account_columns() -> tuple[Column, ...]:
    """Return the headings of the accounts."""
    return (
        Column(""),
        Column(tr("Account"), stretch=True),
        Column(tr("Bank"), stretch=True),
        Column(tr("State")),
        Column(tr("Asked")),
        Column(tr("Data as of")),
    )


def trigger_word(trigger: Trigger) -> str:
    """Return why a sync ran, in a word or two."""
    return tr(_TRIGGERS[trigger])


def kind_word(kind: SyncKind) -> str:
    """Return how much a sync read, in a word or two."""
    return tr(_KINDS[kind])


def runs_of(
    runs: Sequence[Run], banks: Mapping[ConnectionId, str], now: datetime, locale: Locale
) -> tuple[Line, ...]:
    """Return a line per run, newest first."""
    return tuple(_run(run, banks.get(run.connection_id, DASH), now, locale) for run in runs)


def _run(run: Run, bank: str, now: datetime, locale: Locale) -> Line:
    glyph, word = _RESULTS[run.result]
    what = result_text(run, bank, locale)
    when, took = time_today(run.ended_at, now, locale), duration(run.duration_s, locale)
    trigger, kind = trigger_word(run.trigger), kind_word(run.kind)
    return Line(
        key=run.id,
        glyph=glyph,
        word=tr(word),
        cells=(
            Cell(when, "muted"),
            Cell(bank, strong=True),
            Cell(what),
            Cell(trigger, "muted"),
            Cell(kind, "muted"),
            Cell(took, "muted"),
        ),
        sentence=" · ".join((absolute(run.ended_at, locale), bank, tr(word), what, trigger, kind, took)),
    )


def result_text(run: Run, bank: str, locale: Locale) -> str:
    """Return what came of a run: counts, or what was the matter."""
    if run.reverted_at is not None:
        return tr("taken back: {what}", what=_came(run, bank, locale))
    return _came(run, bank, locale)


def _came(run: Run, bank: str, locale: Locale) -> str:
    match run.result:
        case RunResult.UPDATED:
            told = ", ".join(_counts(run, locale))
            return told or tr("new balances")
        case RunResult.UNCHANGED if run.kind is SyncKind.RECONCILE:
            return trn("{n} row compared, all equal", "{n} rows compared, all equal", run.counts.unchanged)
        case RunResult.UNCHANGED:
            return tr("nothing new")
        case RunResult.CANCELLED:
            return tr("cancelled, nothing changed")
        case RunResult.ACTION_NEEDED | RunResult.RETRY_LATER | RunResult.BROKEN:
            title = explain(run.condition, bank).title
            if run.attempt > 1:
                return tr("{title}, attempt {n}", title=title, n=run.attempt)
            return title
        case other:
            assert_never(other)


def _counts(run: Run, locale: Locale) -> Iterator[str]:
    counts = run.counts
    for many, text in (
        (counts.new, mark("{n} new")),
        (counts.updated, mark("{n} changed")),
        (counts.removed, mark("{n} removed")),
        (counts.problems, mark("{n} not readable")),
    ):
        if many:
            yield tr(text, n=count(many, locale))


def details_title(run: Run, now: datetime, locale: Locale) -> str:
    """Return the heading of a run's details."""
    return tr("The run of {when}", when=time_today(run.ended_at, now, locale))


def details_of(run: Run, bank: str, locale: Locale) -> tuple[tuple[str, str], ...]:
    """Return everything a run wrote down, as names with their values."""
    counts = run.counts
    word, came = tr(_RESULTS[run.result][1]), _came(run, bank, locale)
    rows = [
        (tr("Bank"), bank),
        (tr("Result"), came if came == word else f"{word} · {came}"),
        (tr("Ended"), absolute(run.ended_at, locale)),
        (tr("Trigger"), trigger_word(run.trigger)),
        (tr("Read"), kind_word(run.kind)),
        (tr("Asked"), tr("the bank and the aggregator") if run.asked_bank else tr("the aggregator")),
        (tr("Attempt"), count(run.attempt, locale)),
        (tr("Requests"), count(run.requests, locale)),
        (tr("Took"), duration(run.duration_s, locale)),
        (tr("Rows new"), count(counts.new, locale)),
        (tr("Rows changed"), count(counts.updated, locale)),
        (tr("Rows removed"), count(counts.removed, locale)),
        (tr("Rows equal"), count(counts.unchanged, locale)),
        (tr("Rows not readable"), count(counts.problems, locale)),
        (tr("Code"), run.detail or DASH),
    ]
    if run.reverted_at is not None:
        rows.append((tr("Taken back"), absolute(run.reverted_at, locale)))
    return tuple(rows)


def banks_of(scores: Scores, now: datetime, locale: Locale) -> tuple[Line, ...]:
    """Return a line per bank, those with trouble first."""
    lines = [_bank(each, now, locale) for each in scores.connections]
    return tuple(sorted(lines, key=lambda line: line.glyph in {Glyph.FRESH, Glyph.PAUSED, Glyph.UNKNOWN}))


def _bank(each: ConnectionScore, now: datetime, locale: Locale) -> Line:
    glyph = _health(each)
    word = tr("answers") if glyph is Glyph.FRESH else word_of(glyph)
    success = instant_or(each.last_success_at, now, locale, tr("none yet"))
    failures = _failures(each, locale)
    asked = _asked(each.breaker, now, locale)
    return Line(
        key=each.connection_id,
        glyph=glyph,
        word=word,
        cells=(
            Cell(each.bank, strong=True),
            Cell(word, _TONES.get(glyph, "")),
            Cell(success, "" if each.last_success_at else "muted"),
            Cell(count(each.tally.runs, locale)),
            Cell(failures, "" if each.tally.failures else "muted"),
            Cell(
                asked,
                "warning" if each.breaker and each.breaker.state is not BreakerState.CLOSED else "muted",
            ),
        ),
        sentence=f"{each.bank} · {word} · {success} · {failures} · {asked}",
    )


_TONES = {Glyph.DELAYED: "warning", Glyph.NEEDS_YOU: "warning", Glyph.BROKEN: "danger"}


def _health(each: ConnectionScore) -> Glyph:
    if each.paused:
        return Glyph.PAUSED
    imposed = freshness_of(each.condition)
    if imposed is not None:
        return glyph_of(imposed)
    if each.breaker is not None and each.breaker.state is not BreakerState.CLOSED:
        return Glyph.DELAYED
    return Glyph.UNKNOWN if each.last_success_at is None else Glyph.FRESH


def _failures(each: ConnectionScore, locale: Locale) -> str:
    """Return what went wrong how often; no glyph is green without it."""
    if not each.tally.failures:
        return tr("none") if each.tally.runs else tr("none yet")
    told = [
        f"{count(many, locale)} × {explain(condition, each.bank).title}"
        for condition, many in each.tally.failures.items()
    ]
    return ", ".join(told)


def _asked(breaker: Breaker | None, now: datetime, locale: Locale) -> str:
    if breaker is None or breaker.state is BreakerState.CLOSED:
        return tr("as planned")
    if breaker.state is BreakerState.HALF_OPEN:
        return tr("one request finds out")
    if breaker.probe_at is None:
        return tr("not before you act, after {n} failures in a row", n=breaker.failures)
    when = time_today(breaker.probe_at, now, locale)
    return tr("not before {when}, after {n} failures in a row", when=when, n=breaker.failures)


def accounts_of(accounts: Sequence[Account], now: datetime, locale: Locale) -> tuple[Line, ...]:
    """Return how fresh each account is, the least fresh first."""
    ranks = {state: rank for rank, state in enumerate(FreshnessState)}
    live = [each for each in accounts if each.state is AccountState.ACTIVE]
    live.sort(key=lambda each: -ranks[each.freshness.state])
    return tuple(_account(each, now, locale) for each in live)


def _account(each: Account, now: datetime, locale: Locale) -> Line:
    fresh = each.freshness
    glyph = glyph_of(fresh.state)
    asked = instant_or(fresh.asked_at, now, locale, tr("not yet"))
    data = instant_or(fresh.data_as_of, now, locale, tr("not known"))
    return Line(
        key=each.id,
        glyph=glyph,
        word=word_of(glyph),
        cells=(
            Cell(each.name, strong=True),
            Cell(each.bank, "muted"),
            Cell(word_of(glyph), _TONES.get(glyph, "")),
            Cell(asked),
            Cell(data),
        ),
        sentence=tr(
            "{account}, {bank}: {state}; asked {asked}, bank data as of {data}",
            account=each.name,
            bank=each.bank,
            state=word_of(glyph),
            asked=asked,
            data=data,
        ),
    )


def as_of_line(scores: Scores, now: datetime, locale: Locale) -> str:
    """Return when everything here was counted, and from when on."""
    return tr(
        "As of {when}; runs and failures since {day}",
        when=instant(scores.as_of, now, locale),
        day=short_date(local(scores.since, locale).date(), locale),
    )


def totals_line(scores: Scores, locale: Locale) -> str:
    """Return the status bar's line."""
    tally = scores.overall
    runs = trn("{n} run in 30 days", "{n} runs in 30 days", tally.runs)
    changed = tally.results.get(RunResult.UPDATED, 0)
    failed = sum(tally.failures.values())
    return tr(
        "{runs} · {changed} with changes · {failed} without an answer",
        runs=runs,
        changed=count(changed, locale),
        failed=count(failed, locale),
    )
