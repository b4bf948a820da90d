"""Many spoilt answers: python -m tests.fuzz --count 1000000 --seed 7 [--only NUMBER].

Ends with one line of JSON, and with 1 when an answer raised what is not declared, or cost too much.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.fuzz.campaign import Share, limit_memory, share
from tests.fuzz.corpus import corpus

PROCESSES = 2
CHUNK = 2_500
GROWTH_MAX = 160 * 2**20
CPU_MAX_S = 2.0


def main() -> int:
    """Spoil as many answers as asked and say what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", type=int)
    told = parser.parse_args()
    began_s = time.monotonic()
    samples = corpus()
    work = partial(share, samples, told.seed)
    if told.only is not None:
        limit_memory()
        shares = [work(range(told.only, told.only + 1))]
    else:
        chunks = [range(first, min(told.count, first + CHUNK)) for first in range(0, told.count, CHUNK)]
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(PROCESSES, spawn, initializer=limit_memory) as pool:
            shares = list(pool.map(work, chunks))
    return _report(shares, told.seed, time.monotonic() - began_s)


def _report(shares: list[Share], seed: int, took_s: float) -> int:
    words = sum((each.words for each in shares), Counter[str]())
    complaints = [complaint for each in shares for complaint in each.complaints]
    slowest_s, growth = max(each.slowest_s for each in shares), max(each.growth for each in shares)
    if slowest_s > CPU_MAX_S:
        complaints.append(f"an answer took {slowest_s:.1f} s")
    if growth > GROWTH_MAX:
        complaints.append(f"memory grew by {growth >> 20} MiB")
    for complaint in complaints[:10]:
        sys.stderr.write(f"{complaint}\n")
    summary = {
        "answers": words.total(), "seed": seed, "bad": len(complaints), "slowest_s": round(slowest_s, 3),
        "memory_mib": growth >> 20, "duration_s": round(took_s, 1), "became": dict(words.most_common()),
    }  # fmt: skip
    sys.stdout.write(f"{json.dumps(summary)}\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
