"""What a bank's card says: its state, its consent, both clocks, its runs and what may be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from obdesk.domain.conditions import ASKED, Condition, explain, needs_you
from obdesk.domain.entities import RunResult
from obdesk.domain.errors import Action, action_label
from obdesk.domain.findings import is_refused, words_of
from obdesk.domain.freshness import FreshnessState
from obdesk.domain.texts import tr, trn
from obdesk.gui.format import (
    DASH,
    Locale,
    absolute,
    clock,
    count,
    day_month_year,
    days_left,
    duration,
    instant,
    instant_or,
    local,
    time_today,
    utc_text,
    weekday_date,
)
from obdesk.gui.widgets.status import CONSENT_SOON, Glyph, RunMark, glyph_of, tone_of, word_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date, datetime

    from obdesk.domain.entities import Connection, Run
    from obdesk.domain.erasures import PendingErasure
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.scores import Finding

CONSENT_LENGTH = timedelta(days=180)
"""What the law gives (RTS on SCA, article 10a); a bank that gives less only looks more used up."""
RUNS_MAX = 12
_OLD = frozenset(FreshnessState) - {
    FreshnessState.FRESH, FreshnessState.REFRESHING, FreshnessState.UNKNOWN, FreshnessState.PAUSED,
}  # fmt: skip
"""The states whose date of the bank's data deserves a warning's colour."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent in words and as a share used up."""

    text: str
    used: float
    token: str


@dataclass(frozen=True, slots=True)
class CardValues:
    """Everything a card shows."""

    connection_id: ConnectionId
    bank: str
    color: str
    glyph: Glyph
    word: str
    tone: str
    sentence: str
    edge: str
    consent: Consent
    asked: str
    data_as_of: str
    data_old: bool
    next_run: str
    runs: tuple[RunMark, ...]
    runs_name: str
    action: Action
    """The one button that mends the state; NONE where a refresh is all there is."""
    action_text: str
    may_refresh: bool
    reads_left: str
    """How often the bank is still read today without the person, and when that grows again."""
    paused: bool
    account_count: int
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ConsentSpan:
    """One bank in the consent calendar."""

    bank: str
    first: date
    last: date
    token: str
    sentence: str


def cards_of(
    connections: Sequence[Connection],
    findings: Sequence[Finding],
    running: Collection[ConnectionId],
    now: datetime,
    locale: Locale,
) -> tuple[CardValues, ...]:
    """Return a card per connection, in the order they come (those that need their person first)."""
    return tuple(
        _card(
            each,
            [found for found in findings if found.connection_id == each.id],
            now,
            locale,
            busy=each.id in running,
        )
        for each in connections
    )


def leaving_line(each: PendingErasure, now: datetime, locale: Locale) -> str:
    """Return what is left to do for a bank that was removed here."""
    again = max(each.next_try_at, now)
    return tr(
        "{bank} is removed here. The aggregator still has to erase its access; next try {when}.",
        bank=each.bank,
        when=time_today(again, now, locale),
    )


def _card(
    each: Connection, findings: Sequence[Finding], now: datetime, locale: Locale, *, busy: bool
) -> CardValues:
    state = FreshnessState.PAUSED if each.paused else each.freshness.state
    glyph = glyph_of(state, consent_expires_at=each.consent_expires_at, now=now)
    if busy:
        glyph = Glyph.REFRESHING
    action = _action(each, glyph)
    fresh = each.freshness
    return CardValues(
        connection_id=each.id,
        bank=each.bank,
        color=each.color,
        glyph=glyph,
        word=word_of(glyph),
        tone=tone_of(glyph),
        sentence=_sentence(each, now, locale, busy=busy),
        edge={Glyph.NEEDS_YOU: "warning", Glyph.BROKEN: "danger"}.get(glyph, ""),
        consent=consent_of(each.consent_expires_at, now, locale),
        asked=time_today(fresh.asked_at, now, locale) if fresh.asked_at else tr("not yet"),
        data_as_of=instant_or(fresh.data_as_of, now, locale, tr("not known")),
        data_old=fresh.state in _OLD,
        next_run=_next_run(each, now, locale),
        runs=tuple(mark_of(run, each.bank, now, locale) for run in reversed(each.last_runs[:RUNS_MAX])),
        runs_name=_runs_name(len(each.last_runs)),
        action=action,
        action_text="" if action is Action.NONE else action_label(action),
        may_refresh=not busy,
        reads_left=_reads_left(each, now, locale),
        paused=each.paused,
        account_count=each.account_count,
        details=_details(each, findings, locale),
    )


