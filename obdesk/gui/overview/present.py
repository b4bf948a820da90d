"""What the overview says, as plain values: figures, cards and lines in the reader's words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from obdesk.domain.conditions import explain, needs_you
from obdesk.domain.entities import AccountState
from obdesk.domain.errors import Action, action_label
from obdesk.domain.freshness import FreshnessState
from obdesk.domain.texts import tr, trn
from obdesk.gui.format import (
    DASH,
    Locale,
    column_date,
    count,
    day_month,
    day_month_year,
    instant,
    instant_or,
    local,
    money,
    money_or_dash,
    month_name,
    near,
    signed_money,
    time_today,
    weekday_date,
)
from obdesk.gui.widgets.status import Glyph, glyph_of, sentence_of, tone_of, word_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from obdesk.domain.entities import (
        Account,
        Connection,
        MonthFlow,
        NetWorth,
        NetWorthPoint,
        Run,
        TransactionRow,
    )
    from obdesk.domain.ids import AccountId, ConnectionId

CARDS_MAX = 3
HOLED_MAX = 2
"""So many accounts of a bank are named with their missing days; the others are counted."""
_YEAR = timedelta(days=365)
_WORST_FIRST = {state: -rank for rank, state in enumerate(FreshnessState)}

_OLD = frozenset(FreshnessState) - {
    FreshnessState.FRESH, FreshnessState.REFRESHING, FreshnessState.UNKNOWN, FreshnessState.PAUSED,
}  # fmt: skip
"""The states whose date of the bank's data deserves a warning's colour."""


class Worth(NamedTuple):
    """Net worth in one currency."""

    code: str
    total: str
    as_of: str
    as_of_old: bool
    change: str
    change_up: bool | None
    """None where there is no change to speak of."""
    history: tuple[NetWorthPoint, ...]


class NeedsCard(NamedTuple):
    """Something a person has to do, with the one button that does it."""

    connection_id: ConnectionId
    glyph: Glyph
    title: str
    cause: str
    action: Action
    button: str
    can_wait: bool = False
    """Whether new data comes all the same."""


class AccountLine(NamedTuple):
    """One account in the table by freshness."""

    account_id: AccountId
    glyph: Glyph
    sentence: str
    name: str
    bank: str
    balance: str
    negative: bool
    asked: str
    data_as_of: str
    data_old: bool
    pill: str
    tone: str
    missing: str
    """Which of its days no answer covers; empty where there are none."""


class NewsLine(NamedTuple):
    """A count and what it counts."""

    many: str
    text: str


class News(NamedTuple):
    """What happened since the last visit."""

    title: str
    lines: tuple[NewsLine, ...]
    nothing: str
    as_of: str = ""
    """When the last of the counted checks ended; empty while there is none."""


class Flow(NamedTuple):
    """A month's income and spending in one currency; shares are of the larger of both."""

    income: str
    income_share: float
    spending: str
    spending_share: float


class Coming(NamedTuple):
    """A pending transaction."""

    payee: str
    day: str
    amount: str
    incoming: bool


def worth_of(net_worth: Sequence[NetWorth], now: datetime, locale: Locale) -> tuple[Worth, ...]:
    """Return one value per currency, the largest group first; they are never added up."""
    return tuple(
        Worth(
            each.total.currency.code,
            money(each.total, locale),
            _as_of(each, now, locale),
            each.as_of is None or each.fresh_count < each.account_count,
            _change(each, locale),
            None
            if each.change_30_days is None or each.change_30_days.amount_minor == 0
            else each.change_30_days.amount_minor > 0,
            each.history,
        )
        for each in net_worth
    )


def _as_of(worth: NetWorth, now: datetime, locale: Locale) -> str:
    fresh = trn(
        "{fresh} of {n} account in net worth fresh",
        "{fresh} of {n} accounts in net worth fresh",
        worth.account_count,
        fresh=worth.fresh_count,
    )
    if worth.as_of is None:
        return tr("Not complete: an account has no date yet · {fresh}", fresh=fresh)
    return tr("Complete as of {when} · {fresh}", when=instant(worth.as_of, now, locale), fresh=fresh)


