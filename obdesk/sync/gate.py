"""Between the engine and others: who may be asked now, and what an answer says about asking again.

The rules are in `policy`; here they meet what is stored. A breaker that is open costs no request; a call
at a bank is in the ledger before it is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import Trigger
from obdesk.domain.limits import Breaker, BreakerState
from obdesk.domain.outcomes import ActionNeeded, Fetched, RetryLater
from obdesk.storage.queries import mailbox
from obdesk.storage.queries.limits import breakers_of, limits
from obdesk.storage.writes import breakers, calls, connections
from obdesk.storage.writes.events import add_event
from obdesk.sync import policy

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from obdesk.domain.clock import Clock
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.outcomes import Failure
    from obdesk.domain.remote import RemoteConnection
    from obdesk.providers.base import Provider
    from obdesk.storage.store import Store
    from obdesk.storage.tx import Tx

BEHIND_PROBE_S = 300.0
"""Whoever waits for another's try comes within this time after it."""
_MISSED_TURNS = timedelta(minutes=15)
"""An outage shorter than this sends nobody to the back of a queue."""
_PRESENT = frozenset({Trigger.PERSON, Trigger.LINK})
"""The person waits for the answer."""


@dataclass(frozen=True, slots=True)
class Held:
    """Nothing was asked: what is told instead, and when it is tried by itself."""

    failure: Failure
    again_at: datetime | None


