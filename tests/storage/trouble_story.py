"""A program whose disk fails: told what to do line by line, it says what came of it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from obdesk.domain.errors import AppError
from obdesk.storage.queries import connections as reads
from obdesk.storage.store import Store
from obdesk.storage.writes import edits
from tests.seed import KEY

if TYPE_CHECKING:
    from obdesk.storage.tx import Tx


def _do(store: Store, order: str, value: str) -> str:
    match order:
        case "write":

            def write(tx: Tx) -> None:
                edits.set_setting(tx, "last_visit", value)

            store.write_now(write)
            return "written"
        case "read":
            return str(store.read_now(reads.setting, "last_visit"))
        case "resume":
            asyncio.run(store.resume())
            return "resumed"
        case _:
            raise AssertionError(order)


def main() -> None:
    """Open the file named in the arguments and obey."""
    with Store.open(Path(sys.argv[1]), KEY) as store:
        print("ready", flush=True)  # noqa: T201 - the other side of a pipe
        for line in sys.stdin:
            order, _, value = line.strip().partition(" ")
            try:
                answer = _do(store, order, value)
            except AppError as error:
                answer = type(error).__name__
            print(answer, flush=True)  # noqa: T201 - same


if __name__ == "__main__":
    main()
