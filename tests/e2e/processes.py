"""Ending what a story started, whatever happened in it."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Process = subprocess.Popen[bytes] | subprocess.Popen[str]

_END_S = 5.0


@contextmanager
def ended(process: Process) -> Iterator[None]:
    """End one process when the block ends: politely, then not."""
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_END_S)
        process.kill()
        process.wait()


def end_family(process: Process) -> None:
    """Kill a process that leads a group of its own, and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def with_variable(name: str, value: str) -> list[int]:
    """Return the processes whose environment holds a variable: whoever a story started, children included."""
    wanted = f"{name}={value}".encode()
    found = []
    for entry in _processes():
        with suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def _processes() -> Iterator[Path]:
    from pathlib import Path

    return (entry for entry in Path("/proc").iterdir() if entry.name.isdecimal())
