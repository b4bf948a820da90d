"""The running window, a relay and an aggregator on one machine: how soon a purchase is on the screen.

A process of its own, as a person's window is; the relay and the aggregator are processes too, and all
between them goes over real sockets.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obdesk.app.demo import use_banks, use_relay
from obdesk.app.demo_relay import demo_relay
from obdesk.app.interface import LinkChannel
from obdesk.app.profile import profile_of
from obdesk.app.simulated import simulated_banks
from obdesk.domain.entities import Trigger
from obdesk.gui.demo.banks import DemoBanks
from obdesk.gui.run import run
from obdesk.gui.transactions.screen import TransactionsScreen
from tests.benchmarks.window import Frames
from tests.seed_open import opened

if TYPE_CHECKING:
    from concurrent.futures import Future

    from obdesk.app.bootstrap import App
    from obdesk.app.demo_relay import DemoRelay
    from obdesk.app.simulated import SimulatedBanks
    from obdesk.gui.desk import Desk

BANKS = ("Banque de l'Iroise", "Harbour & Vale Bank", "Caisse d'Armor")
PURCHASES = 21
REST_S = 1.0
"""Between two purchases: nobody pays twice within a second, and each is to be measured alone."""
ROUND_S_MAX = 30.0
SIZE = (1280, 800)
LOOKED_AT = 40
"""Rows at the top of the list; what is not yet booked stands above what is bought now."""


class Shop:
    """Where purchases are made: at the aggregator's control door, as what happens at a bank."""

    def __init__(self, control_url: str) -> None:
        self._url = control_url
        users = self._asked("GET", "/truth")["users"]
        self._accounts = [
            next(each["id"] for each in link["accounts"] if each["type"] == "checking")
            for link in users[-1]["connections"]
        ]

    async def buy(self, turn: int, wording: str) -> None:
        """Pay with an account of one bank after the other; the aggregator posts at once that it heard."""
        path = f"/accounts/{self._accounts[turn % len(self._accounts)]}/transactions"
        body = {"rows": [{"wording": wording, "value": "-12.90"}]}
        await asyncio.to_thread(self._asked, "POST", path, body)

    def _asked(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, data, headers, method=method)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=ROUND_S_MAX) as answer:  # noqa: S310 - same
            return json.loads(answer.read())


async def _furnished(app: App, banks: SimulatedBanks, relay: DemoRelay) -> None:
    """Link banks, pair with the relay, and wait for the quiet after that."""
    players = DemoBanks(banks)
    await use_banks(app, banks)
    ticket = await app.commands.begin_link(LinkChannel.EMBEDDED)
    await players.link(BANKS)
    await app.commands.finish_link(ticket, None)
    await app.commands.sync(trigger=Trigger.LINK, refresh_at_bank=False)
    await players.tell(relay)
    await use_relay(app, relay)
    await _quiet(app)


async def _quiet(app: App) -> None:
    """Wait until nothing is read any more and has not been for a while."""
    since_s = time.perf_counter()
    while time.perf_counter() - since_s < REST_S:
        await asyncio.sleep(REST_S / 20)
        if app.syncing:
            since_s = time.perf_counter()


async def _seen(screen: TransactionsScreen, frames: Frames, wording: str) -> float:
    """Wait until a row with these words was painted; return when that was."""
    looked_s = time.perf_counter()
    while True:
        await frames.painted_after(looked_s)
        looked_s = frames.at_s
        if _shows(screen, wording):
            return looked_s


def _shows(screen: TransactionsScreen, wording: str) -> bool:
    model, table = screen.model, screen.table
    window = table.viewport().rect()
    for row in range(min(LOOKED_AT, model.rowCount())):
        line = model.line(row)
        if line is not None and line.label == wording:
            return window.intersects(table.visualRect(model.index(row, 0)))
    return False


def main(folder: str) -> None:
    """Make purchases at three banks by turns, and say after how many milliseconds each was seen."""
    where = Path(folder)

    async def story(app: App, desk: Desk, banks: SimulatedBanks, relay: Future[DemoRelay]) -> None:
        desk.window.resize(*SIZE)
        await _furnished(app, banks, await asyncio.wrap_future(relay))
        desk.window.open_section("transactions")
        screen = desk.window.current_screen()
        assert isinstance(screen, TransactionsScreen)
        shop, frames = await asyncio.to_thread(Shop, banks.control_url), Frames(screen.table)
        await _quiet(app)
        took_ms = []
        for turn in range(PURCHASES):
            wording = f"CARTE ECHOPPE {1000 + turn}"
            begin_s = time.perf_counter()
            buying = asyncio.ensure_future(shop.buy(turn, wording))
            async with asyncio.timeout(ROUND_S_MAX):
                took_ms.append((await _seen(screen, frames, wording) - begin_s) * 1000)
            await buying
            await _quiet(app)
        sys.stdout.write(json.dumps({"took_ms": took_ms}) + "\n")
        sys.stdout.flush()

    with simulated_banks(["--seed", "7"]) as banks, demo_relay(where / "relay") as relay:

        async def told(app: App, desk: Desk) -> None:
            try:
                await story(app, desk, banks, relay)
            finally:
                desk.window.quit_wanted.emit()

        run(profile_of(where, "seeded"), opener=lambda: opened(where), story=told)
    shutil.rmtree(where / "relay", ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
