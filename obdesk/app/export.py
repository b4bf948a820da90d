"""Writing transactions as CSV: whole or not at all, from one moment of the database, and quickly.

Two threads with read-only connections of their own make blocks of lines; a sync may go on meanwhile. The
interpreter only passes blocks on, so memory stays flat and no screen waits.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import tempfile
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from obdesk.app.interface import Cancelled
from obdesk.domain.errors import Action, AppError
from obdesk.domain.exports import CsvOptions, CsvReport
from obdesk.domain.texts import tr
from obdesk.storage.engine import fsync_folder
from obdesk.storage.errors import translated
from obdesk.storage.queries import export

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from obdesk.domain.filters import TransactionFilter

    Connect = Callable[[], Any]
    Progress = Callable[[int, int], None]

BOM = "\ufeff".encode()
_THREADS = 2
_UNDER_WAY_MAX = _THREADS + 1  # blocks: enough to keep both threads busy


class ExportFailedError(AppError):
    """The file could not be written."""


async def export_csv(
    connect: Connect,
    out: Path | BinaryIO,
    wanted: TransactionFilter,
    options: CsvOptions,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> CsvReport:
    """Write the rows of a filter to a file or a stream; `progress` hears rows done and in all.

    A file appears whole or not at all, readable by its owner only. Raises Cancelled when `cancelled` says
    so, and ExportFailedError when the file cannot be written; neither leaves anything behind. A stream that
    nobody reads any more raises BrokenPipeError.
    """
    loop = asyncio.get_running_loop()
    abandoned = threading.Event()

    def stop() -> bool:
        return abandoned.is_set() or (cancelled is not None and cancelled())

    def tell(done: int, total: int) -> None:
        assert progress is not None
        loop.call_soon_threadsafe(progress, done, total)

    export_ = _Export(connect, wanted, options, tell if progress is not None else None, stop)
    with ThreadPoolExecutor(1, thread_name_prefix="obdesk-export") as pool:
        writing = loop.run_in_executor(pool, export_.run, out)
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            abandoned.set()
            await asyncio.gather(writing, return_exceptions=True)
            raise


@dataclass(frozen=True, slots=True)
class _Export:
    connect: Connect
    wanted: TransactionFilter
    options: CsvOptions
    progress: Progress | None
    stop: Callable[[], bool]

    def run(self, out: Path | BinaryIO) -> CsvReport:
        if not isinstance(out, Path):
            with _failures_explained(None):
                return self._report("-", out)
        with _failures_explained(out), _whole_file(out) as file:
            return self._report(str(out), file)

    def _report(self, name: str, file: BinaryIO) -> CsvReport:
        counted = _Counted(file)
        rows = 0
        with translated():
            if self.options.bom:
                counted.write(BOM)
            counted.write(export.header() + export.LINE_END)
            for block, count in self._blocks():
                counted.write(block + export.LINE_END)
                rows += count
        file.flush()
        return CsvReport(path=name, rows=rows, bytes_written=counted.size)

    def _blocks(self) -> Iterator[tuple[bytes, int]]:
        """Yield blocks of lines in the filter's order with their number of rows."""
        with ExitStack() as stack:
            makers = [stack.enter_context(closing(self.connect())) for _ in range(_THREADS)]
            witness = stack.enter_context(closing(self.connect()))
            export.begin_together(makers, witness)
            pool = stack.enter_context(ThreadPoolExecutor(_THREADS, thread_name_prefix="obdesk-csv"))
            total, *_same = pool.map(lambda maker: export.prepare(maker, self.wanted), makers)
            yield from self._made(pool, makers, total)

    def _made(self, pool: ThreadPoolExecutor, makers: list[Any], total: int) -> Iterator[tuple[bytes, int]]:
        free = deque(makers)

        def make(first: int, last: int) -> bytes:
            maker = free.popleft()  # as many makers as threads: there is always one
            try:
                return export.lines(maker, first, last)
            finally:
                free.append(maker)

        def submit(first: int) -> tuple[Future[bytes], int]:
            last = min(first + export.BLOCK_ROWS - 1, total)
            return pool.submit(make, first, last), last

        starts = iter(range(1, total + 1, export.BLOCK_ROWS))
        under_way = deque(map(submit, islice(starts, _UNDER_WAY_MAX)))
        done = 0
        while under_way:
            if self.stop():
                raise Cancelled
            made, last = under_way.popleft()
            yield made.result(), last - done
            done = last
            if self.progress is not None:
                self.progress(done, total)
            under_way.extend(map(submit, islice(starts, 1)))


class _Counted:
    """A stream that knows how many bytes went through."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = 0

    def write(self, content: bytes) -> None:
        self._file.write(content)
        self.size += len(content)


@contextmanager
def _whole_file(out: Path) -> Iterator[BinaryIO]:
    """Give a stream whose content replaces `out` when the block ends well, and vanishes otherwise."""
    target = out.resolve()  # a symbolic link stays one
    if _is_device(target):
        with target.open("wb") as device:
            yield device
        return
    handle, name = tempfile.mkstemp(prefix=".obdesk-export-", suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        fsync_folder(target.parent)
    except BaseException:  # whatever ended it, and it goes on from here: no part of a file stays
        part.unlink(missing_ok=True)
        raise


def _is_device(target: Path) -> bool:
    """Tell a pipe or a device from a file: it is written to, never replaced."""
    try:
        mode = target.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


@contextmanager
def _failures_explained(out: Path | None) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _explained(error, tr("the output") if out is None else str(out)) from error


def _explained(error: OSError, place: str) -> ExportFailedError:
    action = Action.CHOOSE_ANOTHER_FILE
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            cause = tr("The disk that holds {file} is full.", file=place)
            action = Action.FREE_DISK_SPACE
        case errno.ENOENT | errno.ENOTDIR:
            cause = tr("The folder of {file} does not exist.", file=place)
        case errno.EISDIR:
            cause = tr("{file} is a folder.", file=place)
        case errno.EACCES | errno.EPERM | errno.EROFS:
            cause = tr(
                "{file} cannot be written: access is refused, or another program has it open.", file=place
            )
        case _:
            cause = tr("{file} cannot be written: {reason}.", file=place, reason=error.strerror or "?")
    return ExportFailedError(
        title=tr("The export was not written"),
        cause=cause,
        next_step=tr(
            "No part of a file was left behind. Choose another place, or make room, and export again."
        ),
        action=action,
    )
