"""A private session bus with a notification daemon and tray host on it, for the time of a test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.daemons.notifications import Asker

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING = shutil.which("dbus-daemon") is None
"""Whether this machine has no message bus to start."""


@contextmanager
def private_bus() -> Iterator[str]:
    """Start a session bus and yield its address; the environment points to it meanwhile."""
    command = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as daemon:
        assert daemon.stdout is not None
        address = daemon.stdout.readline().strip()
        before = os.environ.get("DBUS_SESSION_BUS_ADDRESS", "")
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = address
        try:
            yield address
        finally:
            os.environ["DBUS_SESSION_BUS_ADDRESS"] = before
            daemon.terminate()


@contextmanager
def desktop() -> Iterator[Asker]:
    """Start bus and daemon, and yield the way to ask what the daemon shows."""
    with private_bus():
        command = [sys.executable, "-m", "tests.daemons.notifications"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
            assert daemon.stdout is not None
            assert daemon.stdout.readline().strip() == "ready"
            asker = Asker()
            try:
                yield asker
            finally:
                asker.close()
                daemon.terminate()


@contextmanager
def virtual_screen() -> Iterator[str]:
    """Start an X server without a screen and yield its display name."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as told:
            display = f":{told.readline().strip()}"
        try:
            yield display
        finally:
            server.terminate()
