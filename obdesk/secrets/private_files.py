"""Small private files: read with suspicion, replaced whole or not at all.

On Windows the folder's inherited access list protects them; owner and mode are checked elsewhere only.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_READ_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # opening a named pipe must not wait for its other end
)
_CREATE_FLAGS = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
)


class Unsafe(Enum):
    """Why a file is not trusted."""

    SYMLINK = "symlink"
    NOT_A_FILE = "not_a_file"
    FOREIGN_OWNER = "foreign_owner"
    OPEN_TO_OTHERS = "open_to_others"
    TOO_LARGE = "too_large"


class UnsafeFileError(Exception):
    """A file that must not be trusted, and why."""

    def __init__(self, why: Unsafe) -> None:
        super().__init__(why.value)
        self.why = why


def read_private(path: Path, *, size_max: int) -> bytes:
    """Return the bytes of a regular file that belongs to this user and nobody else may read.

    Raises UnsafeFileError, FileNotFoundError or another OSError. At most `size_max` bytes are accepted.
    """
    if path.is_symlink():
        raise UnsafeFileError(Unsafe.SYMLINK)
    try:
        descriptor = os.open(path, _READ_FLAGS)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnsafeFileError(Unsafe.SYMLINK) from None
        raise
    try:
        _refuse_unsafe(os.fstat(descriptor))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(size_max + 1)
    finally:
        os.close(descriptor)
    if len(content) > size_max:
        raise UnsafeFileError(Unsafe.TOO_LARGE)
    return content


def _refuse_unsafe(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise UnsafeFileError(Unsafe.NOT_A_FILE)
    if sys.platform != "win32":
        if found.st_uid != os.geteuid():
            raise UnsafeFileError(Unsafe.FOREIGN_OWNER)
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise UnsafeFileError(Unsafe.OPEN_TO_OTHERS)


def make_private_folder(path: Path) -> None:
    """Create `path` for this user alone, or check that an existing one cannot be written by others.

    Raises UnsafeFileError or OSError.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32":
        found = path.stat()
        if found.st_uid != os.geteuid():
            raise UnsafeFileError(Unsafe.FOREIGN_OWNER)
        if stat.S_IMODE(found.st_mode) & 0o022:
            raise UnsafeFileError(Unsafe.OPEN_TO_OTHERS)


def stage(path: Path, content: bytes) -> Path:
    """Write `content` durably to a new private file beside `path`, read it back, and return where it is.

    Nothing at `path` is touched. Raises OSError and leaves nothing behind when the write fails.
    """
    staged = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    descriptor = os.open(staged, _CREATE_FLAGS, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _prove_written(staged, content)
    except OSError:
        staged.unlink(missing_ok=True)
        raise
    return staged


def _prove_written(staged: Path, content: bytes) -> None:
    if staged.read_bytes() != content:
        raise OSError(errno.EIO, os.strerror(errno.EIO), staged.name)


def replace_private(path: Path, content: bytes) -> None:
    """Make `path` hold `content`; a crash leaves the old file or the new one, never a mixture."""
    staged = stage(path, content)
    try:
        staged.replace(path)
    except OSError:
        staged.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def create_private(path: Path, content: bytes) -> None:
    """Make a new file `path` with `content`; FileExistsError when there is one, however late it came."""
    staged = stage(path, content)
    try:
        if sys.platform == "win32":
            staged.rename(path)
        else:
            _link_new(staged, path)
    finally:
        staged.unlink(missing_ok=True)
    sync_folder(path.parent)


def _link_new(staged: Path, path: Path) -> None:
    try:
        path.hardlink_to(staged)
    except FileExistsError:
        raise
    except OSError:
        # FAT and some network file systems have no hard links.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path.name) from None
        staged.replace(path)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut, where the system offers that."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
