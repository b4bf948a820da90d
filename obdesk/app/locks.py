"""Who syncs a profile: one process at a time, and everybody else can say who it is."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from obdesk.domain.errors import Action, AppError
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.domain.clock import Clock


class SyncHeldError(AppError):
    """Another process syncs this profile at the moment."""


@contextmanager
def sync_lock(path: Path, clock: Clock, who: str) -> Iterator[None]:
    """Hold the profile's sync lock, or say who holds it.

    The lock is the operating system's: it is gone with the process, however that ends. The note
    beside it is only for people.
    """
    lock = FileLock(path, mode=0o600)
    note = path.with_name(path.name + ".holder")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise _held(note) from error
    try:
        _leave_note(note, who, clock)
        yield
    finally:
        with suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Hold a lock while inside, or say False where another process holds it."""
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _leave_note(note: Path, who: str, clock: Clock) -> None:
    told = {"pid": os.getpid(), "who": who, "since": clock.now().isoformat(timespec="seconds")}
    with suppress(OSError):  # a full disk must not keep anybody from reading their bank
        note.write_text(json.dumps(told), encoding="utf-8")


def _held(note: Path) -> SyncHeldError:
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        holder = tr(
            "{who} (process {pid}) has been syncing since {since}.",
            who=told["who"],
            pid=told["pid"],
            since=told["since"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        holder = tr("Another obdesk is syncing this profile.")
    return SyncHeldError(
        title=tr("A sync is already running"),
        cause=holder,
        next_step=tr("Its results will be visible here as soon as it ends."),
        action=Action.WAIT,
    )
