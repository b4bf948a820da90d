"""A SQLite store in a process of its own, told what to do line by line: tests.relay.store_story PATH.

`deliver NAME` is answered with what became of it, `waiting` with the names of all that waits.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from obdesk.relay.server import sqlite
from obdesk.relay.server.store import StoreDownError
from tests.relay.places import NOON_US, mail, texts, with_device


async def tell(path: Path) -> None:
    """Do what standard input says."""
    store = await sqlite.open_store(path)
    device = await with_device(store)
    print("ready", flush=True)  # noqa: T201 - the story is told on standard output
    while order := await asyncio.to_thread(sys.stdin.readline):
        word, _, name = order.strip().partition(" ")
        try:
            if word == "deliver":
                told = (
                    await store.deliver(device.source_id, name.encode(), [mail(device, name, name)], NOON_US)
                ).value
            else:
                told = " ".join(await texts(store, device))
        except StoreDownError as error:
            told = str(error)
        print(told, flush=True)  # noqa: T201 - as above
    await store.close()


if __name__ == "__main__":
    asyncio.run(tell(Path(sys.argv[1])))
