"""The file appears whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import io
import os
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from obdesk.app.export import ExportFailedError, export_csv
from obdesk.app.interface import Cancelled
from obdesk.domain.errors import Action
from obdesk.domain.exports import CsvOptions
from obdesk.domain.filters import TransactionFilter
from obdesk.storage.queries.export import BLOCK_ROWS
from tests.export.ledger import Ledger, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the empty folder that a person exports to."""
    made = tmp_path / "out"
    made.mkdir()
    return made


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """Give a ledger of several blocks."""
    ledger.add_many([{"label": f"row {n}"} for n in range(4 * BLOCK_ROWS)])
    return ledger


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system with room for half a megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_an_older_file_is_replaced_and_only_its_owner_reads_the_new_one(ledger: Ledger, folder: Path) -> None:
    ledger.add()
    out = folder / "mine.csv"
    out.write_text("old")
    out.chmod(0o644)

    report = ledger.export(out)

    assert len(parsed(out.read_bytes())) == report.rows == 1
    assert report.path == str(out)
    assert [each.name for each in folder.iterdir()] == ["mine.csv"]
    if os.name == "posix":
        assert stat.S_IMODE(out.stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")
def test_a_link_is_followed_and_a_device_is_written_to(ledger: Ledger, folder: Path) -> None:
    ledger.add()
    link, target = folder / "link.csv", folder / "target.csv"
    link.symlink_to(target)

    ledger.export(link)
    ledger.export(folder.__class__("/dev/null"))

    assert link.is_symlink()
    assert len(parsed(target.read_bytes())) == 1
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)  # noqa: PTH116 - the device itself


def test_cancelling_leaves_the_older_file_and_nothing_else(filled: Ledger, folder: Path) -> None:
    out = folder / "mine.csv"
    out.write_text("old")
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(len(list(folder.iterdir())))
        return len(asked) > 2

    with pytest.raises(Cancelled):
        filled.export(out, cancelled=cancelled)

    assert asked[-1] == 2, "the part file was there while it was written"
    assert [(each.name, each.read_text()) for each in folder.iterdir()] == [("mine.csv", "old")]


def test_a_task_that_is_cancelled_leaves_nothing(filled: Ledger, folder: Path) -> None:
    async def begin_and_cancel() -> None:
        reached, given_up = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def is_cancelled() -> bool:
            loop.call_soon_threadsafe(reached.set)
            assert given_up.wait(10)
            return False  # nobody says so: the task that waits is gone

        async with asyncio.TaskGroup() as tasks:
            export = tasks.create_task(
                export_csv(
                    filled.reader,
                    folder / "mine.csv",
                    TransactionFilter(),
                    CsvOptions(),
                    cancelled=is_cancelled,
                )
            )
            await reached.wait()
            export.cancel()
            await asyncio.sleep(0)
            given_up.set()

    asyncio.run(begin_and_cancel())

    assert list(folder.iterdir()) == []


def test_F40_a_full_disk_leaves_nothing_and_says_so(filled: Ledger, small_disk: Path) -> None:
    with pytest.raises(ExportFailedError) as caught:
        filled.export(small_disk / "mine.csv")

    assert list(small_disk.iterdir()) == []
    assert caught.value.action is Action.FREE_DISK_SPACE
    assert "is full" in caught.value.cause


def test_a_missing_folder_and_a_folder_instead_of_a_file_are_explained(ledger: Ledger, folder: Path) -> None:
    with pytest.raises(ExportFailedError, match="was not written") as missing:
        ledger.export(folder / "no" / "mine.csv")
    with pytest.raises(ExportFailedError) as is_folder:
        ledger.export(folder)

    assert "does not exist" in missing.value.cause
    assert "is a folder" in is_folder.value.cause
    assert list(folder.iterdir()) == []


def test_a_stream_nobody_reads_is_no_error_of_ours(filled: Ledger) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    with pytest.raises(BrokenPipeError), os.fdopen(writing, "wb", buffering=0) as stream:
        asyncio.run(export_csv(filled.reader, stream, TransactionFilter(), CsvOptions()))


def test_F68_an_export_shows_one_moment_while_rows_keep_coming(filled: Ledger) -> None:
    stream = io.BytesIO()

    def meanwhile() -> bool:
        # Called between blocks, from the export's own thread: a sync commits while it runs.
        filled.add(label="new", booked_on="2001-01-01")
        filled.connection.execute("UPDATE transactions SET label = 'changed' WHERE id % 1000 = 0")
        return False

    filled.export(stream, cancelled=meanwhile)

    labels = [row["label"] for row in parsed(stream.getvalue())]
    assert len(labels) == 4 * BLOCK_ROWS
    assert all(label.startswith("row ") for label in labels)
    assert len(filled.exported()) > len(labels)


def test_F68_all_connections_of_an_export_begin_at_the_same_moment(filled: Ledger) -> None:
    from obdesk.storage.queries import export

    readers = [_Interrupted(filled.reader(), filled), filled.reader()]
    witness = filled.reader()

    export.begin_together(readers, witness)

    counts = {reader.execute("SELECT count(*) FROM transactions").fetchone()[0] for reader in readers}
    assert counts == {4 * BLOCK_ROWS + 1}, "the commit in between was noticed, and all began again"
    for reader in (*readers, witness):
        reader.close()


class _Interrupted:
    """A reader during whose first beginning somebody else commits."""

    def __init__(self, connection: object, ledger: Ledger) -> None:
        self._connection = connection
        self._ledger = ledger
        self._quiet = False

    def execute(self, sql: str) -> object:
        found = self._connection.execute(sql)  # type: ignore[attr-defined]
        if sql.startswith("SELECT count(*) FROM accounts") and not self._quiet:
            self._quiet = True
            self._ledger.add(label="in between")
        return found

    def close(self) -> None:
        self._connection.close()  # type: ignore[attr-defined]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_stays_flat(filled: Ledger) -> None:
    filled.add_many([{"label": "x" * 1_000} for _ in range(80_000)])
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.export.ledger import KEY\n"
        "from obdesk.app.export import export_csv\n"
        "from obdesk.domain.exports import CsvOptions\n"
        "from obdesk.domain.filters import TransactionFilter\n"
        "from obdesk.storage.engine import connect\n"
        "def export(text):\n"
        "    asyncio.run(export_csv(lambda: connect(Path(sys.argv[1]), KEY, read_only=True),\n"
        "        open('/dev/null', 'wb'), TransactionFilter(text=text), CsvOptions()))\n"
        "    status = Path('/proc/self/status').read_text().split()\n"
        "    return int(status[status.index('VmHWM:') + 1]) // 1024\n"
        "small = export('nothing like it')\n"
        "print(export('') - small)\n"
    )
    grown = subprocess.run(
        [sys.executable, "-c", program, str(filled.path)], capture_output=True, text=True, check=True
    )

    assert int(grown.stdout) < 60, "90 MB of CSV went through; two page caches hold 16 MB each"
