"""One window for each profile: a second start brings the first one's window to the front and ends.

The two meet at a socket in the profile's folder, which only its owner can reach. Where there is none (another
system than POSIX, or a path too long for a socket) a second window opens; the locks keep the data right.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtNetwork import QLocalServer

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
    """Where further starts knock; `close` takes it away."""

    def __init__(self, profile: Profile, come: Callable[[], object]) -> None:
        self._come = come
        self._server: QLocalServer | None = None
        place = address_of(profile)
        if place is None or not profile.folder.is_dir():
            return
        from PySide6.QtNetwork import QLocalServer

        server = QLocalServer()
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        QLocalServer.removeServer(str(place))
        if server.listen(str(place)):
            server.newConnection.connect(self._answer)
            self._server = server

    def _answer(self) -> None:
        while self._server is not None and (line := self._server.nextPendingConnection()) is not None:
            line.write(ANSWER)
            line.disconnectFromServer()
            line.disconnected.connect(line.deleteLater)
            self._come()

    def close(self) -> None:
        """Let nobody in any more."""
        if self._server is not None:
            self._server.close()
            self._server = None