def _reads_left(each: Connection, now: datetime, locale: Locale) -> str:
    budget = each.budget
    own = tr("Refreshing yourself is always possible.")
    if budget.resets_at is None:
        free = trn(
            "Nobody but you may have the bank read more than {n} time a day; none is used.",
            "Nobody but you may have the bank read more than {n} times a day; none is used.",
            budget.of,
        )
        return f"{free} {own}"
    when = time_today(budget.resets_at, now, locale)
    left = tr(
        "Reads a day that we may ask for by ourselves: {left} of {of} left; one more is free at {when}.",
        of=budget.of,
        left=budget.left,
        when=when,
    )
    return f"{left} {own}"


def _action(each: Connection, glyph: Glyph) -> Action:
    if each.paused:
        return Action.RESUME
    if glyph is Glyph.CONSENT_SOON or (each.missing_days and each.condition is Condition.OK):
        return Action.RENEW
    told = explain(each.condition, each.bank)
    return Action.NONE if told.action in {Action.REFRESH, Action.WAIT, Action.SHOW_DETAILS} else told.action


def _sentence(each: Connection, now: datetime, locale: Locale, *, busy: bool) -> str:
    if busy:
        return tr("We are asking right now.")
    if each.paused:
        return tr("Paused by you. Nothing is asked until you resume; the figures stay as they are.")
    if each.condition is Condition.OK and each.missing_days is not None:
        first, last = (day_month_year(day, locale) for day in each.missing_days)
        return tr(
            "The days from {first} to {last} were never read. Renew access to fetch the missing days.",
            first=first,
            last=last,
        )
    if each.condition is Condition.OK:
        return _calm_sentence(each, now, locale)
    when = time_today(each.next_run_at, now, locale) if each.next_run_at else ""
    told = explain(each.condition, each.bank, next_try=each.next_run_at, when=when)
    sentence = f"{told.title}. {told.cause}" if told.title != each.bank else told.cause
    return f"{sentence} {told.next_step}" if told.heals_alone else sentence


def _calm_sentence(each: Connection, now: datetime, locale: Locale) -> str:
    accounts = trn("{n} account", "{n} accounts", each.account_count)
    last = each.last_runs[0] if each.last_runs else None
    if last is None:
        return accounts
    when = time_today(last.ended_at, now, locale)
    if last.result is RunResult.UPDATED and last.counts.new:
        new = trn("{n} new transaction", "{n} new transactions", last.counts.new)
        return tr("{accounts} · {new} at {when}", accounts=accounts, new=new, when=when)
    return tr("{accounts} · nothing new at {when}", accounts=accounts, when=when)


def consent_of(expires_at: datetime | None, now: datetime, locale: Locale) -> Consent:
    """Return a consent's days left and its end with the weekday."""
    if expires_at is None:
        return Consent(tr("no end date given"), 0.0, "accent")
    left = days_left(expires_at, now, locale)
    day = weekday_date(local(expires_at, locale).date(), local(now, locale).date(), locale)
    used = 1 - (expires_at - now) / CONSENT_LENGTH
    token = "warning" if expires_at - now < CONSENT_SOON else "accent"
    match left:
        case _ if expires_at <= now:
            return Consent(tr("ended today") if left == 0 else tr("ended {day}", day=day), 1.0, "warning")
        case 0:
            return Consent(tr("ends today"), used, token)
        case _:
            text = trn("{n} day left, to {day}", "{n} days left, to {day}", left, day=day)
            return Consent(text, min(1.0, max(0.0, used)), token)


def _next_run(each: Connection, now: datetime, locale: Locale) -> str:
    if each.paused:
        return tr("when you resume")
    if needs_you(each.condition) and explain(each.condition, each.bank).action is Action.RENEW:
        return tr("after you renew")
    if each.next_run_at is None:
        return DASH
    if each.next_run_at <= now:
        return tr("any moment")
    return time_today(each.next_run_at, now, locale)


def _runs_name(many: int) -> str:
    return trn("Last {n} run", "Last {n} runs", min(RUNS_MAX, many)) if many else tr("Last run")


def mark_of(run: Run, bank: str, now: datetime, locale: Locale) -> RunMark:
    """Return a run as a square with its sentence."""
    looks = {
        RunResult.UPDATED: ("accent", "full"),
        RunResult.UNCHANGED: ("accent", "full"),
        RunResult.ACTION_NEEDED: ("warning", "bar"),
        RunResult.RETRY_LATER: ("warning", "bar"),
        RunResult.BROKEN: ("danger", "cross"),
        RunResult.CANCELLED: ("ink_faint", "hollow"),
    }
    token, shape = looks[run.result]
    took = duration(run.duration_s, locale)
    when = instant(run.ended_at, now, locale)
    return RunMark(
        token, shape, tr("{when}: {what} ({took})", when=when, what=_result(run, bank, locale), took=took)
    )


