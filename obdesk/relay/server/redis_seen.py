"""How far a Redis was seen to come: small files of this host's, which putting Redis back does not take back.

Each process writes a file of its own, before anybody hears of a commit that it holds; so none is ever behind
what was confirmed, and a Redis that has come less far than the furthest of them was put back to an earlier
state while no relay ran (F59). They are not flushed, so a host that loses its power may forget the last
seconds.
"""

from __future__ import annotations

import logging
import re
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from obdesk.relay.server.life import LockedFile

if TYPE_CHECKING:
    from pathlib import Path

_FORM: Final = re.compile(rb"[0-9]{20}\n")
_NAME_CHARACTERS: Final = 16

_log = logging.getLogger(__name__)


class Seen:
    """The number of the last commit of a Redis that this process, or one before it, has seen."""

    def __init__(self, url: str, folder: Path | None, *, writes: bool = True) -> None:
        """Without a folder, or where nothing can be written there, the process knows only what it sees."""
        self.commits = 0
        self._file: LockedFile | None = None
        if folder is None:
            return
        try:
            self._begin(folder, f"redis-{_named(url)}", writes=writes)
        except OSError:
            self._fail()

    def _begin(self, folder: Path, name: str, *, writes: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if writes:
            self._file = _own(folder, name)
        told = [path.read_bytes() for path in folder.glob(f"{name}.*.seen")]
        self.see(max((int(each) for each in told if _FORM.fullmatch(each)), default=0))

    def see(self, commits: int) -> None:
        """Keep how far Redis has come, if that is further than was seen before."""
        if commits <= self.commits:
            return
        self.commits = commits
        if self._file is not None:
            try:
                self._file.write_raw(b"%020d\n" % commits)
            except OSError:
                self.close()
                self._fail()

    def close(self) -> None:
        """Let go of the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    @staticmethod
    def _fail() -> None:
        _log.warning(
            "how far Redis has come cannot be kept beside the key: after Redis is put back from a copy, run"
            " obdesk relay new-epoch"
        )


def _named(url: str) -> str:
    """Return what tells one Redis from another; who logs in there matters not."""
    parts = urlsplit(url)
    place = f"{parts.netloc.rpartition('@')[2]} {parts.path}"
    return sha256(place.encode()).hexdigest()[:_NAME_CHARACTERS]


def _own(folder: Path, name: str) -> LockedFile:
    """Return the first of the files that no other process holds; there are as many as ever ran at once."""
    for number in count():
        file = LockedFile(folder / f"{name}.{number}.seen")
        if file.lock():
            return file
        file.close()
    raise AssertionError  # pragma: no cover - there is always a next number
