"""A small file beside the SQLite store: who serves it, and how far it had come.

The number in it follows every commit, a moment later and without a flush of its own. So it is never
ahead of the database, unless the database was put back to an earlier state: then devices must not go on
as if nothing was lost, and a new epoch begins (F59).
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from pathlib import Path

_FORM: Final = re.compile(rb"([A-Za-z0-9_-]{22}) ([0-9]{20})\n")
_BYTES: Final = 44
_LOCKED_BYTE: Final = 1 << 30
"""Windows keeps others from reading what is locked, so the locked byte is one that is never written."""


class Progress(NamedTuple):
    """How far a store had come: its epoch and the number of its commits."""

    epoch: str
    commits: int


class LockedFile:
    """A small file, open, that one process at a time may lock; the lock goes with it, however it ends."""

    def __init__(self, path: Path) -> None:
        """Open or make it; raises OSError."""
        binary = getattr(os, "O_BINARY", 0)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | binary, 0o600)

    def lock(self) -> bool:
        """Become the one that holds it; False where another process does."""
        try:
            if sys.platform == "win32":
                os.lseek(self._handle, _LOCKED_BYTE, os.SEEK_SET)
                msvcrt.locking(self._handle, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def unlock(self) -> None:
        """Let another process hold it."""
        if sys.platform == "win32":
            os.lseek(self._handle, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(self._handle, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(self._handle, fcntl.LOCK_UN)

    def read_raw(self, size: int) -> bytes:
        """Return what it begins with."""
        os.lseek(self._handle, 0, os.SEEK_SET)
        return os.read(self._handle, size)

    def write_raw(self, raw: bytes, *, flush: bool = False) -> None:
        """Let it begin with something else; raises OSError."""
        if sys.platform == "win32":
            os.lseek(self._handle, 0, os.SEEK_SET)
            os.write(self._handle, raw)
        else:
            os.pwrite(self._handle, raw, 0)
        if flush:
            os.fsync(self._handle)

    def close(self) -> None:
        """Let go of the file and of the lock."""
        os.close(self._handle)


class LifeFile(LockedFile):
    """The file; whoever serves the store holds the lock."""

    def read(self) -> Progress | None:
        """Return what was written last; None where that is nothing one can read."""
        found = _FORM.fullmatch(self.read_raw(_BYTES + 1))
        return None if found is None else Progress(found[1].decode(), int(found[2]))

    def write(self, progress: Progress, *, flush: bool = False) -> None:
        """Note how far the store has come; raises OSError."""
        self.write_raw(f"{progress.epoch} {progress.commits:020}\n".encode(), flush=flush)
