"""A household as values: three banks, one that needs its person, one delayed; what screens are shown with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from obdesk.app.interface import FirstScreen
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import (
    Account,
    AccountKind,
    AccountState,
    Connection,
    MonthFlow,
    NetWorth,
    NetWorthPoint,
    Run,
    RunCounts,
    RunResult,
    TransactionRow,
    TransactionState,
    Trigger,
)
from obdesk.domain.freshness import Freshness, FreshnessState
from obdesk.domain.ids import AccountId, ConnectionId, RunId, TransactionId
from obdesk.domain.money import Currency, Money
from obdesk.gui.format import NARROW_SPACE, NO_BREAK_SPACE, Locale

NOW = datetime(2026, 11, 24, 10, 58, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
EUR, USD = Currency.of("EUR"), Currency.of("USD")
ENGLISH = Locale(zone=PARIS)
FRENCH = Locale(
    language="fr",
    decimal=",",
    group=NARROW_SPACE,
    symbol_first=False,
    symbol_gap=NO_BREAK_SPACE,
    months=("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
            "novembre", "décembre"),
    months_short=("janv", "févr", "mars", "avr", "mai", "juin", "juil", "août", "sept", "oct", "nov", "déc"),
    weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    weekdays_short=("lun", "mar", "mer", "jeu", "ven", "sam", "dim"),
    zone=PARIS,
)  # fmt: skip

PORT, ALPES, NORDIC = ConnectionId(1), ConnectionId(2), ConnectionId(3)


def _freshness(state: FreshnessState, asked: timedelta, data: timedelta) -> Freshness:
    return Freshness(NOW - asked, NOW - data, state)


FRESH = _freshness(FreshnessState.FRESH, timedelta(minutes=2), timedelta(minutes=27))
NEEDS = _freshness(FreshnessState.NEEDS_YOU, timedelta(hours=4), timedelta(hours=41))
DELAYED = _freshness(FreshnessState.DELAYED, timedelta(hours=2), timedelta(hours=14))


def account(
    number: int,
    connection: ConnectionId | None,
    bank: str,
    color: str,
    name: str,
    balance_minor: int | None,
    freshness: Freshness = FRESH,
    *,
    currency: Currency = EUR,
    condition: Condition = Condition.OK,
    kind: AccountKind = AccountKind.CHECKING,
    state: AccountState = AccountState.ACTIVE,
) -> Account:
    return Account(
        id=AccountId(number),
        connection_id=connection,
        bank=bank,
        color=color,
        name=name,
        kind=kind,
        state=state,
        iban="",
        number=f"{number:011}",
        balance=None if balance_minor is None else Money(balance_minor, currency),
        coming=None,
        in_net_worth=True,
        condition=condition,
        freshness=freshness,
    )


ACCOUNTS = (
    account(1, PORT, "Banque du Port", "#2F6DB5", "Compte courant", 152_040),
    account(2, PORT, "Banque du Port", "#2F6DB5", "Carte", -6_490, kind=AccountKind.CARD),
    account(3, PORT, "Banque du Port", "#2F6DB5", "Livret A", 544_868, kind=AccountKind.SAVINGS),
    account(
        4, ALPES, "Crédit des Alpes", "7A4FA3", "Compte joint", 231_007, NEEDS, condition=Condition.NEEDS_SCA
    ),
    account(5, ALPES, "Crédit des Alpes", "7A4FA3", "PEL", 1_000_000, NEEDS, condition=Condition.NEEDS_SCA),
    account(
        6, NORDIC, "Nordic One", "B5562F", "Checking USD", 120_455, DELAYED, currency=USD,
        condition=Condition.BANK_DOWN,
    ),
    account(7, None, "Ancienne Banque", "", "Vieux livret", 0, state=AccountState.GONE),
)  # fmt: skip


def run(
    number: int,
    connection: ConnectionId,
    ended: datetime,
    result: RunResult = RunResult.UNCHANGED,
    counts: RunCounts | None = None,
    condition: Condition = Condition.OK,
    trigger: Trigger = Trigger.SCHEDULE,
) -> Run:
    return Run(
        id=RunId(number),
        connection_id=connection,
        trigger=trigger,
        started_at=ended - timedelta(seconds=1),
        ended_at=ended,
        result=result,
        condition=condition,
        counts=counts or RunCounts(unchanged=412),
        requests=5,
        duration_s=0.6,
    )


def runs_of(connection: ConnectionId, *last: tuple[RunResult, Condition, RunCounts]) -> tuple[Run, ...]:
    """Twelve runs, newest first; `last` are the newest ones."""
    made = []
    for place in range(12):
        result, condition, counts = RunResult.UNCHANGED, Condition.OK, RunCounts(unchanged=412)
        if place < len(last):
            result, condition, counts = last[place]
        ended = NOW - timedelta(minutes=2, hours=4 * place)
        made.append(run(int(connection) * 100 + place, connection, ended, result, counts, condition))
    return tuple(made)


RUNS = {
    PORT: runs_of(PORT, (RunResult.UPDATED, Condition.OK, RunCounts(new=14, updated=3, unchanged=395))),
    ALPES: runs_of(ALPES, *[(RunResult.ACTION_NEEDED, Condition.NEEDS_SCA, RunCounts())] * 3),
    NORDIC: runs_of(NORDIC, *[(RunResult.RETRY_LATER, Condition.BANK_DOWN, RunCounts())] * 2),
}


def connection(
    number: ConnectionId,
    bank: str,
    color: str,
    condition: Condition,
    freshness: Freshness,
    *,
    consent_days: int | None,
    accounts: int,
    next_run: timedelta | None = timedelta(hours=4),
    paused: bool = False,
) -> Connection:
    return Connection(
        id=number,
        provider="powens",
        provider_id=str(300 + number),
        bank=bank,
        color=color,
        condition=condition,
        provider_state="" if condition is Condition.OK else "SCARequired",
        bank_message="",
        paused=paused,
        created_at=NOW - timedelta(days=28),
        consent_expires_at=None if consent_days is None else NOW + timedelta(days=consent_days),
        next_run_at=None if next_run is None else NOW + next_run,
        freshness=freshness,
        account_count=accounts,
        last_runs=RUNS.get(number, ()),
    )


CONNECTIONS = (
    connection(
        ALPES, "Crédit des Alpes", "7A4FA3", Condition.NEEDS_SCA, NEEDS, consent_days=0, accounts=2,
        next_run=None,
    ),
    connection(
        NORDIC, "Nordic One", "B5562F", Condition.BANK_DOWN, DELAYED, consent_days=121, accounts=1,
        next_run=timedelta(hours=2, minutes=7),
    ),
    connection(PORT, "Banque du Port", "#2F6DB5", Condition.OK, FRESH, consent_days=152, accounts=3),
)  # fmt: skip


def history(total_minor: int, currency: Currency, days: int = 365) -> tuple[NetWorthPoint, ...]:
    """Return a year that ends at a total, with a salary's saw teeth."""
    points = []
    for back in range(days, -1, -1):
        day = NOW.date() - timedelta(days=back)
        wave = (day.day - 15) * -2_300
        points.append(NetWorthPoint(day, Money(total_minor - back * total_minor // 900 + wave, currency)))
    return tuple(points)


NET_WORTH = (
    NetWorth(
        Money(8_321_425, EUR), NOW - timedelta(hours=41), 5, 3, Money(120_410, EUR), history(8_321_425, EUR)
    ),
    NetWorth(Money(120_455, USD), NOW - timedelta(hours=14), 1, 0, None, history(120_455, USD)),
)


def pending(number: int, payee: str, day: date, amount_minor: int | None) -> TransactionRow:
    amount = None if amount_minor is None else Money(amount_minor, EUR)
    return TransactionRow(
        TransactionId(number),
        AccountId(2),
        "Carte",
        TransactionState.PENDING,
        day,
        payee,
        payee,
        "",
        amount,
        False,
    )


COMING = (
    pending(1, "EDF", date(2026, 11, 27), -8_410),
    pending(2, "Carte, différé", date(2026, 11, 30), -6_490),
)
FLOWS = (MonthFlow(date(2026, 11, 1), Money(321_000, EUR), Money(-218_436, EUR)),)
FIRST = FirstScreen(ACCOUNTS, CONNECTIONS, NET_WORTH, (), 3_400)
