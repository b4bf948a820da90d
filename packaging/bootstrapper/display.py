"""Where windows appear: the person's display, a virtual one, or none at all.

Linux only; macOS and Windows always have a display.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bootstrapper.report import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def has_display(environment: Mapping[str, str], system: str = sys.platform) -> bool:
    """Tell whether a window would be seen by somebody."""
    return system != "linux" or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def is_root() -> bool:
    """Tell whether this runs as root, where Chromium's sandbox cannot work."""
    return os.name == "posix" and os.geteuid() == 0


@contextmanager
def substitute() -> Iterator[dict[str, str]]:
    """Offer a display to a machine without one; yields the variables that lead to it.

    Xvfb if it is installed: it goes through the same window system as a person's screen.
    Otherwise Qt draws into memory.
    """
    program = shutil.which("Xvfb")
    if program is None:
        say("no display found: drawing off screen, the same journey without a visible window")
        yield {"QT_QPA_PLATFORM": "offscreen"}
        return
    read_end, write_end = os.pipe()
    command = [program, "-displayfd", str(write_end), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(
        command,
        pass_fds=(write_end,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        os.close(write_end)
        with os.fdopen(read_end) as answer:
            number = answer.readline().strip()
        if number:
            say(f"no display found: making the same journey on a virtual one (Xvfb :{number})")
            yield {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
        else:
            say("no display found, and Xvfb did not start: drawing off screen")
            yield {"QT_QPA_PLATFORM": "offscreen"}
    finally:
        server.terminate()
        server.wait()
