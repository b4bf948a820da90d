"""Disks that fail, that may not be written, that are not here: told, nothing lost, nothing made worse."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from obdesk.storage import places
from obdesk.storage.engine import LOG_BYTES_KEPT, version_of
from obdesk.storage.errors import DataReadOnlyError, DataReplacedError, DiskFullError
from obdesk.storage.queries import connections as reads
from obdesk.storage.queries import transactions
from obdesk.storage.store import Store
from obdesk.storage.writes import edits
from tests.crash.failing import SYNCS, Story
from tests.crash.trace import may_trace
from tests.seed import KEY, fill
from tests.storage.files import checked, fingerprint, made
from tests.storage.make_sample import SAMPLE_KEY, sample_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.storage.tx import Tx

_WRITES = "pwrite64"


def keep(store: Store, value: str) -> None:
    store.write_now(lambda tx: edits.set_setting(tx, "last_visit", value))


def kept(store: Store) -> str | None:
    found: str | None = store.read_now(reads.setting, "last_visit")
    return found


@pytest.mark.skipif(not may_trace(), reason="system calls are failed by strace")
@pytest.mark.parametrize("calls", [SYNCS, _WRITES])
def test_F41_a_disk_that_fails_a_write_gets_no_other_until_the_person_says_so(
    tmp_path: Path, calls: str
) -> None:
    path = made(tmp_path / "a.db")
    child = Story("tests.storage.trouble_story", path)
    assert child("write one") == "written"
    with child.failing(calls):
        assert child("write two") == "StorageFailedError"
    assert child("read") == "one", "what was acknowledged is there; what failed is not"
    before = fingerprint(path), fingerprint(tmp_path / "a.db-wal")
    assert child("write three") == "StorageFailedError", "the disk works again, but nobody said so"
    assert (fingerprint(path), fingerprint(tmp_path / "a.db-wal")) == before
    assert child("resume") == "resumed"
    assert child("write four") == "written"
    assert child.end() == 0
    with Store.open(path, KEY) as store:
        assert kept(store) == "four"
        checked(store)


@pytest.mark.skipif(not may_trace(), reason="system calls are failed by strace")
def test_F41_after_a_failed_write_a_crash_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db")
    child = Story("tests.storage.trouble_story", path)
    assert child("write one") == "written"
    with child.failing(SYNCS):
        assert child("write two") == "StorageFailedError"
        child.kill()
    with Store.open(path, KEY) as store:
        assert kept(store) in {"one", "two"}, "what was never acknowledged may be there, whole, or not"
        checked(store)


@pytest.mark.anyio
async def test_F41_a_file_found_damaged_stays_closed_to_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(path, KEY) as store:
        fill(store, 2_000)
        store._writer._why = _broken
        store._writer._disconnect()
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(Exception, match="does not open"):
            await store.resume()
        with pytest.raises(OSError, match="as the disk said"):
            keep(store, "more")
        assert store.stopped


def _broken() -> Exception:
    return OSError("as the disk said")


# A disk that may only be read


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of eight megabytes of our own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"this machine does not let us mount a disk: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _remount(folder: Path, how: str) -> None:
    changed = subprocess.run(
        ["mount", "-o", f"remount,bind,{how}", str(folder)], check=False, capture_output=True
    )
    if changed.returncode != 0:
        pytest.skip(f"this machine does not let us remount a disk: {changed.stderr.decode().strip()}")


def test_F42_on_a_disk_that_became_read_only_reading_goes_on(disk: Path) -> None:
    path = disk / "ledger.db"
    with Store.open(path, KEY) as store:
        fill(store, 200)
    _remount(disk, "ro")
    with Store.open(path, KEY) as store:
        assert store.read_now(transactions.count) == 200
        for _ in range(3):
            with pytest.raises(DataReadOnlyError, match="can only be read"):
                keep(store, "x")
        assert asyncio.run(store.read(transactions.count)) == 200
        _remount(disk, "rw")
    with Store.open(path, KEY) as store:
        keep(store, "y")
        assert kept(store) == "y"
        checked(store)


def test_F40_an_upgrade_that_finds_no_room_leaves_the_old_file_and_works_later(disk: Path) -> None:
    path = disk / "ledger.db"
    shutil.copy(sample_path(1), path)
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4_096):
            pass
    for room_kib in (0, 128):  # none to open it, then none for the copy
        os.truncate(ballast, ballast.stat().st_size - room_kib * 1024)
        with pytest.raises(DiskFullError):
            Store.open(path, SAMPLE_KEY)
    assert version_of(path, SAMPLE_KEY) == 1
    ballast.unlink()
    with Store.open(path, SAMPLE_KEY) as store:
        checked(store)
    assert path.with_name("ledger.db.v1.bak").exists()


def test_F42_a_write_that_was_refused_works_once_it_is_allowed(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db")
    with Store.open(path, KEY) as store:
        store.write_now(lambda tx: tx.execute("PRAGMA query_only = ON"))
        with pytest.raises(DataReadOnlyError):
            keep(store, "x")
        assert not store.stopped, "nothing failed; it is not allowed"
        assert kept(store) is None


@pytest.mark.anyio
async def test_F42_a_folder_that_is_taken_away_and_put_back(tmp_path: Path) -> None:
    path = tmp_path / "data" / "a.db"
    path.parent.mkdir()
    with Store.open(path, KEY) as store:
        keep(store, "one")
        assert kept(store) == "one"
        path.parent.rename(tmp_path / "elsewhere")
        with pytest.raises(DataReplacedError):
            keep(store, "two")
        assert kept(store) == "one"
        with pytest.raises(DataReplacedError):
            await store.resume()
        (tmp_path / "elsewhere").rename(path.parent)
        await store.resume()
        keep(store, "three")
        assert kept(store) == "three"
        checked(store)


# Another file, another computer


def test_F44_a_file_that_was_replaced_is_not_written_to_nor_is_its_successor(tmp_path: Path) -> None:
    path, other = tmp_path / "a.db", made(tmp_path / "other.db")
    with Store.open(path, KEY) as store:
        keep(store, "mine")
        path.rename(tmp_path / "moved.db")
        other.rename(path)
        theirs = fingerprint(path)
        for _ in range(2):
            with pytest.raises(DataReplacedError, match="moved or replaced"):
                keep(store, "into the wrong one")
    assert fingerprint(path) == theirs, "closing leaves it alone as well"


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the kernel say that a folder is another computer's."""
    folder = tmp_path / "net work"
    folder.mkdir()
    told = tmp_path / "mounts"
    name = str(folder).replace(" ", r"\040")
    told.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/ {name} nfs4 rw 0 0\nproc /proc proc rw 0 0\n")
    monkeypatch.setattr(places, "MOUNTS", told)
    return folder


