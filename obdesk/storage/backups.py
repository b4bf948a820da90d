"""Copying the encrypted file while it is in use, knowing when a copy is due, putting one back.

SQLite copies page by page in short steps and lets its lock go after each, so that a writer waits for no
copy, not even where the older journal locks readers out; a page written meanwhile makes it begin anew. The
copy has the same key and a salt of its own, and stands alone: no log belongs to it.
"""

from __future__ import annotations

import os
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

from obdesk.storage.engine import CACHE_SCAN_KIB, connect, fsync_folder, schema_version, version_of
from obdesk.storage.errors import (
    DatabaseDoesNotOpenError,
    StorageFailedError,
    SupersededError,
    busy,
    does_not_open,
    translated,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from obdesk.storage.engine import Connection

PART = ".part"
"""What the name of a copy ends with until it is whole and proved."""
_STEP_PAGES = 64  # a quarter of a megabyte: about two milliseconds
_STEPS_BETWEEN_LOOKS = 200_000
_ALIVE_BYTE = 128  # of the shared memory: who has the file open holds it (SQLite's os_unix.c)
_MARKS = (
    "SELECT max(id) FROM runs WHERE new + updated + removed > 0",
    "SELECT max(run_id) FROM run_changes",
    "SELECT count(*), total(reverted_at) FROM runs WHERE reverted_at IS NOT NULL",
    "SELECT id, linked_at, removed_at, paused, consent_expires_at FROM connections ORDER BY id",
    "SELECT * FROM account_edits ORDER BY account_id",
    "SELECT count(*), total(edited_at) FROM transaction_edits",
    "SELECT count(*), total(at), total(undone_at) FROM merges",
    "SELECT count(*), total(decided_at) FROM suggestions",
    "SELECT key, value FROM settings WHERE key <> 'last_visit' ORDER BY key",
    "SELECT name, value FROM tokens ORDER BY name",
)
"""What tells two states of the data apart without reading it; a sync that found nothing changes none."""


def make(path: Path, data_key: bytes, target: Path, at_s: float, stop: Callable[[], bool]) -> None:
    """Copy the file at `path` to `target`, which appears whole and proved or not at all.

    `at_s` becomes the time of the copy's file. Raises SupersededError once `stop` says so, and the errors
    of `obdesk.storage.errors`; nothing half made stays.
    """
    part = target.with_name(target.name + PART)
    clear(part)
    try:
        with translated():
            _copy(path, data_key, part, stop)
            _prove(part, data_key, stop)
        os.utime(part, (at_s, at_s))
        part.replace(target)
        fsync_folder(target.parent)
    except BaseException:  # whatever ended it, and it goes on from here: no part of a file stays
        clear(part)
        raise


def clear(part: Path) -> None:
    """Remove what an attempt left that was interrupted."""
    for suffix in ("", "-journal"):
        part.with_name(part.name + suffix).unlink(missing_ok=True)


def _copy(path: Path, data_key: bytes, part: Path, stop: Callable[[], bool]) -> None:
    from sqlcipher3 import dbapi2

    def look(_status: int, _left: int, _total: int) -> None:
        if stop():
            raise SupersededError

    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with (
        closing(connect(path, data_key, read_only=True, cache_kib=CACHE_SCAN_KIB)) as source,
        closing(dbapi2.connect(str(part), isolation_level=None)) as copied,
    ):
        copied.execute("PRAGMA cipher_log_level = NONE")
        copied.execute(f"PRAGMA key = \"x'{data_key.hex()}'\"")
        copied.execute("PRAGMA synchronous = OFF")  # it counts only once all of it is on the disk, below
        source.backup(copied, pages=_STEP_PAGES, progress=look, sleep=0.05)
        copied.execute("PRAGMA journal_mode = DELETE")
    with part.open("rb+") as file:
        os.fsync(file.fileno())


def _prove(part: Path, data_key: bytes, stop: Callable[[], bool]) -> None:
    """Raise unless the copy opens with the key and every page of it is sound."""
    with closing(connect(part, data_key, read_only=True, cache_kib=CACHE_SCAN_KIB)) as copied:
        copied.set_progress_handler(stop, _STEPS_BETWEEN_LOOKS)
        if copied.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
            raise does_not_open()


def is_still_so(path: Path, data_key: bytes, copy: Path) -> bool:
    """Tell whether a copy holds what the file holds; one that does not open holds nothing."""
    try:
        with closing(connect(copy, data_key, read_only=True)) as copied:
            then = _mark(copied)
    except (DatabaseDoesNotOpenError, StorageFailedError):
        return False
    with closing(connect(path, data_key, read_only=True)) as opened:
        return then == _mark(opened)


def _mark(opened: Connection) -> tuple[object, ...]:
    version = schema_version(opened)
    with translated():
        return (version, *(tuple(opened.execute(each).fetchall()) for each in _MARKS))


def put_back(path: Path, data_key: bytes, copy: Path) -> Path:
    """Put a copy in the place of the file, which stays under another name, returned; the copy stays too.

    Nothing is changed unless the copy opens and is sound. Raises DatabaseBusyError while another process
    has the file open.
    """
    building = path.with_name(f"{path.name}.restoring")
    clear(building)
    try:
        with translated():
            _copy(copy, data_key, building, _never)
            _prove(building, data_key, _never)
            if path.exists():
                _free(path, data_key, building)
        aside = _set_aside(path)
        building.replace(path)
        fsync_folder(path.parent)
    except BaseException:  # whatever ended it, and it goes on from here: the file is where it was
        clear(building)
        raise
    return aside


def _never() -> bool:
    return False


def _free(path: Path, data_key: bytes, building: Path) -> None:
    """Make sure that nobody else has the file open, and leave it without a log for its successor."""
    try:
        with closing(connect(path, data_key)) as opened, translated():
            opened.execute("PRAGMA journal_mode = DELETE")  # only its sole user may
            _carry_over(opened, building, data_key)
    except DatabaseDoesNotOpenError:  # as whole or in parts: then nothing can be carried over
        if _is_in_use(path):
            raise busy() from None


def _is_in_use(path: Path) -> bool:
    """Tell whether a process has a file open that cannot be asked, by its lock on the shared memory."""
    memory = path.with_name(f"{path.name}-shm")
    if os.name != "posix" or not memory.exists():
        return False
    import fcntl

    with memory.open("rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _ALIVE_BYTE)
        except OSError:
            return True
    return False


def _carry_over(opened: Connection, building: Path, data_key: bytes) -> None:
    """Keep what the world outside remembers: the tokens valid now, how often banks were asked, the relay."""
    if schema_version(opened) != version_of(building, data_key):
        return
    tokens = opened.execute("SELECT name, value FROM tokens").fetchall()
    settings = opened.execute("SELECT key, value FROM settings WHERE key = 'relay.url'").fetchall()
    mailbox = opened.execute("SELECT * FROM mailbox").fetchall()
    calls = opened.execute("SELECT connection_id, at, attended FROM bank_calls").fetchall()
    with closing(connect(building, data_key)) as restored:
        restored.execute("PRAGMA journal_mode = DELETE")
        restored.execute("BEGIN IMMEDIATE")
        restored.execute("DELETE FROM tokens")
        restored.executemany("INSERT INTO tokens(name, value) VALUES (?, ?)", tokens)
        restored.execute("DELETE FROM settings WHERE key = 'relay.url'")
        restored.executemany("INSERT INTO settings(key, value) VALUES (?, ?)", settings)
        restored.execute("DELETE FROM mailbox")
        for row in mailbox:
            restored.execute(f"INSERT INTO mailbox VALUES ({', '.join('?' * len(row))})", row)
        restored.execute("DELETE FROM bank_calls")
        restored.executemany(
            "INSERT INTO bank_calls(connection_id, at, attended) "
            "SELECT id, ?2, ?3 FROM connections WHERE id = ?1",
            calls,
        )
        restored.execute("COMMIT")


def _set_aside(path: Path) -> Path:
    taken = {each.name.removesuffix("-wal") for each in path.parent.glob(f"{path.name}.aside-*")}
    names = (f"{path.name}.aside-{number}" for number in count(1))
    aside = path.with_name(next(each for each in names if each not in taken))
    log = path.with_name(f"{path.name}-wal")
    if log.exists():  # of a file that does not open or is gone: its successor must not get it
        log.replace(aside.with_name(f"{aside.name}-wal"))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    if path.exists():
        try:
            aside.hardlink_to(path)  # so that there is no moment without the file
        except OSError:  # a file system without such links
            path.replace(aside)
        fsync_folder(path.parent)
    return aside
