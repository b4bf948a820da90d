"""Where a profile lives: one folder that holds the database, the key file and the locks."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from obdesk.domain.errors import Action, AppError
from obdesk.domain.texts import tr

DEFAULT_NAME = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class BadProfileNameError(AppError):
    """A profile's name would not be a safe folder name."""


class FolderNotPrivateError(AppError):
    """The profile's folder cannot be made, or others could read it."""


class Profile(NamedTuple):
    """A named set of data, apart from every other; the demo has one of its own."""

    folder: Path
    name: str
    demo: bool = False

    @property
    def database(self) -> Path:
        """Return where the encrypted database is."""
        return self.folder / "ledger.db"

    @property
    def sync_lock(self) -> Path:
        """Return the file whose lock says that somebody syncs."""
        return self.folder / "sync.lock"

    @property
    def mailbox_lock(self) -> Path:
        """Return the file whose lock says that somebody pulls from the relay."""
        return self.folder / "relay.lock"

    @property
    def backups(self) -> Path:
        """Return the folder of the daily copies of the database."""
        return self.folder / "backups"

    @property
    def exists(self) -> bool:
        """Tell whether the profile has data."""
        return self.database.exists()

    def prepare(self) -> None:
        """Make the folder, readable by its owner alone."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.name == "posix":
                self.folder.chmod(0o700)
        except OSError as error:
            raise FolderNotPrivateError(
                title=tr("The data folder cannot be used"),
                cause=tr("{folder} cannot be made or made private.", folder=self.folder),
                next_step=tr("Nothing was written. Choose another folder with --data-dir."),
                action=Action.RETRY,
            ) from error


def default_data_dir() -> Path:
    """Return the platform's folder for an application's local data."""
    import platformdirs

    return Path(platformdirs.user_data_dir("obdesk", appauthor=False, roaming=False))


def profile_of(data_dir: Path | None, name: str = DEFAULT_NAME, *, demo: bool = False) -> Profile:
    """Return the profile of that name below a data folder."""
    if not _NAME.fullmatch(name):
        raise BadProfileNameError(
            title=tr("This profile name cannot be used"),
            cause=tr("A name has 1 to 40 letters, digits, dashes or underscores."),
            next_step=tr("Nothing was changed. Choose another name."),
            action=Action.RETRY,
        )
    return Profile((data_dir or default_data_dir()) / name, name, demo)
