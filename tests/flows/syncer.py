"""A program that syncs and edits for ever, until it is killed: the other half of test_kill.py.

Each line of input is one life: it is forked from this process, whose imports are done. What it prints
was committed before: `note ID TEXT` and `synced CONNECTION`; `at STEP DONE` says where it is.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obdesk.domain.entities import Trigger
from obdesk.domain.ids import TransactionId
from obdesk.providers.powens.provider import PowensProvider
from obdesk.providers.powens.settings import PowensSettings
from obdesk.storage.queries import connections, transactions
from obdesk.storage.store import Store
from obdesk.storage.writes import edits
from obdesk.sync.engine import Engine
from tests.fakes import FrozenClock
from tests.providers.conftest import Naps, Tokens
from tests.seed import KEY

if TYPE_CHECKING:
    from obdesk.domain.syncing import Step


def say(*words: object) -> None:
    os.write(1, (" ".join(str(word) for word in words) + "\n").encode())


def progress(step: Step, done: int, total: int | None) -> None:
    del total
    say("at", step.value, done)


async def live(order: dict[str, Any]) -> None:
    """Sync every connection in turn, with a note in between, for ever."""
    clock = FrozenClock(datetime.fromisoformat(order["now"]))
    tokens = Tokens()
    tokens.kept = order["tokens"]
    rng = random.Random(order["seed"])  # noqa: S311 - chance, not secrets
    provider = PowensProvider(PowensSettings(*order["settings"]), tokens, clock, rng=rng, sleep=Naps(clock))
    store = Store.open(Path(order["path"]), KEY)
    engine = Engine(store, provider, clock, rng)
    await engine.discover()
    links = store.read_now(connections.live_ids)
    for number in count():
        for link in links:
            await engine.sync(link, Trigger.SCHEDULE, refresh_at_bank=False, progress=progress)
            say("synced", link)
            clock.advance(60)
        chosen = TransactionId(rng.randint(1, max(1, store.read_now(transactions.count))))
        note = f"note-{order['seed']}-{number}"
        kept = await store.write(
            lambda tx, chosen=chosen, note=note: edits.edit_transaction(  # type: ignore[misc]
                tx, chosen, note=note, category=None, now=clock.now()
            )
        )
        if kept:
            say("note", chosen, note)


def main() -> None:
    """Live as often as asked."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(live(json.loads(line)))
            finally:
                os._exit(1)
        say("pid", child)
        os.waitpid(child, 0)
        say("ended")


if __name__ == "__main__":
    main()
