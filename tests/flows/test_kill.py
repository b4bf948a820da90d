"""Killed at any moment of a sync: the file opens, nothing acknowledged is lost, the next sync is right."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.entities import RunResult
from obdesk.domain.syncing import Step
from obdesk.simulator.server import running
from tests.flows.town import Bankside, Town, small_simulator
from tests.storage.files import checked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes import FrozenClock

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
]
KILLS_EACH = 25
"""Of one ledger, which grows with each: the next ones begin anew."""
KILLS = int(os.environ.get("OBDESK_KILLS", "25"))
SEED = int(os.environ.get("OBDESK_KILL_SEED", "7"))


class Victim:
    """The process that forks the lives."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def live_until(self, order: dict[str, Any], lines: int, then_s: float) -> list[list[str]]:
        """Let it live until it has said `lines` lines and a moment more; return all that it said."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        said: list[list[str]] = []
        pid = int(self._line()[1])
        while len(said) < lines:
            said.append(self._line())
            assert said[-1] != ["ended"], f"it ended by itself after {said[-5:]}"
        threading.Event().wait(then_s)
        os.kill(pid, signal.SIGKILL)
        while (line := self._line()) != ["ended"]:
            said.append(line)
        return said

    def _line(self) -> list[str]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process that forks is gone"
        return line.split()


@contextmanager
def victim() -> Iterator[Victim]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.flows.syncer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        yield Victim(process)
        process.kill()


def _shake(town: Town, links: list[str], rng: random.Random) -> None:
    """Let something of every kind happen at the banks."""
    town.pass_time(rng.choice([3_600, 86_400, 4 * 86_400]))
    town.bank.tell("/switches", coming_to_booked=rng.choice(["same_id", "new_id"]))
    for link in links:
        told = [each for each in town.bank.live_accounts(link) if each["type"] == "checking"]
        account = rng.choice(told)
        live = [row["id"] for row in account["transactions"] if not row["deleted"]]
        for row in rng.sample(live, 3):
            town.bank.tell(f"/transactions/{row}", value=f"{rng.randint(-9_999, 9_999) / 100:.2f}")
        town.bank.tell(f"/transactions/{rng.choice(live)}", deleted=True)
        town.bank.tell(f"/accounts/{account['id']}/book")
        town.bank.tell(f"/accounts/{account['id']}/transactions", count=rng.choice([1, 10, 60]))
        town.bank.tell(f"/accounts/{account['id']}/transactions", count=2, pending=True)


@pytest.mark.parametrize("seed", range(SEED, SEED + KILLS // KILLS_EACH))
async def test_F38_no_kill_loses_anything(tmp_path: Path, clock: FrozenClock, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - chance, not secrets
    notes: dict[int, str] = {}
    steps: Counter[str] = Counter()
    with running(small_simulator(clock)) as served, victim() as process:
        bank = Bankside(served)
        async with Town(tmp_path, bank, clock) as town:
            links = [await town.link(), await town.link()]
            for kill in range(KILLS_EACH):
                if kill:
                    _shake(town, links, rng)
                town.store.close()
                order = {
                    "path": str(town.path),
                    "now": clock.now().isoformat(),
                    "tokens": town.tokens.kept,
                    "settings": [
                        town.settings.api_url,
                        town.settings.webview_url,
                        town.settings.domain,
                        town.settings.client_id,
                    ],
                    "seed": kill,
                }
                # Every other one at the very moment: where a machine is quick all else would end in saving.
                then_s = rng.uniform(0, 0.03) if kill % 2 else 0.0
                said = process.live_until(order, rng.randint(1, 25), then_s)
                for line in said:
                    if line[0] == "note":
                        notes[int(line[1])] = line[2]
                last = said[-1][1] if said[-1][0] == "at" else said[-1][0]
                steps[last] += 1
                town.reopen()
                checked(town.store)
                _nothing_acknowledged_is_lost(town, notes)
                clock.advance(3_600)
                await _next_sync_is_right(town, links)
        bank.close()
    assert len(steps.keys() & {each.value for each in Step}) >= 3, f"the kills hit too few places: {steps}"


def _nothing_acknowledged_is_lost(town: Town, notes: dict[int, str]) -> None:
    def read(opened: Any) -> dict[int, str]:
        return dict(opened.execute("SELECT transaction_id, note FROM transaction_edits").fetchall())

    kept = town.store.read_now(read)
    for transaction_id, note in notes.items():
        # A note that was committed and whose acknowledgement the kill cut off may stand there instead.
        newer = kept[transaction_id] != note and kept[transaction_id].split("-")[1] >= note.split("-")[1]
        assert kept[transaction_id] == note or newer
    notes.update(kept)


async def _next_sync_is_right(town: Town, links: list[str]) -> None:
    await town.discover()
    for link in links:
        await town.sync(link)
        town.tells_the_truth(link)
        again = await town.sync(link)
        assert again.result is RunResult.UNCHANGED
