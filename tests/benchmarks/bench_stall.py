"""The interface's thread while a new bank's rows are saved, under hands that scroll and search.

A timer of one millisecond tells how late the thread comes. The same hands without a sync are told beside
it: painting and answering keys is part of both.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.children import compiled
from tests.benchmarks.figures import Figure
from tests.benchmarks.profiles import seeded

NEW_ROWS = 200_000
CHILD_TIMEOUT_S = 300


def run(rows: int) -> list[Figure]:
    """Save up to 200 000 rows into a copy of the ledger while its window is in use."""
    with tempfile.TemporaryDirectory(prefix="obdesk-bench-") as name, compiled() as environ:
        folder = Path(name, "copy")
        shutil.copytree(seeded(rows), folder)
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.stalls", str(folder), str(min(rows, NEW_ROWS))],
            env=environ,
            capture_output=True,
            text=True,
            timeout=CHILD_TIMEOUT_S,
            check=True,
        )
    told: dict[str, dict[str, Any]] = {
        each["when"]: each for each in map(json.loads, done.stdout.splitlines())
    }
    sync, hands = told["sync"], told["hands"]
    return [
        Figure("interface late while rows are saved, p99", sync["p99_ms"], "ms", None, "", 4.0),
        Figure("interface late while rows are saved, worst", sync["worst_ms"], "ms", None, "", 50.0),
        Figure("interface late without a sync, p99", hands["p99_ms"], "ms", None, "", 4.0),
    ]
