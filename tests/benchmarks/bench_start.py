"""Cold start: from the process to accounts, balances and the newest rows on the screen, with a raw key.

An empty PySide6 widget is started in turn with the window, so that a busy machine slows both.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings

from tests.benchmarks.children import compiled
from tests.benchmarks.figures import Figure
from tests.benchmarks.profiles import seeded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ROUNDS = 20
TARGET = 1.6
CHILD_TIMEOUT_S = 60


def run(rows: int) -> list[Figure]:
    """Start both in turn, once for the compiler and then for the figures."""
    folder = seeded(rows)
    figures: list[Figure] = []
    with compiled() as environ:
        for section in ("transactions", "overview"):
            _child(environ, "visit", str(folder), section)
            # Without a screen Qt would cut a remembered place to one that is not there.
            QSettings(str(folder / "seeded" / "window.ini"), QSettings.Format.IniFormat).remove(
                "window/geometry"
            )
            figures.append(_compare(environ, folder, section))
    return figures


def _compare(environ: Mapping[str, str], folder: Path, section: str) -> Figure:
    bare: list[float] = []
    ours: list[float] = []
    for turn in range(ROUNDS + 1):
        one, other = _start(environ, "bare"), _start(environ, "window", str(folder))
        if turn:
            bare.append(one)
            ours.append(other)
    name = f"start to first paint, {section} in front"
    return Figure(name, statistics.median(ours), "ms", statistics.median(bare), "bare widget", TARGET)


def _start(environ: Mapping[str, str], *arguments: str) -> float:
    """Return the milliseconds from before the process was there to its first paint."""
    begin = time.perf_counter()
    return (float(_child(environ, *arguments)) - begin) * 1000


def _child(environ: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.children", *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT_S,
        check=True,
    )
    return done.stdout
