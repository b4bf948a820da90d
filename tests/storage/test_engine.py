"""Opening: with the right key and the right pragmas, or not at all and with the right reason."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.errors import Action
from obdesk.storage.engine import SCHEMA_VERSION, connect, version_of
from obdesk.storage.errors import (
    DatabaseDoesNotOpenError,
    DatabaseNewerError,
    DataReadOnlyError,
    StorageFailedError,
    translated,
)
from obdesk.storage.store import Store
from tests.seed import KEY
from tests.storage.files import fingerprint, made, raw

if TYPE_CHECKING:
    from pathlib import Path

OTHER_KEY = bytes(32)


def test_the_pragmas_that_keep_data_safe_are_really_set(tmp_path: Path) -> None:
    with closing(connect(made(tmp_path / "a.db"), KEY)) as connection:
        told = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "temp_store", "trusted_schema")
        }
    assert told == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "temp_store": 2,
        "trusted_schema": 0,
    }


def test_the_connection_of_the_writer_thread_has_them_too(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db", KEY) as store:
        told = store.write_now(
            lambda tx: [
                tx.value(f"PRAGMA {name}") for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        )
    assert told == ["wal", 2, 1]


def test_a_reading_connection_cannot_write(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db")
    with closing(connect(path, KEY, read_only=True)) as connection:
        for statement in (
            "INSERT INTO settings VALUES ('a', 'b')",
            "DELETE FROM settings",
            "CREATE TABLE x(y)",
        ):
            with pytest.raises(DataReadOnlyError), translated():
                connection.execute(statement)


def test_a_read_through_the_store_cannot_write_either(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db", KEY) as store, pytest.raises(DataReadOnlyError):
        store.read_now(lambda opened: opened.execute("INSERT INTO settings VALUES ('a', 'b')"))


def _another_key(path: Path) -> None:
    with Store.open(path, OTHER_KEY):
        pass


def _a_plain_database(path: Path) -> None:
    import sqlite3

    with closing(sqlite3.connect(path)) as plain:
        plain.execute("CREATE TABLE a(b)")


def _some_text(path: Path) -> None:
    path.write_bytes(b"this is not a database at all, it is a letter\n" * 200)


def _emptied(path: Path) -> None:
    path.touch()


def _damaged(path: Path) -> None:
    made(path)
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("make", [_another_key, _a_plain_database, _some_text, _emptied, _damaged])
def test_a_file_that_is_not_ours_to_open_is_left_as_it_is(tmp_path: Path, make: object) -> None:
    path = tmp_path / "a.db"
    assert callable(make)
    make(path)
    before = fingerprint(path)
    with pytest.raises(DatabaseDoesNotOpenError) as refused:
        Store.open(path, KEY)
    assert refused.value.action is Action.NONE
    assert "Nothing was changed" in refused.value.next_step
    assert fingerprint(path) == before
    assert [found.name for found in tmp_path.iterdir() if found.stat().st_size] == (
        ["a.db"] if make is not _emptied else []
    )


def test_F52_a_file_of_a_newer_program_is_refused_without_a_write(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db")
    with raw(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        connection.execute("PRAGMA journal_mode = DELETE")
    before = fingerprint(path)
    for attempt in (lambda: Store.open(path, KEY), lambda: connect(path, KEY), lambda: version_of(path, KEY)):
        with pytest.raises(DatabaseNewerError) as refused:
            attempt()
        assert refused.value.action is Action.UPDATE_OBDESK
        assert str(SCHEMA_VERSION + 1) in refused.value.cause
    assert fingerprint(path) == before
    with raw(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"


def test_a_damaged_page_in_the_middle_is_told_as_damage(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db")
    with raw(path) as connection:
        connection.execute("INSERT INTO settings VALUES ('x', ?)", ("y" * 100_000,))
    content = bytearray(path.read_bytes())
    content[-9_000] ^= 1
    path.write_bytes(content)
    with Store.open(path, KEY) as store, pytest.raises(DatabaseDoesNotOpenError):
        store.read_now(lambda opened: opened.execute("SELECT value FROM settings").fetchall())


def test_a_folder_that_went_away_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(StorageFailedError):
        connect(tmp_path / "gone" / "a.db", KEY)


def test_our_own_mistakes_are_not_dressed_up_as_the_disks(tmp_path: Path) -> None:
    from sqlcipher3 import dbapi2

    with Store.open(tmp_path / "a.db", KEY) as store:
        with pytest.raises(dbapi2.OperationalError, match="no such table"):
            store.read_now(lambda opened: opened.execute("SELECT * FROM nowhere"))
        with pytest.raises(dbapi2.OperationalError, match="no such table"):
            store.write_now(lambda tx: tx.execute("DELETE FROM nowhere"))
