"""Syncing many connections: a few at once, each by itself, told step by step on the bus."""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from obdesk.app.events import ActionNeeded, Changed, SyncEnded, SyncProgress, SyncStarted
from obdesk.app.linking import provider_failed
from obdesk.app.locks import SyncHeldError, sync_lock
from obdesk.app.reads import interval_of
from obdesk.app.scopes import Shared, gathered
from obdesk.domain.conditions import needs_you
from obdesk.storage.queries import connections
from obdesk.sync.engine import Engine

if TYPE_CHECKING:
    import random
    from collections.abc import Coroutine, Iterator, Sequence

    from obdesk.app.bus import Bus
    from obdesk.app.profile import Profile
    from obdesk.app.provider import Providers
    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.clock import Clock
    from obdesk.domain.entities import Trigger
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.syncing import Step, SyncOutcome
    from obdesk.storage.engine import Connection
    from obdesk.storage.store import Store

log = logging.getLogger(__name__)
AT_ONCE_MAX = 3


class Syncs:
    """Runs syncs of one profile; one process at a time, one run per connection at a time."""

    def __init__(
        self,
        profile: Profile,
        store: Store,
        providers: Providers,
        bus: Bus,
        clock: Clock,
        rng: random.Random,
        who: str,
    ) -> None:
        self._profile = profile
        self._store = store
        self._providers = providers
        self._bus = bus
        self._clock = clock
        self._rng = rng
        self._who = who
        self._shared = Shared()
        self._holders = 0
        self._lock: ExitStack | None = None

    @property
    def running(self) -> bool:
        """Tell whether this process syncs at the moment."""
        return self._holders > 0

    async def sync(
        self, wanted: Sequence[ConnectionId] | None, *, trigger: Trigger, refresh_at_bank: bool
    ) -> tuple[SyncOutcome, ...]:
        """Sync some or all connections; raises SyncHeldError when another process does."""
        with self._held():
            engine = Engine(self._store, await self._providers.get(), self._clock, self._rng)
            found = await engine.discover()
            if isinstance(found, tuple):
                self._tell(found[1])
            targets = tuple(wanted) if wanted is not None else await self._store.read(_live)
            if not targets and not isinstance(found, tuple):
                # Nothing is known here and nobody could be asked: that is not the same as "nothing linked".
                raise provider_failed(found)

            async def one(connection_id: ConnectionId) -> SyncOutcome | None:
                try:
                    return await self._folded(engine, connection_id, trigger, refresh_at_bank=refresh_at_bank)
                except LookupError:
                    # Erased while it waited its turn: nobody asked for this one by name, the others go on.
                    if wanted is not None:
                        raise
                    return None

            outcomes = await gathered([partial(one, each) for each in targets], at_once_max=AT_ONCE_MAX)
            return tuple(outcome for outcome in outcomes if outcome is not None)

    async def sync_due(self, trigger: Trigger) -> tuple[SyncOutcome, ...]:
        """Sync what is due by schedule; when another process syncs there is nothing to do."""
        due = await self._store.read(_due, self._clock)
        if not due:
            return ()
        try:
            return await self.sync(due, trigger=trigger, refresh_at_bank=False)
        except SyncHeldError:
            log.info("another process syncs this profile; nothing to do")
            return ()

    async def _folded(
        self, engine: Engine, connection_id: ConnectionId, trigger: Trigger, *, refresh_at_bank: bool
    ) -> SyncOutcome:
        """Join a running sync of the same link that does as much; a refresh waits for one that does less."""
        refreshing, reading = (connection_id, True), (connection_id, False)

        def work() -> Coroutine[Any, Any, SyncOutcome]:
            return self._one(engine, connection_id, trigger, refresh_at_bank=refresh_at_bank)

        if self._shared.running(refreshing) or not refresh_at_bank:
            return await self._shared.once(refreshing if self._shared.running(refreshing) else reading, work)
        if self._shared.running(reading):
            await self._shared.once(reading, work)
        return await self._shared.once(refreshing, work)

    async def _one(
        self, engine: Engine, connection_id: ConnectionId, trigger: Trigger, *, refresh_at_bank: bool
    ) -> SyncOutcome:
        before = await self._store.read(connections.condition_of, connection_id)
        self._bus.publish(SyncStarted(connection_id, trigger, self._clock.now()))
        outcome, changes = await engine.sync(
            connection_id,
            trigger,
            refresh_at_bank=refresh_at_bank,
            progress=self._progress(connection_id),
        )
        self._tell(changes)
        self._bus.publish(SyncEnded(outcome))
        if needs_you(outcome.condition) and outcome.condition is not before:
            self._bus.publish(ActionNeeded(connection_id, outcome.condition))
        return outcome

    def _progress(self, connection_id: ConnectionId) -> _Progress:
        return _Progress(asyncio.get_running_loop(), self._bus, connection_id)

    def _tell(self, changes: ChangeSet) -> None:
        if changes:
            self._bus.publish(Changed(changes))

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the profile's lock while at least one sync of this process runs."""
        if self._holders == 0:
            self._lock = ExitStack()
            self._lock.enter_context(sync_lock(self._profile.sync_lock, self._clock, self._who))
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            if self._holders == 0 and self._lock is not None:
                self._lock.close()
                self._lock = None


class _Progress:
    """Tells steps on the bus in the loop's thread, whichever thread they are reached in."""

    def __init__(self, loop: asyncio.AbstractEventLoop, bus: Bus, connection_id: ConnectionId) -> None:
        self._loop = loop
        self._bus = bus
        self._connection_id = connection_id

    def __call__(self, step: Step, done: int, total: int | None) -> None:
        event = SyncProgress(self._connection_id, step, done, total)
        self._loop.call_soon_threadsafe(self._bus.publish, event)


def _live(opened: Connection) -> tuple[ConnectionId, ...]:
    return connections.live_ids(opened)


def _due(opened: Connection, clock: Clock) -> tuple[ConnectionId, ...]:
    return connections.due(opened, clock.now(), interval_of(opened))
