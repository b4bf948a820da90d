"""Encrypted files as tests look at them: their bytes, their raw connection, their whole content."""

from __future__ import annotations

import hashlib
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from sqlcipher3 import dbapi2

from obdesk.storage.store import Store
from tests.seed import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.storage.tx import Tx


@contextmanager
def raw(path: Path, key: bytes = KEY) -> Iterator[Any]:
    """Open a file past our own door."""
    with closing(dbapi2.connect(str(path), isolation_level=None)) as connection:
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        yield connection


def fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def made(path: Path) -> Path:
    """Make an empty file and close it."""
    Store.open(path, KEY).close()
    return path


def check_search_index(tx: Tx) -> None:
    """Raise when the search index and the rows differ in any way."""
    tx.execute("INSERT INTO transaction_search(transaction_search, rank) VALUES ('integrity-check', 1)")


def checked(store: Store) -> None:
    """Check a whole open file: pages, foreign keys, search index against rows."""
    store.write_now(check_search_index)
    assert store.read_now(lambda opened: opened.execute("PRAGMA integrity_check").fetchall()) == [("ok",)]
    assert store.read_now(lambda opened: opened.execute("PRAGMA foreign_key_check").fetchall()) == []
