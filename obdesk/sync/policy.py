"""When to ask, when to wait and for whom: a pure state machine over what happened and the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, assert_never

from obdesk.domain.conditions import Condition, freshness_of, mended_by_renewing
from obdesk.domain.entities import RunResult, SyncKind, Trigger
from obdesk.domain.freshness import DATA_FRESH_MAX, FreshnessState
from obdesk.domain.limits import (
    ALONE,
    KEPT_FOR_PERSON,
    UNATTENDED_MAX,
    BankCall,
    Breaker,
    BreakerState,
    Sharing,
    recent_unattended,
    share_of,
)
from obdesk.domain.outcomes import RetryLater

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from obdesk.domain.outcomes import Broken, Failure

INTERVAL = timedelta(hours=4)
FULL_EVERY = timedelta(days=7)
BACKOFF_FIRST_S = 120.0
SLOW_S = 3600.0
"""How often somebody who is down for long is tried; also the bound of the backoff before that."""
FAST_TRIES = 5
"""Failures in a row that are answered with backoff; after them the schedule is slow, but never silent."""
SLOWEST_S = 4 * 3600.0
RETRY_AFTER_MIN_S = 1.0
RETRY_AFTER_MAX_S = 24 * 3600.0
_READ_ON = frozenset({Condition.PROVIDER_BUSY, Condition.BANK_THROTTLES, Condition.BANK_DOWN})
OPENS_AFTER = 5
"""Failures in a row that open a breaker."""
PROBE_FIRST_S = 300.0
PROBE_LEASE = timedelta(minutes=10)
"""How long one try may be out; after that it counts as lost, as after a crash."""
SPACING = timedelta(hours=6)
"""Between two reads of a bank that nobody asked for, so that the day's few are spread over it."""
_SPREAD = (0.75, 1.25)
HINTED_MAX = ((30, timedelta(hours=1)), (120, timedelta(days=1)))
"""How often within a time one link is read because of hints; after that they wait: a relay may lie."""
LOOKS_MAX = 24
"""How often a day the list of links is asked for because of hints about links that nobody here knows."""
LOOK_PAUSE = timedelta(minutes=2)
"""Between the first two of such looks; it doubles with each of the last hour."""
_FAR = timedelta(seconds=RETRY_AFTER_MAX_S) + timedelta(hours=1)


class Reaction(Enum):
    """What the program does by itself about a condition."""

    GO_ON = "go_on"
    RETRY_SOON = "retry_soon"
    RETRY_SLOW = "retry_slow"
    WAIT_FOR_PERSON = "wait_for_person"
    STOP = "stop"


def reaction_to(condition: Condition) -> Reaction:
    """Return what is done about a condition; each has its way out, by time or by a person."""
    match condition:
        case Condition.OK | Condition.NEVER_SYNCED:
            return Reaction.GO_ON
        case (
            Condition.VALIDATING
            | Condition.BANK_DOWN
            | Condition.PROVIDER_FAULT
            | Condition.PROVIDER_DOWN
            | Condition.PROVIDER_BUSY
            | Condition.BAD_ANSWER
            | Condition.OFFLINE
            | Condition.COMING_BACK
        ):
            return Reaction.RETRY_SOON
        case Condition.BANK_THROTTLES | Condition.NOT_SUPPORTED | Condition.STUCK | Condition.UNKNOWN_STATE:
            return Reaction.RETRY_SLOW
        case (
            Condition.NEEDS_SCA
            | Condition.NEEDS_WEB_LOGIN
            | Condition.NEEDS_CODE
            | Condition.NEEDS_APP_APPROVAL
            | Condition.CONSENT_EXPIRED
            | Condition.WRONG_PASSWORD
            | Condition.PASSWORD_EXPIRED
            | Condition.ACTION_AT_BANK
            | Condition.PROVIDER_REFUSES
        ):
            return Reaction.WAIT_FOR_PERSON
        case Condition.GONE:
            return Reaction.STOP
        case _:
            assert_never(condition)


def wants_full(cursor: str | None, full_sync_at: datetime | None, now: datetime) -> bool:
    """Tell whether a sync must read everything: the first time, weekly, and when a clock was set back."""
    if cursor is None or full_sync_at is None:
        return True
    return not timedelta(0) <= now - full_sync_at < FULL_EVERY


def kind_of(cursor: str | None, full_sync_at: datetime | None, now: datetime) -> SyncKind:
    """Return how much a sync reads: what changed, all for the first time, or all of it to be compared."""
    if cursor is None:
        return SyncKind.FULL
    return SyncKind.RECONCILE if wants_full(cursor, full_sync_at, now) else SyncKind.DELTA


