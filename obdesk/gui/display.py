"""Whether there is a screen to open a window on: Qt itself would end the process with words of its own."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from obdesk.domain.errors import AppError
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

X_SOCKETS = "/tmp/.X11-unix"  # noqa: S108 - where every X server puts its sockets
ANSWER_S = 2.0


class NoDisplayError(AppError):
    """A window was asked for where none can be shown."""


def require_display(environ: Mapping[str, str] = os.environ, *, platform: str = sys.platform) -> None:
    """Raise NoDisplayError where Qt would find no display; elsewhere than on Linux there is always one.

    A display on another computer is not asked: only Qt itself can tell.
    """
    if platform != "linux" or _is_there(environ):
        return
    from obdesk.app.i18n import use_language

    use_language("system")  # nothing was opened yet that would have chosen one
    raise _no_display(environ)


def _is_there(environ: Mapping[str, str]) -> bool:
    chosen = environ.get("QT_QPA_PLATFORM", "")
    if chosen and not chosen.startswith(("xcb", "wayland")):
        return True  # such as offscreen, or a frame buffer
    if environ.get("WAYLAND_SOCKET"):
        return True
    wayland, x_display = environ.get("WAYLAND_DISPLAY"), environ.get("DISPLAY")
    return bool((wayland and _wayland_answers(wayland, environ)) or (x_display and _x_answers(x_display)))


def _wayland_answers(name: str, environ: Mapping[str, str]) -> bool:
    return _answers(str(Path(environ.get("XDG_RUNTIME_DIR", "/")) / name))


def _x_answers(display: str) -> bool:
    host, _, rest = display.rpartition(":")
    number = rest.partition(".")[0]
    if host not in {"", "unix"} or not number.isdecimal():
        return True
    path = f"{X_SOCKETS}/X{number}"
    return _answers(path) or _answers(f"\0{path}")


def _answers(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as there:
        there.settimeout(ANSWER_S)
        try:
            there.connect(address)
        except OSError:
            return False
    return True


def _no_display(environ: Mapping[str, str]) -> NoDisplayError:
    named = environ.get("WAYLAND_DISPLAY") or environ.get("DISPLAY")
    if named:
        cause = tr("Nothing answers at the display {display}.", display=named)
    else:
        cause = tr("Neither DISPLAY nor WAYLAND_DISPLAY is set.")
    return NoDisplayError(
        title=tr("There is no screen to open a window on"),
        cause=cause,
        next_step=tr(
            "Start obdesk from a graphical desktop, use the command line (obdesk --help), "
            "or run: obdesk demo --headless."
        ),
    )
