"""How well syncing goes, counted: what the Activity screen, `obdesk status --json` and a scraper are told.

Everything is counted from what was written down; where nothing was, a figure is zero or None, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from obdesk.domain.entities import RunCounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from obdesk.domain.conditions import Condition
    from obdesk.domain.entities import RunResult, SyncKind, Trigger
    from obdesk.domain.ids import AccountId, ConnectionId
    from obdesk.domain.limits import Breaker, Budget
    from obdesk.domain.proofs import AccountProof

COUNTED = timedelta(days=30)
"""How far back runs and events are counted."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Runs counted: how they ended, what they brought, what they took."""

    runs: int = 0
    results: Mapping[RunResult, int] = field(default_factory=dict)
    failures: Mapping[Condition, int] = field(default_factory=dict)
    """Runs that brought no answer, by what was the matter."""
    counts: RunCounts = field(default_factory=RunCounts)
    requests: int = 0
    duration_s: float = 0.0
    """Of all runs together."""
    duration_max_s: float = 0.0


def added(tallies: Iterable[Tally]) -> Tally:
    """Return several tallies as one."""
    results: dict[RunResult, int] = {}
    failures: dict[Condition, int] = {}
    found = list(tallies)
    for each in found:
        for result, many in each.results.items():
            results[result] = results.get(result, 0) + many
        for condition, many in each.failures.items():
            failures[condition] = failures.get(condition, 0) + many
    counts = [each.counts for each in found]
    return Tally(
        runs=sum(each.runs for each in found),
        results=results,
        failures=failures,
        counts=RunCounts(
            new=sum(each.new for each in counts),
            updated=sum(each.updated for each in counts),
            removed=sum(each.removed for each in counts),
            unchanged=sum(each.unchanged for each in counts),
            problems=sum(each.problems for each in counts),
        ),
        requests=sum(each.requests for each in found),
        duration_s=sum(each.duration_s for each in found),
        duration_max_s=max((each.duration_max_s for each in found), default=0.0),
    )


@dataclass(frozen=True, slots=True)
class CallsScore:
    """How often a bank was asked lately, and what is left of its unattended accesses."""

    attended: int
    unattended: int
    budget: Budget


@dataclass(frozen=True, slots=True)
class ConnectionScore:
    """One link, counted."""

    connection_id: ConnectionId
    bank: str
    condition: Condition
    paused: bool
    tally: Tally
    last_run_at: datetime | None
    last_success_at: datetime | None
    failures_in_a_row: int
    breaker: Breaker | None
    calls: CallsScore
    data_problems: int
    """Rows and accounts whose data could not be kept as it came, or looks wrong."""
    duplicates: int
    """Pairs of rows that may be one operation and wait for the person."""
    proofs_broken: int
    holes: int


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A sync that is wanted, or under way."""

    connection_id: ConnectionId
    bank: str
    kind: SyncKind
    trigger: Trigger
    put_at: datetime
    not_before: datetime
    attempts: int
    running: bool


@dataclass(frozen=True, slots=True)
class ProofScore:
    """The balance proofs of all accounts: how many come out or do not, and those that do not."""

    checked: int
    broken: tuple[AccountProof, ...]


@dataclass(frozen=True, slots=True)
class OpenHole:
    """Days of an account that no answer covers."""

    account_id: AccountId
    connection_id: ConnectionId
    account_name: str
    bank: str
    from_day: date
    to_day: date
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """Findings of one kind about one bank's data."""

    connection_id: ConnectionId
    bank: str
    kind: str
    many: int
    seen_at: datetime
    """The newest of them."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Everything that is counted, at one instant."""

    as_of: datetime
    since: datetime
    """Runs and events are counted from here on."""
    connections: tuple[ConnectionScore, ...]
    queue: tuple[QueuedJob, ...]
    """Running first, then in the order of their time."""
    findings: tuple[Finding, ...]
    proofs: ProofScore
    holes: tuple[OpenHole, ...]
    suggestions: Mapping[ConnectionId, int]
    """Pairs that wait for the person, by connection."""
    hosts: Mapping[str, Breaker]
    """Breakers of the aggregators' hosts."""
    requests_last_minute: int
    requests_last_hour: int
    token_renewals: int
    token_renewed_at: datetime | None

    @property
    def overall(self) -> Tally:
        """Return the runs of all links together."""
        return added(each.tally for each in self.connections)
