"""The loop that looks into the relay's mailbox: one request that waits for news, again and again.

It decides nothing: what comes is handed to `sync.intake`, which keeps it in one transaction, and only then
the relay hears that it may forget it. When the relay does not answer, the schedule goes on as if there were
none, and nobody is told but who looks.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from obdesk.app.events import Changed, Problem
from obdesk.app.locks import alone
from obdesk.app.pairing import URL_KEY, CredentialsLostError, token_seen
from obdesk.app.scopes import Scope
from obdesk.app.settings import stored
from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.errors import ObdeskError
from obdesk.domain.mailbox import NOTED_EVERY, MailboxState, Trouble
from obdesk.secrets.errors import VaultProblem
from obdesk.storage.queries import connections
from obdesk.storage.queries import mailbox as reads
from obdesk.storage.writes import mailbox as writes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from random import Random

    from obdesk.app.bus import Bus
    from obdesk.app.events import Event
    from obdesk.app.pairing import Device, Pairings
    from obdesk.app.profile import Profile
    from obdesk.domain.clock import Clock
    from obdesk.relay.client import Failed, RelayClient
    from obdesk.relay.protocol import Page
    from obdesk.storage.engine import Connection
    from obdesk.storage.store import Store

log = logging.getLogger(__name__)
BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 300.0
HOPELESS_S = 3_600.0
"""How often somebody is asked who says that he does not know us: only a person mends that."""
ANNOUNCE_EVERY_S = 300.0
"""A relay that keeps losing its store is not given new tokens more often than this."""
PULLS_MAX, PULLS_WITHIN_S = 120, 60.0
"""A relay that answers at once, always, is not asked more often than this."""
BURST_S = 0.03
"""After news: what else the aggregator posts about it comes with one answer then."""
OTHERS_S = 60.0
"""How often it is looked whether the process that pulls is gone."""


class Step(Enum):
    """What became of one look into the mailbox."""

    NO_RELAY = "no_relay"
    QUIET = "quiet"
    NEWS = "news"
    """Something is to be followed."""
    AGAIN = "again"
    """The relay knows this computer again; ask at once."""
    FAILED = "failed"
    HOPELESS = "hopeless"
    WOKEN = "woken"
    """Something changed meanwhile, so the look was given up."""


class Looked(NamedTuple):
    """How a look ended, and when the relay wants to be asked again."""

    step: Step
    after_s: float | None = None


class _Wanted(NamedTuple):
    """Whether there is a relay to be asked, and which."""

    url: str
    paused: bool


class Mailbox:
    """Pulls from the relay of a profile while it is open; one process at a time."""

    def __init__(
        self,
        profile: Profile,
        store: Store,
        pairings: Pairings,
        bus: Bus,
        clock: Clock,
        rng: Random,
        user_code: Callable[[], Awaitable[str | None]],
    ) -> None:
        self._lock = profile.mailbox_lock
        self._store = store
        self._pairings = pairings
        self._bus = bus
        self._clock = clock
        self._rng = rng
        self._user_code = user_code
        self._scope = Scope("relay", _told_nobody)
        self._wake = asyncio.Event()
        self._patience: asyncio.Timeout | None = None
        """Of the request under way: woken, it ends."""
        self._device: Device | None = None
        self._client: RelayClient | None = None
        self._follow: Callable[[], object] = _nothing
        self._deaf: Callable[[], object] = _nothing
        self._seen: _Wanted | None = None
        self._noted_at: datetime | None = None
        self._warned_of: datetime | None = None
        self._announced_s: float | None = None
        self._proved_s: float | None = None
        self._pulled_s: deque[float] = deque(maxlen=PULLS_MAX)

    def start(self, follow: Callable[[], object]) -> None:
        """Begin to pull; `follow` is called once something has come."""
        self._follow = follow
        self._deaf = self._bus.listen(self._hear)
        self._scope.spawn("mailbox", self._run())

    def wake(self) -> None:
        """Ask at once: the network is back, or something about the relay has changed."""
        self._wake.set()
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time())

    async def close(self) -> None:
        """Take nothing new in; what is being kept is kept."""
        self._deaf()
        await self._scope.close()
        await self._let_go()

    # The loop

    async def _run(self) -> None:
        while True:
            if not await self._is_wanted():
                await self._rest(None)
                continue
            with alone(self._lock) as ours:
                if ours:
                    await self._pull_on()
            if not ours:
                await self._rest(OTHERS_S)

    async def _pull_on(self) -> None:
        """Pull for as long as that is wanted."""
        failures = 0
        while await self._is_wanted():
            looked = await self._looked()
            failures = failures + 1 if looked.step is Step.FAILED else 0
            match looked.step:
                case Step.FAILED:
                    await self._rest(self._backoff_s(failures) if looked.after_s is None else looked.after_s)
                case Step.HOPELESS:
                    await self._rest(HOPELESS_S)
                case Step.NO_RELAY:  # given up a moment ago
                    await self._rest(OTHERS_S)
                case Step.NEWS:
                    await asyncio.sleep(BURST_S)
                case Step.QUIET | Step.AGAIN | Step.WOKEN:
                    pass
            await self._pace()

    async def _looked(self) -> Looked:
        """Look once, whatever goes wrong: what is no answer of the relay's is tried again later."""
        try:
            return await self.look()
        except ObdeskError as error:  # a full disk, say: told where the person meets it
            log.info("the mailbox was not read: %s", type(error).__name__)
        except Exception as error:
            log.exception("the mailbox was not read: %s", type(error).__name__)
        return Looked(Step.FAILED)

    async def _rest(self, seconds: float | None) -> None:
        """Wait for a while, or until somebody wakes us."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()

    async def _pace(self) -> None:
        """Rest where a relay answered too often in too short a time."""
        now_s = self._clock.monotonic_s()
        self._pulled_s.append(now_s)
        spent_s = now_s - self._pulled_s[0]
        if len(self._pulled_s) == PULLS_MAX and spent_s < PULLS_WITHIN_S:
            await self._rest(PULLS_WITHIN_S - spent_s)

    def _backoff_s(self, failures: int) -> float:
        """Return a pause by chance, longer with each failure: many computers do not come back together."""
        bound_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(failures, 10))
        return max(BACKOFF_FIRST_S / 2, self._rng.uniform(0, bound_s))

    async def _is_wanted(self) -> bool:
        self._seen = await self._store.read(_wanted)
        return bool(self._seen.url) and not self._seen.paused

    def _hear(self, event: Event) -> None:
        if isinstance(event, Changed) and event.changes.touches(Kind.SETTINGS):
            self._scope.spawn("settings", self._heed_settings())

    async def _heed_settings(self) -> None:
        if await self._store.read(_wanted) != self._seen:
            self.wake()

    # One look

    async def look(self, wait_s: int | None = None) -> Looked:
        """Ask once for what waits and take it in; without `wait_s`, wait for news as long as a relay lets.

        Raises ObdeskError where what came cannot be kept: then the relay is told nothing.
        """
        from obdesk.relay.client import Failed
        from obdesk.relay.protocol import WAIT_MAX_S

        device = await self._current()
        cursor = await self._store.read(reads.cursor)
        if device is None or cursor is None or self._client is None:
            return Looked(Step.NO_RELAY)
        if device.credentials.is_shared and not device.credentials.is_proved and await self._prove(device):
            return Looked(Step.AGAIN)
        if wait_s is None:
            # The first answer, and the first one after a trouble, is there to tell that it is well.
            known = await self._store.read(reads.noted)
            is_well = self._noted_at is not None and known is not None and known.is_connected
            wait_s = WAIT_MAX_S if is_well else 0
        answer = await self._unless_woken(self._client.pull(device.credentials.token, cursor, wait_s=wait_s))
        if answer is None:
            return Looked(Step.WOKEN)
        if isinstance(answer, Failed):
            return await self._failed(device, answer)
        return await self._take_in(device, answer, cursor)

    async def _unless_woken(self, pull: Awaitable[Page | Failed]) -> Page | Failed | None:
        """Return an answer, or None where somebody woke us before it came."""
        try:
            async with asyncio.timeout(0 if self._wake.is_set() else None) as self._patience:
                return await pull
        except TimeoutError:
            self._wake.clear()
            return None
        finally:
            self._patience = None

    async def _current(self) -> Device | None:
        """Return this computer as a device, read anew after anything about it changed."""
        url = (await self._store.read(_wanted)).url
        if self._device is not None and self._device.url == url:
            return self._device
        await self._let_go()
        if not url:
            return None
        try:
            self._device = await self._pairings.device()
        except (CredentialsLostError, VaultProblem):
            await self._note(MailboxState.LOCKED, None)
            raise
        if self._device is not None:
            self._client = await self._pairings.client(self._device.url)
        return self._device

    async def _let_go(self) -> None:
        client, self._client, self._device = self._client, None, None
        if client is not None:
            await client.aclose()

    async def _take_in(self, device: Device, page: Page, cursor: str) -> Looked:
        from obdesk.sync import intake

        if not page.entries and page.cursor == cursor and not await self._is_news(page):
            return Looked(Step.QUIET)
        now = self._clock.now()
        key = device.private_key
        taken = await self._store.write(lambda tx: intake.take_in(tx, page, key, now))
        self._noted_at = now
        self._bus.publish(Changed(ChangeSet.many(Kind.RELAY)))
        await self._warn(urlsplit(device.url).netloc)
        if taken.unreadable:
            log.info("%d hints of the relay could not be opened", taken.unreadable)
        if taken.is_news:
            self._follow()
        if page.entries and self._client is not None:
            # Only now: what is told before it is kept would be lost with a crash. Where this fails the
            # relay hands the same over again, which changes nothing.
            await self._client.ack(device.credentials.token, page.cursor)
        return Looked(Step.NEWS if taken.is_news else Step.QUIET)

    async def _warn(self, host: str) -> None:
        """Say once, and again at the next start, that a token was seen which still opens something."""
        status = await self._store.read(partial(reads.status, paused=False), host, self._clock.now())
        seen_at = None if status is None else status.bearer_seen_at
        if status is not None and seen_at is not None and seen_at != self._warned_of:
            self._bus.publish(Problem(token_seen(status, seen_at)))
        self._warned_of = seen_at

    async def _is_news(self, page: Page) -> bool:
        """Tell whether an empty answer says something that is not noted yet; every quarter hour it does."""
        from obdesk.sync.intake import instant_of

        known = await self._store.read(reads.noted)
        now = self._clock.now()
        told = (page.peers, instant_of(page.bearer_seen_at_us), instant_of(page.delivered_at_us))
        is_old = self._noted_at is None or not -NOTED_EVERY <= now - self._noted_at < NOTED_EVERY
        return is_old or known is None or known != reads.Noted.of(*told)

    async def _failed(self, device: Device, failed: Failed) -> Looked:
        if failed.trouble is not Trouble.UNKNOWN:
            await self._note(MailboxState.UNREACHABLE, failed.trouble)
            return Looked(Step.FAILED, failed.after_s)
        self._device = None  # another process may have paired anew; read it again
        current = await self._current()
        if current is None or current != device:
            return Looked(Step.AGAIN if current is not None else Step.NO_RELAY)
        return await self._announce(current)

    async def _announce(self, device: Device) -> Looked:
        """Tell the relay who we are: it has lost its store, or threw this computer out."""
        from obdesk.relay.client import Failed
        from obdesk.sync import intake

        now_s = self._clock.monotonic_s()
        if self._announced_s is not None and now_s - self._announced_s < ANNOUNCE_EVERY_S:
            await self._note(MailboxState.UNREACHABLE, Trouble.UNKNOWN)
            return Looked(Step.FAILED, self._announced_s + ANNOUNCE_EVERY_S - now_s)
        self._announced_s = now_s
        assert self._client is not None
        answer = await self._pairings.announce(self._client, device)
        if not isinstance(answer, Failed):
            self._device, cursor = answer
            now = self._clock.now()
            await self._store.write(lambda tx: intake.begin_anew(tx, cursor, now))
            log.info("the relay had forgotten this computer and knows it again")
            self._follow()
            return Looked(Step.AGAIN)
        if answer.trouble in {Trouble.UNKNOWN, Trouble.REFUSED}:
            await self._note(MailboxState.FORGOTTEN, answer.trouble)
            return Looked(Step.HOPELESS)
        await self._note(MailboxState.UNREACHABLE, answer.trouble)
        return Looked(Step.FAILED, answer.after_s)

    async def _prove(self, device: Device) -> bool:
        """Show a relay that serves many whose user this is, once that is known; tried once an hour."""
        from obdesk.relay.client import Failed
        from obdesk.sync import intake

        now_s = self._clock.monotonic_s()
        if self._proved_s is not None and now_s - self._proved_s < HOPELESS_S:
            return False
        self._proved_s = now_s
        fresh = await self._pairings.device()  # its operator may have made a user meanwhile
        if fresh is not None and fresh.credentials.is_proved:
            self._device = fresh
            return False
        code = await self._user_code()
        if code is None or self._client is None:
            return False
        answer = await self._pairings.announce(self._client, device, code)
        if isinstance(answer, Failed):
            log.info("the relay was not shown whose user this is: %s", answer.trouble.value)
            return False
        self._device, cursor = answer
        now = self._clock.now()
        await self._store.write(lambda tx: intake.begin_anew(tx, cursor, now))
        self._follow()
        return True

    async def _note(self, state: MailboxState, trouble: Trouble | None) -> None:
        """Keep how it stands, where that is news; a failure is logged when it begins."""
        now = self._clock.now()
        if await self._store.write(lambda tx: writes.note(tx, state, trouble, now)):
            log.info("the relay: %s %s", state.value, "" if trouble is None else trouble.value)
            self._bus.publish(Changed(ChangeSet.many(Kind.RELAY)))


def _wanted(opened: Connection) -> _Wanted:
    def value(key: str) -> str:
        return stored(key, connections.setting(opened, key))

    return _Wanted(value(URL_KEY), value("sync.paused") == "on")


def _nothing() -> None:
    """Do nothing: it was not started."""


def _told_nobody(name: str, error: BaseException) -> None:
    log.error("task %s failed: %s", name, type(error).__name__, exc_info=error)
