"""The door: commits are waited for, slow answers are superseded, a full disk loses nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.errors import Action
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.ids import TransactionId
from obdesk.storage import engine
from obdesk.storage.errors import DatabaseBusyError, DiskFullError, SupersededError
from obdesk.storage.queries import connections as reads
from obdesk.storage.queries import transactions
from obdesk.storage.store import Store
from obdesk.storage.writes import edits
from tests.fakes import SOME_MORNING
from tests.seed import KEY, fill
from tests.storage.files import checked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obdesk.storage.tx import Tx


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "ledger.db", KEY) as opened:
        yield opened


def _theme(store: Store) -> str | None:
    return store.read_now(reads.setting, "theme")


@pytest.mark.anyio
async def test_who_cancels_a_write_waits_for_its_commit(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def unit(tx: Tx) -> None:
        begun.set()
        assert go_on.wait(10)
        edits.set_setting(tx, "theme", "dark")

    async with asyncio.TaskGroup() as group:
        writing = group.create_task(store.write(unit))
        await asyncio.to_thread(begun.wait, 10)
        for _ in range(3):  # an impatient person presses more than once
            writing.cancel()
            await asyncio.sleep(0)
        assert not writing.done()
        go_on.set()
    assert writing.cancelled()
    assert _theme(store) == "dark"


@pytest.mark.anyio
async def test_F37_a_write_that_fails_while_its_waiter_leaves_is_nobodys_alarm(store: Store) -> None:
    begun, go_on, alarms = threading.Event(), threading.Event(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: alarms.append(context))

    def unit(_tx: Tx) -> None:
        begun.set()
        assert go_on.wait(10)
        raise RuntimeError("in the middle")

    writing = asyncio.create_task(store.write(unit))
    await asyncio.to_thread(begun.wait, 10)
    writing.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait({writing})
    assert writing.cancelled()
    del writing
    gc.collect()
    assert alarms == []


@pytest.mark.anyio
async def test_a_write_that_fails_leaves_nothing_and_the_next_one_works(store: Store) -> None:
    def half(tx: Tx) -> None:
        edits.set_setting(tx, "theme", "dark")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        await store.write(half)
    assert _theme(store) is None
    await store.write(lambda tx: edits.set_setting(tx, "theme", "light"), bulk=True)
    assert _theme(store) == "light"


_SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT max(i) FROM n"


def _slow(begun: threading.Event | None, rows: int) -> Any:
    def query(connection: Any) -> int:
        if begun is not None:
            begun.set()
        return int(connection.execute(_SLOW.format(rows)).fetchone()[0])

    return query


@pytest.mark.anyio
async def test_a_newer_question_on_a_topic_interrupts_the_older_one(store: Store) -> None:
    begun = threading.Event()
    async with asyncio.TaskGroup() as group:
        older = group.create_task(_answer(store, "sums", _slow(begun, 10**12)))
        await asyncio.to_thread(begun.wait, 10)
        between = group.create_task(_answer(store, "sums", _slow(None, 3)))
        newest = group.create_task(_answer(store, "sums", _slow(None, 5)))
    assert (older.result(), between.result(), newest.result()) == (None, None, 5)


@pytest.mark.anyio
async def test_questions_on_other_topics_are_all_answered(store: Store) -> None:
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_answer(store, f"topic {n}", _slow(None, n + 1))) for n in range(20)]
    assert [task.result() for task in asked] == list(range(1, 21))


async def _answer(store: Store, topic: str, query: Any) -> int | None:
    try:
        return await store.read_slowly(topic, query)
    except SupersededError:
        return None


@pytest.mark.anyio
async def test_screens_read_while_a_sync_writes(store: Store) -> None:
    fill(store, 100)
    begun, go_on = threading.Event(), threading.Event()

    def unit(tx: Tx) -> None:
        tx.execute("UPDATE transactions SET deleted_at = 1")
        begun.set()
        assert go_on.wait(10)

    async with asyncio.TaskGroup() as group:
        group.create_task(store.write(unit))
        await asyncio.to_thread(begun.wait, 10)
        seen = await store.read(transactions.count)
        summed = await store.read_slowly("sums", transactions.count)
        go_on.set()
    assert (seen, summed) == (100, 100), "what is not committed is not seen, and nobody waited"
    assert await store.read(transactions.count) == 0


def test_closing_finishes_what_is_running_and_ends_the_threads(tmp_path: Path) -> None:
    before = threading.active_count()
    store = Store.open(tmp_path / "ledger.db", KEY)
    fill(store, 10)
    store.read_now(transactions.count)
    store.close()
    assert threading.active_count() == before
    assert not (tmp_path / "ledger.db-wal").exists(), "the log is empty once the last program closes"


def test_the_search_index_follows_every_kind_of_write(store: Store) -> None:
    fill(store, 60)
    checked(store)
    store.write_now(
        lambda tx: edits.edit_transaction(tx, TransactionId(1), note="x", category="y", now=SOME_MORNING)
    )
    checked(store)
    assert len(store.read_now(transactions.ids, TransactionFilter(text="brest"))) > 0


# Two processes

_WRITER = """
import sys
from pathlib import Path
from obdesk.storage.store import Store
from obdesk.storage.writes import edits
from tests.seed import KEY
with Store.open(Path(sys.argv[1]), KEY) as store:
    def unit(tx):
        edits.set_setting(tx, "theme", "dark")
        print("holding", flush=True)
        sys.stdin.readline()
    store.write_now(unit)
    print("done", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def other_process(store: Store) -> Iterator[subprocess.Popen[str]]:
    """Start a second program that is in the middle of a write to the same file."""
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(store.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        yield process
        process.kill()


def _say(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline()


def test_reading_goes_on_while_another_program_writes(
    store: Store, other_process: subprocess.Popen[str]
) -> None:
    version = store.read_now(reads.data_version)
    assert _theme(store) is None
    assert _say(other_process) == "done\n"
    assert _theme(store) == "dark"
    assert store.read_now(reads.data_version) != version, "the screens hear of it by this"


def test_writing_waits_its_turn_and_then_says_who_is_in_the_way(
    store: Store, other_process: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 50)
    with pytest.raises(DatabaseBusyError) as refused:
        store.write_now(lambda tx: edits.set_setting(tx, "theme", "light"))
    assert refused.value.action is Action.RETRY
    assert _say(other_process) == "done\n"
    store.write_now(lambda tx: edits.set_setting(tx, "theme", "light"))
    assert _theme(store) == "light"


def test_a_write_that_can_wait_a_little_does(store: Store, other_process: subprocess.Popen[str]) -> None:
    waiting = threading.Thread(
        target=lambda: store.write_now(lambda tx: edits.set_setting(tx, "language", "fr"))
    )
    waiting.start()
    assert _say(other_process) == "done\n"
    waiting.join(10)
    assert store.read_now(reads.setting, "language") == "fr"
    assert _theme(store) == "dark"


# A full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"this machine does not let us mount a disk: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill_disk(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for block in (65_536, 4_096):
            with suppress(OSError):
                while file.write(b"x" * block):
                    pass
    return ballast


def test_F40_a_full_disk_is_told_once_and_loses_nothing(small_disk: Path) -> None:
    with Store.open(small_disk / "ledger.db", KEY) as store:
        fill(store, 300)
        store.write_now(lambda tx: edits.set_setting(tx, "theme", "dark"))
        ballast = _fill_disk(small_disk)
        for _ in range(3):
            with pytest.raises(DiskFullError) as refused:
                store.write_now(lambda tx: edits.set_setting(tx, "last_visit", "x" * 600_000))
            assert refused.value.action is Action.FREE_DISK_SPACE
            assert "still there" in refused.value.next_step
        assert store.read_now(transactions.count) == 300
        assert _theme(store) == "dark"
        ballast.unlink()
        store.write_now(lambda tx: edits.set_setting(tx, "theme", "light"))
        assert _theme(store) == "light"
        checked(store)
    with Store.open(small_disk / "ledger.db", KEY) as again:
        assert again.read_now(transactions.count) == 300
        assert _theme(again) == "light"


def test_F40_a_new_file_on_a_full_disk_is_not_half_made(small_disk: Path) -> None:
    ballast = _fill_disk(small_disk)
    with pytest.raises(DiskFullError):
        Store.open(small_disk / "ledger.db", KEY)
    assert not (small_disk / "ledger.db").exists()
    ballast.unlink()
    with Store.open(small_disk / "ledger.db", KEY) as store:
        checked(store)


def _nice(*_unused: object) -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a thread stand back")
@pytest.mark.anyio
async def test_saving_and_summing_stand_back_for_whoever_paints(store: Store) -> None:
    painting = os.getpriority(os.PRIO_PROCESS, 0)
    assert await store.write(_nice) == max(painting, 15)
    assert await store.read_slowly(None, _nice) == max(painting, 19)
    assert await store.read(_nice) == painting, "a person waits for this one"
    assert os.getpriority(os.PRIO_PROCESS, 0) == painting
