"""What the frame of the window says: sidebar rows, the summary, the status line, the steps of a sync."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

from obdesk.domain.conditions import Condition, explain
from obdesk.domain.entities import AccountState, RunResult
from obdesk.domain.errors import action_label
from obdesk.domain.freshness import FreshnessState, worst
from obdesk.domain.syncing import Step
from obdesk.domain.texts import mark, tr, trn
from obdesk.gui.format import (
    DASH,
    Locale,
    age,
    column_date,
    count,
    instant,
    local,
    money,
    money_or_dash,
    time_today,
    weekday_date,
)
from obdesk.gui.shell.allowance import only_you_until
from obdesk.gui.widgets.status import Glyph, glyph_of, sentence_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from obdesk.domain.entities import Account, Connection
    from obdesk.domain.ids import AccountId, ConnectionId
    from obdesk.domain.money import Money
    from obdesk.domain.syncing import SyncOutcome


class AccountRow(NamedTuple):
    """One account in the sidebar."""

    account_id: AccountId
    bank: str
    color: str
    name: str
    balance: str
    negative: bool
    glyph: Glyph
    note: str
    """The second line; empty unless something is wrong."""
    sentence: str
    """Everything the row says, for tooltip and screen readers."""
    in_net_worth: bool
    important: bool


class AccountGroup(NamedTuple):
    """A bank in the sidebar with its accounts; the closed ones form a group of their own."""

    key: str
    name: str
    subtotal: str
    rows: tuple[AccountRow, ...]
    closed: bool = False


class Summary(NamedTuple):
    """The toolbar's words at the right: one glyph, one sentence."""

    glyph: Glyph
    text: str


class SyncLine(NamedTuple):
    """One connection in the progress strip."""

    connection_id: ConnectionId
    bank: str
    glyph: Glyph
    text: str
    running: bool
    share: float | None
    """0 to 1, or None while no total is known."""


def groups_of(
    accounts: Sequence[Account],
    connections: Sequence[Connection],
    refreshing: Iterable[ConnectionId],
    now: datetime,
    locale: Locale,
) -> tuple[AccountGroup, ...]:
    """Return the sidebar's groups in the order the accounts come, closed accounts last."""
    by_id = {connection.id: connection for connection in connections}
    busy = frozenset(refreshing)
    open_ones: dict[str, list[Account]] = {}
    closed: list[Account] = []
    for account in accounts:
        if account.state is AccountState.ACTIVE:
            key = account.bank if account.connection_id is None else f"{account.connection_id}"
            open_ones.setdefault(key, []).append(account)
        else:
            closed.append(account)
    groups = [
        AccountGroup(
            key, members[0].bank, subtotal(members, locale), _rows(members, by_id, busy, now, locale)
        )
        for key, members in open_ones.items()
    ]
    if closed:
        rows = tuple(_row(account, None, frozenset(), "", locale) for account in closed)
        groups.append(AccountGroup("closed", tr("Closed accounts"), "", rows, closed=True))
    return tuple(groups)


def subtotal(accounts: Sequence[Account], locale: Locale) -> str:
    """Return the sum per currency; a dash when a balance is missing, for a part is not a sum."""
    sums: dict[str, Money] = {}
    for account in accounts:
        if account.balance is None:
            return DASH
        code = account.balance.currency.code
        sums[code] = sums[code] + account.balance if code in sums else account.balance
    return " + ".join(money(total, locale) for total in sums.values())


def _rows(
    members: Sequence[Account],
    connections: Mapping[ConnectionId, Connection],
    busy: frozenset[ConnectionId],
    now: datetime,
    locale: Locale,
) -> tuple[AccountRow, ...]:
    rows: list[AccountRow] = []
    told: set[str] = set()
    for account in members:
        connection = connections.get(account.connection_id) if account.connection_id is not None else None
        note = _note(account, connection, now, locale)
        # What is wrong with the bank is said once, under the first of its accounts.
        rows.append(_row(account, connection, busy, "" if note in told else note, locale, now))
        told.add(note)
    return tuple(rows)


def _row(
    account: Account,
    connection: Connection | None,
    busy: frozenset[ConnectionId],
    note: str,
    locale: Locale,
    now: datetime | None = None,
) -> AccountRow:
    consent = connection.consent_expires_at if connection else None
    glyph = glyph_of(account.freshness.state, consent_expires_at=consent, now=now)
    if account.connection_id in busy:
        glyph = Glyph.REFRESHING
    balance = money_or_dash(account.balance, locale)
    sentence = f"{account.name}, {account.bank}, {balance}. {sentence_of(glyph)}"
    if note:
        sentence = f"{sentence} {note}"
    return AccountRow(
        account.id,
        account.bank,
        account.color,
        account.name,
        balance,
        account.balance is not None and account.balance.amount_minor < 0,
        glyph,
        note,
        sentence,
        account.in_net_worth,
        account.important,
    )


