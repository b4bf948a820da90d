"""Asked to end at any moment of a sync, by the system or by Ctrl+C: at once, and nothing is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest

from tests.flows.town import Bankside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obdesk.simulator.server import Simulator
    from tests.cli.conftest import CommandLine

pytestmark = [
    pytest.mark.timeout(7_200),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
]
QUITS = int(os.environ.get("OBDESK_QUITS", "6"))
"""For more than a hundred also give pytest `-o faulthandler_timeout=0`: it ends what takes five minutes."""
SEED = int(os.environ.get("OBDESK_QUIT_SEED", "7"))
WITHIN_S = 2.0
"""From being asked to being gone."""
HANGS_S = 20.0
"""Where a neighbour holds the processor one (of each hundred) may take longer than it should, never this."""
DROPPED = "Exception ignored in: <function _get_module_lock"
"""What Python itself says where a signal comes in a finalizer of an import."""
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}


@dataclass(frozen=True)
class Life:
    """How one run of the command line ended."""

    code: int
    took_s: float
    """From when it was asked to end, or from its beginning when it was not."""
    said: str

    @property
    def is_done(self) -> bool:
        """Tell whether it had said how its sync ended."""
        return '"outcome"' in self.said


class Lives:
    """The process that forks the lives."""

    def __init__(self, process: subprocess.Popen[str], data: Path, said: Path) -> None:
        self._process, self._data, self._said = process, data, said

    def sync(self, asked: signal.Signals | None = None, after_s: float = 0.0) -> Life:
        """Let one sync live, and ask it to end after a while."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {
            "arguments": ["--data-dir", str(self._data), "sync", "--json"],
            "said": str(self._said),
            "asked": asked,
            "after_s": after_s,
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        code, took_s = json.loads(self._process.stdout.readline())
        return Life(code, took_s, self._said.read_text("utf-8"))


def amid(ended: list[Life]) -> int:
    """Count those that were asked before they had said how their sync ended."""
    return sum(not life.is_done for life in ended)


@contextmanager
def living(data: Path, folder: Path) -> Iterator[Lives]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.cli.lives"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        yield Lives(process, data, folder / "said")
        process.kill()


class Ledger:
    """What the person sees, and what they were told is kept."""

    def __init__(self, obdesk: CommandLine, rng: random.Random) -> None:
        self._obdesk, self._rng = obdesk, rng
        self._notes: dict[int, str] = {}

    def write(self, ids: dict[int, int], note: str) -> None:
        """Put a note on a row; it is acknowledged."""
        chosen = self._rng.choice(sorted(ids.values()))
        assert self._obdesk("edit", str(chosen), "--note", note).code == 0
        self._notes[chosen] = note

    def shown(self) -> dict[int, int]:
        """Return our row by the bank's; no note that was acknowledged may be missing, and no row twice."""
        told = self._obdesk("transactions", "--json", "--limit", "100000").json()["transactions"]
        assert self._notes == {row["id"]: row["note"] for row in told if row["note"]}
        ids = [(int(number), row["id"]) for row in told for number in row["provider_ids"]]
        assert len(dict(ids)) == len(ids)
        return dict(ids)


def test_F37_asked_to_end_at_any_moment_of_a_sync_it_ends_at_once_and_in_order(
    linked: CommandLine, simulator: Simulator, tmp_path: Path
) -> None:
    rng = random.Random(SEED)  # noqa: S311 - chance, not secrets
    bank, ledger = Bankside(simulator), Ledger(linked, rng)
    (link,) = bank.truth()
    ended: list[Life] = []
    with living(linked.folder, tmp_path) as lives:
        within_s = 1.2 * median(life.took_s for life in (lives.sync(), lives.sync(), lives.sync()))
        before = ledger.shown()
        for number in range(5 * QUITS):
            if len(ended) >= QUITS and amid(ended) > QUITS // 3:
                break
            account = rng.choice(bank.live_accounts(link))["id"]
            bank.tell(f"/accounts/{account}/transactions", count=rng.choice([1, 2, 9]))
            asked = rng.choice(list(CODES))
            life = lives.sync(asked, rng.uniform(0, within_s))
            ended.append(life)
            # How long a sync takes is known from when the machine was busier, or less busy, than it is now.
            within_s *= 0.8 if life.is_done else 1.1
            expected = {CODES[asked], 0} if life.is_done else {CODES[asked]}
            assert life.code in expected, (number, asked, life)
            assert "Traceback" not in life.said or DROPPED in life.said, life.said
            after = ledger.shown()
            # One sync of one bank is one transaction.
            assert after.keys() in (before.keys(), bank.live_rows(link).keys()), "something is half there"
            assert not life.is_done or after.keys() == bank.live_rows(link).keys()
            if number % 10 == 0:
                assert lives.sync().code == 0, "the profile is free again, and its next sync is right"
                ledger.write(after, f"note {number}")
                after = ledger.shown()
            before = after
        assert lives.sync().code == 0
        assert ledger.shown().keys() == bank.live_rows(link).keys()
    bank.close()
    late = sorted(life.took_s for life in ended)
    assert late[-1] < HANGS_S
    assert sum(took_s > WITHIN_S for took_s in late) <= max(1, QUITS // 100), late[-5:]
    assert amid(ended) > QUITS // 3, "the syncs were over before they were asked"
