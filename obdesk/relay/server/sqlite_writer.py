"""The one thread that writes the SQLite store, with one flush of the disk for all that wait for it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar

from obdesk.relay.server.life import Progress
from obdesk.relay.server.sqlite_file import OpenFile, down, identity, open_again, open_for_writing
from obdesk.relay.server.store import StoreDownError

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
Operation: TypeAlias = Callable[[sqlite3.Connection], T]
_GROUP_MAX: Final = 512
_NOT_OURS: Final = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.NotSupportedError)
"""Errors of SQLite's that are a caller's mistake and say nothing about the disk."""


class _Asked(NamedTuple):
    operation: Operation[Any]
    future: asyncio.Future[Any]


class _Outcome(NamedTuple):
    asked: _Asked
    result: Any
    error: Exception | None

    def tell(self) -> None:
        if self.asked.future.done():
            return  # nobody waits any more
        if self.error is None:
            self.asked.future.set_result(self.result)
        else:
            self.asked.future.set_exception(self.error)


class Writer:
    """Takes operations from the event loop and does them in order, as many in one commit as have gathered.

    An operation is all done or not at all, and who asked is told after the commit is on the disk. After a
    failure the file is opened anew, so that a disk with room again is used again.
    """

    def __init__(self, path: Path, *, beside: bool) -> None:
        self._path = path
        self._is_beside = beside
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_Asked | None] = SimpleQueue()
        self._file: OpenFile | None = None
        self._has_failed = False
        self.openings = 0
        """How often the file was opened; who reads must open it anew as often."""
        self._thread = threading.Thread(target=self._work, name="relay-store", daemon=True)
        self._thread.start()

    async def do(self, operation: Operation[T]) -> T:
        """Do an operation durably and return its result; raises StoreDownError, or what it raises."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Asked(operation, future))
        return await future

    async def close(self) -> None:
        """Do what was asked for, then let go of the file."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        goes_on = True
        while goes_on:
            group, goes_on = self._gathered()
            if group:
                outcomes = self._committed(group)
                with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                    self._loop.call_soon_threadsafe(_tell, outcomes)
        self._let_go()

    def _gathered(self) -> tuple[list[_Asked], bool]:
        """Wait for something to do and take with it what else is there, and whether more may come."""
        group: list[_Asked] = []
        asked = self._queue.get()
        with suppress(Empty):
            while asked is not None:
                group.append(asked)
                if len(group) == _GROUP_MAX:
                    return group, True
                asked = self._queue.get_nowait()
            return group, False
        return group, True

    def _committed(self, group: list[_Asked]) -> list[_Outcome]:
        try:
            results = self._in_one_commit(group)
        except StoreDownError as error:
            return [_Outcome(asked, None, error) for asked in group]
        except Exception as error:  # noqa: BLE001 - an operation's own mistake, told to who asked for it
            if len(group) == 1:
                return [_Outcome(group[0], None, error)]
            # One spoilt it for all: each has its own commit now.
            return [outcome for asked in group for outcome in self._committed([asked])]
        return [_Outcome(asked, result, None) for asked, result in zip(group, results, strict=True)]

    def _in_one_commit(self, group: list[_Asked]) -> list[Any]:
        try:
            file = self._opened()
            connection = file.connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                results = [asked.operation(connection) for asked in group]
                counted = "UPDATE life SET commits = commits + 1 RETURNING epoch, commits"
                progress = Progress(*connection.execute(counted).fetchone())
                connection.execute("COMMIT")
            except BaseException:  # whatever it was, and it goes on from here: nothing of the group stays
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except _NOT_OURS:
            raise
        except (sqlite3.Error, OSError) as error:
            self._has_failed = True
            raise down(error) from error
        with suppress(OSError):  # it is committed; a number that stays behind does no harm
            file.life.write(progress)
        return results

    def _opened(self) -> OpenFile:
        file = self._file
        if file is None or file.identity != identity(self._path):
            self._let_go()
            file = open_for_writing(self._path, beside=self._is_beside)
        elif self._has_failed:
            file = open_again(self._path, file)
        else:
            return file
        self._file, self._has_failed = file, False
        self.openings += 1
        return file

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(sqlite3.Error, OSError):
                file.close()


def _tell(outcomes: list[_Outcome]) -> None:
    for outcome in outcomes:
        outcome.tell()
