"""What is stored and shown: connections, accounts, transactions, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from obdesk.domain.limits import FULL_BUDGET

if TYPE_CHECKING:
    from datetime import date, datetime

    from obdesk.domain.conditions import Condition
    from obdesk.domain.freshness import Freshness
    from obdesk.domain.ids import AccountId, ConnectionId, RunId, TransactionId
    from obdesk.domain.limits import Budget
    from obdesk.domain.money import Money


class AccountKind(Enum):
    """The kinds of accounts that the interface tells apart; what a bank invents becomes OTHER."""

    CHECKING = "checking"
    SAVINGS = "savings"
    CARD = "card"
    LOAN = "loan"
    INVESTMENT = "investment"
    OTHER = "other"


class AccountState(Enum):
    """Whether an account is read: ACTIVE, switched off by the person, or no longer at the bank."""

    ACTIVE = "active"
    DISABLED = "disabled"
    GONE = "gone"


class TransactionState(Enum):
    """Booked by the bank, or announced and not yet in the balance."""

    PENDING = "pending"
    BOOKED = "booked"


class Trigger(Enum):
    """Why a sync ran."""

    PERSON = "person"
    START = "start"
    SCHEDULE = "schedule"
    LINK = "link"
    RETRY = "retry"
    WEBHOOK = "webhook"


class SyncKind(Enum):
    """How much a sync reads."""

    DELTA = "delta"
    """What changed since the cursor, with overlap."""
    FULL = "full"
    """All the history the consent allows."""
    RECONCILE = "reconcile"
    """All of it, compared row by row with what is kept, with a report."""

    def or_more(self, other: SyncKind) -> SyncKind:
        """Return whichever of two kinds reads more."""
        return max(self, other, key=tuple(SyncKind).index)


class RunResult(Enum):
    """How a sync ended."""

    UPDATED = "updated"
    UNCHANGED = "unchanged"
    ACTION_NEEDED = "action_needed"
    RETRY_LATER = "retry_later"
    BROKEN = "broken"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RunCounts:
    """Rows by what happened to them."""

    new: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    problems: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One sync of one connection, from the first request to the commit."""

    id: RunId
    connection_id: ConnectionId
    trigger: Trigger
    started_at: datetime
    ended_at: datetime
    result: RunResult
    condition: Condition
    counts: RunCounts
    requests: int
    duration_s: float
    kind: SyncKind = SyncKind.DELTA
    attempt: int = 1
    asked_bank: bool = False
    """Whether the bank itself was asked, and not only the aggregator."""
    detail: str = ""
    """The provider's codes, for the details fold; never a payload."""
    reverted_at: datetime | None = None


class MissingDays(NamedTuple):
    """A stretch of days that no answer covers: its first and last day, and when that was found."""

    first: date
    last: date
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Connection:
    """A link to one bank, with what is the matter, its consent and its last runs."""

    id: ConnectionId
    provider: str
    provider_id: str
    bank: str
    color: str
    condition: Condition
    provider_state: str
    """The provider's own word for the state, for the details fold; never the first line."""
    bank_message: str
    paused: bool
    created_at: datetime | None
    consent_expires_at: datetime | None
    next_run_at: datetime | None
    freshness: Freshness
    account_count: int
    last_runs: tuple[Run, ...] = ()
    budget: Budget = FULL_BUDGET
    """How often the bank may still be read today without its person."""
    missing_days: tuple[date, date] | None = None
    """First and last day that no answer covers, over all accounts; renewing access may fetch them."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account with its balance and both clocks of that balance."""

    id: AccountId
    connection_id: ConnectionId | None
    bank: str
    color: str
    name: str
    kind: AccountKind
    state: AccountState
    iban: str
    number: str
    balance: Money | None
    coming: Money | None
    """The sum of pending operations as the bank reports it; not part of `balance`."""
    in_net_worth: bool
    condition: Condition
    freshness: Freshness
    provider_id: str = ""
    parent_id: AccountId | None = None
    important: bool = False
    """The person wants its bank to be checked before others."""
    missing: tuple[MissingDays, ...] = ()
    """Days that no answer covers, the earliest first; renewing access may fetch them."""


@dataclass(frozen=True, slots=True)
class TransactionRow:
    """One line of a list: what is painted, already decided, nothing else."""

    id: TransactionId
    account_id: AccountId
    account_name: str
    state: TransactionState
    booked_on: date
    payee: str
    label: str
    category: str
    amount: Money | None
    has_note: bool


@dataclass(frozen=True, slots=True)
class TransactionDetail:
    """Everything known of one transaction: what the person says, and what the bank says."""

    row: TransactionRow
    note: str
    bank_category: str
    iban: str
    done_on: date | None
    value_on: date | None
    kind: str
    original_amount: Money | None
    counterparty: str
    counterparty_account: str
    card: str
    provider: str
    provider_ids: tuple[str, ...]
    first_seen_at: datetime
    changed_at: datetime
    data_as_of: datetime | None
    asked_at: datetime | None
    history: tuple[HistoryEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change of a transaction: when, which field, from what to what, by whom (you or sync)."""

    at: datetime
    who: str
    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class DataProblem:
    """Something in the bank's data that could not be kept as it came; shown, never silent."""

    id: int
    connection_id: ConnectionId
    account_id: AccountId | None
    seen_at: datetime
    kind: str
    subject: str
    """What the row calls itself (its id), never its content."""
    detail: str


@dataclass(frozen=True, slots=True)
class NetWorthPoint:
    """Net worth in one currency at the end of one day."""

    day: date
    amount: Money


@dataclass(frozen=True, slots=True)
class NetWorth:
    """The total of one currency with the date of its oldest part, and its history."""

    total: Money
    as_of: datetime | None
    account_count: int
    fresh_count: int
    change_30_days: Money | None
    history: tuple[NetWorthPoint, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """Count and sums (one per currency) of a filter or a selection."""

    count: int
    sums: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class MonthFlow:
    """Booked income and spending of one month in one currency, transfers between own accounts included."""

    first_day: date
    income: Money
    spending: Money
