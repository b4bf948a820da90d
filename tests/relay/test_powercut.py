"""The power goes at any moment: what the relay confirmed is in its store, and the store's life goes on."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from obdesk.relay.server import sqlite
from obdesk.relay.server.store import Kept, StoreDownError
from tests.crash.disk import Disk
from tests.crash.judge import NAME, Verdicts, judge_each
from tests.crash.trace import Acknowledged, acts_of, may_trace, record
from tests.relay.places import NOON_US, a_source
from tests.relay.powercut import DESKS, same

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from obdesk.relay.server.store import Store

traced = pytest.mark.skipif(not may_trace(), reason="strace is not here, or may not look")
STATES = int(os.environ.get("OBDESK_RELAY_POWER_CUTS", "80"))


async def _complaint_of(path: Path, promised: Sequence[str]) -> str:
    """Return what is wrong with what the next start finds; empty when all is well."""
    try:
        store = await sqlite.open_store(path)
    except StoreDownError as error:
        return f"it does not open: {error}"
    try:
        return await _wrong_in(store, promised)
    finally:
        await store.close()


async def _wrong_in(store: Store, promised: Sequence[str]) -> str:
    epochs = [each.removeprefix("epoch=") for each in promised if each.startswith("epoch=")]
    if epochs and await store.epoch() != epochs[0]:
        return "its life did not go on"
    upto = max([int(each.removeprefix("upto=")) for each in promised if each.startswith("upto=")], default=0)
    first, second = [(await store.inbox(device.id, 0, 1_000)).waiting for device in DESKS]
    if {each.sealed for each in first if each.seq > upto} - {each.sealed for each in second}:
        return "a delivery is half there"
    for delivery in (each for each in promised if each.startswith("delivery")):
        if (delivery * 20).encode() not in {each.sealed for each in second}:
            return "what was confirmed is lost"
        if await store.deliver(a_source().id, delivery.encode(), [], NOON_US) is not Kept.DUPLICATE:
            return "what was confirmed is not known again"
    return ""


def _crashed(folder: Path, states: int, synchronous: str) -> tuple[Verdicts, list[str]]:
    acts = acts_of(record(folder, "tests.relay.powercut", synchronous), folder / "profile")
    promised = [act.digest for act in acts if isinstance(act, Acknowledged)]
    rng = random.Random(7)  # noqa: S311 - chance, not secrets

    def complaint(found: Path, disk: Disk) -> str:
        path = found / NAME
        if not path.exists():
            return "the file is gone" if disk.acknowledged >= 0 else ""
        wrong = asyncio.run(_complaint_of(path, promised[: disk.acknowledged + 1]))
        with closing(sqlite3.connect(path)) as connection:
            damage = connection.execute("PRAGMA integrity_check").fetchone()[0]
        return wrong or ("" if damage == "ok" else f"damaged: {damage}")

    moments = [rng.randint(0, len(acts)) for _ in range(states)]
    return judge_each(Disk(), acts, moments, 7, complaint), promised


@pytest.fixture(autouse=True)
def the_same_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the crashed file be taken for the one that was there."""
    for module in ("sqlite_file", "sqlite_writer"):
        monkeypatch.setattr(f"obdesk.relay.server.{module}.identity", same)


@traced
@pytest.mark.timeout(900)
def test_F60_no_power_cut_loses_what_the_relay_confirmed(tmp_path: Path) -> None:
    verdicts, promised = _crashed(tmp_path, STATES, "FULL")

    assert len(promised) > 50
    assert verdicts.begun > STATES // 2
    assert verdicts.complaints == ()


@traced
@pytest.mark.timeout(300)
def test_a_log_of_the_relays_that_is_not_synced_with_each_commit_is_found_out(tmp_path: Path) -> None:
    verdicts, _ = _crashed(tmp_path, 40, "NORMAL")

    assert any("what was confirmed is lost" in complaint for complaint in verdicts.complaints)