def _note(account: Account, connection: Connection | None, now: datetime, locale: Locale) -> str:
    fresh = account.freshness
    consent = connection.consent_expires_at if connection else None
    match glyph_of(fresh.state, consent_expires_at=consent, now=now):
        case Glyph.FRESH | Glyph.REFRESHING | Glyph.AGEING | Glyph.UNKNOWN:
            return ""
        case Glyph.PAUSED:
            return tr("Paused by you")
        case Glyph.NEEDS_YOU | Glyph.BROKEN:
            action = action_label(explain(account.condition, account.bank).action)
            return _with_data_date(action, fresh.data_as_of, now, locale)
        case Glyph.DELAYED:
            next_run = connection.next_run_at if connection else None
            if next_run is None:
                return _with_data_date(tr("Delayed"), fresh.data_as_of, now, locale)
            return tr("Delayed · next try {when}", when=time_today(next_run, now, locale))
        case Glyph.STALE:
            if fresh.asked_at is None or fresh.data_as_of is None:
                return ""
            return tr(
                "Asked {ago}, bank data from {when}",
                ago=age(fresh.asked_at, now),
                when=instant(fresh.data_as_of, now, locale),
            )
        case Glyph.CONSENT_SOON:
            assert consent is not None
            return tr("Renew by {day}", day=_weekday(consent, now, locale))
        case other:
            assert_never(other)


def _with_data_date(text: str, data_as_of: datetime | None, now: datetime, locale: Locale) -> str:
    if data_as_of is None:
        return text
    # No weekday: beside the narrowest account the date is what may not be cut.
    day = column_date(local(data_as_of, locale).date(), local(now, locale).date(), locale)
    return tr("{text} · data to {when}", text=text, when=day)


def _weekday(when: datetime, now: datetime, locale: Locale) -> str:
    return weekday_date(local(when, locale).date(), local(now, locale).date(), locale)


def summary_of(
    accounts: Sequence[Account],
    connections: Sequence[Connection],
    running: int,
    now: datetime,
    locale: Locale,
) -> Summary:
    """Return the worst news in one sentence, with the next check."""
    active = [account for account in accounts if account.state is AccountState.ACTIVE]
    if running:
        return Summary(Glyph.REFRESHING, trn("Refreshing {n} bank", "Refreshing {n} banks", running))
    if not active:
        return Summary(Glyph.UNKNOWN, tr("No account yet"))
    states = [account.freshness.state for account in active]
    state = worst(states)
    if any(connection.condition is Condition.OFFLINE for connection in connections):
        return Summary(Glyph.DELAYED, tr("Offline · figures stay as they were"))
    text = _summary_text(state, states.count(state), len(states))
    only_you = only_you_until(connections, now)
    if only_you is not None:
        until = time_today(only_you, now, locale)
        return Summary(
            glyph_of(state),
            tr("{text} · without you we ask no bank before {when}", text=text, when=until),
        )
    upcoming = [c.next_run_at for c in connections if c.next_run_at is not None and not c.paused]
    if upcoming:
        text = tr("{text} · next check {when}", text=text, when=time_today(min(upcoming), now, locale))
    return Summary(glyph_of(state), text)


def _summary_text(state: FreshnessState, many: int, total: int) -> str:
    match state:
        case FreshnessState.FRESH:
            return tr("All fresh")
        case FreshnessState.NEEDS_YOU:
            return trn(
                "{n} of {total} accounts needs you", "{n} of {total} accounts need you", many, total=total
            )
        case FreshnessState.BROKEN:
            return trn("{n} of {total} accounts failed", "{n} of {total} accounts failed", many, total=total)
        case FreshnessState.DELAYED:
            return trn(
                "{n} of {total} accounts is delayed", "{n} of {total} accounts are delayed", many, total=total
            )
        case FreshnessState.STALE:
            return trn(
                "{n} of {total} accounts has old data",
                "{n} of {total} accounts have old data",
                many,
                total=total,
            )
        case FreshnessState.PAUSED:
            return trn(
                "{n} of {total} accounts is paused", "{n} of {total} accounts are paused", many, total=total
            )
        case FreshnessState.UNKNOWN:
            return trn(
                "{n} of {total} accounts is not read yet",
                "{n} of {total} accounts are not read yet",
                many,
                total=total,
            )
        case FreshnessState.AGEING | FreshnessState.REFRESHING:
            return trn(
                "{n} of {total} accounts is ageing", "{n} of {total} accounts are ageing", many, total=total
            )
        case other:
            assert_never(other)


def counts_line(accounts: Sequence[Account]) -> str:
    """Return how many accounts are in which state: `5 fresh · 1 delayed · 1 needs you`."""
    active = [account for account in accounts if account.state is AccountState.ACTIVE]
    if not active:
        return tr("No account yet")
    counted = {state: sum(a.freshness.state is state for a in active) for state in FreshnessState}
    return " · ".join(trn(*_COUNTED[state], many) for state, many in counted.items() if many)


