"""The window dies without warning while it syncs: the next start asks nothing and loses nothing."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.aggregator import BANK, Aggregator, rows_of
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.simulator.server import Simulator
    from tests.e2e.stage import Stage, Window

pytestmark = pytest.mark.timeout(240)
AT_ONCE_S = 0.001
ROWS = 4_000
"""What a sync brings: enough for several pages, so that there is something to interrupt."""

Moment = tuple[str, int]
FEW: list[Moment] = [("request", 3), ("log", 200_000)]
MANY: list[Moment] = [
    *(("request", number) for number in (1, 2, 4, 5, 6)),
    *(("log", size) for size in (1, 100_000, 400_000, 800_000)),
    ("end", 0),
]


def reached(stage: Stage, banks: Aggregator, moment: Moment) -> Callable[[], bool]:
    """Return what tells that a moment of a sync that is yet to begin has come."""
    kind, size = moment
    profile = stage.data / "default"
    log, note = profile / "ledger.db-wal", profile / "sync.lock.holder"
    before, log_before = banks.requests(), log.stat().st_size if log.exists() else 0
    note.unlink(missing_ok=True)  # of a process that was killed
    match kind:
        case "request":
            return lambda: banks.requests() >= before + size
        case "log":
            return lambda: log.exists() and log.stat().st_size >= log_before + size
        case _:
            return lambda: banks.requests() > before and not note.exists()


def dies(stage: Stage, banks: Aggregator, window: Window, moment: Moment) -> None:
    """Begin a refresh and kill the window at a moment of it."""
    banks.is_busy(ROWS)
    there = reached(stage, banks, moment)
    window.person.presses("F5")
    until(f"the moment: {moment}", there, 20, look_every_s=AT_ONCE_S)
    window.process.send_signal(signal.SIGKILL)
    assert window.process.wait() == -signal.SIGKILL


def plays(stage: Stage, simulator: Simulator, banks: Aggregator, moments: list[Moment]) -> None:
    """Kill at each moment; open again each time, and compare with what is true at the bank."""
    stage.set_up(simulator)
    stage.link(BANK)
    note = {"note": "written before anything happened"}
    mine = stage.command("transactions", "--json", "--limit", "1").json()["transactions"][0]["id"]
    assert stage.command("edit", str(mine), "--note", note["note"]).code == 0
    for moment in moments:
        with stage.window() as window:
            window.person.sees(BANK)  # at once the accounts: no question, no page about an accident
            dies(stage, banks, window, moment)
        assert stage.command("sync", "--json").json()["outcome"] in {"updated", "unchanged"}
        assert rows_of(stage) == banks.rows(), moment
    assert stage.command("sync", "--json").json()["outcome"] == "unchanged"
    kept = stage.command("transactions", "--json", "--search", note["note"]).json()["transactions"]
    assert [row["id"] for row in kept] == [mine]
    with stage.window() as window:
        window.person.sees(BANK)
        window.quits()


def test_a_window_killed_in_a_sync_opens_again_and_is_right(
    stage: Stage, simulator: Simulator, banks: Aggregator
) -> None:
    plays(stage, simulator, banks, FEW)


@pytest.mark.long
def test_a_window_killed_at_many_moments_opens_again_and_is_right(
    stage: Stage, simulator: Simulator, banks: Aggregator
) -> None:
    plays(stage, simulator, banks, MANY)
