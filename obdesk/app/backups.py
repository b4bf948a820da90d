"""Copies of the data, one a day at most: made in a quiet minute, in a thread that everybody goes before.

A copy that a sync, or the end of the program, interrupts leaves nothing and is made later. What stands in
the way of one is told once, and nothing else waits for it.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from obdesk.app.events import Problem, SyncStarted
from obdesk.app.locks import alone
from obdesk.domain import backups
from obdesk.domain.errors import Action, AppError
from obdesk.domain.texts import tr
from obdesk.storage.backups import PART, clear
from obdesk.storage.errors import DatabaseDoesNotOpenError, DiskFullError, SupersededError
from obdesk.storage.priority import SUMMING, step_back

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from obdesk.app.bus import Bus
    from obdesk.app.events import Event
    from obdesk.app.profile import Profile
    from obdesk.domain.backups import Backup
    from obdesk.domain.clock import Clock
    from obdesk.storage.store import Store

log = logging.getLogger(__name__)
FIRST_AFTER_S = 600.0
"""How long after the start nothing is copied: a person who just came wants the computer for themselves."""
EVERY_S = 3_600.0
"""How often it is looked whether a copy is due, and tried again where none could be made."""
ROOM_LEFT = 2
"""As many times its own size a copy leaves free on the disk."""


class BackupNotMadeError(AppError):
    """A daily copy could not be made; the data itself is not touched by that."""


class Kept(NamedTuple):
    """A copy that is there."""

    backup: Backup
    path: Path
    made_at: datetime
    size_bytes: int


def kept(profile: Profile) -> tuple[Kept, ...]:
    """Return the copies of a profile, the last one made first; reads names only, so it needs no key."""
    found = {}
    try:
        entries = tuple(profile.backups.iterdir())
    except OSError:  # there are none yet
        entries = ()
    for path in entries:
        backup = backups.parsed(path.name)
        if backup is not None and path.is_file():
            stat = path.stat()
            made_at = datetime.fromtimestamp(stat.st_mtime, UTC)
            found[backup] = Kept(backup, path, made_at, stat.st_size)
    return tuple(found[each] for each in backups.newest_first(found))


class Backups:
    """Makes the copy of the day when it is due; asked once a minute it mostly does nothing."""

    def __init__(
        self, profile: Profile, store: Store, bus: Bus, clock: Clock, is_syncing: Callable[[], bool]
    ) -> None:
        self._profile = profile
        self._store = store
        self._bus = bus
        self._clock = clock
        self._is_syncing = is_syncing
        self._next_s = clock.monotonic_s() + FIRST_AFTER_S
        self._stop: threading.Event | None = None
        """Ends the copy under way; None while there is none."""
        self._is_told = False
        bus.listen(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, SyncStarted) and self._stop is not None:
            self._stop.set()

    async def look(self) -> None:
        """Make the copy of the day unless it is there, nothing changed, or the moment is a bad one."""
        now_s = self._clock.monotonic_s()
        if self._profile.demo or now_s < self._next_s or self._stop is not None or self._is_syncing():
            return
        self._next_s = now_s + EVERY_S
        self._stop = threading.Event()
        try:
            await self._in_a_thread(self._stop)
        except SupersededError:
            self._next_s = now_s  # a sync went first
        except (AppError, OSError) as error:
            self._tell(error)
        else:
            self._is_told = False
        finally:
            self._stop = None

    async def _in_a_thread(self, stop: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(
            1, thread_name_prefix="obdesk-backup", initializer=step_back, initargs=(SUMMING,)
        ) as pool:
            working = loop.run_in_executor(pool, self._work, self._clock.now(), stop)
            try:
                await asyncio.shield(working)
            except asyncio.CancelledError:
                stop.set()
                await asyncio.gather(working, return_exceptions=True)
                raise

    def _work(self, now: datetime, stop: threading.Event) -> None:
        folder = self._profile.backups
        folder.mkdir(mode=0o700, exist_ok=True)
        with alone(self._profile.folder / "backup.lock") as is_alone:
            if not is_alone:
                return
            for left in folder.glob(f"ledger-*{PART}"):
                clear(left)
            day = now.astimezone().date()
            known = kept(self._profile)
            if known and (known[0].backup.day == day or self._store.is_still_as_in(known[0].path)):
                return
            self._check_room(folder)
            made = backups.following([each.backup for each in known], day)
            self._store.copy_into(folder / made.name, now.timestamp(), stop.is_set)
            log.info("a backup was made")
            by_name = {each.backup: each.path for each in kept(self._profile)}
            for each in backups.surplus(by_name):
                by_name[each].unlink(missing_ok=True)

    def _check_room(self, folder: Path) -> None:
        log_beside = self._store.path.with_name(self._store.path.name + "-wal")
        size_bytes = self._store.path.stat().st_size
        size_bytes += log_beside.stat().st_size if log_beside.exists() else 0
        if shutil.disk_usage(folder).free < (1 + ROOM_LEFT) * size_bytes:
            raise _no_room()

    def _tell(self, error: AppError | OSError) -> None:
        log.info("no backup was made: %s", type(error).__name__)
        if not self._is_told:
            self._bus.publish(Problem(_explained(error)))
        self._is_told = True


def _explained(error: AppError | OSError) -> BackupNotMadeError:
    if isinstance(error, BackupNotMadeError):
        return error
    if isinstance(error, DiskFullError) or getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}:
        return _no_room()
    if isinstance(error, DatabaseDoesNotOpenError):
        return _not_made(tr("The copy did not read back whole and was thrown away; earlier ones stay."))
    return _not_made(tr("The folder “backups” beside your data cannot be written."))


def _no_room() -> BackupNotMadeError:
    return _not_made(tr("The disk has too little room for a copy of your data."), Action.FREE_DISK_SPACE)


def _not_made(cause: str, action: Action = Action.NONE) -> BackupNotMadeError:
    return BackupNotMadeError(
        title=tr("No backup could be made"),
        cause=cause,
        next_step=tr("Your data and the syncs are not affected. It is tried again every hour."),
        action=action,
    )
