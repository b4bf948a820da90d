"""Accounts, balances and net worth, as the screens show them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from obdesk.domain.conditions import Condition, freshness_of
from obdesk.domain.entities import (
    Account,
    AccountKind,
    AccountState,
    MissingDays,
    MonthFlow,
    NetWorth,
    NetWorthPoint,
)
from obdesk.domain.freshness import Freshness, FreshnessState, age_state, oldest
from obdesk.domain.ids import AccountId, ConnectionId
from obdesk.domain.money import Currency, Money
from obdesk.storage.columns import instant, instant_or_none, to_ms

if TYPE_CHECKING:
    from obdesk.storage.engine import Connection

HISTORY_DAYS = 366

_ACCOUNTS = """
SELECT a.id, a.connection_id, c.bank, c.color, coalesce(nullif(e.name, ''), a.name), a.kind, a.state,
       a.iban, a.number, a.currency, a.exponent, a.balance_minor, a.coming_minor,
       coalesce(e.in_net_worth, a.kind <> 'card' OR a.parent_provider_id IS NULL),
       c.condition, a.condition, c.paused, c.asked_at, a.data_as_of, a.provider_id, p.id,
       c.consent_expires_at, coalesce(e.important, 0)
FROM accounts a
JOIN connections c ON c.id = a.connection_id
LEFT JOIN accounts p ON p.connection_id = a.connection_id AND p.provider_id = a.parent_provider_id
LEFT JOIN account_edits e ON e.account_id = a.id
ORDER BY c.bank COLLATE NOCASE, c.id, a.state = 'gone', a.state = 'disabled', a.id
"""
_MISSING = """
SELECT account_id, from_day, to_day, found_at FROM holes WHERE closed_at IS NULL ORDER BY account_id, from_day
"""


def accounts(connection: Connection, now: datetime) -> tuple[Account, ...]:
    """Return all accounts, grouped by bank, live ones first."""
    missing = _missing(connection)
    return tuple(_account(row, missing.get(row[0], ()), now) for row in connection.execute(_ACCOUNTS))


def _missing(connection: Connection) -> dict[int, tuple[MissingDays, ...]]:
    found: dict[int, tuple[MissingDays, ...]] = {}
    for account_id, first, last, found_at in connection.execute(_MISSING):
        days = MissingDays(date.fromisoformat(first), date.fromisoformat(last), instant(found_at))
        found[account_id] = (*found.get(account_id, ()), days)
    return found


def _account(row: tuple[Any, ...], missing: tuple[MissingDays, ...], now: datetime) -> Account:
    currency = Currency(row[9], row[10])
    state = AccountState(row[6])
    own, of_connection = Condition(row[15]), Condition(row[14])
    condition = own if own is not Condition.OK else of_connection
    asked_at, data_as_of = instant_or_none(row[17]), instant_or_none(row[18])
    return Account(
        id=AccountId(row[0]),
        connection_id=ConnectionId(row[1]),
        bank=row[2],
        color=row[3],
        name=row[4],
        kind=AccountKind(row[5]),
        state=state,
        iban=row[7],
        number=row[8],
        balance=None if row[11] is None else Money(row[11], currency),
        coming=None if row[12] is None else Money(row[12], currency),
        in_net_worth=bool(row[13]) and state is AccountState.ACTIVE,
        condition=condition,
        freshness=freshness(condition, asked_at, data_as_of, now, paused=bool(row[16]), state=state),
        provider_id=str(row[19]),
        parent_id=None if row[20] is None else AccountId(row[20]),
        important=bool(row[22]),
        missing=missing,
    )


def freshness(
    condition: Condition,
    asked_at: datetime | None,
    data_as_of: datetime | None,
    now: datetime,
    *,
    paused: bool,
    state: AccountState = AccountState.ACTIVE,
) -> Freshness:
    """Return both clocks with the state they and the condition add up to: the worse one wins."""
    imposed = freshness_of(condition)
    if state is not AccountState.ACTIVE:
        return Freshness(asked_at, data_as_of, FreshnessState.UNKNOWN)
    if imposed in {FreshnessState.NEEDS_YOU, FreshnessState.BROKEN}:
        return Freshness(asked_at, data_as_of, imposed)
    if paused:
        return Freshness(asked_at, data_as_of, FreshnessState.PAUSED)
    return Freshness(asked_at, data_as_of, imposed or age_state(asked_at, data_as_of, now))


def net_worth(connection: Connection, now: datetime, *, with_history: bool = True) -> tuple[NetWorth, ...]:
    """Return the total per currency with the date of its oldest part, and its history by day.

    The history sums a year of rows; the first paint goes without it.
    """
    counted = [
        account
        for account in accounts(connection, now)
        if account.in_net_worth and account.balance is not None
    ]
    by_currency: dict[Currency, list[Account]] = {}
    for account in counted:
        assert account.balance is not None
        by_currency.setdefault(account.balance.currency, []).append(account)
    groups = sorted(by_currency.items(), key=lambda item: (-len(item[1]), item[0].code))
    return tuple(
        _total(currency, group, _history(connection, currency, group, now) if with_history else (), now)
        for currency, group in groups
    )


def _total(
    currency: Currency, group: list[Account], history: tuple[NetWorthPoint, ...], now: datetime
) -> NetWorth:
    total_minor = sum(account.balance.amount_minor for account in group if account.balance is not None)
    month_ago = now.date() - timedelta(days=30)
    before = [point for point in history if point.day <= month_ago]
    total = Money(total_minor, currency)
    return NetWorth(
        total=total,
        as_of=oldest([account.freshness.data_as_of for account in group]),
        account_count=len(group),
        fresh_count=sum(account.freshness.state is FreshnessState.FRESH for account in group),
        change_30_days=total + -before[-1].amount if before else None,
        history=history,
    )


def _history(
    connection: Connection, currency: Currency, group: list[Account], now: datetime
) -> tuple[NetWorthPoint, ...]:
    """Return one point a day: today's balances taken back through the booked rows of each account.

    Observed balances would be truer but begin only with the first sync. An account whose balance does
    not follow from its rows (investments, loans) counts from its first observed balance on.
    """
    first_day = now.date() - timedelta(days=HISTORY_DAYS)
    days = [first_day + timedelta(days=n) for n in range(HISTORY_DAYS + 1)]
    totals = [0] * len(days)
    earliest = len(days) - 1
    for account in group:
        series, known_from = _account_series(connection, account, first_day, len(days))
        earliest = min(earliest, known_from)
        for n, amount in enumerate(series):
            totals[n] += amount
    return tuple(
        NetWorthPoint(day, Money(amount, currency))
        for day, amount in zip(days[earliest:], totals[earliest:], strict=True)
    )


def _account_series(
    connection: Connection, account: Account, first_day: date, count: int
) -> tuple[list[int], int]:
    assert account.balance is not None
    if account.kind in {AccountKind.INVESTMENT, AccountKind.LOAN, AccountKind.OTHER}:
        return _observed_series(connection, account, first_day, count)
    moves: dict[str, int] = dict(
        connection.execute(
            "SELECT booked_on, sum(amount_minor) FROM transactions WHERE account_id = ? AND pending = 0 "
            "AND deleted_at IS NULL AND booked_on > ? GROUP BY booked_on",
            (account.id, first_day.isoformat()),
        ).fetchall()
    )
    begins = connection.execute(
        "SELECT min(booked_on) FROM transactions WHERE account_id = ? AND pending = 0 AND deleted_at IS NULL",
        (account.id,),
    ).fetchone()[0]
    series = [0] * count
    balance = account.balance.amount_minor
    for n in range(count - 1, -1, -1):
        series[n] = balance
        balance -= moves.get((first_day + timedelta(days=n)).isoformat(), 0) or 0
    known_from = count - 1 if begins is None else max(0, (date.fromisoformat(begins) - first_day).days)
    return series, min(known_from, count - 1)


def _observed_series(
    connection: Connection, account: Account, first_day: date, count: int
) -> tuple[list[int], int]:
    assert account.balance is not None
    seen: dict[str, int] = dict(
        connection.execute(
            "SELECT day, balance_minor FROM balances WHERE account_id = ? AND currency = ? ORDER BY day",
            (account.id, account.balance.currency.code),
        ).fetchall()
    )
    current = next(iter(seen.values()), account.balance.amount_minor)
    series: list[int] = []
    for n in range(count):
        current = seen.get((first_day + timedelta(days=n)).isoformat(), current)
        series.append(current)
    return series, count - 1


_SETTLES_A_CARD = (
    "(t.kind = 'summary_card' AND EXISTS "
    "(SELECT 1 FROM accounts k JOIN transactions p ON p.account_id = k.id "
    "WHERE k.connection_id = a.connection_id AND k.parent_provider_id = a.provider_id AND k.kind = 'card'))"
)
"""The monthly debit of a deferred card whose purchases are here one by one: it would count them twice."""


def month_flows(connection: Connection, month: datetime) -> tuple[MonthFlow, ...]:
    """Return booked income and spending of a calendar month, one per currency."""
    first = month.date().replace(day=1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    rows = connection.execute(
        "SELECT a.currency, a.exponent, coalesce(sum(max(t.amount_minor, 0)), 0), "
        "coalesce(sum(min(t.amount_minor, 0)), 0) FROM transactions t JOIN accounts a ON a.id = t.account_id "
        "WHERE t.pending = 0 AND t.deleted_at IS NULL AND t.booked_on >= ? AND t.booked_on < ? "
        f"AND NOT {_SETTLES_A_CARD} "
        "GROUP BY a.currency, a.exponent ORDER BY count(*) DESC",
        (first.isoformat(), following.isoformat()),
    )
    return tuple(
        MonthFlow(first, Money(row[2], Currency(row[0], row[1])), Money(row[3], Currency(row[0], row[1])))
        for row in rows
    )


def exponents(connection: Connection, connection_id: ConnectionId) -> dict[int, int]:
    """Return the decimals of each account of one link by the provider's id."""
    return dict(
        connection.execute(
            "SELECT provider_id, exponent FROM accounts WHERE connection_id = ?", (connection_id,)
        ).fetchall()
    )


def seen_since(connection: Connection, moment: datetime) -> tuple[int, int]:
    """Return how many live transactions came first, and how many changed, since an instant."""
    since = to_ms(moment)
    new = connection.execute(
        "SELECT count(*) FROM transactions WHERE deleted_at IS NULL AND first_seen_at >= ?", (since,)
    ).fetchone()[0]
    changed = connection.execute(
        "SELECT count(*) FROM transactions WHERE deleted_at IS NULL AND changed_at >= ? "
        "AND first_seen_at < ?",
        (since, since),
    ).fetchone()[0]
    return new, changed
