"""A relay's work with its SQLite store, for strace: python -m tests.relay.powercut FOLDER SYNCHRONOUS.

Whatever the store calls kept is acknowledged by one line `NUMBER NAME` in FOLDER/acks, as the aggregator
would be answered; `tests.crash` makes power cuts of the trace.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from obdesk.relay.server import sqlite, sqlite_file, sqlite_writer
from obdesk.relay.server.store import Kept
from tests.crash.judge import NAME
from tests.crash.workload import ACKS
from tests.relay.places import NOON_US, a_device, a_source, address, mail, token

if TYPE_CHECKING:
    import sqlite3

    from obdesk.relay.server.store import Store

WAVES: Final = 12
TOGETHER: Final = 8
DESKS: Final = tuple(a_device(name, a_source()) for name in ("laptop", "desktop"))


def same(path: Path) -> str | None:
    """Return the same for each file (sqlite_file.identity)."""
    return "1:1" if path.exists() else None


def always_the_same_file() -> None:
    """Let a file that a crash left be taken for the one that was there, as it is on a real disk."""
    for module in (sqlite_file, sqlite_writer):
        module.identity = same  # type: ignore[attr-defined]


def synced_less(synchronous: str) -> None:
    """Let the store flush its log as hard as is said."""
    real = sqlite_file._prepare

    def prepare(connection: sqlite3.Connection, path: Path) -> None:
        real(connection, path)
        connection.execute(f"PRAGMA synchronous = {synchronous}")

    sqlite_file._prepare = prepare


def name_of(number: int) -> str:
    """Return what a delivery is called."""
    return f"delivery{number}"


async def work(folder: Path) -> None:
    """Deliver to two devices, several at once, and acknowledge now and then, also over a restart."""
    handle = os.open(folder / ACKS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    numbers, acks = count(), count()
    rng = random.Random(7)  # noqa: S311 - chance, not secrets

    def say(what: str) -> None:
        os.write(handle, f"{next(acks)} {what}\n".encode())

    async def deliver(store: Store, number: int) -> None:
        text = name_of(number)
        mails = [mail(device, text, text * 20) for device in DESKS]
        kept = await store.deliver(a_source().id, text.encode(), mails, NOON_US + number)
        assert kept is Kept.STORED
        say(text)

    for wave in range(WAVES):
        store = await sqlite.open_store(folder / NAME)
        if wave == 0:
            await store.add_source(a_source(), address(a_source()))
            for device in DESKS:
                await store.add_device(device, token(device))
            say(f"epoch={await store.epoch()}")
        for _ in range(rng.randint(1, 3)):
            await asyncio.gather(*(deliver(store, next(numbers)) for _ in range(rng.randint(1, TOGETHER))))
        if wave % 3 == 2:
            upto = (await store.inbox(DESKS[0].id, 0, 5)).waiting[-1].seq
            await store.acknowledge(DESKS[0].id, upto)
            say(f"upto={upto}")
        await store.close()


if __name__ == "__main__":
    always_the_same_file()
    synced_less(sys.argv[2])
    asyncio.run(work(Path(sys.argv[1])))
