"""What SQLCipher and the file system say, turned into errors for a person, at this one place."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from obdesk.domain.errors import Action, AppError
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Iterator


class DatabaseDoesNotOpenError(AppError):
    """The file is there and does not open with the key we have: another key, or damage."""


class DatabaseNewerError(AppError):
    """The file was written by a newer obdesk."""


class DatabaseBusyError(AppError):
    """Another process holds the file's write lock longer than we wait."""


class DiskFullError(AppError):
    """There is no room for a commit."""


class StorageFailedError(AppError):
    """The file system refused a read or a write."""


class DataReadOnlyError(AppError):
    """The file can be read and not written: a disk mounted read-only, or a right that was taken away."""


class DataReplacedError(AppError):
    """Another file, or none, stands where ours was opened."""


class SharedPlaceError(AppError):
    """The file is where other computers get at it or at copies of it; it works, but less safely."""


class SupersededError(Exception):
    """A slow read was interrupted because its answer is no longer wanted."""


def does_not_open() -> DatabaseDoesNotOpenError:
    """Return the error for a file that the proven key does not open."""
    return DatabaseDoesNotOpenError(
        title=tr("Your data does not open"),
        cause=tr("The database does not accept its key: it was replaced by another one, or it is damaged."),
        next_step=tr(
            "Nothing was changed or deleted. The copies of the last days may open: obdesk backups lists "
            "them, obdesk restore puts one back. An upgrade may have left ledger.db.vN.bak as well."
        ),
        action=Action.NONE,
    )


def newer(found: int, known: int) -> DatabaseNewerError:
    """Return the error for a schema version above ours."""
    return DatabaseNewerError(
        title=tr("Your data was written by a newer obdesk"),
        cause=tr(
            "The file has version {found}; this program knows versions up to {known}.",
            found=found,
            known=known,
        ),
        next_step=tr("The file was left as it is. Update obdesk to open it."),
        action=Action.UPDATE_OBDESK,
    )


def busy() -> DatabaseBusyError:
    """Return the error for a file that another process holds."""
    return DatabaseBusyError(
        title=tr("Another obdesk is writing"),
        cause=tr("A second program on this profile holds the database at the moment."),
        next_step=tr("Nothing was lost. Try again when it has finished."),
        action=Action.RETRY,
    )


def full() -> DiskFullError:
    """Return the error for a disk without room."""
    return DiskFullError(
        title=tr("The disk is full"),
        cause=tr("There was no room left to write to."),
        next_step=tr(
            "Nothing was half written; what you had is still there. Free some space, then try again."
        ),
        action=Action.FREE_DISK_SPACE,
    )


def _failed() -> StorageFailedError:
    return StorageFailedError(
        title=tr("The database cannot be read or written"),
        cause=tr("The system refused access to the file."),
        next_step=tr("Nothing was deleted. Check the disk and the folder's permissions, then try again."),
        action=Action.RETRY,
    )


def read_only() -> DataReadOnlyError:
    """Return the error for a write to what can only be read."""
    return DataReadOnlyError(
        title=tr("Your data can only be read at the moment"),
        cause=tr("The disk or the folder does not let obdesk write."),
        next_step=tr("All you have stays here to be read. Make the folder writable again, then try again."),
        action=Action.RETRY,
    )


def stopped() -> StorageFailedError:
    """Return the error for a write after the disk failed one: nothing is tried until the person says so."""
    return StorageFailedError(
        title=tr("The database cannot be read or written"),
        cause=tr("The disk failed while obdesk wrote, so nothing more is written: that could make it worse."),
        next_step=tr("Nothing was deleted. Check the disk, then try again: the file is examined first."),
        action=Action.RETRY,
    )


def replaced() -> DataReplacedError:
    """Return the error for a file that is not the one that was opened."""
    return DataReplacedError(
        title=tr("Your data file was moved or replaced"),
        cause=tr("Another file, or none, stands where obdesk opened yours. Synchronised folders do that."),
        next_step=tr(
            "Nothing is written into either. Put the right file back and try again, or quit and start again."
        ),
        action=Action.RETRY,
    )


def on_shared_place() -> SharedPlaceError:
    """Return the warning for a file on a network file system."""
    return SharedPlaceError(
        title=tr("Your data is on a network folder"),
        cause=tr("Files there can be damaged when the network fails or two computers write at once."),
        next_step=tr("It works, more slowly. Better move the data folder to a disk of this computer."),
    )


def in_sync_folder(program: str) -> SharedPlaceError:
    """Return the warning for a file that a program copies to other computers."""
    return SharedPlaceError(
        title=tr("Your data is in a folder of {program}", program=program),
        cause=tr(
            "Such a program copies files while they are written, "
            "and two computers that write one file damage it."
        ),
        next_step=tr(
            "It works for now. Quit, move the data folder to one that is not synchronised, "
            "and start obdesk with --data-dir and that folder."
        ),
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors inside the block into ours; programming errors pass unchanged."""
    from sqlcipher3 import dbapi2  # imported here: the names are needed only where a file is touched

    try:
        yield
    except dbapi2.DatabaseError as error:
        known = _known(str(error))
        if known is None:
            raise
        raise known from error


def _known(message: str) -> Exception | None:
    text = message.lower()
    if "interrupted" in text:
        return SupersededError()
    if "file is not a database" in text or "hmac" in text or "malformed" in text:
        return does_not_open()
    if "locked" in text or "busy" in text:
        return busy()
    if "full" in text:
        return full()
    if "readonly" in text:
        return read_only()
    if any(part in text for part in ("i/o error", "unable to open", "permission")):
        return _failed()
    return None
