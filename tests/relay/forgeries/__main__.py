"""Many forgeries: python -m tests.relay.forgeries --count 1000000 --seed 7.

Ends with one line of JSON, and with 1 when one was taken.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.relay.forgeries.campaign import share

PROCESSES = 2
CHUNK = 25_000


def main() -> int:
    """Send as many forgeries as asked and say what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    told = parser.parse_args()
    began_s = time.monotonic()
    starts = range(0, told.count, CHUNK)
    counts = [min(CHUNK, told.count - start) for start in starts]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, spawn) as pool:
        shares = list(pool.map(share, counts, [f"{told.seed}:{start}" for start in starts]))
    answers = sum((each.answers for each in shares), Counter[str]())
    complaints = [complaint for each in shares for complaint in each.complaints]
    for complaint in complaints[:20]:
        sys.stderr.write(f"{complaint}\n")
    summary = {
        "forgeries": answers.total(), "seed": told.seed, "accepted": len(complaints),
        "duration_s": round(time.monotonic() - began_s, 1), "became": dict(sorted(answers.items())),
    }  # fmt: skip
    sys.stdout.write(f"{json.dumps(summary)}\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
