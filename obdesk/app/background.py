"""What goes on by itself while the program is open: the schedule, and noticing other processes."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from obdesk.app.events import Changed
from obdesk.app.settings import stored, time_of
from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.entities import Trigger
from obdesk.scheduler import moments
from obdesk.scheduler.jobs import Ticker
from obdesk.storage.queries import connections

if TYPE_CHECKING:
    from datetime import time
    from random import Random

    from obdesk.app.backups import Backups
    from obdesk.app.bus import Bus
    from obdesk.app.erasures import Erasures
    from obdesk.app.mailbox import Mailbox
    from obdesk.app.scopes import Scope
    from obdesk.app.surroundings import Surroundings
    from obdesk.app.syncs import Syncs
    from obdesk.app.upkeep import Upkeep
    from obdesk.domain.clock import Clock
    from obdesk.storage.engine import Connection
    from obdesk.storage.store import Store

log = logging.getLogger(__name__)
SPREAD_S = 300.0
"""Within this time after it is due each bank has its turn, by chance: not all of them at one moment."""
SETTLE_S = 0.06
"""After the first hint; an aggregator posts several events about one thing, which are read for once."""


class _Wishes(NamedTuple):
    """What the person wants of the schedule, and whether there is somebody to ask."""

    paused: bool
    is_set_up: bool
    quiet_from: time | None
    quiet_to: time | None
    spares: bool


class Background:
    """Syncs what is due: at the start, then as the clock says. Paused, it only watches."""

    def __init__(
        self,
        store: Store,
        syncs: Syncs,
        erasures: Erasures,
        upkeep: Upkeep,
        backups: Backups,
        mailbox: Mailbox,
        bus: Bus,
        scope: Scope,
        clock: Clock,
        rng: Random,
        surroundings: Surroundings,
    ) -> None:
        self._store = store
        self._syncs = syncs
        self._erasures = erasures
        self._upkeep = upkeep
        self._backups = backups
        self._mailbox = mailbox
        self._bus = bus
        self._scope = scope
        self._clock = clock
        self._surroundings = surroundings
        self._moments = moments.Moments(rng)
        self._ticker = Ticker(self._tick)
        self._seen_version: int | None = None

    def start(self) -> None:
        """Sync what is due now, tick from now on, and hear what the relay has."""
        self._scope.spawn("start", self._due(Trigger.START))
        self._surroundings.listen(self._look_around)
        self._ticker.start()
        self._mailbox.start(self._hinted)

    async def close(self) -> None:
        """Take nothing new in; what runs is its scope's to end."""
        self._ticker.close()
        await self._mailbox.close()

    def _tick(self) -> None:
        self._look_around()
        self._scope.spawn("schedule", self._due(Trigger.SCHEDULE))
        self._scope.spawn("backup", self._backups.look())

    def _look_around(self) -> None:
        if self._moments.network(self._clock.monotonic_s(), online=self._surroundings.online()):
            self._scope.spawn("network", self._syncs.hasten_offline())
            self._mailbox.wake()

    def _hinted(self) -> None:
        self._scope.spawn("hinted", self._follow_hints())

    async def _follow_hints(self) -> None:
        """Read at once what the relay had hints about, where that may be done now."""
        await asyncio.sleep(SETTLE_S)
        wishes = await self._store.read(_wishes)
        if wishes.is_set_up and not wishes.paused:
            allows, looks = await self._allowed(wishes)
            await self._syncs.sync_hinted(looks=looks, allows=allows)

    async def _due(self, trigger: Trigger) -> None:
        await self._notice_others()
        await self._erasures.settle()  # a pause is about reading banks; who removed one wants it gone
        await self._upkeep.watch()
        wishes = await self._store.read(_wishes)
        is_good = self._moments.tick(self._clock.now(), self._clock.monotonic_s())
        if not wishes.is_set_up or wishes.paused or self._syncs.running:
            return
        if is_good or trigger is Trigger.START:  # who starts the program wants to see what is new
            spread_s = 0.0 if trigger is Trigger.START else SPREAD_S
            allows, looks = await self._allowed(wishes)
            await self._syncs.sync_due(trigger, spread_s=spread_s, allows=allows, looks=looks)
            await self._syncs.sync_hinted(looks=looks, allows=allows)
            await self._upkeep.rotate()

    async def _allowed(self, wishes: _Wishes) -> tuple[moments.Allows, bool]:
        """Return what says whether a job may be done now, and whether new links may be looked for."""
        now = self._clock.now()
        quiet = moments.is_quiet(now.astimezone().time(), wishes.quiet_from, wishes.quiet_to)
        scarce = wishes.spares and moments.is_scarce(
            metered=await asyncio.to_thread(self._surroundings.metered),
            battery_percent=await asyncio.to_thread(self._surroundings.battery_percent),
        )
        allows = partial(moments.may_read, now=now, quiet=quiet, scarce=scarce)
        return allows, not quiet and not scarce

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


def _wishes(opened: Connection) -> _Wishes:
    def value(key: str) -> str:
        return stored(key, connections.setting(opened, key))

    return _Wishes(
        paused=value("sync.paused") == "on",
        is_set_up=bool(value("powens.api_url")),
        quiet_from=time_of(value("sync.quiet_from")),
        quiet_to=time_of(value("sync.quiet_to")),
        spares=value("sync.spare") == "on",
    )
