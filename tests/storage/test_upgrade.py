"""An older file is brought up to date or left as it was; a copy of it is kept; it is never missing."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obdesk.storage import engine, store
from obdesk.storage.engine import connect, version_of
from obdesk.storage.errors import DatabaseBusyError, DatabaseDoesNotOpenError
from obdesk.storage.migrations import runner
from obdesk.storage.queries.transactions import count
from obdesk.storage.store import Store
from tests.seed import KEY, fill
from tests.storage.files import fingerprint, raw

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEXT = '''"""One column more."""
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade():
    {body}
'''
NOW_AT = engine.SCHEMA_VERSION
NEXT = NOW_AT + 1


class Future:
    """A program one schema version ahead, whose migration does what a test says."""

    def __init__(self, folder: Path, patched: pytest.MonkeyPatch) -> None:
        self._folder = folder / "migrations"
        self._patched = patched
        shutil.copytree(Path(runner.__file__).parent, self._folder)

    def arrives(self, body: str) -> None:
        revision, before = f"{NEXT:04}", f"{NOW_AT:04}"
        text = _NEXT.format(body=body, revision=revision, before=before)
        (self._folder / "versions" / f"{revision}_next.py").write_text(text, encoding="utf-8")
        self._patched.setattr(runner, "__file__", str(self._folder / "runner.py"))
        for module in (engine, store, runner):
            self._patched.setattr(module, "SCHEMA_VERSION", NEXT)


@pytest.fixture
def future(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future]:
    with pytest.MonkeyPatch.context() as patched:
        yield Future(tmp_path_factory.mktemp("future"), patched)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    with Store.open(path, KEY) as opened:
        fill(opened, 50)
    return path


def test_an_older_file_is_migrated_and_its_backup_kept(old: Path, future: Future) -> None:
    future.arrives('op.execute("ALTER TABLE settings ADD COLUMN since INTEGER")')
    with Store.open(old, KEY) as opened:
        assert opened.read_now(count) == 50
        opened.read_now(lambda raw_: raw_.execute("SELECT since FROM settings"))
    assert version_of(old, KEY) == NEXT
    backup = old.with_name(f"ledger.db.v{NOW_AT}.bak")
    left = {found.name for found in old.parent.iterdir()}
    assert left - {"ledger.db-wal", "ledger.db-shm"} == {"ledger.db", f"ledger.db.v{NOW_AT}.bak"}
    assert version_of(backup, KEY) == NOW_AT
    with closing(connect(backup, KEY, read_only=True)) as kept:
        assert count(kept) == 50


def test_the_backup_and_the_new_file_are_encrypted_and_private(old: Path, future: Future) -> None:
    future.arrives("pass")
    Store.open(old, KEY).close()
    for path in old.parent.iterdir():
        content = path.read_bytes()
        assert not content.startswith(b"SQLite format 3")
        assert b"LIBRAIRIE" not in content
        assert path.stat().st_mode & 0o077 == 0


def test_F51_a_migration_that_fails_leaves_the_old_file(old: Path, future: Future) -> None:
    future.arrives('op.execute("ALTER TABLE nowhere ADD COLUMN x INTEGER")')
    with pytest.raises(Exception, match="no such table"):
        Store.open(old, KEY)
    with raw(old) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (NOW_AT,)
        assert connection.execute("SELECT count(*) FROM transactions").fetchone() == (50,)
    future.arrives("pass")
    Store.open(old, KEY).close()
    assert version_of(old, KEY) == NEXT


@pytest.mark.parametrize(
    "loss",
    [
        'op.execute("DELETE FROM transactions WHERE id = 3")',
        'op.execute("UPDATE transactions SET amount_minor = amount_minor + 1 WHERE id = 3")',
        'op.execute("UPDATE transactions SET account_id = account_id % 3 + 1 WHERE id = 3")',
    ],
)
def test_a_migration_that_loses_or_changes_money_is_refused(old: Path, future: Future, loss: str) -> None:
    future.arrives(loss)
    with pytest.raises(DatabaseDoesNotOpenError):
        Store.open(old, KEY)
    with raw(old) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (NOW_AT,)
        assert connection.execute("SELECT count(*) FROM transactions").fetchone() == (50,)


@pytest.mark.parametrize("moment", range(3))
def test_F51_a_crash_at_any_moment_of_the_swap_leaves_a_file_with_everything(
    old: Path, future: Future, moment: int
) -> None:
    future.arrives("pass")
    swapped = runner._put_in_place
    calls = 0

    def crashing(new: Path, path: Path) -> None:
        nonlocal calls
        if calls == moment:
            raise KeyboardInterrupt
        calls += 1
        swapped(new, path)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runner, "_put_in_place", crashing)
        if moment < 2:
            with pytest.raises(KeyboardInterrupt):
                Store.open(old, KEY)
        else:
            Store.open(old, KEY).close()
    assert old.exists(), "there is no moment without the file: a new, empty one would be made in its place"
    with Store.open(old, KEY) as opened:
        assert opened.read_now(count) == 50
    assert version_of(old, KEY) == NEXT


def test_F51_logs_of_an_interrupted_attempt_are_not_applied_to_the_next(old: Path, future: Future) -> None:
    future.arrives("pass")
    with raw(old.with_name("ledger.db.migrating")) as left:
        left.execute("PRAGMA journal_mode = WAL")
        left.execute("CREATE TABLE transactions(x)")
        shutil.copy(old.with_name("ledger.db.migrating-wal"), old.with_name("kept-wal"))
    old.with_name("kept-wal").rename(old.with_name("ledger.db.migrating-wal"))
    with Store.open(old, KEY) as opened:
        assert opened.read_now(count) == 50


def test_a_file_that_another_program_has_open_waits_for_its_upgrade(old: Path, future: Future) -> None:
    with Store(old, KEY) as elsewhere:
        elsewhere.read_now(count)
        before = fingerprint(old)
        future.arrives("pass")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(engine, "BUSY_TIMEOUT_MS", 10)
            with pytest.raises(DatabaseBusyError):
                Store.open(old, KEY)
        assert fingerprint(old) == before
    Store.open(old, KEY).close()
    assert version_of(old, KEY) == NEXT


def test_F64_the_last_two_backups_stay(old: Path, future: Future) -> None:
    for number in (-3, -2, -1):
        shutil.copy(old, old.with_name(f"ledger.db.v{number}.bak"))
    future.arrives("pass")
    Store.open(old, KEY).close()
    assert len(list(old.parent.glob("*.bak"))) == 2
    assert old.with_name(f"ledger.db.v{NOW_AT}.bak").exists()