class Gate:
    """What every request of a sync has to pass."""

    def __init__(self, store: Store, provider: Provider, clock: Clock, rng: Random) -> None:
        self._store = store
        self._provider = provider
        self._clock = clock
        self._rng = rng

    @property
    def host(self) -> str:
        """Return the subject of the breaker that stands for the provider as a whole."""
        return f"host:{self._provider.host}"

    async def admit(self, connection_id: ConnectionId, trigger: Trigger) -> Held | None:
        """Return why a connection is not asked now, or None when it may be."""
        now, attended = self._clock.now(), trigger in _PRESENT
        subjects = (self.host, link_subject(connection_id))
        found = await self._store.read(limits, connection_id, subjects)
        if (
            not attended
            and found.condition is Condition.COMING_BACK
            and policy.lies_ahead(found.retry_at, now)
        ):
            return Held(RetryLater(Condition.COMING_BACK), found.retry_at)
        verdicts = {
            subject: policy.admit(found.breakers[subject], now, attended=attended)
            for subject in subjects
            if subject in found.breakers
        }
        for subject, verdict in verdicts.items():
            if not verdict.may_ask:
                return self._held(found.breakers[subject])
        probes = [subject for subject, verdict in verdicts.items() if verdict.is_probe]
        if not probes:
            return None
        # The host goes first: whether a connection is worth a try shows only when its host answers.
        link = None if probes[0] == self.host else connection_id
        if not await self._store.write(lambda tx: self._begin_probe(tx, probes[0], link)):
            return self._held(found.breakers[probes[0]])  # another try is out by now
        if link is not None or attended:
            return None
        return await self._probe_host(connection_id, trigger)

    async def admit_listing(self, *, attended: bool) -> Failure | None:
        """Return why the provider is not asked for its links now, or None when it may be."""
        now = self._clock.now()

        def ask(tx: Tx) -> Failure | None:
            breaker = breakers.breaker(tx, self.host)
            verdict = policy.admit(breaker, now, attended=attended)
            if not verdict.may_ask:
                return self._held(breaker).failure
            if verdict.is_probe:
                self._keep(tx, breaker, verdict.breaker, None)
            return None

        return await self._store.write(ask) if await self._is_troubled() else None

    async def links(self, *, has_links: bool) -> Fetched[tuple[RemoteConnection, ...]] | Failure:
        """Ask for the list of links: a fault there is of the provider as a whole, of no one bank's."""
        listed = await self._provider.connections(has_links=has_links)
        if isinstance(listed, RetryLater) and listed.condition is Condition.PROVIDER_FAULT:
            return replace(listed, condition=Condition.PROVIDER_DOWN)
        return listed

    async def listed(self, failure: Failure | None, renewals: int = 0) -> None:
        """Keep what the answer to a list of links says about the provider."""
        if failure is None and not renewals and not await self._is_troubled():
            return
        if failure is not None:
            await self.heeded(failure)
        await self._store.write(lambda tx: self.judge_host(tx, failure, renewals))

    async def heeded(self, failure: Failure) -> Failure:
        """Return why there is no list of links, once it is kept if we were told how long to wait for one.

        Every sync begins with that list, so then no connection is asked about.
        """
        if not isinstance(failure, RetryLater) or failure.after_s is None:
            return failure
        condition, after_s, now = failure.condition, failure.after_s, self._clock.now()

        def wait(tx: Tx) -> None:
            before = breakers.breaker(tx, self.host)
            self._keep(tx, before, policy.told_to_wait(before, condition, now, after_s), None)

        await self._store.write(wait)
        return failure

    async def _is_troubled(self) -> bool:
        return bool(await self._store.read(breakers_of, (self.host,)))

    async def _probe_host(self, connection_id: ConnectionId, trigger: Trigger) -> Held | None:
        """Ask one small question; after a long outage each sync then waits for its turn."""
        listed = await self.links(has_links=True)
        failure = None if isinstance(listed, Fetched) else listed
        await self.listed(failure)
        if failure is None:
            return await self.admit(connection_id, trigger)
        again = policy.retry_at(self._clock.now(), failure.condition, policy.FAST_TRIES, None, self._rng)
        return Held(failure, again)

    def _begin_probe(self, tx: Tx, subject: str, link: ConnectionId | None) -> bool:
        stored = breakers.breaker(tx, subject)
        verdict = policy.admit(stored, self._clock.now(), attended=False)
        self._keep(tx, stored, verdict.breaker, link)
        return verdict.may_ask

    def _held(self, breaker: Breaker) -> Held:
        if breaker.probe_at is None:
            return Held(ActionNeeded(breaker.reason), None)
        behind = timedelta(seconds=self._rng.uniform(0, BEHIND_PROBE_S))
        wait_s = max(0.0, (breaker.probe_at - self._clock.now()).total_seconds())
        return Held(RetryLater(breaker.reason, wait_s), breaker.probe_at + behind)

    def judge(self, tx: Tx, connection_id: ConnectionId, failure: Failure | None, renewals: int) -> ChangeSet:
        """Keep, with the end of a sync, what it says about host and connection; None is a success."""
        change = self.judge_host(tx, failure, renewals)
        before = breakers.breaker(tx, link_subject(connection_id))
        sign = policy.Sign.FINE if failure is None else policy.sign_of_connection(failure.condition)
        after = self._after(before, sign, failure)
        after_s = policy.told_wait_s(failure)
        # Told for the list of links it holds for all, and is kept with the host.
        if after_s is not None and breakers.breaker(tx, self.host).state is not BreakerState.OPEN:
            after = policy.told_to_wait(after, Condition.PROVIDER_BUSY, self._clock.now(), after_s)
        self._keep(tx, before, after, connection_id)
        return change

    def judge_host(self, tx: Tx, failure: Failure | None, renewals: int) -> ChangeSet:
        """Keep what an answer says about the provider; return whose turn changed with it.

        `renewals` counts the tokens that had to be renewed on the way to it.
        """
        if renewals:
            add_event(tx, self._clock.now(), "token_renewed", None, "refused")
        before = breakers.breaker(tx, self.host)
        sign = policy.Sign.FINE if failure is None else policy.sign_of_host(failure.condition)
        after = self._after(before, sign, failure)
        self._keep(tx, before, after, None)
        if before.state is BreakerState.CLOSED or after.state is not BreakerState.CLOSED:
            return ChangeSet()
        return self._come_back(tx, before)

    def _after(self, before: Breaker, sign: policy.Sign, failure: Failure | None) -> Breaker:
        now = self._clock.now()
        if sign is policy.Sign.FINE:
            return policy.after_success(before)
        if sign is policy.Sign.NOTHING or failure is None:
            return policy.after_nothing(before, now, self._rng)
        after_s = failure.after_s if isinstance(failure, RetryLater) else None
        return policy.after_failure(before, failure.condition, now, after_s, self._rng)

    def _come_back(self, tx: Tx, was: Breaker) -> ChangeSet:
        """Let those who waited for the provider come again: at once, or each in its turn."""
        now = self._clock.now()
        if was.reason is Condition.PROVIDER_REFUSES:
            connections.forgive(tx)
            return ChangeSet.many(Kind.CONNECTIONS)
        away = now - (was.since or now)
        if away < _MISSED_TURNS:
            return ChangeSet()
        waiting = connections.waiting(tx, self._provider.name)
        for link in waiting:
            turn = now + timedelta(seconds=policy.comeback_s(away, self._rng))
            connections.come_back(tx, link, turn)
        return ChangeSet.of(Kind.CONNECTIONS, waiting)

    def _keep(self, tx: Tx, before: Breaker, after: Breaker, link: ConnectionId | None) -> None:
        if before == after:
            return
        breakers.keep(tx, after)
        if before.state is not after.state:
            reason = before.reason if after.state is BreakerState.CLOSED else after.reason
            add_event(tx, self._clock.now(), f"breaker_{after.state.value}", link, reason.value)

    async def spend(
        self, connection_id: ConnectionId, remote: RemoteConnection, trigger: Trigger, *, wanted: bool
    ) -> bool:
        """Tell whether the bank is asked now; when it is, that is in the ledger already.

        Time is the provider's where it told us: a clock that was set forward gives no new budget.
        """
        now = self._clock.now() + self._provider.clock_behind
        if not policy.may_ask_bank(remote.condition, remote.consent_expires_at, trigger, now):
            return False

        def ask(tx: Tx) -> bool:
            made = calls.recent(tx, connection_id, now)
            wants = wanted or policy.wants_bank(remote.data_as_of, made, trigger, now)
            if not wants or not policy.has_budget(made, trigger, now, mailbox.sharing(tx.connection)):
                return False
            calls.spend(tx, connection_id, now, attended=trigger is Trigger.PERSON)
            return True

        if not wanted and not policy.wants_bank(remote.data_as_of, [], trigger, now):
            return False  # the usual case writes nothing
        return await self._store.write(ask)


def link_subject(connection_id: ConnectionId) -> str:
    """Return the subject of a connection's breaker."""
    return f"connection:{connection_id}"