def _mode(tx: Tx) -> str:
    return str(tx.value("PRAGMA journal_mode"))


def test_F44_on_a_network_file_system_there_is_no_shared_log(shared: Path, tmp_path: Path) -> None:
    path = made(tmp_path / "ledger.db")  # from a local disk
    with Store.open(path, KEY) as store:
        assert store.write_now(_mode) == "wal"
        fill(store, 50)
    path = path.rename(shared / "ledger.db")
    with Store.open(path, KEY) as store:
        assert store.read_now(transactions.count) == 50
        keep(store, "x")
        assert store.write_now(_mode) == "delete"
        assert store.write_now(lambda tx: tx.value("PRAGMA synchronous")) == 2
        assert [each.name for each in shared.iterdir()] == ["ledger.db"]
        checked(store)


def test_F44_the_nearest_mount_says_what_a_place_is(shared: Path, tmp_path: Path) -> None:
    assert places.file_system_of(shared / "a" / "b.db") == "nfs4"
    assert places.file_system_of(tmp_path / "a.db") == "ext4"
    assert places.on_network(shared)
    assert not places.on_network(tmp_path)


def test_F44_where_nobody_tells_a_place_is_taken_for_local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MOUNTS", tmp_path / "nothing")
    assert places.file_system_of(tmp_path) == ""


# Growth


def test_F64_the_log_gives_the_disk_back_after_a_large_write(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(path, KEY) as store:
        store.bulk_now(lambda tx: edits.set_setting(tx, "last_visit", "x" * 3 * LOG_BYTES_KEPT))
        log = path.with_name("a.db-wal")
        assert log.stat().st_size > LOG_BYTES_KEPT
        for turn in range(3):
            keep(store, str(turn))
        assert log.stat().st_size <= LOG_BYTES_KEPT


def test_F64_thirty_megabytes_of_writes_leaves_a_small_log(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(path, KEY) as store:
        for turn in range(300):
            keep(store, f"{turn:05}" * 20_000)
        assert path.with_name("a.db-wal").stat().st_size < LOG_BYTES_KEPT
        assert path.stat().st_size < 1_000_000
