"""The SQLite store's file: its tables, how it is opened, and what begins a new life of it.

WAL with synchronous FULL: what was committed survives a power cut. What is deleted is overwritten.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from obdesk.relay.server.keys import new_id
from obdesk.relay.server.life import LifeFile, Progress
from obdesk.relay.server.store import StoreDownError, StoreRefusedError

if TYPE_CHECKING:
    from pathlib import Path

_WRITER_PATIENCE_MS: Final = 5_000
_READER_PATIENCE_MS: Final = 250
_LOCK_PATIENCE_S: Final = 1.0
_LOCK_AGAIN_S: Final = 0.02
_LOG_BYTES_KEPT: Final = 16 * 1024 * 1024
_LOG_PAGES: Final = 2_000
"""How much is written to the log before it goes into the file itself."""

_SCHEMA: Final = """
CREATE TABLE life (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    epoch TEXT NOT NULL,
    commits INTEGER NOT NULL,
    file TEXT NOT NULL
) STRICT;
CREATE TABLE source (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    secrets BLOB NOT NULL,
    gzip TEXT NOT NULL,
    bearer_seen_at_us INTEGER,
    delivered_at_us INTEGER,
    removed_at_us INTEGER,
    capability BLOB NOT NULL UNIQUE
) STRICT;
CREATE TABLE code (
    hash BLOB PRIMARY KEY,
    source_id TEXT NOT NULL,
    expires_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE device (
    id TEXT PRIMARY KEY,
    source_id TEXT NOT NULL,
    public_key BLOB NOT NULL,
    route BLOB,
    token BLOB NOT NULL UNIQUE,
    head INTEGER NOT NULL DEFAULT 0,
    broker TEXT NOT NULL,
    broker_user BLOB
) STRICT;
CREATE INDEX device_route ON device (source_id, route);
CREATE TABLE removed (
    device_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
CREATE TABLE hint (
    device_id TEXT NOT NULL,
    slot BLOB NOT NULL,
    seq INTEGER NOT NULL,
    received_at_us INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (device_id, slot)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX hint_seq ON hint (device_id, seq);
CREATE INDEX hint_age ON hint (received_at_us);
CREATE TABLE payload (
    digest BLOB PRIMARY KEY,
    received_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX payload_age ON payload (received_at_us);
"""
_SEATS: Final = """
ALTER TABLE code ADD COLUMN device_id TEXT;
ALTER TABLE code ADD COLUMN public_key BLOB;
ALTER TABLE device ADD COLUMN pulled_at_us INTEGER;
ALTER TABLE device ADD COLUMN seat INTEGER;
"""
_STEPS: Final = (_SCHEMA, _SEATS)
"""What makes each version out of the one before; the first out of nothing."""
VERSION: Final = len(_STEPS)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """The store's file as the writer holds it."""

    connection: sqlite3.Connection
    life: LifeFile
    identity: str

    def close(self) -> None:
        """Let go of the file, and of the right to serve it."""
        with closing(self.life):
            self.connection.close()


def identity(path: Path) -> str | None:
    """Return what tells a file from a copy of it; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return f"{found.st_dev}:{found.st_ino}"


def down(error: sqlite3.Error | OSError) -> StoreDownError:
    """Return why the store is down, as a sentence for the operator."""
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    match name.removeprefix("SQLITE_").partition("_")[0]:
        case "FULL":
            return StoreDownError("the disk of the store is full")
        case "READONLY":
            return StoreDownError("the store's file may not be written")
        case "BUSY" | "LOCKED":
            return StoreDownError("another program holds the store's file")
        case "CORRUPT" | "NOTADB":
            return StoreDownError("the store's file is damaged")
        case _:
            return StoreDownError(f"the store's file cannot be used ({name})")


def open_for_writing(path: Path, *, beside: bool) -> OpenFile:
    """Open the store, making it where there is none, and settle which life of it this is.

    `beside` lets a command of the operator's work next to a relay that serves the store. Raises
    StoreRefusedError where another relay serves it or a newer one made it, StoreDownError else.
    """
    try:
        life = LifeFile(path.with_name(path.name + ".life"))
    except OSError as error:
        raise down(error) from error
    try:
        connection = _open(path, life, beside=beside)
    except BaseException:  # whatever it was, and it goes on from here: no handle stays open
        life.close()
        raise
    found = identity(path)
    assert found is not None, "it was opened just now"
    return OpenFile(connection, life, found)


def open_again(path: Path, file: OpenFile) -> OpenFile:
    """Return the store's file opened once more, after something could not be written; the old one goes.

    Raises StoreDownError; then the old one stays, so that reading goes on.
    """
    try:
        connection = _connect(path, _WRITER_PATIENCE_MS)
        try:
            _prepare(connection, path)
            _empty_log(connection)
        except BaseException:  # as above
            connection.close()
            raise
    except sqlite3.Error as error:
        raise down(error) from error
    with suppress(sqlite3.Error):
        file.connection.close()
    return replace(file, connection=connection)


def _open(path: Path, life: LifeFile, *, beside: bool) -> sqlite3.Connection:
    is_alone = life.lock() if beside else _locked(life)
    if not is_alone and not beside:
        raise StoreRefusedError(
            f"another relay serves {path.name} already; a SQLite store has one relay, Redis serves many"
        )
    try:
        _make_private(path)
        connection = _connect(path, _WRITER_PATIENCE_MS)
        try:
            _prepare(connection, path)
            if is_alone:
                _settle(connection, life, path)
        except BaseException:  # as above
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise down(error) from error
    if is_alone and beside:
        life.unlock()  # a command must not keep the relay from starting
    return connection


def _locked(life: LifeFile) -> bool:
    """Become the one that serves; a command that works beside nobody holds the lock for a moment."""
    give_up_s = time.monotonic() + _LOCK_PATIENCE_S
    while not life.lock():
        if time.monotonic() > give_up_s:
            return False
        time.sleep(_LOCK_AGAIN_S)
    return True


def _make_private(path: Path) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if os.name == "posix":
        # Makes the file's name survive a power cut.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _connect(path: Path, patience_ms: int) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=patience_ms / 1000)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    execute = connection.execute
    found = execute("PRAGMA user_version").fetchone()[0]
    if found > VERSION:
        raise StoreRefusedError(f"{path.name} was made by a newer obdesk; install that one or a later one")
    execute("PRAGMA journal_mode = WAL")
    execute("PRAGMA synchronous = FULL")
    execute("PRAGMA secure_delete = ON")
    execute("PRAGMA trusted_schema = OFF")
    execute(f"PRAGMA journal_size_limit = {_LOG_BYTES_KEPT}")
    execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
    if found < VERSION:
        steps = "".join(_STEPS[found:])
        connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {VERSION}; COMMIT;")


def _empty_log(connection: sqlite3.Connection) -> None:
    """Write what the log holds into the file, flushed, and begin the log anew.

    What a disk did not flush the system may still show, and never flush again; a commit after it in the same
    log would be lost with it in a power cut.
    """
    is_busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if is_busy:
        raise StoreDownError("another program holds the store's file")


def put_away(path: Path) -> None:
    """Write what the log holds into the file and empty it, so that nothing deleted is readable there.

    Who reads or writes meanwhile may keep it from that; it is tried again.
    """
    with suppress(sqlite3.Error), closing(_connect(path, _READER_PATIENCE_MS)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _settle(connection: sqlite3.Connection, life: LifeFile, path: Path) -> None:
    """Go on with the store's life, or begin a new one where it was made just now or put back."""
    told = life.read()
    now = identity(path)
    row = connection.execute("SELECT epoch, commits, file FROM life").fetchone()
    kept = None if row is None else Progress(row[0], row[1])
    goes_on = (
        kept is not None
        and told is not None
        and told.epoch == kept.epoch
        and told.commits <= kept.commits
        and row[2] == now
    )
    epoch = kept.epoch if goes_on and kept is not None else new_id()
    commits = 1 + max(each.commits if each is not None else 0 for each in (kept, told))
    connection.execute("INSERT OR REPLACE INTO life VALUES (1, ?, ?, ?)", (epoch, commits, now))
    life.write(Progress(epoch, commits), flush=True)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the store next to its writer; raises StoreDownError."""
    try:
        connection = _connect(path, _READER_PATIENCE_MS)
        connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        raise down(error) from error
    return connection
