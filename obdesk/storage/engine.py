"""Opening the encrypted file: the key, the pragmas, and what must hold before anything is read.

WAL with synchronous FULL: of 20 000 power losses replayed on a trace, FULL lost no acknowledged
commit and NORMAL a quarter of them (docs/decisions/0005-wal-full.md).
"""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

from obdesk.storage.errors import StorageFailedError, full, newer, translated
from obdesk.storage.errors import read_only as only_readable
from obdesk.storage.places import cannot_be_written, is_full, on_network

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION = 4
CACHE_KIB = 16 * 1024
CACHE_READ_KIB = 4 * 1024  # a key of a search over a million rows takes as long with four times as much
CACHE_BULK_KIB = 256 * 1024
CACHE_SCAN_KIB = 4 * 1024
"""For sums over everything: what passes once need not be kept."""
BUSY_TIMEOUT_MS = 5_000
LOG_BYTES_KEPT = 16 * 1024 * 1024
"""What the log beside the file keeps of the disk after a large write; the rest is given back."""

Connection = Any
"""A DB-API connection; sqlcipher3 ships no types."""


def connect(
    path: Path, data_key: bytes, *, read_only: bool = False, cache_kib: int = CACHE_KIB
) -> Connection:
    """Open an existing file with its raw 32-byte key.

    Raises DatabaseDoesNotOpenError when the key does not fit and DatabaseNewerError when the schema is
    from a newer program; neither leaves a trace in the file.
    """
    from sqlcipher3 import dbapi2

    if not read_only and path.exists() and cannot_be_written(path):
        raise only_readable()
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    if read_only and _needs_no_lock(path):
        uri += "&immutable=1"
    try:
        with translated():
            connection = dbapi2.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
            try:
                _prepare(connection, data_key, path, read_only=read_only, cache_kib=cache_kib)
            except BaseException:  # whatever it was, and it goes on from here: no handle stays open
                connection.close()
                raise
    except StorageFailedError as error:
        if is_full(path.parent):  # what SQLite could not make beside the file found no room
            raise full() from error
        raise
    return connection


def _needs_no_lock(path: Path) -> bool:
    """Tell whether a file stands alone where nothing can be written: then nobody can change it either.

    SQLite wants to make its shared memory beside a file in WAL mode, which it cannot there.
    """
    beside = [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")]
    return cannot_be_written(path) and not any(each.exists() and each.stat().st_size for each in beside)


def _prepare(connection: Connection, data_key: bytes, path: Path, *, read_only: bool, cache_kib: int) -> None:
    execute = connection.execute
    execute("PRAGMA cipher_log_level = NONE")
    execute(f"PRAGMA key = \"x'{data_key.hex()}'\"")
    execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    found = execute("PRAGMA user_version").fetchone()[0]
    if found > SCHEMA_VERSION:
        raise newer(found, SCHEMA_VERSION)
    execute("PRAGMA temp_store = MEMORY")
    execute(f"PRAGMA cache_size = -{cache_kib}")
    execute("PRAGMA foreign_keys = ON")
    execute("PRAGMA trusted_schema = OFF")
    connection.create_function("folded", 1, _folded, deterministic=True)
    if read_only:
        execute("PRAGMA query_only = ON")
    else:
        # The log's shared memory is not shared with other computers: there a file gets the older journal.
        execute(f"PRAGMA journal_mode = {'DELETE' if on_network(path) else 'WAL'}")
        execute("PRAGMA synchronous = FULL")
        execute(f"PRAGMA journal_size_limit = {LOG_BYTES_KEPT}")


def _folded(text: str) -> str:
    # Imported with the first search: a first look at the ledger folds nothing.
    from obdesk.domain.filters import fold

    return fold(text)


def version_of(path: Path, data_key: bytes) -> int:
    """Return the schema version of a file (0: made but never filled)."""
    with closing(connect(path, data_key, read_only=True)) as connection:
        return schema_version(connection)


def schema_version(connection: Connection) -> int:
    """Return the schema version of an open file (0: made but never filled)."""
    with translated():
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def fsync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power loss (POSIX; other systems do it on their own)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
