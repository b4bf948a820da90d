"""Many crashes: python -m tests.crash --states 20000 --seed 7.

Ends with one line of JSON, and with 1 when anything acknowledged was lost or anything was damaged.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.crash.judge import Verdicts, judge
from tests.crash.trace import acts_of, record

PROCESSES = 2


DAYS = 12


def crash(states: int, seed: int, synchronous: str = "FULL", days: int = DAYS) -> tuple[int, Verdicts]:
    """Trace a workload and crash it at random moments; return the number of its acts and the verdicts."""
    with tempfile.TemporaryDirectory(prefix="obdesk-trace-") as made:
        folder = Path(made).resolve()
        acts = acts_of(record(folder, "tests.crash.workload", synchronous, str(days)), folder / "profile")
    rng = random.Random(seed)  # noqa: S311 - chance, not secrets
    moments = sorted(rng.randint(0, len(acts)) for _ in range(states))
    if states < 1_000:
        return len(acts), judge(acts, moments, seed)
    shares = [moments[first::PROCESSES] for first in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES) as pool:
        parts = list(pool.map(partial(judge, acts), shares, [seed * PROCESSES + n for n in range(PROCESSES)]))
    complaints = tuple(complaint for part in parts for complaint in part.complaints)
    return len(acts), Verdicts(
        sum(part.states for part in parts), sum(part.begun for part in parts), complaints
    )


def main() -> int:
    """Crash as often as asked and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--synchronous", default="FULL", choices=["FULL", "NORMAL", "OFF"])
    told = parser.parse_args()
    began_s = time.monotonic()
    acts, verdicts = crash(told.states, told.seed, told.synchronous)
    for complaint in verdicts.complaints[:20]:
        sys.stderr.write(f"{complaint}\n")
    summary = {
        "states": verdicts.states, "opened": verdicts.begun, "acts": acts, "seed": told.seed,
        "synchronous": told.synchronous, "bad": len(verdicts.complaints),
        "duration_s": round(time.monotonic() - began_s, 1),
    }  # fmt: skip
    sys.stdout.write(f"{json.dumps(summary)}\n")
    return 1 if verdicts.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
