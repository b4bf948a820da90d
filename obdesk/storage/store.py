"""The one door to the encrypted file: reads return frozen values, writes return what they changed.

One writer thread holds the only writing connection; two reader threads answer screens (one for what a
person waits for, one for slow sums), so that no screen ever waits for a sync. No row object leaves a
thread. Nothing heavy is imported: SQLAlchemy and Alembic come only with a migration.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, TypeVar

from obdesk.storage.engine import (
    CACHE_BULK_KIB,
    CACHE_KIB,
    CACHE_READ_KIB,
    CACHE_SCAN_KIB,
    SCHEMA_VERSION,
    connect,
    schema_version,
)
from obdesk.storage.errors import StorageFailedError, does_not_open, replaced, stopped, translated
from obdesk.storage.heap import give_back
from obdesk.storage.places import cannot_be_written, identity, on_network
from obdesk.storage.priority import SUMMING, WRITING, step_back
from obdesk.storage.tx import Tx

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from obdesk.storage.engine import Connection
    from obdesk.storage.errors import SharedPlaceError
    from obdesk.storage.places import Identity

T = TypeVar("T")
_STEPS_BETWEEN_LOOKS = 20_000
"""Steps of SQLite's machine, about half a millisecond."""


class Store:
    """An open database. Close it (or use it as a context manager) and every thread is gone."""

    def __init__(self, path: Path, data_key: bytes, reading: Connection | None = None) -> None:
        self._path = path
        self._key = data_key
        self._reader = _Reader("obdesk-read", path, data_key, reading)
        self._slow = _Reader("obdesk-sums", path, data_key, cache_kib=CACHE_SCAN_KIB, nice=SUMMING)
        self._writer = _Writer(path, data_key)

    @classmethod
    def open(cls, path: Path, data_key: bytes) -> Store:
        """Open a file with its key; a missing file is made, an older one is brought up to date.

        Raises the errors of `obdesk.storage.errors`; a file that does not open is never touched.
        """
        if not path.exists():
            from obdesk.storage.migrations import runner

            runner.create(path, data_key)
            return cls(path, data_key)
        journal = path.with_name(f"{path.name}-journal")
        if (on_network(path) or journal.exists()) and not cannot_be_written(path):
            # By somebody who may write, before anybody reads: out of WAL mode, and what a power cut left
            # in the older journal is played back.
            connect(path, data_key).close()
        reading = connect(path, data_key, read_only=True, cache_kib=CACHE_READ_KIB)
        version = schema_version(reading)
        if version == SCHEMA_VERSION:
            return cls(path, data_key, reading)
        reading.close()
        if version == 0:
            raise does_not_open()  # ours are numbered before they get their name; this one was emptied
        from obdesk.storage.migrations import runner

        runner.upgrade(path, data_key)
        return cls(path, data_key)

    @property
    def path(self) -> Path:
        """Return where the file is."""
        return self._path

    def place_warning(self) -> SharedPlaceError | None:
        """Return what to tell where other computers get at the file or at copies of it; looks at folders."""
        from obdesk.storage.errors import in_sync_folder, on_shared_place
        from obdesk.storage.syncfolders import sync_program_of

        if on_network(self._path):
            return on_shared_place()
        program = sync_program_of(self._path)
        return None if program is None else in_sync_folder(program)

    def reading_connection(self) -> Connection:
        """Open a further read-only connection for a long reader such as an export; the caller closes it."""
        return connect(self._path, self._key, read_only=True)

    def copy_into(self, target: Path, at_s: float, stop: Callable[[], bool]) -> None:
        """Copy the whole file while it is in use; see `obdesk.storage.backups.make`. Blocks for seconds."""
        from obdesk.storage import backups

        backups.make(self._path, self._key, target, at_s, stop)

    def is_still_as_in(self, copy: Path) -> bool:
        """Tell whether a copy made earlier holds what the file holds now. Blocks for a moment."""
        from obdesk.storage import backups

        return backups.is_still_so(self._path, self._key, copy)

    def read_now(self, query: Callable[..., T], *args: Any) -> T:
        """Answer in the caller's thread: for the first paint, before there is a loop, and for the CLI."""
        return self._reader.call(query, *args)

    async def read(self, query: Callable[..., T], *args: Any) -> T:
        """Answer in the reader thread."""
        return await _awaited(self._reader.submit(query, *args))

    async def read_slowly(self, topic: str | None, query: Callable[..., T], *args: Any) -> T:
        """Answer in the thread for slow sums; a newer call on the same topic interrupts an older one.

        The interrupted call raises SupersededError. Without a topic every call gets its answer.
        """
        if topic is None:
            answer = self._slow.submit(query, *args)
        else:
            answer = self._slow.submit_latest(topic, query, *args)
        self._slow.tidy()
        return await _awaited(answer)

    async def write(self, unit: Callable[[Tx], T], *, bulk: bool = False) -> T:
        """Run `unit` in one transaction of the writer thread; its answer comes after the commit.

        Once begun it is not torn apart: whoever is cancelled while waiting gets the cancellation after
        the commit. `bulk` lends the page cache more memory meanwhile.
        """
        return await _awaited(self._writer.submit(unit, bulk=bulk), shielded=True)

    def write_now(self, unit: Callable[[Tx], T]) -> T:
        """Run `unit` in one transaction and wait for it in the caller's thread (not the interface's)."""
        return self._writer.submit(unit, bulk=False).result()

    def bulk_now(self, unit: Callable[[Tx], T]) -> T:
        """Run a large `unit` in one transaction, with the memory of a bulk write, and wait for it."""
        return self._writer.submit(unit, bulk=True).result()

    @property
    def stopped(self) -> bool:
        """Tell whether nothing is written any more, because the disk failed or the file was replaced."""
        return self._writer.stopped

    async def resume(self) -> None:
        """Write again after a failure of the disk, once the file was examined and found sound.

        Only a person may ask for it. Raises the error that still stands in the way.
        """
        await _awaited(self._writer.resume(), shielded=True)

    def close(self) -> None:
        """Finish what is running, close every connection and end the threads."""
        self._reader.close()
        self._slow.close()
        # Last, because only a writing connection can empty the log into the file.
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


