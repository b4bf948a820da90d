"""Simulate years: `python -m tests.flows.years --years N --seed S [--profile P]`.

Each year is a life of its own with a seed counted up from S, so `--years 1 --seed K` replays one of them.
The last line is one JSON object; the exit code is 1 where anything that must always hold did not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.flows.years.faults import KINDS, Profile
from tests.flows.years.runs import Ended, live
from tests.storage.files import made

MIXED = (
    Profile.NORMAL,
    Profile.STORM,
    Profile.ONE,
    Profile.SWIZZLE,
    Profile.NORMAL,
    Profile.ONE,
    Profile.CALM,
    Profile.LIAR,
)
DAYS = 365


def profile_for(seed: int, wanted: str | None) -> Profile:
    """Return how rough the life of a seed is."""
    return Profile(wanted) if wanted else MIXED[seed % len(MIXED)]


def _life(template: Path, days: int, wanted: str | None, seed: int) -> Ended:
    return live(seed, profile_for(seed, wanted), days, template)


def main(arguments: list[str]) -> int:
    """Live the lives and sum them up."""
    parser = argparse.ArgumentParser(prog="simulate-years", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first year")
    parser.add_argument("--profile", choices=[each.value for each in Profile], help="the same for every year")
    parser.add_argument("--days", type=int, default=DAYS, help="days of a year, for a quick look")
    parser.add_argument("--verbose", action="store_true", help="one line per year")
    told = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="obdesk-years-") as folder:
        work = partial(_life, made(Path(folder) / "template.db"), told.days, told.profile)
        seeds = range(told.seed, told.seed + told.years)
        with ProcessPoolExecutor(min(os.cpu_count() or 1, told.years)) as pool:
            lives = [_shown(each, verbose=told.verbose) for each in pool.map(work, seeds)]
    sys.stdout.write(json.dumps(_summed(lives, told.seed)) + "\n")
    return 1 if any(each.violations for each in lives) else 0


def _shown(ended: Ended, *, verbose: bool) -> Ended:
    if ended.violations or verbose:
        head = f"seed {ended.seed} ({ended.profile}): {ended.syncs} syncs, digest {ended.digest}"
        sys.stderr.write("\n  ".join([head, *ended.violations]) + "\n")
    return ended


def _summed(lives: list[Ended], seed: int) -> dict[str, object]:
    fired: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    for each in lives:
        fired.update(each.fired)
    return {
        "years": round(sum(each.days for each in lives) / DAYS, 2),
        "seed": seed,
        "faults": dict(fired),
        "violations": sum(len(each.violations) for each in lives),
        "converged_s_max": round(max(each.converged_s for each in lives)),
        "syncs": sum(each.syncs for each in lives),
        "requests": sum(each.requests for each in lives),
        "violating_seeds": [each.seed for each in lives if each.violations],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