def _change(worth: NetWorth, locale: Locale) -> str:
    if worth.change_30_days is None:
        return ""
    if worth.change_30_days.amount_minor == 0:
        return tr("unchanged in 30 days")
    return tr("{amount} in 30 days", amount=signed_money(worth.change_30_days, locale))


def needs_of(
    connections: Sequence[Connection], accounts: Sequence[Account], now: datetime, locale: Locale
) -> tuple[NeedsCard, ...]:
    """Return what a person has to do or may mend, one card per connection, in the order these come."""
    active = [each for each in accounts if each.state is AccountState.ACTIVE]
    found = (
        _needs(each, [one for one in active if one.connection_id == each.id], now, locale)
        for each in connections
        if not each.paused
    )
    # Days that are missing hold nothing up: what does stands before them.
    return tuple(sorted((card for card in found if card is not None), key=lambda card: card.can_wait))


def _needs(each: Connection, accounts: Sequence[Account], now: datetime, locale: Locale) -> NeedsCard | None:
    told = explain(each.condition, each.bank)
    missing = _missing_words(accounts, now, locale)
    broken = each.freshness.state is FreshnessState.BROKEN
    if not (needs_you(each.condition) or broken) or told.action is Action.NONE:
        return _missing_card(each, missing) if missing else None
    cause = told.cause
    if each.freshness.data_as_of is not None and not missing:
        day = local(each.freshness.data_as_of, locale).date()
        until = weekday_date(day, local(now, locale).date(), locale)
        cause = tr("{cause} Your data is complete up to {day}.", cause=cause, day=until)
    if missing:
        cause = f"{cause} {missing}"
    glyph = Glyph.BROKEN if broken else Glyph.NEEDS_YOU
    return NeedsCard(each.id, glyph, told.title, cause, told.action, action_label(told.action))


def _missing_card(each: Connection, missing: str) -> NeedsCard:
    title = tr("{bank}: days are missing", bank=each.bank)
    cause = tr("{missing} Renewing access may bring the missing days.", missing=missing)
    label = action_label(Action.RENEW)
    return NeedsCard(each.id, Glyph.NEEDS_YOU, title, cause, Action.RENEW, label, can_wait=True)


def lines_of(
    accounts: Sequence[Account], connections: Sequence[Connection], now: datetime, locale: Locale
) -> tuple[AccountLine, ...]:
    """Return the accounts that are read, the least fresh first."""
    consents = {each.id: each.consent_expires_at for each in connections}
    active = [account for account in accounts if account.state is AccountState.ACTIVE]
    active.sort(key=lambda account: _WORST_FIRST[account.freshness.state])
    return tuple(
        _line(
            account,
            glyph_of(
                account.freshness.state,
                consent_expires_at=consents.get(account.connection_id) if account.connection_id else None,
                now=now,
            ),
            now,
            locale,
        )
        for account in active
    )


def _line(account: Account, glyph: Glyph, now: datetime, locale: Locale) -> AccountLine:
    fresh = account.freshness
    asked = DASH if fresh.asked_at is None else time_today(fresh.asked_at, now, locale)
    missing = missing_note(account, now, locale)
    return AccountLine(
        account.id,
        glyph,
        f"{sentence_of(glyph)} {missing}." if missing else sentence_of(glyph),
        account.name,
        account.bank,
        money_or_dash(account.balance, locale),
        account.balance is not None and account.balance.amount_minor < 0,
        asked,
        instant_or(fresh.data_as_of, now, locale, DASH),
        fresh.state in _OLD,
        word_of(glyph),
        tone_of(glyph),
        missing,
    )


def missing_note(account: Account, now: datetime, locale: Locale) -> str:
    """Return which days of an account no answer covers: `No data from 3 to 19 May`."""
    if not account.missing:
        return ""
    first, last, _found_at = account.missing[0]
    if first == last:
        text = tr("No data on {day}", day=column_date(last, local(now, locale).date(), locale))
    else:
        begins, ends = _stretch(first, last, now, locale)
        text = tr("No data from {first} to {last}", first=begins, last=ends)
    more = len(account.missing) - 1
    return trn("{text} and {n} more gap", "{text} and {n} more gaps", more, text=text) if more else text


