"""The composition root: opening a profile, and building the application around it.

Opening is split from starting on purpose. `open_profile` (blocking: keyring, key derivation) yields all
that a first paint reads; `App` brings the heavy parts (SQLAlchemy, httpx, APScheduler) and needs a
running loop. Whoever opened closes: `App.close` or `OpenProfile.close`, once.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple, Self

from obdesk.app.clock import SystemClock
from obdesk.storage.store import Store

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from obdesk.app.bus import Bus
    from obdesk.app.commands import AppCommands
    from obdesk.app.metrics import MetricsServer
    from obdesk.app.profile import Profile
    from obdesk.app.scopes import Scope
    from obdesk.app.surroundings import Surroundings
    from obdesk.domain.clock import Clock
    from obdesk.domain.glance import Glance
    from obdesk.secrets.tokens import TokenStore
    from obdesk.secrets.vault import OpenedVault

log = logging.getLogger(__name__)
GLANCE_ROWS = 60
QUIT_GRACE_S = 0.5
"""How long a sync may still take when the person quits; an open transaction ends in any case."""


class OpenProfile(NamedTuple):
    """An unlocked profile: its store and its tokens, before anything runs."""

    profile: Profile
    store: Store
    tokens: TokenStore | None
    """None: tokens live in the store itself."""

    def glance(self) -> Glance:
        """Return what a first frame draws, read in the caller's thread; nothing else is imported for it."""
        from obdesk.storage.queries.glance import glance

        return self.store.read_now(glance, GLANCE_ROWS)

    def close(self) -> None:
        """Close the database and drop the key."""
        self.store.close()


def open_profile(profile: Profile, *, ask_passphrase: Callable[[], str] | None = None) -> OpenProfile:
    """Unlock a profile, or make a new one where there is none. Blocks: never in the interface's thread.

    A new profile is locked by the OS keyring; where there is none, or where OBDESK_PASSPHRASE_FILE is
    set, by a passphrase. Raises the errors of `obdesk.secrets` and `obdesk.storage`, all for a person.
    """
    from obdesk.app.unlocking import create_or_unlock
    from obdesk.secrets.hardening import process_hardening

    process_hardening()
    profile.prepare()
    vault = create_or_unlock(profile, ask_passphrase)
    return opened_with(profile, vault)


def opened_with(profile: Profile, vault: OpenedVault) -> OpenProfile:
    """Open the database of an unlocked vault."""
    return OpenProfile(profile, Store.open(profile.database, vault.data_key), vault.tokens)


class App:
    """The running application of one profile."""

    def __init__(
        self,
        opened: OpenProfile,
        *,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        who: str = "obdesk",
        surroundings: Surroundings | None = None,
    ) -> None:
        import random

        from obdesk.app.background import Background
        from obdesk.app.backups import Backups
        from obdesk.app.bus import Bus
        from obdesk.app.commands import AppCommands
        from obdesk.app.erasures import Erasures
        from obdesk.app.mailbox import Mailbox
        from obdesk.app.pairing import Pairings
        from obdesk.app.provider import Providers
        from obdesk.app.reads import StoreReads
        from obdesk.app.scopes import Scope
        from obdesk.app.surroundings import Unknown
        from obdesk.app.syncs import Syncs
        from obdesk.app.tokens import DatabaseTokens
        from obdesk.app.upkeep import Upkeep

        clock = clock or SystemClock()
        rng = rng or random.SystemRandom()
        self.profile = opened.profile
        self.clock = clock
        self.bus: Bus = Bus()
        self.reads = StoreReads(opened.store, clock)
        self.work: Scope = Scope("work", self._failed)
        """Tasks on behalf of the person and the schedule."""
        self._opened = opened
        self._metrics: MetricsServer | None = None
        tokens = opened.tokens or DatabaseTokens(opened.store)
        pairings = Pairings(opened.store, tokens, clock)
        self._providers = Providers(opened.store, tokens, clock, rng, pairings)
        self._syncs = Syncs(opened.profile, opened.store, self._providers, self.bus, clock, rng, who)
        erasures = Erasures(opened.store, self._providers, self.bus, clock, rng)
        self.commands: AppCommands = AppCommands(
            opened.store, self._providers, self._syncs, erasures, pairings, self.bus, clock, rng
        )
        upkeep = Upkeep(opened.store, self._providers, self.bus, clock)
        self._background = Background(
            opened.store,
            self._syncs,
            erasures,
            upkeep,
            Backups(opened.profile, opened.store, self.bus, clock, lambda: self.syncing),
            Mailbox(opened.profile, opened.store, pairings, self.bus, clock, rng, self._providers.user_code),
            self.bus,
            self.work,
            clock,
            rng,
            surroundings or Unknown(),
        )

    @property
    def syncing(self) -> bool:
        """Tell whether a sync of this process runs."""
        return self._syncs.running

    def start(self) -> None:
        """Begin the background work: what is due now, and the schedule."""
        self._background.start()
        self.work.spawn("place", self._look_at_place())
        self.work.spawn("metrics", self._offer_metrics())

    async def _look_at_place(self) -> None:
        """Tell where other computers get at the file; folders are slow to look at where that is so."""
        import asyncio

        warning = await asyncio.to_thread(self._opened.store.place_warning)
        if warning is not None:
            from obdesk.app.events import Problem

            self.bus.publish(Problem(warning))

    async def _offer_metrics(self) -> None:
        """Listen for a monitor where the person asked for it; its library is not imported otherwise."""
        if await self.reads.setting("metrics.enabled") == "on":
            from obdesk.app.metrics import MetricsServer

            self._metrics = MetricsServer(self.reads)
            await self._metrics.start(int(await self.reads.setting("metrics.port")))

    async def close(self) -> None:
        """Quit in order: take nothing new, let a transaction finish, close the network, drop the key."""
        await self._background.close()
        if self._metrics is not None:
            self._metrics.close()
        await self.work.close(grace_s=QUIT_GRACE_S if self.syncing else 0.0)
        await self._syncs.close()
        await self._providers.aclose()
        self._opened.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def _failed(self, name: str, error: BaseException) -> None:
        """Tell the person of an error; where one was that is not meant for them, is logged as well."""
        from obdesk.app.events import Problem
        from obdesk.app.unforeseen import unforeseen
        from obdesk.domain.errors import ObdeskError

        if isinstance(error, ObdeskError):
            self.bus.publish(Problem(error))
        else:
            log.error("task %s failed: %s", name, type(error).__name__, exc_info=error)
            self.bus.publish(Problem(unforeseen(error)))
