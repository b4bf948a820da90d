"""Memory with the whole ledger open: the list scrolled from end to end and searched once.

Held against an empty PySide6 widget. Resident memory counts the libraries' pages whole, in both.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.benchmarks.bench_start import CHILD_TIMEOUT_S
from tests.benchmarks.children import compiled
from tests.benchmarks.figures import Figure
from tests.benchmarks.profiles import seeded

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGET = 2.5
MB = 1_000_000


def run(rows: int) -> list[Figure]:
    """Measure both processes from inside, by what the system says of them."""
    folder = seeded(rows)
    with compiled() as environ:
        # Once for the compiler, which leaves its own traces in memory.
        _told(environ, "bare-memory")
        _told(environ, "window-memory", str(folder))
        bare = _told(environ, "bare-memory")["bare"]
        ours = _told(environ, "window-memory", str(folder))
    return [
        _figure("memory, list scrolled and searched", ours["searched"], bare),
        _figure("memory at rest, on the list", ours["started"], bare),
    ]


def _figure(name: str, ours: Mapping[str, Any], bare: Mapping[str, Any]) -> Figure:
    return Figure(name, ours["resident"] / MB, "MB", bare["resident"] / MB, "bare widget", TARGET)


def _told(environ: Mapping[str, str], *arguments: str) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.children", *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT_S,
        check=True,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return {each["when"]: each for each in told}