def _result(run: Run, bank: str, locale: Locale) -> str:
    match run.result:
        case RunResult.UPDATED:
            counts = run.counts
            if not (counts.new or counts.updated or counts.removed):
                return tr("new balances")
            return tr(
                "{new} new, {updated} changed, {removed} removed",
                new=count(counts.new, locale),
                updated=count(counts.updated, locale),
                removed=count(counts.removed, locale),
            )
        case RunResult.UNCHANGED:
            return tr("nothing new")
        case RunResult.CANCELLED:
            return tr("cancelled, nothing changed")
        case RunResult.ACTION_NEEDED | RunResult.RETRY_LATER | RunResult.BROKEN:
            return explain(run.condition, bank).title
        case other:
            assert_never(other)


def _state(told: str) -> str:
    if told.startswith(ASKED):
        return tr("the bank refused when it was asked ({state})", state=told.removeprefix(ASKED))
    return told or tr("none: all is well")


def _details(each: Connection, findings: Sequence[Finding], locale: Locale) -> tuple[tuple[str, str], ...]:
    fresh = each.freshness
    last = each.last_runs[0] if each.last_runs else None
    rows = [
        (tr("Provider"), each.provider),
        (tr("State at the provider"), _state(each.provider_state)),
        (tr("Connection at the provider"), each.provider_id),
        (tr("What the bank says"), each.bank_message or DASH),
        (tr("Linked"), absolute(each.created_at, locale) if each.created_at else DASH),
        (tr("Asked"), absolute(fresh.asked_at, locale) if fresh.asked_at else DASH),
        (tr("Bank data as of"), absolute(fresh.data_as_of, locale) if fresh.data_as_of else DASH),
        (tr("Last run"), _run_detail(last, locale) if last else DASH),
        (tr("Rows not readable"), _counted([f for f in findings if is_refused(f.kind)], locale)),
        (tr("Findings in the data"), _counted([f for f in findings if not is_refused(f.kind)], locale)),
    ]
    return tuple(rows)


def _counted(findings: Sequence[Finding], locale: Locale) -> str:
    """Return how many findings there are, and what each kind of them is."""
    many: dict[str, int] = {}
    for each in findings:
        title = words_of(each.kind).title
        many[title] = many.get(title, 0) + each.many
    total = count(sum(many.values()), locale)
    if len(many) > 1:
        kinds = [f"{title} ({count(n, locale)})" for title, n in many.items()]
        return tr("{n}: {what}", n=total, what=" · ".join(kinds))
    return tr("{n}: {what}", n=total, what="".join(many)) if many else total


def _run_detail(run: Run, locale: Locale) -> str:
    return tr(
        "run {id}, {requests} requests, ended {when}",
        id=run.id,
        requests=run.requests,
        when=clock(run.ended_at, locale),
    )


def report_of(each: Connection) -> str:
    """Return what "Copy" puts on the clipboard: codes and times for a bug report, no name and no figure."""
    fresh = each.freshness
    lines = [
        f"provider: {each.provider}",
        f"connection: {each.provider_id}",
        f"state: {each.provider_state or '-'}",
        f"condition: {each.condition.value}",
        f"freshness: {fresh.state.value}",
        f"asked at: {utc_text(fresh.asked_at) if fresh.asked_at else '-'}",
        f"data as of: {utc_text(fresh.data_as_of) if fresh.data_as_of else '-'}",
        *(
            f"run {run.id}: {utc_text(run.ended_at)} {run.result.value} {run.condition.value} "
            f"requests={run.requests} new={run.counts.new} updated={run.counts.updated}"
            for run in each.last_runs[:RUNS_MAX]
        ),
    ]
    return "\n".join(lines)


def spans_of(connections: Sequence[Connection], now: datetime, locale: Locale) -> tuple[ConsentSpan, ...]:
    """Return the consents that have an end, the first to end on top."""
    known = [(each.consent_expires_at, each) for each in connections if each.consent_expires_at is not None]
    spans = []
    for end, each in sorted(known, key=lambda pair: pair[0]):
        consent = consent_of(end, now, locale)
        last = local(end, locale).date()
        first = min(local(now, locale).date().replace(day=1), last)
        spans.append(ConsentSpan(each.bank, first, last, consent.token, f"{each.bank}: {consent.text}"))
    return tuple(spans)


def banks_line(connections: Sequence[Connection]) -> str:
    """Return the status bar's line: how many banks, how many need their person."""
    total = trn("{n} bank", "{n} banks", len(connections))
    waiting = sum(needs_you(each.condition) for each in connections)
    if not waiting:
        return total
    return tr("{total} · {waiting}", total=total, waiting=trn("{n} needs you", "{n} need you", waiting))
