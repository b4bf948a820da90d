"""The key file on disk: read with checks, created once, replaced whole, its previous version kept."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from obdesk.secrets.errors import VaultProblem
from obdesk.secrets.keyfile import FILE_SIZE_MAX, KeyFile, decode_key_file, encode_key_file
from obdesk.secrets.keyfile_errors import (
    DatabaseWithoutKey,
    KeyFileChanged,
    KeyFileDamaged,
    KeyFileNotWritten,
    KeyFileRefused,
    KeyFileUnreadable,
    VaultExists,
    VaultMissing,
)
from obdesk.secrets.private_files import (
    Unsafe,
    UnsafeFileError,
    create_private,
    make_private_folder,
    read_private,
    replace_private,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.secrets.keyfile import Slot

KEY_FILE_NAME = "vault.key"
_DATABASE_SUFFIXES = frozenset({".db", ".sqlite", ".sqlite3"})


class KeyFileStore:
    """The key file of one profile's folder. Raises only VaultProblem; never deletes the last key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / KEY_FILE_NAME
        self._previous = folder / (KEY_FILE_NAME + ".previous")

    def load(self) -> KeyFile:
        """Return the key file; DatabaseWithoutKey or VaultMissing when there is none."""
        try:
            return self._read(self._path)
        except (FileNotFoundError, NotADirectoryError):
            raise self._missing() from None
        except KeyFileDamaged:
            raise KeyFileDamaged(previous_usable=self._previous_usable()) from None

    def create(self, file: KeyFile) -> None:
        """Write the first key file of a profile; see `refuse_existing` for when it refuses."""
        self.refuse_existing()
        try:
            make_private_folder(self._folder)
        except UnsafeFileError as error:
            raise KeyFileRefused(error.why) from None
        except OSError as error:
            raise KeyFileNotWritten(_reason(error)) from None
        try:
            create_private(self._path, _proved(file))
        except FileExistsError:
            raise VaultExists from None
        except OSError as error:
            raise KeyFileNotWritten(_reason(error)) from None

    def replace(self, old: KeyFile, new: KeyFile, *, forget_old: bool) -> None:
        """Put `new` in place of `old`, which is kept as the previous version.

        With `forget_old` no earlier version stays: a passphrase or code that was replaced must not open it.
        Raises KeyFileChanged when another process has written since `old` was read.
        """
        if self.load() != old:
            raise KeyFileChanged
        content = _proved(new)
        try:
            if forget_old:
                self._previous.unlink(missing_ok=True)
            else:
                replace_private(self._previous, encode_key_file(old))
            replace_private(self._path, content)
        except OSError as error:
            raise KeyFileNotWritten(_reason(error)) from None

    def restore_previous(self) -> None:
        """Bring the previous version back where the current one is missing or damaged, which is set aside.

        Raises VaultExists when the current one is in order, DatabaseWithoutKey or KeyFileDamaged when there
        is nothing to bring back.
        """
        try:
            self.load()
        except (DatabaseWithoutKey, KeyFileDamaged) as error:
            if not error.previous_usable:
                raise
        else:
            raise VaultExists
        try:
            content = encode_key_file(self._read(self._previous))
            if os.path.lexists(self._path):
                self._path.rename(self._free_name())
            replace_private(self._path, content)
        except OSError as error:
            raise KeyFileNotWritten(_reason(error)) from None

    def certainly_lacks(self, slot: Slot) -> bool:
        """Say whether the file on disk can be read and does not hold `slot`."""
        try:
            return slot not in self.load().slots
        except VaultMissing:
            return True
        except VaultProblem:
            return False

    def refuse_existing(self) -> None:
        """Raise VaultExists beside a key file, DatabaseWithoutKey beside a database or earlier key file."""
        if os.path.lexists(self._path):
            raise VaultExists
        if self._databases() or os.path.lexists(self._previous):
            raise DatabaseWithoutKey(previous_usable=self._previous_usable())

    def _read(self, path: Path) -> KeyFile:
        try:
            return decode_key_file(read_private(path, size_max=FILE_SIZE_MAX))
        except UnsafeFileError as error:
            if error.why is Unsafe.TOO_LARGE:
                raise KeyFileDamaged from None
            raise KeyFileRefused(error.why) from None
        except (FileNotFoundError, NotADirectoryError):
            raise
        except OSError as error:
            raise KeyFileUnreadable(_reason(error)) from None

    def _missing(self) -> VaultProblem:
        if self._databases() or os.path.lexists(self._previous):
            return DatabaseWithoutKey(previous_usable=self._previous_usable())
        return VaultMissing()

    def _previous_usable(self) -> bool:
        try:
            self._read(self._previous)
        except (FileNotFoundError, NotADirectoryError, VaultProblem):
            return False
        return True

    def _databases(self) -> list[Path]:
        try:
            return [path for path in self._folder.iterdir() if path.suffix in _DATABASE_SUFFIXES]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise KeyFileUnreadable(_reason(error)) from None

    def _free_name(self) -> Path:
        return next(path for path in self._set_aside_names() if not os.path.lexists(path))

    def _set_aside_names(self) -> Iterator[Path]:
        number = 1
        while True:
            yield self._folder / f"{KEY_FILE_NAME}.damaged-{number}"
            number += 1


def _proved(file: KeyFile) -> bytes:
    """Return the file's bytes after reading them back to the same file."""
    content = encode_key_file(file)
    assert len(content) <= FILE_SIZE_MAX
    assert decode_key_file(content) == file
    return content


def _reason(error: OSError) -> str:
    return error.strerror or errno.errorcode.get(error.errno or 0, type(error).__name__)