async def _awaited(future: Future[T], *, shielded: bool = False) -> T:
    import asyncio

    waiting = asyncio.wrap_future(future)
    if not shielded:
        return await waiting
    try:
        return await asyncio.shield(waiting)
    except asyncio.CancelledError:
        while not waiting.done():
            with suppress(asyncio.CancelledError):  # whoever is impatient and cancels again waits as well
                await asyncio.wait({waiting})
        if not waiting.cancelled():
            waiting.exception()  # taken note of: nobody waits any more for how it failed
        raise


class _Reader:
    """A thread with a read-only connection of its own, opened at its first use unless it is given."""

    def __init__(
        self,
        name: str,
        path: Path,
        data_key: bytes,
        connection: Connection | None = None,
        *,
        cache_kib: int = CACHE_READ_KIB,
        nice: int = 0,
    ) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name, initializer=step_back, initargs=(nice,))
        self._cache_kib = cache_kib
        self._path, self._key = path, data_key
        self._connection: Connection | None = connection
        self._lock = threading.Lock()
        self._latest: dict[str, int] = {}

    def call(self, query: Callable[..., T], *args: Any) -> T:
        with translated(), self._lock:
            return query(self._opened(), *args)

    def submit(self, query: Callable[..., T], *args: Any) -> Future[T]:
        return self._pool.submit(self.call, query, *args)

    def submit_latest(self, topic: str, query: Callable[..., T], *args: Any) -> Future[T]:
        number = self._latest.get(topic, 0) + 1
        self._latest[topic] = number
        return self._pool.submit(self._call_latest, topic, number, query, *args)

    def _call_latest(self, topic: str, number: int, query: Callable[..., T], *args: Any) -> T:
        from obdesk.storage.errors import SupersededError

        def is_superseded() -> bool:
            return self._latest[topic] != number

        def watched(connection: Connection) -> T:
            # Asked by SQLite every so often. Its `interrupt` would miss a query that is about to begin.
            connection.set_progress_handler(is_superseded, _STEPS_BETWEEN_LOOKS)
            try:
                return query(connection, *args)
            finally:
                connection.set_progress_handler(None, 0)

        if is_superseded():
            raise SupersededError
        return self.call(watched)

    def tidy(self) -> None:
        """Give back, when what was asked so far is answered, what the answers took and no longer need."""
        self._pool.submit(give_back)

    def _opened(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._path, self._key, read_only=True, cache_kib=self._cache_kib)
        return self._connection

    def close(self) -> None:
        self._pool.shutdown(wait=True)
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Writer:
    """The thread with the only writing connection, opened at its first use.

    A disk that failed is not written to again, and a commit it failed is not repeated: what the system
    then believes to be on the disk need not be there. Nor is a file written to that is not the one opened.
    """

    def __init__(self, path: Path, data_key: bytes) -> None:
        self._pool = ThreadPoolExecutor(
            1, thread_name_prefix="obdesk-write", initializer=step_back, initargs=(WRITING,)
        )
        self._path, self._key = path, data_key
        self._connection: Connection | None = None
        self._file: Identity | None = None
        self._why: Callable[[], Exception] | None = None

    @property
    def stopped(self) -> bool:
        return self._why is not None

    def submit(self, unit: Callable[[Tx], T], *, bulk: bool) -> Future[T]:
        return self._pool.submit(self._run, unit, bulk=bulk)

    def resume(self) -> Future[None]:
        return self._pool.submit(self._resume)

    def _run(self, unit: Callable[[Tx], T], *, bulk: bool) -> T:
        if self._why is not None:
            raise self._why()
        try:
            with translated():
                return self._write(self._opened(), unit, bulk=bulk)
        except StorageFailedError:
            self._stop(stopped)
            raise

    def _opened(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._path, self._key)
            self._file = identity(self._path)
        elif identity(self._path) != self._file:
            self._why = replaced
            raise replaced()
        return self._connection

    @staticmethod
    def _write(connection: Connection, unit: Callable[[Tx], T], *, bulk: bool) -> T:
        if not bulk:
            return _in_transaction(connection, unit)
        connection.execute(f"PRAGMA cache_size = -{CACHE_BULK_KIB}")
        try:
            return _in_transaction(connection, unit)
        finally:
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute("PRAGMA shrink_memory")

    def _stop(self, why: Callable[[], Exception]) -> None:
        self._why = why
        self._disconnect()

    def _resume(self) -> None:
        if self._why is None:
            return
        if self._file not in {None, identity(self._path)}:
            raise replaced()
        self._disconnect()
        with translated():
            connection = connect(self._path, self._key)
            try:
                _examine(connection)
            except BaseException:  # whatever it was, and it goes on from here: no handle stays open
                connection.close()
                raise
        self._connection, self._file, self._why = connection, identity(self._path), None

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(Exception):  # a disk that fails may fail this as well
                self._connection.close()
            self._connection = None

    def close(self) -> None:
        self._pool.shutdown(wait=True)
        self._disconnect()


def _examine(connection: Connection) -> None:
    """Raise when the file is damaged; the log comes first, whose pages mend those of the file."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    damaged = connection.execute("PRAGMA cipher_integrity_check").fetchall()
    if damaged or connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
        raise does_not_open()


def _in_transaction(connection: Connection, unit: Callable[[Tx], T]) -> T:
    """Take the write lock at once, so that no unit fails halfway because another program began."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        answer = unit(Tx(connection))
        connection.execute("COMMIT")
    except BaseException:  # whatever it was, and it goes on from here: nothing is half written
        # A full disk or a failed commit may have rolled back by itself already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return answer
