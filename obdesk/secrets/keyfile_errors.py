"""What can go wrong with the key file itself, as a person meets it. The file is never changed by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.errors import Action
from obdesk.domain.texts import tr
from obdesk.secrets.errors import VaultProblem, unsafe_text

if TYPE_CHECKING:
    from obdesk.secrets.private_files import Unsafe


class VaultMissing(VaultProblem):
    """There is nothing to unlock: the profile was never set up."""

    def __init__(self) -> None:
        super().__init__(
            title=tr("This profile is not set up yet"),
            cause=tr("Its folder holds neither a database nor a key file."),
            next_step=tr("Start obdesk to set it up, or check the data folder and the profile name."),
            action=Action.RETRY,
        )


class VaultExists(VaultProblem):
    """A key file is already there and is never overwritten."""

    def __init__(self) -> None:
        super().__init__(
            title=tr("This profile is already set up"),
            cause=tr("Its folder holds a key file, and obdesk never replaces one with a new key."),
            next_step=tr("Nothing was changed. Open the profile, or choose another folder or profile name."),
            action=Action.RETRY,
        )


class DatabaseWithoutKey(VaultProblem):
    """A database whose key file is gone; a new key could never open it."""

    def __init__(self, *, previous_usable: bool) -> None:
        if previous_usable:
            next_step = tr(
                "Nothing was changed. The key file's previous version is still there; "
                "the window can put it back."
            )
        else:
            next_step = tr(
                "Nothing was changed. Put vault.key back from a copy of the folder, then try again; "
                "to begin anew, choose another folder or profile name."
            )
        super().__init__(
            title=tr("The key file is missing"),
            cause=tr("The folder holds an encrypted database but not the file vault.key that opens it."),
            next_step=next_step,
            action=Action.RETRY,
        )
        self.previous_usable = previous_usable


class KeyFileDamaged(VaultProblem):
    """The key file's bytes are not what was written."""

    def __init__(self, *, previous_usable: bool = False) -> None:
        if previous_usable:
            next_step = tr(
                "Nothing was changed. The key file's previous version is intact; the window can put it back."
            )
        else:
            next_step = tr(
                "Nothing was changed. Put vault.key back from a copy of the folder, then try again."
            )
        super().__init__(
            title=tr("The key file is damaged"),
            cause=tr(
                "The file vault.key is not as it was written. Your passphrase or keyring is not to blame."
            ),
            next_step=next_step,
            action=Action.RETRY,
        )
        self.previous_usable = previous_usable


class KeyFileNewer(VaultProblem):
    """A later obdesk wrote the key file."""

    def __init__(self) -> None:
        super().__init__(
            title=tr("The key file comes from a newer obdesk"),
            cause=tr("This version does not know its format."),
            next_step=tr("Nothing was changed. Update obdesk, then open the profile again."),
            action=Action.UPDATE_OBDESK,
        )


class KeyFileRefused(VaultProblem):
    """The key file, or the folder it is in, could be swapped or read by others."""

    def __init__(self, why: Unsafe) -> None:
        super().__init__(
            title=tr("The key file is not safe"),
            cause=unsafe_text(why),
            next_step=tr(
                "Nothing was changed. Make vault.key a regular file of yours with mode 0600, in a folder "
                "that only you can write to, then try again."
            ),
            action=Action.RETRY,
        )


class KeyFileUnreadable(VaultProblem):
    """The system did not let us read the key file."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            title=tr("The key file cannot be read"),
            cause=tr("The system answered: {reason}.", reason=reason),
            next_step=tr(
                "Nothing was changed. Check the disk and the permissions of the folder, then try again."
            ),
            action=Action.RETRY,
        )


class KeyFileNotWritten(VaultProblem):
    """The system did not let us write the key file; the old one is still in place."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            title=tr("The key file could not be written"),
            cause=tr("The system answered: {reason}.", reason=reason),
            next_step=tr(
                "What was there before is still in place. Check the disk's free space, then try again."
            ),
            action=Action.FREE_DISK_SPACE,
        )


class KeyFileChanged(VaultProblem):
    """Another obdesk rewrote the key file since it was read."""

    def __init__(self) -> None:
        super().__init__(
            title=tr("The key file was changed meanwhile"),
            cause=tr("Another obdesk working on the same profile has just written it."),
            next_step=tr("Nothing was overwritten. Try again."),
            action=Action.RETRY,
        )
