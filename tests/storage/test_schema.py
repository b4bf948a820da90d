"""A new file is whole or absent, and it is what the tables say."""

from __future__ import annotations

import re
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool
from sqlcipher3 import dbapi2
from sqlmodel import SQLModel

from obdesk.storage import synctables, tables
from obdesk.storage.engine import SCHEMA_VERSION, connect, version_of
from obdesk.storage.migrations import runner
from obdesk.storage.store import Store
from tests.seed import KEY
from tests.storage.files import fingerprint, made, raw

if TYPE_CHECKING:
    from pathlib import Path


def _schema(connection: object) -> dict[str, str]:
    found = connection.execute(  # type: ignore[attr-defined]
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL "
        "AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'alembic_%' AND name NOT LIKE 'transaction_search_%'"
    )
    return {
        name: re.sub(r"\s+", " ", sql).replace("( ", "(").replace(" )", ")").strip() for name, sql in found
    }


def test_what_the_migrations_make_is_what_the_tables_say(tmp_path: Path) -> None:
    with closing(connect(made(tmp_path / "a.db"), KEY)) as migrated:
        ours = _schema(migrated)
    with closing(dbapi2.connect(":memory:")) as described:
        engine = create_engine("sqlite://", module=dbapi2, creator=lambda: described, poolclass=StaticPool)
        own = [table for table in SQLModel.metadata.sorted_tables if table.name in ours]
        SQLModel.metadata.create_all(engine, own)
        described.execute(tables.SEARCH_DDL)
        wanted = _schema(described)
    assert ours == wanted
    mine = [
        each.__tablename__
        for each in [*vars(tables).values(), *vars(synctables).values()]
        if isinstance(each, type) and issubclass(each, SQLModel) and each is not SQLModel
    ]
    assert set(mine) == {table.name for table in own}
    assert "transaction_search" in ours


def test_no_column_of_money_or_time_is_ever_a_float(tmp_path: Path) -> None:
    with closing(connect(made(tmp_path / "a.db"), KEY)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if table.startswith("transaction_search"):
                continue
            for column in connection.execute(f"PRAGMA table_info({table})"):
                assert column[2] in {"INTEGER", "VARCHAR", "VARCHAR(32)", "TEXT", "BOOLEAN", "BLOB"}, column


def test_a_new_file_says_what_it_is_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db")
    assert version_of(path, KEY) == SCHEMA_VERSION
    with raw(path) as connection:
        assert connection.execute("PRAGMA application_id").fetchone()[0] == tables.APPLICATION_ID
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["a.db"]


def test_making_a_file_never_replaces_one(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db")
    before = fingerprint(path)
    with pytest.raises(FileExistsError):
        runner.create(path, KEY)
    assert fingerprint(path) == before


def test_what_a_crash_left_of_an_unfinished_file_is_not_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    for suffix in (".new", ".new-wal", ".new-shm", ".new-journal"):
        path.with_name(path.name + suffix).write_bytes(b"half of something" * 999)
    with Store.open(path, KEY) as store:
        assert store.read_now(lambda opened: opened.execute("SELECT count(*) FROM accounts").fetchone()) == (
            0,
        )
    assert not list(tmp_path.glob("*.new*"))


def test_a_crash_while_a_file_is_made_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(runner, "_put_in_place", crash)
        with pytest.raises(KeyboardInterrupt):
            Store.open(path, KEY)
    assert not path.exists()
    Store.open(path, KEY).close()
    assert version_of(path, KEY) == SCHEMA_VERSION
