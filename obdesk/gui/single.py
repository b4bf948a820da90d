"""One window for each profile: a second start brings the first one's window to the front and ends.

The two meet at a socket in the profile's folder, which only its owner can reach. Where there is none (another
system than POSIX, or a path too long for a socket) a second window opens; the locks keep the data right.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from obdesk.app.profile import Profile

ANSWER = b"here\n"
PATIENCE_S = 2.0
"""A window that does not answer within this time is not waited for."""
_PATH_BYTES_MAX = 100
"""What fits into the address of a socket on every system."""


def address_of(profile: Profile) -> Path | None:
    """Return where a profile's window listens, None where it cannot."""
    place = profile.folder.absolute() / "window.sock"
    fits = len(os.fsencode(place)) <= _PATH_BYTES_MAX
    return place if os.name == "posix" and fits else None


def knocked(profile: Profile) -> bool:
    """Tell whether a window of the profile was there and is coming to the front."""
    place = address_of(profile)
    if place is None or not place.exists():
        return False
    import socket

    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE_S)
        try:
            line.connect(str(place))
            return line.recv(len(ANSWER)) == ANSWER
        except OSError:  # left by a window that was killed, or one that hangs
            return False


class Door:
    """Where further starts knock; `close` takes it away.

    A plain socket, not Qt's local server: that one brings Qt's network library, which stays loaded.
    """

    def __init__(self, profile: Profile, come: Callable[[], object]) -> None:
        self._come = come
        self._place = address_of(profile)
        self._line: socket.socket | None = None
        if self._place is not None and profile.folder.is_dir():
            self._open(self._place)

    def _open(self, place: Path) -> None:
        # Not above: a start asks here before Qt is loaded, which slows down every import after it.
        import socket

        from PySide6.QtCore import QSocketNotifier

        line = socket.socket(socket.AF_UNIX)
        try:
            line.setblocking(False)
            place.unlink(missing_ok=True)  # left by a window that was killed: nobody answered there
            line.bind(str(place))
            place.chmod(0o600)
            line.listen()
        except OSError:  # a file system without sockets
            line.close()
            return
        self._line = line
        self._ears = QSocketNotifier(line.fileno(), QSocketNotifier.Type.Read)
        self._ears.activated.connect(self._answer)

    def _answer(self) -> None:
        while self._line is not None:
            try:
                visitor, _ = self._line.accept()
            except OSError:  # nobody waits any more
                return
            with visitor, suppress(OSError):
                visitor.setblocking(False)
                visitor.send(ANSWER)
            self._come()

    def close(self) -> None:
        """Let nobody in any more."""
        if self._line is not None and self._place is not None:
            self._ears.setEnabled(False)
            self._line.close()
            self._line = None
            self._place.unlink(missing_ok=True)
