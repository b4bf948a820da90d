"""A person's days with a ledger, for strace: the real engine, the real file, a log of what was acknowledged.

Usage: python -m tests.crash.workload FOLDER SYNCHRONOUS DAYS. Every transaction that the store calls
committed writes one line `NUMBER DIGEST` to FOLDER/acks; the digest is over all that the file then holds.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from obdesk.simulator.server import running
from obdesk.storage import store as store_module
from obdesk.storage.writes import edits
from tests.fakes import FrozenClock
from tests.flows.town import Bankside, Town, small_simulator

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.storage.tx import Tx

T = TypeVar("T")
ROWS_EACH = 12
ACKS = "acks"


def digest_of(connection: Any) -> str:
    """Return a digest of all rows of all tables, the search index's own included."""
    told = hashlib.sha256()
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
    ).fetchall()
    for (name,) in tables:
        told.update(repr((name, connection.execute(f'SELECT * FROM "{name}"').fetchall())).encode())  # noqa: S608 - names of our own tables
    return told.hexdigest()


class Acknowledgements:
    """Counts commits; each is acknowledged by one write, as a window or a relay would be told."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / ACKS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._number = 0

    def say(self, connection: Any) -> None:
        os.write(self._file, f"{self._number} {digest_of(connection)}\n".encode())
        self._number += 1


def acknowledge_commits(folder: Path, synchronous: str) -> Acknowledgements:
    """Let every committed transaction of every store be acknowledged, with how hard the log is synced."""
    acks = Acknowledgements(folder)
    real = store_module._in_transaction

    def telling(connection: Any, unit: Callable[[Tx], T]) -> T:
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        answer = real(connection, unit)
        acks.say(connection)
        return answer

    store_module._in_transaction = telling
    return acks


async def live(folder: Path, synchronous: str, days: int) -> None:
    """Link two banks, let things happen, sync, write notes, and start again in between."""
    clock, rng = FrozenClock(), random.Random(7)  # noqa: S311 - chance, not secrets
    acks = acknowledge_commits(folder, synchronous)
    with running(small_simulator(clock)) as served:
        bank = Bankside(served)
        async with Town(folder, bank, clock) as town:
            town.store.read_now(acks.say)
            links = [await town.linked(), await town.linked()]
            for number in range(days):
                happens(town, links, rng)
                for link in links:
                    await town.sync(link)
                chosen = rng.choice(town.shown()).id
                town.store.write_now(
                    lambda tx, chosen=chosen, number=number: edits.edit_transaction(  # type: ignore[misc]
                        tx, chosen, note=f"note {number}", category=None, now=clock.now()
                    )
                )
                if number % 3 == 2:
                    town.reopen()
        bank.close()


def happens(town: Town, links: list[str], rng: random.Random) -> None:
    """Let rows appear, change, vanish and be booked at the banks."""
    town.pass_time(86_400)
    for link in links:
        account = rng.choice(town.bank.live_accounts(link))
        live_rows = [row["id"] for row in account["transactions"] if not row["deleted"]]
        for row in rng.sample(live_rows, min(2, len(live_rows))):
            town.bank.tell(f"/transactions/{row}", value=f"{rng.randint(-9_999, 9_999) / 100:.2f}")
        town.bank.tell(f"/accounts/{account['id']}/book")
        town.bank.tell(f"/accounts/{account['id']}/transactions", count=ROWS_EACH)
        town.bank.tell(f"/accounts/{account['id']}/transactions", count=1, pending=True)


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
