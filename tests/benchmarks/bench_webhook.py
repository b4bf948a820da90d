"""From the POST of a webhook to the new row on the screen: aggregator, relay and window on one machine.

The clock starts before the purchase is made at the simulated bank, which posts what it heard at once: its
own work is part of the figure, which is therefore an upper bound.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.children import compiled
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.profiles import seeded

TARGET_MS = 500.0
LEDGER_ROWS = 50_000
"""What a person has after twenty years; how long a list takes to be read is what other figures are for."""
CHILD_TIMEOUT_S = 300


def run(rows: int) -> list[Figure]:
    """Buy at three banks, with so many rows in the ledger already, and see each purchase come."""
    with tempfile.TemporaryDirectory(prefix="obdesk-bench-") as name, compiled() as environ:
        folder = Path(name, "copy")
        shutil.copytree(seeded(min(rows, LEDGER_ROWS)), folder)
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.webhooks", str(folder)],
            env=environ,
            capture_output=True,
            text=True,
            timeout=CHILD_TIMEOUT_S,
            check=True,
        )
    took_ms = json.loads(done.stdout.splitlines()[-1])["took_ms"]
    return [
        Figure("from webhook to screen, median", percentile(took_ms, 0.5), "ms", None, "", TARGET_MS),
        Figure("from webhook to screen, p95", percentile(took_ms, 0.95), "ms", None, "", 3 * TARGET_MS),
    ]
