"""An older ledger opened by this program, for strace: python -m tests.crash.upgrading FOLDER."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from obdesk.storage.store import Store
from tests.crash.workload import ACKS
from tests.storage.files import checked
from tests.storage.make_sample import SAMPLE_KEY

_QUESTIONS = (
    "SELECT id, provider_id, state FROM accounts ORDER BY id",
    "SELECT id, account_id, provider_id, amount_minor, label, deleted_at FROM transactions ORDER BY id",
    "SELECT transaction_id, note, category FROM transaction_edits ORDER BY transaction_id",
    "SELECT transaction_id, at, who, field, old, new FROM transaction_history ORDER BY id",
    "PRAGMA user_version",
)


def content_of(path: Path) -> list[Any]:
    """Open a file with the program, which brings it up to date, and return what a person has in it."""
    with Store.open(path, SAMPLE_KEY) as store:
        checked(store)
        return [store.read_now(lambda opened, sql=sql: opened.execute(sql).fetchall()) for sql in _QUESTIONS]


def main() -> None:
    """Bring the file up to date and acknowledge it."""
    folder = Path(sys.argv[1])
    Store.open(folder / "ledger.db", SAMPLE_KEY).close()
    acks = os.open(folder / ACKS, os.O_WRONLY | os.O_CREAT)
    os.write(acks, b"0 upgraded\n")
    os.close(acks)


if __name__ == "__main__":
    main()
