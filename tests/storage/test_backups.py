"""Copies of a file in use: encrypted, whole or not at all, and in nobody's way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obdesk.storage import backups, engine
from obdesk.storage.engine import connect
from obdesk.storage.errors import DatabaseBusyError, DatabaseDoesNotOpenError, DiskFullError, SupersededError
from obdesk.storage.queries import connections as reads
from obdesk.storage.queries.transactions import count
from obdesk.storage.store import Store
from obdesk.storage.writes import edits
from tests.seed import KEY, fill
from tests.storage.files import checked, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obdesk.storage.tx import Tx

_ROOT = Path(__file__).parents[2]
_AT_S = 1_773_736_200.0
_COPIES = """
import sys
from pathlib import Path
from obdesk.storage.store import Store
from tests.seed import KEY

def look():
    global looks
    looks += 1
    if looks == int(sys.argv[3]):
        print("half", flush=True)
        sys.stdin.read()
    return False

looks = 0
Store.open(Path(sys.argv[1]), KEY).copy_into(Path(sys.argv[2]), 0.0, look)
"""


def _run(sql: str, tx: Tx) -> int:
    return tx.execute(sql)


def _never() -> bool:
    return False


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "ledger.db", KEY) as opened:
        fill(opened, 5_000)
        yield opened


def _names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir() if not each.name.startswith("ledger")}


def test_F64_a_copy_is_whole_encrypted_private_and_of_its_moment(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    store.copy_into(target, _AT_S, _never)
    assert _names(tmp_path) == {"copy.db"}, "no log belongs to it"
    assert target.stat().st_mode & 0o777 == 0o600
    assert target.stat().st_mtime == _AT_S
    content = target.read_bytes()
    assert not content.startswith(b"SQLite format 3")
    assert b"LIBRAIRIE" not in content
    assert content[:16] != store.path.read_bytes()[:16], "a salt of its own"
    store.write_now(lambda tx: tx.execute("DELETE FROM transactions WHERE id = 7"))
    with Store.open(target, KEY) as copied:
        assert copied.read_now(count) == 5_000
        checked(copied)


def test_F64_a_copy_holds_up_no_writer_and_still_shows_one_moment(store: Store, tmp_path: Path) -> None:
    target, looks = tmp_path / "copy.db", 0

    def write() -> bool:
        nonlocal looks
        looks += 1
        if looks in {1, 3}:  # waits for its commit, while the copy is under way
            store.write_now(lambda tx: edits.set_setting(tx, "last_visit", str(looks)))
        return False

    store.copy_into(target, _AT_S, write)
    assert looks > 4
    with Store.open(target, KEY) as copied:
        checked(copied)
        setting = "SELECT value FROM settings WHERE key = 'last_visit'"
        assert copied.read_now(lambda opened: opened.execute(setting).fetchone()[0]) == "3"


def test_F64_an_interrupted_copy_leaves_nothing(store: Store, tmp_path: Path) -> None:
    for moment in (1, 2, 4):
        looks = iter(range(1, 1_000))
        with pytest.raises(SupersededError):
            store.copy_into(tmp_path / "copy.db", _AT_S, lambda: next(looks) >= moment)  # noqa: B023 - used up inside
        assert _names(tmp_path) == set()


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_F64_a_kill_in_the_middle_leaves_no_half_copy_under_a_copys_name(
    store: Store, tmp_path: Path
) -> None:
    store.close()
    target = tmp_path / "copy.db"
    for moment in (1, 3):
        with subprocess.Popen(
            [sys.executable, "-c", _COPIES, str(store.path), str(target), str(moment)],
            cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as child:  # fmt: skip
            assert child.stdout is not None
            assert child.stdout.readline() == b"half\n"
            child.send_signal(signal.SIGKILL)
        assert "copy.db" not in _names(tmp_path)
        assert "copy.db.part" in _names(tmp_path)
    with Store.open(store.path, KEY) as again:
        again.copy_into(target, _AT_S, _never)
        checked(again)
    assert _names(tmp_path) == {"copy.db"}


def test_F64_a_damaged_file_is_not_copied(store: Store, tmp_path: Path) -> None:
    store.close()
    content = bytearray(store.path.read_bytes())
    content[len(content) // 2] ^= 1
    store.path.write_bytes(content)
    with Store.open(store.path, KEY) as damaged, pytest.raises(DatabaseDoesNotOpenError):
        damaged.copy_into(tmp_path / "copy.db", _AT_S, _never)
    assert _names(tmp_path) == set()


def test_F64_a_copy_that_does_not_read_back_is_thrown_away(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = os.fsync

    def rotting(handle: int) -> None:
        os.pwrite(handle, b"x", 40_000)
        synced(handle)

    monkeypatch.setattr(os, "fsync", rotting)
    with pytest.raises(DatabaseDoesNotOpenError):
        store.copy_into(tmp_path / "copy.db", _AT_S, _never)
    assert _names(tmp_path) == set()


def test_F64_a_disk_that_fills_during_a_copy_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"this machine does not let us mount a disk: {mounted.stderr.decode().strip()}")
    try:
        with Store.open(disk / "ledger.db", KEY) as store:
            fill(store, 5_000)
            _fill_up(disk / "ballast", room_bytes=500_000)
            with pytest.raises(DiskFullError):
                store.copy_into(disk / "copy.db", _AT_S, _never)
            assert _names(disk) == {"ballast"}
            store.write_now(lambda tx: edits.set_setting(tx, "last_visit", "x"))
            (disk / "ballast").unlink()
            checked(store)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _fill_up(ballast: Path, room_bytes: int) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4_096):
            pass
    os.truncate(ballast, ballast.stat().st_size - room_bytes)


def test_a_copy_says_the_same_until_something_changes(store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    store.copy_into(copy, _AT_S, _never)
    store.write_now(lambda tx: edits.set_setting(tx, "last_visit", "today"))
    assert store.is_still_as_in(copy), "to look at data is no change of it"
    for change in (
        "INSERT INTO settings(key, value) VALUES ('sync.paused', 'on')",
        "INSERT INTO transaction_edits(transaction_id, note, edited_at) VALUES (3, 'mine', 1)",
        "UPDATE transaction_edits SET note = 'ours', edited_at = 2",
        "UPDATE connections SET paused = 1 WHERE id = 1",
    ):
        assert store.write_now(partial(_run, change)) > 0
        assert not store.is_still_as_in(copy), change
        store.copy_into(copy, _AT_S, _never)
        assert store.is_still_as_in(copy)


def test_a_copy_that_does_not_open_holds_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "rubbish.db").write_bytes(b"rubbish" * 4_000)
    assert not store.is_still_as_in(tmp_path / "rubbish.db")
    assert not store.is_still_as_in(tmp_path / "missing.db")


def test_a_copy_of_a_file_with_the_older_journal(store: Store, tmp_path: Path) -> None:
    store.close()
    with closing(connect(store.path, KEY)) as opened:
        opened.execute("PRAGMA journal_mode = DELETE")
    backups.make(store.path, KEY, tmp_path / "copy.db", _AT_S, _never)
    shutil.copy(tmp_path / "copy.db", tmp_path / "elsewhere.db")
    with Store.open(tmp_path / "elsewhere.db", KEY) as copied:
        assert copied.read_now(count) == 5_000


# Going back


def _note(store: Store, text: str) -> None:
    store.write_now(lambda tx: edits.set_setting(tx, "last_visit", text))


def _noted(store: Store) -> str | None:
    found: str | None = store.read_now(reads.setting, "last_visit")
    return found


def test_F64_going_back_puts_the_present_file_aside_and_keeps_the_copy(store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    _note(store, "then")
    store.copy_into(copy, _AT_S, _never)
    _note(store, "now")
    store.close()
    before = fingerprint(copy)
    aside = backups.put_back(store.path, KEY, copy)
    assert fingerprint(copy) == before
    assert {each.name for each in tmp_path.iterdir()} == {"ledger.db", "ledger.db.aside-1", "copy.db"}
    assert store.path.stat().st_mode & 0o777 == 0o600
    with Store.open(store.path, KEY) as restored, Store.open(aside, KEY) as present:
        assert (_noted(restored), _noted(present)) == ("then", "now")
        checked(restored)
        checked(present)
    assert backups.put_back(store.path, KEY, copy).name == "ledger.db.aside-2"


def test_F64_going_back_forgets_no_token_and_no_reading_of_a_bank(store: Store, tmp_path: Path) -> None:
    copy, calls = tmp_path / "copy.db", "INSERT INTO bank_calls(connection_id, at, attended) VALUES (1, ?, 0)"
    store.write_now(lambda tx: tx.execute("INSERT INTO tokens(name, value) VALUES ('user', 'old')"))
    store.write_now(lambda tx: tx.execute(calls, (100,)))
    store.copy_into(copy, _AT_S, _never)
    store.write_now(lambda tx: tx.execute("UPDATE tokens SET value = 'new'"))
    store.write_now(lambda tx: tx.execute(calls, (200,)))
    store.close()
    backups.put_back(store.path, KEY, copy)
    with Store.open(store.path, KEY) as restored:
        assert restored.read_now(lambda opened: opened.execute("SELECT value FROM tokens").fetchall()) == [
            ("new",)
        ]
        asked = restored.read_now(lambda opened: opened.execute("SELECT at FROM bank_calls").fetchall())
        assert asked == [(100,), (200,)]


def test_F64_nothing_is_put_back_under_somebody_who_has_the_file_open(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy.db"
    store.copy_into(copy, _AT_S, _never)
    _note(store, "open")
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 10)
    with pytest.raises(DatabaseBusyError):
        backups.put_back(store.path, KEY, copy)
    assert _names(tmp_path) == {"copy.db"}
    assert not store.path.with_name("ledger.db.restoring").exists()
    _note(store, "still mine")
    assert _noted(store) == "still mine"


def _torn(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("place", ["first page", "in the middle"])
def test_F64_going_back_from_a_damaged_file_keeps_all_of_it(store: Store, tmp_path: Path, place: str) -> None:
    copy = tmp_path / "copy.db"
    store.copy_into(copy, _AT_S, _never)
    store.close()
    _torn(store.path, 100 if place == "first page" else store.path.stat().st_size // 2)
    damaged = store.path.read_bytes()
    aside = backups.put_back(store.path, KEY, copy)
    assert aside.read_bytes()[4_096:] == damaged[4_096:]
    assert place != "first page" or aside.read_bytes() == damaged, (
        "elsewhere the first page says which journal"
    )
    with Store.open(store.path, KEY) as restored:
        assert restored.read_now(count) == 5_000
        checked(restored)


@pytest.mark.skipif(sys.platform == "win32", reason="there an open file cannot be replaced at all")
def test_F64_a_damaged_file_that_another_process_has_open_stays(store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    store.copy_into(copy, _AT_S, _never)
    store.close()
    opens = "import sys\nfrom pathlib import Path\nfrom obdesk.storage.engine import connect\n"
    opens += "from tests.seed import KEY\nopened = connect(Path(sys.argv[1]), KEY)\n"
    opens += "opened.execute('SELECT count(*) FROM accounts').fetchall()\nprint('open', flush=True)\n"
    with subprocess.Popen(
        [sys.executable, "-c", opens + "sys.stdin.read()\n", str(store.path)],
        cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        _torn(store.path, 100)
        damaged = fingerprint(store.path)
        with pytest.raises(DatabaseBusyError):
            backups.put_back(store.path, KEY, copy)
        assert fingerprint(store.path) == damaged
        child.kill()
    assert backups.put_back(store.path, KEY, copy).exists()


def test_F64_a_copy_that_does_not_open_replaces_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes(b"rubbish" * 4_000)
    _note(store, "mine")
    store.close()
    before = fingerprint(store.path)
    with pytest.raises(DatabaseDoesNotOpenError):
        backups.put_back(store.path, KEY, tmp_path / "copy.db")
    assert fingerprint(store.path) == before
    assert _names(tmp_path) == {"copy.db"}


def test_F64_a_copy_comes_back_where_the_file_is_gone_and_gets_no_log_of_it(
    store: Store, tmp_path: Path
) -> None:
    copy, log = tmp_path / "copy.db", store.path.with_name("ledger.db-wal")
    store.copy_into(copy, _AT_S, _never)
    _note(store, "in the log")
    left = log.read_bytes()
    assert left
    store.close()
    for number in (1, 2):
        store.path.unlink()
        log.write_bytes(left)
        aside = backups.put_back(store.path, KEY, copy)
        assert not aside.exists()
        assert aside.with_name(f"ledger.db.aside-{number}-wal").read_bytes() == left
        with Store.open(store.path, KEY) as restored:
            assert restored.read_now(count) == 5_000
            assert _noted(restored) is None
            checked(restored)


@pytest.mark.parametrize("moment", [1, 2])
def test_F64_a_crash_at_any_moment_of_going_back_leaves_a_file_that_opens(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    copy, calls = tmp_path / "copy.db", 0
    store.copy_into(copy, _AT_S, _never)
    store.close()
    synced = engine.fsync_folder

    def crashing(folder: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == moment:
            raise KeyboardInterrupt
        synced(folder)

    monkeypatch.setattr(backups, "fsync_folder", crashing)
    with pytest.raises(KeyboardInterrupt):
        backups.put_back(store.path, KEY, copy)
    assert store.path.exists(), (
        "there is no moment without the file: a new, empty one would be made in its place"
    )
    with Store.open(store.path, KEY) as opened:
        assert opened.read_now(count) == 5_000
        checked(opened)
