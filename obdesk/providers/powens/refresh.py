"""Asking the bank now, and telling when it has answered.

The call is meant to end when the bank has been read, but it may also say that a sync is already running or
that the last one is too recent (409, or a connection wrapped beside a message; the two are not told apart),
ask for the person (202), or be cut off by a gateway while the bank is still being read. In all these cases
the connection itself is watched: a newer `last_update` or a new state is the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obdesk.domain.conditions import Condition
from obdesk.domain.outcomes import Fetched, RetryLater
from obdesk.providers.powens.errors import TIMEOUT_CODE
from obdesk.providers.powens.wire import Reader, WrappedConnectionWire

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from obdesk.domain.clock import Clock
    from obdesk.domain.outcomes import Outcome
    from obdesk.domain.remote import RemoteConnection
    from obdesk.providers.powens.errors import Reply

POLL_MIN_S, POLL_MAX_S = 2.0, 5.0
MOMENT_S = 5.0
WATCH_DONE_S = 10.0
"""After an answer that says done: the new date is usually there at once."""
WATCH_CONFLICT_S = 30.0
"""After a conflict: a running sync has time to end, a too recent one costs no long wait."""
WATCH_RUNNING_S = 180.0
"""While the bank is known to be at work."""

_WRAPPED = Reader(WrappedConnectionWire)
_AT_REST = frozenset({Condition.OK, Condition.NEVER_SYNCED, Condition.STUCK})


@dataclass(frozen=True, slots=True)
class Refresh:
    """One forced sync; `read` reads the connection and `ask` sends the request that is never repeated."""

    read: Callable[[], Awaitable[Outcome[RemoteConnection]]]
    ask: Callable[[], Awaitable[Reply]]
    clock: Clock
    rng: random.Random
    sleep: Callable[[float], Awaitable[None]]

    async def run(self) -> Outcome[RemoteConnection]:
        """Return the connection after the sync, or as it is when it has not ended in time."""
        before = await self.read()
        if not isinstance(before, Fetched):
            return before
        reply = await self.ask()
        if reply.failure and not (_is_conflict(reply) or _is_cut_off(reply)):
            return reply.failure
        has_ended = reply.failure is None and not _is_wrapped(reply)
        return await self._watch(before.value, has_ended=has_ended, watch_s=_watch_s(reply))

    async def _watch(
        self, before: RemoteConnection, *, has_ended: bool, watch_s: float
    ) -> Outcome[RemoteConnection]:
        until_s = self.clock.monotonic_s() + watch_s
        while True:
            now = await self.read()
            if not isinstance(now, Fetched) or _has_settled(now.value, before, has_ended=has_ended):
                return now
            if has_ended and self._is_of_this_moment(now.value):
                return now
            if self.clock.monotonic_s() >= until_s:
                return now
            await self.sleep(self.rng.uniform(POLL_MIN_S, POLL_MAX_S))

    def _is_of_this_moment(self, now: RemoteConnection) -> bool:
        """Tell whether the bank was read just now: a date in whole seconds need not move again."""
        if now.condition is not Condition.OK or now.data_as_of is None:
            return False
        return abs((self.clock.now() - now.data_as_of).total_seconds()) <= MOMENT_S


def _has_settled(now: RemoteConnection, before: RemoteConnection, *, has_ended: bool) -> bool:
    """Tell whether the bank has been read, or asks for something it did not ask for before."""
    if now.condition is Condition.VALIDATING:
        return False
    if now.data_as_of != before.data_as_of:
        return True
    if now.condition in _AT_REST:
        return False
    return has_ended or now.condition is not before.condition


def _is_conflict(reply: Reply) -> bool:
    return reply.status == 409 and isinstance(reply.failure, RetryLater)


def _is_cut_off(reply: Reply) -> bool:
    failure = reply.failure
    return reply.status == 504 or (isinstance(failure, RetryLater) and failure.provider_code == TIMEOUT_CODE)


def _is_wrapped(reply: Reply) -> bool:
    row = _WRAPPED.read(reply.body)
    return row is not None and len(row.value.connection) > 0


def _watch_s(reply: Reply) -> float:
    if reply.status == 409 or _is_wrapped(reply):
        return WATCH_CONFLICT_S
    return WATCH_DONE_S if reply.status == 200 else WATCH_RUNNING_S
