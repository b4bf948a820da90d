"""What goes on by itself while the program is open: the schedule, and noticing other processes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from obdesk.app.events import Changed
from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.entities import Trigger
from obdesk.scheduler.jobs import Ticker
from obdesk.storage.queries import connections

if TYPE_CHECKING:
    from obdesk.app.bus import Bus
    from obdesk.app.erasures import Erasures
    from obdesk.app.scopes import Scope
    from obdesk.app.syncs import Syncs
    from obdesk.storage.store import Store

log = logging.getLogger(__name__)


class Background:
    """Syncs what is due: at the start, then as the clock says. Paused, it only watches."""

    def __init__(self, store: Store, syncs: Syncs, erasures: Erasures, bus: Bus, scope: Scope) -> None:
        self._store = store
        self._syncs = syncs
        self._erasures = erasures
        self._bus = bus
        self._scope = scope
        self._ticker = Ticker(self._tick)
        self._seen_version: int | None = None

    def start(self) -> None:
        """Sync what is due now, and tick from now on."""
        self._scope.spawn("start", self._due(Trigger.START))
        self._ticker.start()

    def close(self) -> None:
        """Take nothing new in; what runs is its scope's to end."""
        self._ticker.close()

    def _tick(self) -> None:
        self._scope.spawn("schedule", self._due(Trigger.SCHEDULE))

    async def _due(self, trigger: Trigger) -> None:
        await self._notice_others()
        await self._erasures.settle()  # a pause is about reading banks; who removed one wants it gone
        if await self._store.read(connections.setting, "sync.paused") == "on" or self._syncs.running:
            return
        if await self._store.read(connections.setting, "powens.api_url"):
            await self._syncs.sync_due(trigger)

    async def _notice_others(self) -> None:
        """Tell the screens to read again when the file was written since the last look.

        Another process (the command line) may have synced; reading again after our own writes is
        harmless.
        """
        version = await self._store.read(connections.data_version)
        if self._seen_version not in {None, version}:
            change = ChangeSet()
            for kind in Kind:
                change = change.merge(ChangeSet.many(kind))
            self._bus.publish(Changed(change))
        self._seen_version = version
