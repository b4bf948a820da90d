"""Watching consents: each is told of well before its end, so that renewing interrupts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.app.events import ConsentEnds
from obdesk.domain import consent
from obdesk.storage.queries.connections import consents
from obdesk.storage.queries.limits import was_told
from obdesk.storage.writes.calls import tell

if TYPE_CHECKING:
    from obdesk.app.bus import Bus
    from obdesk.domain.clock import Clock
    from obdesk.storage.store import Store
    from obdesk.storage.tx import Tx


class Consents:
    """Tells on the bus which consents end; each warning once, whatever crashes in between."""

    def __init__(self, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock

    async def watch(self) -> None:
        """Look at every consent; a day on which nothing is to be told writes nothing."""
        now = self._clock.now()
        for ending in await self._store.read(consents):
            warning = consent.reached(ending.expires_at, now)
            if warning is None:
                continue
            keys = consent.keys(ending, warning)
            if await self._store.read(was_told, keys[0]):
                continue

            def remember(tx: Tx, keys: list[str] = keys) -> bool:
                is_news = tell(tx, keys[0], now)
                for late in keys[1:]:
                    tell(tx, late, now)
                return is_news

            if await self._store.write(remember):
                left = consent.days_left(ending.expires_at, now)
                self._bus.publish(ConsentEnds(ending.connection_id, ending.bank, left))
