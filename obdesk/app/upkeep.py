"""What has to be looked after besides syncing: consents that end, and the token of the aggregator."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from obdesk.app.consents import Consents
from obdesk.domain.outcomes import Fetched
from obdesk.storage.writes.events import add_event

if TYPE_CHECKING:
    from obdesk.app.bus import Bus
    from obdesk.app.provider import Providers
    from obdesk.domain.clock import Clock
    from obdesk.storage.store import Store

log = logging.getLogger(__name__)
TOKEN_EVERY_S = 3_600.0
"""How often it is looked whether the token is old."""


class Upkeep:
    """Does what is due of it, each time it is asked; asked once a minute it mostly does nothing."""

    def __init__(self, store: Store, providers: Providers, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._providers = providers
        self._clock = clock
        self._consents = Consents(store, bus, clock)
        self._looked_s: float | None = None

    async def watch(self) -> None:
        """Tell of consents that end."""
        await self._consents.watch()

    async def rotate(self) -> None:
        """Exchange the token when its time has come, at most one try an hour."""
        now_s = self._clock.monotonic_s()
        if self._looked_s is not None and now_s - self._looked_s < TOKEN_EVERY_S:
            return
        self._looked_s = now_s
        rotated = await (await self._providers.get()).rotate_token()
        if not isinstance(rotated, Fetched):
            log.info("the token was not exchanged: %s", rotated.condition.value)
        elif rotated.value:
            now = self._clock.now()
            await self._store.write(lambda tx: add_event(tx, now, "token_renewed", None, "schedule"))
