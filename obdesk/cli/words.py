"""The words of tables: states, kinds and instants as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.entities import AccountKind, RunResult, TransactionState
from obdesk.domain.freshness import FreshnessState
from obdesk.domain.texts import mark, tr

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.money import Money

_FRESHNESS = {
    FreshnessState.FRESH: mark("fresh"),
    FreshnessState.REFRESHING: mark("refreshing"),
    FreshnessState.AGEING: mark("ageing"),
    FreshnessState.PAUSED: mark("paused"),
    FreshnessState.STALE: mark("old"),
    FreshnessState.DELAYED: mark("delayed"),
    FreshnessState.UNKNOWN: mark("unknown"),
    FreshnessState.BROKEN: mark("broken"),
    FreshnessState.NEEDS_YOU: mark("needs you"),
}
_KINDS = {
    AccountKind.CHECKING: mark("current"),
    AccountKind.SAVINGS: mark("savings"),
    AccountKind.CARD: mark("card"),
    AccountKind.LOAN: mark("loan"),
    AccountKind.INVESTMENT: mark("investment"),
    AccountKind.OTHER: mark("other"),
}
_RESULTS = {
    RunResult.UPDATED: mark("updated"),
    RunResult.UNCHANGED: mark("nothing new"),
    RunResult.ACTION_NEEDED: mark("needs you"),
    RunResult.RETRY_LATER: mark("tries again later"),
    RunResult.BROKEN: mark("broken"),
    RunResult.CANCELLED: mark("cancelled"),
}


def freshness_word(state: FreshnessState) -> str:
    """Return how fresh something is, in a word or two."""
    return tr(_FRESHNESS[state])


def kind_word(kind: AccountKind) -> str:
    """Return what kind of account it is."""
    return tr(_KINDS[kind])


def result_word(result: RunResult) -> str:
    """Return how a sync ended."""
    return tr(_RESULTS[result])


def state_word(state: TransactionState) -> str:
    """Return whether the bank has booked a transaction."""
    return tr("Pending") if state is TransactionState.PENDING else tr("Booked")


def local_time(instant: datetime | None) -> str:
    """Return an instant on this computer's clock, to the minute."""
    return "-" if instant is None else instant.astimezone().strftime("%Y-%m-%d %H:%M")


def money_text(money: Money | None) -> str:
    """Return an amount with its currency, as a person can paste it elsewhere."""
    return "-" if money is None else f"{money.text()} {money.currency.code}"
