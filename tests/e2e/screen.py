"""A virtual screen with a window manager on it, real keys for it, and pictures of it."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from tests.e2e.processes import ended
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAMS = ("Xvfb", "openbox", "xdotool")
SIZE = (1280, 800)
_START_S = 20.0


class Screen:
    """The screen; `display` is what a program needs to find it."""

    def __init__(self, display: str, frame_buffer: Path) -> None:
        self.display = display
        self._frame_buffer = frame_buffer

    def press(self, *keys: str) -> None:
        """Press keys one after the other, by their X names: `ctrl+f`, `Return`."""
        self._do("key", "--clearmodifiers", "--delay", "30", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self._do("type", "--clearmodifiers", "--delay", "12", text)

    def windows(self, title: str) -> list[str]:
        """Return the windows that show, by a regular expression over their titles."""
        told = self._run("search", "--onlyvisible", "--name", title)
        return told.stdout.split()

    def close_window(self, title: str) -> None:
        """Close a window as its frame's button does."""
        (window,) = self.windows(title)
        self._do("windowactivate", "--sync", window)
        self.press("alt+F4")

    def active_title(self) -> str:
        """Return the title of the window in front."""
        return self._run("getactivewindow", "getwindowname").stdout.strip()

    def picture(self) -> QImage:
        """Return what the screen shows."""
        data = self._frame_buffer.read_bytes()
        # XWD: 25 big-endian numbers, the window's name, then the colour map and the rows.
        header = struct.unpack(">25I", data[:100])
        width, height, per_line, colours = header[4], header[5], header[12], header[19]
        start = header[0] + colours * 12
        pixels = data[start : start + per_line * height]
        return QImage(pixels, width, height, per_line, QImage.Format.Format_RGB32).copy()

    def managed(self) -> bool:
        """Tell whether a window manager is there."""
        return self._run("get_num_desktops").returncode == 0

    def _do(self, *arguments: str) -> None:
        done = self._run(*arguments)
        assert done.returncode == 0, done.stderr

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = os.environ | {"DISPLAY": self.display}
        return subprocess.run(
            ["xdotool", *arguments], env=environ, capture_output=True, text=True, check=False, timeout=30
        )


@contextmanager
def lit_screen(folder: Path) -> Iterator[Screen]:
    """Light a screen for the time of the block."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    assert not missing, f"these stories need {', '.join(missing)} (Debian: xvfb, openbox, xdotool)"
    folder.mkdir()
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24"]
    command += ["-nolisten", "tcp", "-noreset", "-fbdir", str(folder)]
    with ExitStack() as stack:
        server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
        stack.enter_context(ended(server))
        os.close(write)
        with os.fdopen(read) as told:
            display = f":{told.readline().strip()}"
        screen = Screen(display, folder / "Xvfb_screen0")
        environ = os.environ | {"DISPLAY": display}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        manager = subprocess.Popen(["openbox", "--sm-disable"], env=environ, **quiet)  # type: ignore[call-overload]
        stack.enter_context(ended(manager))
        until("the window manager", screen.managed, _START_S)
        yield screen
