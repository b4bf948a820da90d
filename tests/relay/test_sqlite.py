"""What can happen to a SQLite store: copies put back, disks that are full, two relays on one file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from obdesk.relay.server import sqlite
from obdesk.relay.server.life import LifeFile
from obdesk.relay.server.store import Code, StoreDownError, StoreRefusedError
from tests.relay.places import DAY_US, NOON_US, SqlitePlace, a_source, mail, texts, token, with_device

if TYPE_CHECKING:
    from pathlib import Path

    from obdesk.relay.server.store import Store


@pytest.fixture
def file(tmp_path: Path) -> SqlitePlace:
    """Give a place for a store in a file."""
    return SqlitePlace(tmp_path / "relay.db")


def copied(path: Path) -> bytes:
    """Return a copy as `VACUUM INTO` makes it while a relay serves the file."""
    copy = path.with_suffix(".copy")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    content = copy.read_bytes()
    copy.unlink()
    return content


async def post(store: Store, number: int) -> None:
    """Keep something, so that the store has changed."""
    await store.saw_bearer(a_source().id, NOON_US + number)


async def test_F58_a_lost_file_is_made_anew_with_another_epoch(file: SqlitePlace) -> None:
    async with file.store() as store:
        first = await store.epoch()
    file.path.unlink()
    async with file.store() as store:
        assert await store.epoch() != first


async def test_F58_a_file_lost_under_a_running_relay_is_made_anew_by_the_next_write(
    file: SqlitePlace,
) -> None:
    async with file.store() as store:
        first = await store.epoch()
        device = await with_device(store)
        file.path.unlink()
        await store.ping()

        assert await store.epoch() != first
        assert await store.device_of(token(device)) is None
        device = await with_device(store)
        await store.deliver(device.source_id, None, [mail(device)], NOON_US)
        assert await texts(store, device) == ["hint"]


async def test_F59_an_older_copy_written_over_the_file_begins_another_epoch(file: SqlitePlace) -> None:
    async with file.store() as store:
        await with_device(store)
        first = await store.epoch()
        older = copied(file.path)
        await post(store, 1)
    file.path.write_bytes(older)
    async with file.store() as store:
        assert await store.epoch() != first


async def test_F59_a_copy_in_another_file_begins_another_epoch(file: SqlitePlace) -> None:
    async with file.store() as store:
        await with_device(store)
        first = await store.epoch()
    copy = file.path.with_name("moved here")
    copy.write_bytes(file.path.read_bytes())
    copy.replace(file.path)
    async with file.store() as store:
        assert await store.epoch() != first


async def test_F59_a_copy_on_a_machine_without_the_life_file_begins_another_epoch(
    file: SqlitePlace,
) -> None:
    async with file.store() as store:
        first = await store.epoch()
    file.path.with_name("relay.db.life").unlink()
    async with file.store() as store:
        assert await store.epoch() != first


async def test_F59_a_copy_that_was_served_once_and_then_put_back_begins_another_epoch(
    file: SqlitePlace,
) -> None:
    async with file.store() as store:
        await with_device(store)
        older = copied(file.path)
    file.path.unlink()
    async with file.store() as store:
        lost = await store.epoch()
    file.path.write_bytes(older)
    async with file.store() as store:
        again = await store.epoch()
        assert again != lost
    async with file.store() as store:
        assert await store.epoch() == again


async def test_F59_numbers_after_a_restored_copy_are_not_given_twice(file: SqlitePlace) -> None:
    async with file.store() as store:
        device = await with_device(store)
        older = copied(file.path)
        await store.deliver(device.source_id, None, [mail(device)], NOON_US)
        given = (await store.inbox(device.id, 0, 1)).head
    file.path.write_bytes(older)
    async with file.store() as store:
        await store.deliver(device.source_id, None, [mail(device)], NOON_US + DAY_US)
        assert (await store.inbox(device.id, 0, 1)).head > given


async def test_a_second_relay_on_one_file_is_refused_with_a_sentence(
    file: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obdesk.relay.server.sqlite_file._LOCK_PATIENCE_S", 0.05)
    async with file.store():
        with pytest.raises(StoreRefusedError, match=r"another relay serves relay\.db already"):
            await sqlite.open_store(file.path)
    async with file.store():
        pass


async def test_a_command_of_the_operators_works_beside_the_relay_that_serves(file: SqlitePlace) -> None:
    async with file.store() as store:
        first = await store.epoch()
        beside = await sqlite.open_store(file.path, beside=True)
        device = await with_device(beside)
        await beside.close()

        assert await store.device_of(token(device)) == device
    beside = await sqlite.open_store(file.path, beside=True)
    async with file.store() as store:
        assert await store.epoch() == first
        await post(beside, 1)
    await beside.close()
    async with file.store() as store:
        assert await store.epoch() == first


async def test_a_relay_starts_while_a_command_of_the_operators_opens_the_store(file: SqlitePlace) -> None:
    async with file.store():
        pass
    opening = LifeFile(file.path.with_name("relay.db.life"))
    assert opening.lock()
    relay = asyncio.ensure_future(sqlite.open_store(file.path))
    await asyncio.wait((relay,), timeout=0.1)
    assert not relay.done()
    opening.close()

    store = await relay
    await store.ping()
    await store.close()


async def test_what_was_deleted_is_in_no_file_after_the_next_purge(file: SqlitePlace) -> None:
    def on_disk() -> bytes:
        return b"".join(path.read_bytes() for path in file.path.parent.iterdir())

    async with file.store() as store:
        device = await with_device(store)
        await store.deliver(device.source_id, None, [mail(device, "a", "a sealed hint")], NOON_US)
        assert await texts(store, device) == ["a sealed hint"]
        await store.remove_device(device.id)
        assert b"a sealed hint" in on_disk()
        await store.purge(NOON_US)
        assert b"a sealed hint" not in on_disk()
        assert device.public_key not in on_disk()
        await with_device(store, "phone")


async def test_a_file_of_the_first_release_is_taken_over_with_all_that_is_in_it(file: SqlitePlace) -> None:
    async with file.store() as store:
        device = await with_device(store)
        await store.add_code(b"code", device.source_id, NOON_US + 1)
        await store.deliver(device.source_id, None, [mail(device)], NOON_US)
        epoch = await store.epoch()
    with closing(sqlite3.connect(file.path)) as connection:
        for table, column in (
            ("code", "device_id"), ("code", "public_key"), ("device", "pulled_at_us"), ("device", "seat"),
        ):  # fmt: skip
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 1")
    for _ in range(2):
        async with file.store() as store:
            assert await store.epoch() == epoch
            assert await store.code(b"code", NOON_US) == Code(device.source_id)
            assert await store.device_of(token(device)) == device
            assert await texts(store, device) == ["hint"]
    async with file.store() as store:
        await store.pulled(device.id, NOON_US)
        assert (await store.devices(device.source_id))[0].seat == 0


async def test_a_file_of_a_newer_release_is_refused(file: SqlitePlace) -> None:
    async with file.store():
        pass
    with closing(sqlite3.connect(file.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreRefusedError, match="made by a newer obdesk"):
        await sqlite.open_store(file.path)


async def test_a_file_that_is_no_store_is_said_to_be_damaged(file: SqlitePlace) -> None:
    file.path.write_bytes(b"not a database" * 1_000)
    with pytest.raises(StoreDownError, match="damaged"):
        await sqlite.open_store(file.path)


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreDownError, match="cannot be used"):
        await sqlite.open_store(tmp_path / "nowhere" / "relay.db")


async def test_a_file_that_cannot_be_read_for_a_while_is_down_and_heals(file: SqlitePlace) -> None:
    async with file.store() as store:
        device = await with_device(store)
        with closing(sqlite3.connect(file.path)) as other:
            other.execute("ALTER TABLE device RENAME TO taken_away")
            with pytest.raises(StoreDownError):
                await store.device_of(token(device))
            other.execute("ALTER TABLE taken_away RENAME TO device")

        assert await store.device_of(token(device)) == device


async def test_a_full_disk_refuses_all_or_nothing_and_heals_without_a_restart(file: SqlitePlace) -> None:
    async with file.store() as store:
        device = await with_device(store)

        def no_room(db: sqlite3.Connection) -> None:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages}")

        assert isinstance(store, sqlite.SqliteStore)
        await store._writer.do(no_room)
        large = [mail(device, str(number), "x" * 500) for number in range(200)]
        with pytest.raises(StoreDownError, match="full"):
            await store.deliver(device.source_id, b"id", large, NOON_US)

        assert await texts(store, device) == []
        # The file was opened anew, and with it the room came back.
        await store.deliver(device.source_id, b"id", large, NOON_US)
        assert len((await store.inbox(device.id, 0, 1_000)).waiting) == 200


async def test_a_mistake_in_one_operation_spoils_none_of_those_committed_with_it(file: SqlitePlace) -> None:
    async with file.store() as store:
        device = await with_device(store)
        assert isinstance(store, sqlite.SqliteStore)

        def mistaken(_db: sqlite3.Connection) -> None:
            raise LookupError("a bug")

        posts = [
            store.deliver(device.source_id, None, [mail(device, str(n), str(n))], NOON_US) for n in range(9)
        ]
        done = await asyncio.gather(
            *posts[:5], store._writer.do(mistaken), *posts[5:], return_exceptions=True
        )

        assert [each for each in done if isinstance(each, BaseException)] == [done[5]]
        assert isinstance(done[5], LookupError)
        assert await texts(store, device) == [str(number) for number in range(9)]


async def test_a_file_that_another_program_keeps_locked_is_down_and_heals(
    file: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obdesk.relay.server.sqlite_file._WRITER_PATIENCE_MS", 20)
    async with file.store() as store:
        device = await with_device(store)
        with closing(sqlite3.connect(file.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreDownError, match="another program holds"):
                await store.ping()
            assert await store.device_of(token(device)) == device, "reading goes on"
        await store.ping()


@pytest.mark.skipif(os.name != "posix", reason="other systems keep modes of files in other ways")
async def test_nobody_else_may_read_the_stores_files(file: SqlitePlace) -> None:
    async with file.store() as store:
        await with_device(store)
        modes = {path.name: path.stat().st_mode & 0o777 for path in file.path.parent.iterdir()}

    assert modes == dict.fromkeys(("relay.db", "relay.db-wal", "relay.db-shm", "relay.db.life"), 0o600)
