"""Going back to a copy of the data: the present file is put aside, never deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.app.backups import kept
from obdesk.app.locks import sync_lock
from obdesk.domain.errors import AppError
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from obdesk.app.profile import Profile
    from obdesk.domain.clock import Clock


class NoSuchBackupError(AppError):
    """There is no copy of that name."""


def restore(
    profile: Profile, name: str, ask_passphrase: Callable[[], str] | None, clock: Clock, who: str
) -> Path:
    """Put the copy `name` in the place of the data; return where the present file went. Blocks for seconds.

    Raises NoSuchBackupError, SyncHeldError, and the errors of `obdesk.secrets` and `obdesk.storage`; then
    nothing was changed.
    """
    path = next((each.path for each in kept(profile) if each.path.name == name), None)
    if path is None:
        raise NoSuchBackupError(
            title=tr("There is no such backup"),
            cause=tr("Its name is not among those that obdesk backups lists."),
            next_step=tr("Nothing was changed."),
        )
    from obdesk.secrets.hardening import process_hardening
    from obdesk.secrets.vault import Vault
    from obdesk.storage.backups import put_back

    process_hardening()
    data_key = Vault(profile.folder).unlock(ask=ask_passphrase).data_key
    with sync_lock(profile.sync_lock, clock, who):
        return put_back(profile.database, data_key, path)
