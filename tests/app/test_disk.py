"""A disk that fails or fills while the program runs: told, banks left in peace, right again afterwards."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from obdesk.app.events import Problem
from obdesk.domain.entities import Trigger
from obdesk.domain.errors import Action
from obdesk.storage import places
from obdesk.storage.errors import DataReadOnlyError, StorageFailedError, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.app.house import House

pytestmark = pytest.mark.anyio


async def test_F41_only_the_person_lets_a_failed_disk_be_written_again(house: House) -> None:
    link = await house.linked()
    house.store._writer._stop(stopped)
    house.pass_time(6 * 3_600)
    with pytest.raises(StorageFailedError) as told:
        await house.app.commands.sync(None, trigger=Trigger.SCHEDULE, refresh_at_bank=False)
    assert told.value.action is Action.RETRY
    assert house.store.stopped
    assert len(await house.app.reads.accounts()) > 0, "reading goes on"
    (outcome,) = await house.sync(link)
    assert outcome.result.value in {"updated", "unchanged"}
    assert not house.store.stopped


async def test_F42_a_note_on_a_disk_that_may_only_be_read_is_refused_in_words(house: House) -> None:
    await house.linked()
    (account, *_) = await house.app.reads.accounts()
    writing = house.store._writer._connection
    assert writing is not None
    writing.execute("PRAGMA query_only = ON")
    with pytest.raises(DataReadOnlyError) as told:
        await house.app.commands.rename_account(account.id, "Mine")
    assert told.value.action is Action.RETRY
    assert (await house.app.reads.accounts())[0].name == account.name
    writing.execute("PRAGMA query_only = OFF")
    await house.app.commands.rename_account(account.id, "Mine")


async def test_F42_while_nothing_can_be_written_no_bank_is_asked(house: House) -> None:
    await house.linked()
    house.pass_time(6 * 3_600)
    writing = house.store._writer._connection
    assert writing is not None
    writing.execute("PRAGMA query_only = ON")
    asked = len(house.bank.requests())
    for _ in range(5):
        house.pass_time(60)
        with pytest.raises(DataReadOnlyError):
            await house.app._background._due(Trigger.SCHEDULE)
    assert len(house.bank.requests()) == asked, "what cannot be kept is not asked for"
    writing.execute("PRAGMA query_only = OFF")
    assert len(await house.sync()) == 1


async def started(house: House) -> None:
    """Start what runs in the background, and wait until it was looked where the data are."""
    house.app.start()
    await asyncio.wait([task for task in house.app.work._tasks if task.get_name().endswith(": place")])


async def test_F44_data_on_a_network_folder_is_warned_of_at_the_start(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "mounts"
    told.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/ {tmp_path} cifs rw 0 0\n")
    monkeypatch.setattr(places, "MOUNTS", told)
    await started(house)
    (problem,) = house.heard(Problem)
    assert isinstance(problem, Problem)
    assert "network" in problem.error.title


async def test_F44_data_in_a_synchronised_folder_is_warned_of_at_the_start(
    house: House, tmp_path: Path
) -> None:
    (tmp_path / ".dropbox").write_text("")
    await started(house)
    (problem,) = house.heard(Problem)
    assert isinstance(problem, Problem)
    assert problem.error.title == "Your data is in a folder of Dropbox"
    assert "--data-dir" in problem.error.next_step
    await house.configure()
    assert await house.linked(), "it is a warning and no refusal"
