"""Whether a place is inside a folder that a sync program copies to other computers: names and marks on disk.

What is not known here is taken for an ordinary folder; the answer is good for a warning and nothing else.
"""

from __future__ import annotations

import os
from fnmatch import fnmatch
from itertools import islice, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDERS_MAX = 40
ENTRIES_MAX = 2_000
"""Of each folder above, for marks whose names vary: a crowded folder is not read to its end."""

_NAMES = {
    "onedrive": "OneDrive",
    "google drive": "Google Drive",
    "my drive": "Google Drive",
    "iclouddrive": "iCloud",
    "com~apple~clouddocs": "iCloud",
    "pcloud drive": "pCloud",
    "pclouddrive": "pCloud",
    "megasync": "MEGA",
}
_ONEDRIVE_AT_WORK = "onedrive - "  # and the employer's name
_ONEDRIVE_VARIABLES = ("OneDrive", "OneDriveConsumer", "OneDriveCommercial")
_CLOUD_STORAGE = {"googledrive": "Google Drive", "onedrive": "OneDrive", "icloud drive": "iCloud"}
_FILES = {
    ".dropbox": "Dropbox",  # a folder of this name is in every home that has the program, and is its own
    ".owncloudsync.log": "ownCloud",
    ".nextcloudsync.log": "Nextcloud",
    ".megaignore": "MEGA",
}
_FOLDERS = {".dropbox.cache": "Dropbox", ".stfolder": "Syncthing"}
_JOURNALS = {
    ".nextclouddb*": "Nextcloud",
    ".sync_*.db": "Nextcloud",
    "._sync_*.db": "Nextcloud",
}


def sync_program_of(path: Path, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the program whose folder a path is in, None for an ordinary place."""
    place = path.resolve()  # what a link leads to is what is copied, or not
    folders = list(islice(place.parents, FOLDERS_MAX))
    return (
        _by_names(place.parent.parts)
        or _by_environment(folders, environment)
        or next((found for folder in folders if (found := _by_marks(folder))), None)
    )


def _by_names(parts: tuple[str, ...]) -> str | None:
    folded = [part.casefold() for part in parts]
    for name in folded:
        if name in _NAMES:
            return _NAMES[name]
        if name.startswith(_ONEDRIVE_AT_WORK):
            return "OneDrive"
    if ("library", "mobile documents") in pairwise(folded):
        return "iCloud"
    return _in_cloud_storage(parts, folded)


def _in_cloud_storage(parts: tuple[str, ...], folded: list[str]) -> str | None:
    """Return whose folder it is on a Mac, where each program has one named after it and its user."""
    for at, (above, name) in enumerate(pairwise(folded[:-1])):
        if (above, name) == ("library", "cloudstorage"):
            program = parts[at + 2].partition("-")[0]
            return _CLOUD_STORAGE.get(program.casefold(), program)
    return None


def _by_environment(folders: list[Path], environment: Mapping[str, str]) -> str | None:
    told = {environment.get(name, "").rstrip("\\/") for name in _ONEDRIVE_VARIABLES} - {""}
    is_there = any(str(folder) in told for folder in folders)
    return "OneDrive" if is_there else None


def _by_marks(folder: Path) -> str | None:
    try:
        return _by_known_marks(folder) or _by_journals(folder)
    except OSError:  # a folder that may be gone through and not looked into
        return None


def _by_known_marks(folder: Path) -> str | None:
    for name, program in _FILES.items():
        if (folder / name).is_file():
            return program
    for name, program in _FOLDERS.items():
        if (folder / name).is_dir():
            return program
    return None


def _by_journals(folder: Path) -> str | None:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in islice(entries, ENTRIES_MAX) if entry.name.startswith(".")]
    journals = _JOURNALS.items()
    return next((program for mark, program in journals if any(fnmatch(name, mark) for name in names)), None)
