"""Erasing removed links at the aggregator: a wish that is kept until it has come true."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from obdesk.app.events import Changed
from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.errors import ObdeskError
from obdesk.domain.outcomes import Fetched
from obdesk.storage.queries import erasures as reads
from obdesk.storage.writes import erasures as writes
from obdesk.sync.erasing import next_try

if TYPE_CHECKING:
    import random

    from obdesk.app.bus import Bus
    from obdesk.app.provider import Providers
    from obdesk.domain.clock import Clock
    from obdesk.domain.erasures import PendingErasure
    from obdesk.storage.store import Store

log = logging.getLogger(__name__)


class Erasures:
    """Asks the aggregator to erase what the person removed, as often as it takes."""

    def __init__(
        self, store: Store, providers: Providers, bus: Bus, clock: Clock, rng: random.Random
    ) -> None:
        self._store = store
        self._providers = providers
        self._bus = bus
        self._clock = clock
        self._rng = rng
        self._settling = asyncio.Lock()

    async def settle(self) -> None:
        """Try what is due; a failure is written down with the next try and never raised."""
        async with self._settling:
            now = self._clock.now()
            for each in await self._store.read(reads.pending):
                if each.next_try_at <= now:
                    await self._try(each)

    async def _try(self, each: PendingErasure) -> None:
        # The next try is written down first: where that is impossible nobody is asked again and again.
        again = next_try(self._clock.now(), each.attempts, None, self._rng)
        await self._store.write(lambda tx: writes.postpone(tx, each.id, again))
        try:
            answer = await (await self._providers.get()).unlink(each.provider_id)
        except ObdeskError as error:  # no aggregator is set up, or its secret cannot be read
            log.info("an erasure waits: %s", type(error).__name__)
            self._tell()
            return
        if isinstance(answer, Fetched):  # a link that is not there any more is one as well
            await self._store.write(lambda tx: writes.done(tx, each.id))
        else:
            log.info("an erasure waits: %s", answer.condition.value)
            again = next_try(self._clock.now(), each.attempts, answer, self._rng)
            await self._store.write(lambda tx: writes.wait(tx, each.id, again))
        self._tell()

    def _tell(self) -> None:
        self._bus.publish(Changed(ChangeSet.many(Kind.CONNECTIONS)))
