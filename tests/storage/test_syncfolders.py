"""A folder that a sync program copies to other computers is recognised by its name or by its marks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from obdesk.storage.store import Store
from obdesk.storage.syncfolders import ENTRIES_MAX, FOLDERS_MAX, sync_program_of
from tests.seed import KEY
from tests.storage.files import made

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OneDrive", "OneDriveConsumer", "OneDriveCommercial"):
        monkeypatch.delenv(name, raising=False)


def _database(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ledger.db"
    file.touch()
    return file


@pytest.mark.parametrize(
    ("folder", "program"),
    [
        ("OneDrive/money", "OneDrive"),
        ("OneDrive - Contoso Ltd/money", "OneDrive"),
        ("Google Drive/money", "Google Drive"),
        ("My Drive/money", "Google Drive"),
        ("Library/CloudStorage/GoogleDrive-anna@example.org/money", "Google Drive"),
        ("Library/CloudStorage/OneDrive-Contoso/money", "OneDrive"),
        ("Library/CloudStorage/Dropbox/money", "Dropbox"),
        ("Library/Mobile Documents/iCloud~app/money", "iCloud"),
        ("mnt/com~apple~CloudDocs/money", "iCloud"),
        ("iCloudDrive/money", "iCloud"),
        ("pCloudDrive/money", "pCloud"),
        ("MEGAsync/money", "MEGA"),
        ("OneDriveTools/money", None),
        ("Library/CloudStorage", None),
        ("Dropbox of letters/money", None),
    ],
)
def test_F44_a_synchronised_folder_is_known_by_its_name(
    tmp_path: Path, folder: str, program: str | None
) -> None:
    assert sync_program_of(_database(tmp_path / folder)) == program


@pytest.mark.parametrize(
    ("mark", "program"),
    [
        (".dropbox", "Dropbox"),
        (".dropbox.cache/", "Dropbox"),
        (".stfolder/", "Syncthing"),
        (".owncloudsync.log", "ownCloud"),
        (".nextcloudsync.log", "Nextcloud"),
        (".nextclouddb_1", "Nextcloud"),
        (".sync_4e1f2a.db", "Nextcloud"),
        ("._sync_4e1f2a.db", "Nextcloud"),
        (".megaignore", "MEGA"),
        (".dropbox/", None),
        (".stfolder", None),
        ("sync_notes.db", None),
    ],
)
def test_F44_a_synchronised_folder_is_known_by_a_mark_in_any_folder_above(
    tmp_path: Path, mark: str, program: str | None
) -> None:
    file = _database(tmp_path / "shared" / "money" / "default")
    place = tmp_path / "shared" / mark
    if mark.endswith("/"):
        place.mkdir()
    else:
        place.touch()
    assert sync_program_of(file) == program
    assert sync_program_of(_database(tmp_path / "beside")) is None


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links")
def test_F44_what_a_link_leads_to_counts(tmp_path: Path) -> None:
    _database(tmp_path / "OneDrive" / "money")
    (tmp_path / "data").symlink_to(tmp_path / "OneDrive" / "money")
    assert sync_program_of(tmp_path / "data" / "ledger.db") == "OneDrive"


def test_F44_onedrive_is_known_by_what_the_system_says(tmp_path: Path) -> None:
    file = _database(tmp_path / "Firma" / "money")
    told = {"OneDriveCommercial": f"{tmp_path / 'Firma'}{os.sep}", "OneDrive": ""}
    assert sync_program_of(file, told) == "OneDrive"
    assert sync_program_of(file, {"OneDrive": str(tmp_path / "Fir")}) is None


def test_F44_a_folder_that_may_not_be_looked_into_costs_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _database(tmp_path / "closed" / "money")
    (tmp_path / ".stfolder").mkdir()

    def looked_into(folder: Path) -> object:
        if folder.name == "closed":
            raise PermissionError
        return real(folder)

    real = os.scandir
    monkeypatch.setattr(os, "scandir", looked_into)
    assert sync_program_of(file) == "Syncthing"


def test_F44_a_deep_place_in_crowded_folders_is_looked_at_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _database(tmp_path.joinpath(*["d"] * (FOLDERS_MAX + 5)))
    for number in range(ENTRIES_MAX + 10):
        (file.parent / str(number)).touch()
    looked: list[object] = []
    real = os.scandir

    def looked_into(folder: Path) -> object:
        looked.append(folder)
        return real(folder)

    monkeypatch.setattr(os, "scandir", looked_into)
    assert sync_program_of(file) is None
    assert len(looked) <= FOLDERS_MAX


def test_F44_a_store_says_so_and_works_all_the_same(tmp_path: Path) -> None:
    with Store.open(made(tmp_path / "a.db"), KEY) as store:
        assert store.place_warning() is None
    (tmp_path / ".stfolder").mkdir()
    with Store.open(tmp_path / "a.db", KEY) as store:
        warning = store.place_warning()
    assert warning is not None
    assert "Syncthing" in warning.title
    assert "two computers" in warning.cause