def retry_at(
    now: datetime, condition: Condition, failures: int, after_s: float | None, rng: Random
) -> datetime | None:
    """Return when a failed sync is tried again by itself; None where only a person can help.

    Full jitter over an exponential bound, a few times; then about once an hour. What the provider asks
    for is honoured, clamped to a day.
    """
    match reaction_to(condition):
        case Reaction.WAIT_FOR_PERSON | Reaction.STOP:
            return None
        case Reaction.RETRY_SOON | Reaction.GO_ON:
            own_s = _backoff_s(failures, rng)
        case Reaction.RETRY_SLOW:
            own_s = min(SLOWEST_S, SLOW_S * 2.0 ** min(failures, 10)) * rng.uniform(*_SPREAD)
        case never:
            assert_never(never)
    return now + timedelta(seconds=own_s if after_s is None else clamped_s(after_s))


def _backoff_s(failures: int, rng: Random) -> float:
    if failures >= FAST_TRIES:
        return SLOW_S * rng.uniform(*_SPREAD)
    return max(BACKOFF_FIRST_S / 2, rng.uniform(0, min(SLOW_S, BACKOFF_FIRST_S * 2.0**failures)))


def clamped_s(after_s: float) -> float:
    """Return a provider's wish between a second and a day."""
    return min(max(after_s, RETRY_AFTER_MIN_S), RETRY_AFTER_MAX_S)


def result_of(condition: Condition, *, changed: bool) -> RunResult:
    """Return how a sync that reached its end is told: by the state of the link, then by its rows."""
    match freshness_of(condition):
        case FreshnessState.NEEDS_YOU:
            return RunResult.ACTION_NEEDED
        case FreshnessState.DELAYED:
            return RunResult.RETRY_LATER
        case FreshnessState.BROKEN:
            return RunResult.BROKEN
        case _:
            return RunResult.UPDATED if changed else RunResult.UNCHANGED


class Sign(Enum):
    """What an answer says about somebody: fine, failing, or nothing."""

    FINE = "fine"
    FAILING = "failing"
    NOTHING = "nothing"


def sign_of_host(condition: Condition) -> Sign:
    """Return what the end of a sync says about the provider's host."""
    if condition is Condition.OFFLINE:
        return Sign.NOTHING
    failing = {Condition.PROVIDER_DOWN, Condition.PROVIDER_BUSY, Condition.PROVIDER_REFUSES}
    return Sign.FAILING if condition in failing else Sign.FINE


def sign_of_connection(condition: Condition) -> Sign:
    """Return what a failed sync says about the one connection it was of."""
    if condition is Condition.OFFLINE or sign_of_host(condition) is Sign.FAILING:
        return Sign.NOTHING
    return Sign.FAILING if reaction_to(condition) in {Reaction.RETRY_SOON, Reaction.RETRY_SLOW} else Sign.FINE


class Verdict(NamedTuple):
    """Whether somebody may be asked now, and how the breaker stands from now on."""

    may_ask: bool
    breaker: Breaker
    is_probe: bool = False


def admit(breaker: Breaker, now: datetime, *, attended: bool) -> Verdict:
    """Return whether somebody is asked now: always while closed, else one try when its time has come.

    A person who waits is a try at any time, unless we were told how long to wait.
    """
    if breaker.state is BreakerState.CLOSED:
        return Verdict(True, breaker)
    if breaker.probe_at is not None and not lies_ahead(breaker.probe_at, now):
        return Verdict(
            True, replace(breaker, state=BreakerState.HALF_OPEN, probe_at=now + PROBE_LEASE), is_probe=True
        )
    return Verdict(attended and breaker.reason is not Condition.PROVIDER_BUSY, breaker)


def lies_ahead(at: datetime | None, now: datetime) -> bool:
    """Tell whether a time is still to come; one further ahead than any wait is of a clock set back."""
    return at is not None and now < at <= now + _FAR


def told_to_wait(breaker: Breaker, condition: Condition, now: datetime, after_s: float) -> Breaker:
    """Return the breaker of somebody who said when to come again: until then nobody asks."""
    return replace(
        breaker,
        state=BreakerState.OPEN,
        since=breaker.since or now,
        reason=condition,
        probe_at=now + timedelta(seconds=clamped_s(after_s)),
    )


def told_wait_s(failure: Failure | None) -> float | None:
    """Return how long nobody may ask, not even a person, where a failure says so: we asked too often."""
    if isinstance(failure, RetryLater) and failure.condition is Condition.PROVIDER_BUSY:
        return failure.after_s
    return None


def reads_on(failure: RetryLater | Broken) -> bool:
    """Tell whether what the provider holds can be read although a refresh at the bank brought nothing new.

    Not where it said when to come again: that holds for every question about the connection.
    """
    told = isinstance(failure, RetryLater) and failure.after_s is not None
    return failure.condition in _READ_ON and not told


