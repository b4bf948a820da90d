"""Making a new file and bringing an older one up to date, each all or nothing.

A new file is built under another name and renamed when it is whole. An older file is copied twice by
`VACUUM INTO` (still encrypted): one copy is kept as a backup, the other is migrated, checked against the
original and put in its place by one rename, so that at no moment the file is missing. Imported only when
there is something to do: Alembic costs 300 ms.
"""

from __future__ import annotations

import logging
import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event
from sqlalchemy.pool import StaticPool
from sqlcipher3 import dbapi2

from obdesk.storage.engine import SCHEMA_VERSION, connect, fsync_folder
from obdesk.storage.errors import does_not_open, translated
from obdesk.storage.tables import APPLICATION_ID

if TYPE_CHECKING:
    from obdesk.storage.engine import Connection

log = logging.getLogger(__name__)
BACKUPS_KEPT = 2


def create(path: Path, data_key: bytes) -> None:
    """Make a new, empty, encrypted database at `path`, which must not exist yet."""
    if path.exists():
        raise FileExistsError(path)
    building = path.with_name(path.name + ".new")
    _clear(building)
    with translated():
        dbapi2.connect(str(building)).close()
        building.chmod(0o600)
        with closing(connect(building, data_key)) as connection:
            _upgrade(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _put_in_place(building, path)


def upgrade(path: Path, data_key: bytes) -> Path:
    """Bring an older file up to date; return the backup that was kept.

    Raises DatabaseBusyError while another program has the file open.
    """
    copy, keeping = (path.with_name(path.name + suffix) for suffix in (".migrating", ".keeping"))
    with translated():
        with closing(connect(path, data_key)) as original:
            # Only its sole user can take a file out of WAL mode: nobody else writes to the old file
            # meanwhile, and no old log is left that would be applied to the new one.
            original.execute("PRAGMA journal_mode = DELETE")
            before = _checksum(original)
            version = original.execute("PRAGMA user_version").fetchone()[0]
            for target in (copy, keeping):
                _clear(target)
                original.execute("VACUUM INTO ?", (str(target),))
                target.chmod(0o600)
        with closing(connect(copy, data_key)) as migrated:
            _upgrade(migrated)
            if _checksum(migrated) != before:
                raise does_not_open()
            migrated.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    backup = path.with_name(f"{path.name}.v{version}.bak")
    _put_in_place(keeping, backup)
    _put_in_place(copy, path)
    _drop_old_backups(path)
    log.info("database migrated from version %d to %d", version, SCHEMA_VERSION)
    return backup


def _clear(path: Path) -> None:
    """Remove what an interrupted attempt left."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _put_in_place(new: Path, path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        new.with_name(new.name + suffix).unlink(missing_ok=True)
    with new.open("rb+") as file:
        os.fsync(file.fileno())
    new.replace(path)
    fsync_folder(path.parent)


def _drop_old_backups(path: Path) -> None:
    backups = sorted(path.parent.glob(f"{path.name}.v*.bak"), key=lambda found: found.stat().st_mtime)
    for old in backups[:-BACKUPS_KEPT]:
        old.unlink()


def _upgrade(connection: Connection) -> None:
    engine = create_engine("sqlite://", module=dbapi2, creator=lambda: connection, poolclass=StaticPool)
    event.listen(engine, "begin", lambda opened: opened.exec_driver_sql("BEGIN IMMEDIATE"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as opened:
        config.attributes["connection"] = opened
        command.upgrade(config, "head")
        # The number and the schema move in one transaction, so that neither is ever ahead.
        opened.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
        opened.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def _checksum(connection: Connection) -> tuple[object, ...]:
    """Return row counts and sums per account: what a migration must never change."""
    counts = tuple(
        connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("connections", "accounts", "transactions", "transaction_edits", "account_edits")
    )
    sums = connection.execute(
        "SELECT account_id, count(*), total(amount_minor) FROM transactions GROUP BY account_id ORDER BY 1"
    ).fetchall()
    return (*counts, *sums)
