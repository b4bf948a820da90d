"""Many kills: python -m tests.relay.totalqueue --store redis --deliveries 100000 --kills 100 --seed 7.

Ends with one line of JSON, and with 1 when anything that was confirmed was lost, came to a wrong device or
had an effect twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time

from tests.relay.totalqueue.run import run


def main() -> int:
    """Run once and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", required=True, choices=["sqlite", "redis"])
    parser.add_argument("--deliveries", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    told = parser.parse_args()
    began_s = time.monotonic()
    found = asyncio.run(run(told.store, told.deliveries, told.kills, told.seed))
    verdict = found.verdict
    for complaint in (*verdict.lost, *verdict.misrouted, *verdict.doubled)[:20]:
        sys.stderr.write(f"{complaint}\n")
    summary = {
        "store": told.store, "deliveries": found.deliveries, "acknowledged": found.acknowledged,
        "kills": found.kills, "lost": len(verdict.lost), "misrouted": len(verdict.misrouted),
        "doubled": len(verdict.doubled), "folded": verdict.folded, "dirties": verdict.dirties,
        "epochs": found.epochs, "seed": told.seed, "seconds": round(time.monotonic() - began_s, 1),
    }  # fmt: skip
    sys.stdout.write(f"{json.dumps(summary)}\n")
    return 0 if found.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