def after_failure(
    breaker: Breaker, condition: Condition, now: datetime, after_s: float | None, rng: Random
) -> Breaker:
    """Return the breaker after one more failure in a row."""
    failures, since = breaker.failures + 1, breaker.since or now
    failed = replace(breaker, failures=failures, since=since, reason=condition)
    if condition is Condition.PROVIDER_REFUSES:
        return replace(failed, state=BreakerState.OPEN, probe_at=None)
    match breaker.state:
        case BreakerState.CLOSED if failures < OPENS_AFTER:
            return failed
        case BreakerState.CLOSED | BreakerState.HALF_OPEN:
            trips = breaker.trips + 1
            wait_s = _probe_wait_s(trips, rng) if after_s is None else clamped_s(after_s)
            return replace(
                failed, state=BreakerState.OPEN, trips=trips, probe_at=now + timedelta(seconds=wait_s)
            )
        case BreakerState.OPEN:  # a person tried before its time, or an answer came late
            wished = None if after_s is None else now + timedelta(seconds=clamped_s(after_s))
            return replace(failed, probe_at=wished or breaker.probe_at or now)
        case never:
            assert_never(never)


def _probe_wait_s(trips: int, rng: Random) -> float:
    return min(SLOW_S, PROBE_FIRST_S * 2.0 ** min(trips - 1, 10)) * rng.uniform(*_SPREAD)


def after_nothing(breaker: Breaker, now: datetime, rng: Random) -> Breaker:
    """Return the breaker after a try that told nothing, such as one without a network."""
    if breaker.state is not BreakerState.HALF_OPEN:
        return breaker
    if breaker.failures < OPENS_AFTER:  # it had opened for a wait we were told, and that is over
        return replace(breaker, state=BreakerState.CLOSED, probe_at=None)
    wait = timedelta(seconds=_probe_wait_s(1, rng))
    return replace(breaker, state=BreakerState.OPEN, probe_at=now + wait)


def after_success(breaker: Breaker) -> Breaker:
    """Return the breaker after an answer: closed, with nothing held against anybody."""
    return replace(
        breaker,
        state=BreakerState.CLOSED,
        failures=0,
        trips=0,
        reason=Condition.OK,
        since=None,
        probe_at=None,
    )


def comeback_s(away: timedelta, rng: Random) -> float:
    """Return how long a sync waits once a provider answers again after an outage.

    Whoever missed a turn comes within about as long as the outage lasted, at most about one interval, so
    that all who come back together ask no more than all who never left.
    """
    return rng.uniform(0, _SPREAD[1] * min(max(away, timedelta(0)), INTERVAL).total_seconds())


def may_ask_bank(
    condition: Condition, consent_expires_at: datetime | None, trigger: Trigger, now: datetime
) -> bool:
    """Tell whether a bank may be asked in this condition at all: a retry locks no login and sends no code."""
    reaction = reaction_to(condition)
    if trigger is Trigger.PERSON:
        return not mended_by_renewing(condition)
    if reaction in {Reaction.WAIT_FOR_PERSON, Reaction.STOP} or condition is Condition.VALIDATING:
        return False
    return consent_expires_at is None or consent_expires_at > now


def has_budget(calls: list[BankCall], trigger: Trigger, now: datetime, sharing: Sharing = ALONE) -> bool:
    """Tell whether the bank may be read once more: a person always, nobody else more than a few times.

    Computers that look at the same user do not hear of each other's reads, so each has its share.
    """
    match trigger:
        case Trigger.PERSON:
            return True
        case Trigger.LINK:
            most = UNATTENDED_MAX
        case Trigger.START | Trigger.SCHEDULE | Trigger.RETRY | Trigger.WEBHOOK:
            most = UNATTENDED_MAX - KEPT_FOR_PERSON
        case _:
            assert_never(trigger)
    return len(recent_unattended(calls, now)) < share_of(most, sharing, now)


def hinted_at(reads: Sequence[datetime], now: datetime) -> datetime:
    """Return when a hint is followed: now, or once its link was not read too often because of hints.

    `reads` are those of the last day. One that seems to lie ahead was made before a clock was set back.
    """
    made = sorted(min(read, now) for read in reads)
    free = [
        made[-most] + window
        for most, window in HINTED_MAX
        if len([read for read in made if read > now - window]) >= most
    ]
    return max(free, default=now)


def look_at(looks: Sequence[datetime], now: datetime) -> datetime:
    """Return when the list of links is asked for (again) because of a hint about one that nobody knows.

    `looks` are those of the last day. The pause grows, because one that was not there will hardly be there
    a minute later, and a relay can invent any number of links.
    """
    made = sorted(min(look, now) for look in looks)
    if not made:
        return now
    lately = len([look for look in made if look > now - timedelta(hours=1)])
    rested = made[-1] + LOOK_PAUSE * 2.0 ** (lately - 1) if lately else now
    return rested if len(made) < LOOKS_MAX else max(rested, made[-LOOKS_MAX] + timedelta(days=1))


def wants_bank(data_as_of: datetime | None, calls: list[BankCall], trigger: Trigger, now: datetime) -> bool:
    """Tell whether a bank is to be read though nobody asked: its data is old, and the last such read is too.

    The aggregator reads most banks once a day by itself and wants to be asked for more only by people, so
    this happens only where its own read did not come.
    """
    if trigger in {Trigger.PERSON, Trigger.LINK} or data_as_of is None or now - data_as_of <= DATA_FRESH_MAX:
        return False
    return all(at <= now - SPACING for at in recent_unattended(calls, now))
