"""The copy of the day: made when it is due and nobody minds, and told of when it cannot be."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from obdesk.app.backups import EVERY_S, FIRST_AFTER_S, Backups, kept
from obdesk.app.events import Problem, SyncStarted
from obdesk.domain.entities import Trigger
from obdesk.domain.errors import Action
from obdesk.domain.ids import ConnectionId
from obdesk.storage import places
from obdesk.storage.store import Store
from obdesk.storage.writes import edits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.app.house import House

pytestmark = pytest.mark.anyio
DAY_S = 86_400.0


@pytest.fixture
def copies(house: House) -> Backups:
    return house.app._background._backups


def _change(house: House) -> None:
    now = house.clock.now().isoformat()
    house.store.write_now(lambda tx: edits.set_setting(tx, "sync.quiet_from", now[11:16] + now))


def _days(house: House) -> list[str]:
    return [each.backup.day.isoformat() for each in kept(house.app.profile)]


async def test_F64_a_copy_a_day_when_something_changed_and_not_in_the_first_minutes(
    house: House, copies: Backups
) -> None:
    await copies.look()
    assert _days(house) == []
    house.clock.advance(FIRST_AFTER_S)
    await copies.look()
    assert _days(house) == ["2026-03-17"]
    (first,) = kept(house.app.profile)
    assert first.made_at == house.clock.now()
    assert first.path.parent.stat().st_mode & 0o777 == 0o700
    for _ in range(3):
        _change(house)
        house.clock.advance(EVERY_S)
        await copies.look()
    assert kept(house.app.profile) == (first,), "one a day"
    house.clock.advance(DAY_S)
    await copies.look()
    assert _days(house) == ["2026-03-18", "2026-03-17"]
    house.clock.advance(DAY_S)
    await copies.look()
    assert _days(house) == ["2026-03-18", "2026-03-17"], "nothing changed since"


async def test_F64_ninety_days_leave_seven_days_and_four_weeks_and_what_is_not_ours(
    house: House, copies: Backups
) -> None:
    folder = house.app.profile.backups
    house.clock.advance(FIRST_AFTER_S)
    await copies.look()
    (first,) = kept(house.app.profile)
    foreign = {"holiday.db", "ledger-mine.db", "ledger.db.v1.bak"}
    for name in foreign:
        (folder / name).write_text("mine")
    (folder / "ledger-2026-03-01-0009.db.part").write_text("left by a crash")
    upgrade = house.app.profile.folder / "ledger.db.v1.bak"
    upgrade.write_text("an upgrade's")
    start = first.backup
    for number in range(2, 91):  # copies of the days that follow, as they would have been made
        day = start.day + timedelta(days=number - 1)
        shutil.copy(first.path, folder / f"ledger-{day.isoformat()}-{number:04}.db")
    _change(house)
    house.clock.advance(90 * DAY_S)
    await copies.look()
    found = kept(house.app.profile)
    assert [each.backup.number for each in found[:7]] == [91, 90, 89, 88, 87, 86, 85]
    assert 7 <= len(found) <= 11
    assert {each.name for each in folder.iterdir()} == foreign | {each.path.name for each in found}
    assert upgrade.read_text() == "an upgrade's"


@pytest.mark.parametrize("wrong", [datetime(1970, 1, 1, 12, tzinfo=UTC), datetime(2099, 6, 1, tzinfo=UTC)])
async def test_F64_a_clock_that_jumps_costs_no_good_copy(
    house: House, copies: Backups, wrong: datetime
) -> None:
    house.clock.advance(FIRST_AFTER_S)
    for _ in range(4):
        _change(house)
        await copies.look()
        house.clock.advance(DAY_S)
    good = _days(house)
    right = house.clock.now()
    house.clock.set_wall(wrong)
    for _ in range(3):
        _change(house)
        house.clock.advance(60)
        await copies.look()
    house.clock.set_wall(right)
    house.clock.advance(EVERY_S)
    _change(house)
    await copies.look()
    assert set(good) < set(_days(house))
    assert len(_days(house)) == 6
    assert _days(house)[0] == "2026-03-21", "what is newest is never asked of a clock"


async def test_F64_a_sync_goes_first_and_the_copy_is_made_afterwards(house: House, copies: Backups) -> None:
    await house.linked()
    house.clock.advance(FIRST_AFTER_S)
    looking = asyncio.gather(copies.look())
    await asyncio.sleep(0)
    assert copies._stop is not None
    house.app.bus.publish(SyncStarted(ConnectionId(1), Trigger.PERSON, house.clock.now()))
    await looking
    assert _days(house) == []
    assert list(house.app.profile.backups.iterdir()) == []
    house.app._syncs._holders += 1
    await copies.look()
    assert _days(house) == [], "not during a sync"
    house.app._syncs._holders -= 1
    await copies.look()
    assert len(_days(house)) == 1
    assert house.heard(Problem) == []


async def test_F64_quitting_ends_a_copy_and_leaves_nothing_of_it(
    house: House, copies: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_into = Store.copy_into

    def once_told(store: Store, target: Path, at_s: float, stop: Callable[[], bool]) -> None:
        assert copies._stop is not None
        assert copies._stop.wait(60), "a small copy would be made before anybody could end it"
        copy_into(store, target, at_s, stop)

    monkeypatch.setattr(Store, "copy_into", once_told)
    house.clock.advance(FIRST_AFTER_S)
    house.app._background._scope.spawn("backup", copies.look())
    await asyncio.sleep(0)
    assert copies._stop is not None
    await house.app.work.close()
    assert _days(house) == []
    assert copies._stop is None


async def test_F64_a_folder_that_cannot_be_used_is_told_once_and_the_sync_goes_on(
    house: House, copies: Backups
) -> None:
    await house.linked()
    house.app.profile.backups.write_text("in the way")
    house.clock.advance(FIRST_AFTER_S)
    for _ in range(3):
        await copies.look()
        house.clock.advance(EVERY_S)
    (problem,) = house.heard(Problem)
    assert isinstance(problem, Problem)
    assert "backups" in problem.error.cause
    assert len(await house.sync()) == 1
    house.app.profile.backups.unlink()
    house.clock.advance(EVERY_S)
    await copies.look()
    assert len(_days(house)) == 1
    shutil.rmtree(house.app.profile.backups)
    house.app.profile.backups.write_text("in the way again")
    house.clock.advance(DAY_S)
    await copies.look()
    assert len(house.heard(Problem)) == 2, "new trouble is news"


async def test_F64_a_copy_leaves_twice_its_size_free_or_is_not_made(
    house: House, copies: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        total: int
        used: int
        free: int

    free = 0
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(10**12, 0, free))
    house.clock.advance(FIRST_AFTER_S)
    size = house.store.path.stat().st_size
    free = 3 * size - 1
    await copies.look()
    (problem,) = house.heard(Problem)
    assert isinstance(problem, Problem)
    assert problem.error.action is Action.FREE_DISK_SPACE
    assert _days(house) == []
    free = 100 * size
    house.clock.advance(EVERY_S)
    await copies.look()
    assert len(_days(house)) == 1


async def test_F64_on_a_network_folder_copies_are_made_as_well(
    house: House, copies: Backups, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "mounts"
    told.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/ {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr(places, "MOUNTS", told)
    house.clock.advance(FIRST_AFTER_S)
    await copies.look()
    assert len(_days(house)) == 1
    assert house.heard(Problem) == []


async def test_a_newest_copy_that_was_damaged_is_replaced_by_a_good_one(
    house: House, copies: Backups
) -> None:
    house.clock.advance(FIRST_AFTER_S)
    await copies.look()
    (first,) = kept(house.app.profile)
    first.path.write_bytes(b"rubbish" * 9_000)
    house.clock.advance(DAY_S)
    await copies.look()
    assert len(_days(house)) == 2