def _stretch(first: date, last: date, now: datetime, locale: Locale) -> tuple[str, str]:
    """Return both ends of a stretch, the first without what the last says as well."""
    today = local(now, locale).date()
    ends = column_date(last, today, locale)
    # The last day's year tells the first one's too, which is its own or the one before.
    says_year = not near(last, today) and last - first < _YEAR
    if first.year != last.year and not says_year:
        return day_month_year(first, locale), ends
    if (first.year, first.month) == (last.year, last.month) and locale.day_first:
        return f"{first.day}", ends
    return day_month(first, locale), ends


def _missing_words(accounts: Sequence[Account], now: datetime, locale: Locale) -> str:
    """Return the sentences on the missing days of a bank's accounts; empty where there are none."""
    holed = [each for each in accounts if each.missing]
    if not holed:
        return ""
    said = []
    for each in holed[:HOLED_MAX]:
        note = missing_note(each, now, locale)
        said.append(tr("{account}: {missing}.", account=each.name, missing=note[:1].lower() + note[1:]))
    if len(holed) > HOLED_MAX:
        more = len(holed) - HOLED_MAX
        said.append(trn("{n} more account lacks days.", "{n} more accounts lack days.", more))
    found = max(days.found_at for each in holed for days in each.missing)
    return " ".join([*said, tr("Found {when}.", when=instant(found, now, locale))])


def news_of(runs: Sequence[Run], since: datetime | None, now: datetime, locale: Locale) -> News:
    """Return what the syncs since the last visit brought, from all banks together."""
    if since is None:
        title, nothing = tr("Latest changes"), tr("Nothing new in the last checks.")
    else:
        when = instant(since, now, locale)
        title, nothing = tr("Since {when}", when=when), tr("Nothing new since {when}.", when=when)
    as_of = tr("As of {when}", when=instant(max(r.ended_at for r in runs), now, locale)) if runs else ""
    counted = [run.counts for run in runs if since is None or run.ended_at >= since]
    new, updated = sum(c.new for c in counted), sum(c.updated for c in counted)
    removed, problems = sum(c.removed for c in counted), sum(c.problems for c in counted)
    lines = [
        (new, trn("new transaction", "new transactions", new)),
        (updated, trn("transaction changed", "transactions changed", updated)),
        (removed, trn("transaction removed by the bank", "transactions removed by the bank", removed)),
        (problems, trn("row could not be read", "rows could not be read", problems)),
    ]
    shown = tuple(NewsLine(count(many, locale), text) for many, text in lines if many)
    return News(title, shown, nothing, as_of)


def flows_of(flows: Sequence[MonthFlow], locale: Locale) -> tuple[Flow, ...]:
    """Return each currency's income and spending."""
    found = []
    for flow in flows:
        income, spending = abs(flow.income.amount_minor), abs(flow.spending.amount_minor)
        top = max(income, spending, 1)
        outgoing = -flow.spending if flow.spending.amount_minor > 0 else flow.spending
        found.append(
            Flow(
                signed_money(flow.income, locale),
                income / top,
                signed_money(outgoing, locale),
                spending / top,
            )
        )
    return tuple(found)


def month_title(now: datetime, locale: Locale) -> str:
    """Return the heading of the month's card."""
    return month_name(local(now, locale).date(), locale)


def month_as_of(accounts: Sequence[Account], now: datetime, locale: Locale) -> str:
    """Return up to when the banks' data behind the month and the announcements is complete."""
    dates = [each.freshness.data_as_of for each in accounts if each.state is AccountState.ACTIVE]
    known = [date for date in dates if date is not None]
    if not known:
        return ""
    when = instant(min(known), now, locale)
    if len(known) < len(dates):
        return tr("Bank data as of {when}; one account at least has no date", when=when)
    return tr("Bank data as of {when}", when=when)


def coming_of(rows: Sequence[TransactionRow], locale: Locale) -> tuple[Coming, ...]:
    """Return what the banks have announced and not yet booked."""
    return tuple(
        Coming(
            row.payee or row.label,
            day_month(row.booked_on, locale),
            DASH if row.amount is None else signed_money(row.amount, locale),
            row.amount is not None and row.amount.amount_minor > 0,
        )
        for row in rows
    )