_COUNTED = {
    FreshnessState.FRESH: (mark("{n} fresh"), mark("{n} fresh")),
    FreshnessState.REFRESHING: (mark("{n} refreshing"), mark("{n} refreshing")),
    FreshnessState.AGEING: (mark("{n} is ageing"), mark("{n} are ageing")),
    FreshnessState.PAUSED: (mark("{n} paused"), mark("{n} paused")),
    FreshnessState.STALE: (mark("{n} has old data"), mark("{n} have old data")),
    FreshnessState.DELAYED: (mark("{n} delayed"), mark("{n} delayed")),
    FreshnessState.UNKNOWN: (mark("{n} is not known"), mark("{n} are not known")),
    FreshnessState.BROKEN: (mark("{n} failed"), mark("{n} failed")),
    FreshnessState.NEEDS_YOU: (mark("{n} needs you"), mark("{n} need you")),
}


def last_check_line(connections: Sequence[Connection], now: datetime, locale: Locale) -> str:
    """Return when the aggregator was last asked about any bank."""
    asked = [c.freshness.asked_at for c in connections if c.freshness.asked_at is not None]
    if not asked:
        return tr("Nothing asked yet")
    return tr("Last check {when}", when=time_today(max(asked), now, locale))


def is_offline(connections: Sequence[Connection]) -> bool:
    """Tell whether the last checks found no network."""
    return any(connection.condition is Condition.OFFLINE for connection in connections)


def running_line(
    connection_id: ConnectionId, bank: str, step: Step | None, done: int, total: int | None, locale: Locale
) -> SyncLine:
    """Return what a running sync does at the moment."""
    share = min(1.0, done / total) if total else None
    return SyncLine(
        connection_id, bank, Glyph.REFRESHING, _step_text(step, bank, done, total, locale), True, share
    )


def _step_text(step: Step | None, bank: str, done: int, total: int | None, locale: Locale) -> str:
    match step:
        case None | Step.ASKING_BANK:
            return tr("Asking {bank}…", bank=bank)
        case Step.READING_CONNECTION:
            return tr("Reading the state of {bank}…", bank=bank)
        case Step.READING_ACCOUNTS:
            return tr("Reading the accounts of {bank}…", bank=bank)
        case Step.READING_TRANSACTIONS:
            if total:
                return tr(
                    "Reading {done} of {total} rows of {bank}…",
                    done=count(done, locale),
                    total=count(total, locale),
                    bank=bank,
                )
            if done:
                return tr("Reading {bank}: {done} rows so far…", done=count(done, locale), bank=bank)
            return tr("Reading the transactions of {bank}…", bank=bank)
        case Step.SAVING:
            return tr("Saving {bank}…", bank=bank)
        case other:
            assert_never(other)


def ended_line(outcome: SyncOutcome, next_try: datetime | None, now: datetime, locale: Locale) -> SyncLine:
    """Return how a sync ended: new figures, nothing new, or a reason with what happens next."""
    match outcome.result:
        case RunResult.UPDATED:
            glyph, text = (
                Glyph.FRESH,
                tr("{bank}: saved, {counts}", bank=outcome.bank, counts=counts_text(outcome, locale)),
            )
        case RunResult.UNCHANGED:
            glyph, text = Glyph.FRESH, tr("{bank}: nothing new", bank=outcome.bank)
        case RunResult.CANCELLED:
            glyph, text = Glyph.UNKNOWN, tr("{bank}: cancelled, nothing changed", bank=outcome.bank)
        case RunResult.ACTION_NEEDED | RunResult.RETRY_LATER | RunResult.BROKEN:
            when = time_today(next_try, now, locale) if next_try else ""
            told = explain(outcome.condition, outcome.bank, next_try=next_try, when=when)
            glyphs = {
                RunResult.ACTION_NEEDED: Glyph.NEEDS_YOU,
                RunResult.RETRY_LATER: Glyph.DELAYED,
                RunResult.BROKEN: Glyph.BROKEN,
            }
            glyph, text = glyphs[outcome.result], f"{told.title}. {told.next_step}"
        case other:
            assert_never(other)
    return SyncLine(outcome.connection_id, outcome.bank, glyph, text, False, 1.0)


def counts_text(outcome: SyncOutcome, locale: Locale) -> str:
    """Return what a sync changed: `3 new, 1 changed`."""
    counts = outcome.counts
    parts = [
        (counts.new, mark("{n} new")),
        (counts.updated, mark("{n} changed")),
        (counts.removed, mark("{n} removed")),
        (counts.problems, mark("{n} not readable")),
    ]
    told = [tr(text, n=count(many, locale)) for many, text in parts if many]
    return ", ".join(told) if told else tr("new balances")
