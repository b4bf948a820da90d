"""A share of spoilt answers, read in a process of its own with so much memory and no more."""

from __future__ import annotations

import json
import os
import random
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fuzz.mutate import spoilt
from tests.fuzz.targets import WholeWay, read

if TYPE_CHECKING:
    from tests.fuzz.corpus import Sample

WHOLE_WAY_EVERY = 25
MEMORY_MORE = 512 * 2**20
"""Bytes of address space beyond what the program takes with everything imported."""


@dataclass(frozen=True, slots=True)
class Share:
    """What became of some answers."""

    words: Counter[str]
    complaints: tuple[str, ...]
    slowest_s: float
    growth: int
    """Bytes by which the largest memory in use has grown since the process began to read."""


def share(samples: list[Sample], seed: int, numbers: range) -> Share:
    """Read the spoilt answers with these numbers."""
    exponents = _exponents(samples)
    bodies = [sample.body for sample in samples]
    words: Counter[str] = Counter()
    complaints: list[str] = []
    slowest_s = 0.0
    way = WholeWay()
    for number in numbers:
        rng = random.Random(seed << 40 | number)  # noqa: S311 - chance, not secrets
        sample = samples[rng.randrange(len(samples))]
        body = spoilt(sample.body, bodies, rng)
        began_s = time.process_time()
        try:
            if number % WHOLE_WAY_EVERY == 0:
                word = way.read(sample.kind, body, exponents, rng)
            else:
                word = read(sample.kind, body, exponents)
        except Exception as error:  # noqa: BLE001 - whatever is raised here is what is looked for
            word = f"raised {type(error).__name__}"
            where = traceback.format_exception(error)[-2:]
            complaints.append(f"answer {number} (seed {seed}, {sample.kind}): {word} {''.join(where)}")
        words[word] += 1
        slowest_s = max(slowest_s, time.process_time() - began_s)
    way.close()
    return Share(words, tuple(complaints[:10]), slowest_s, _largest_memory() - _before)


def _exponents(samples: list[Sample]) -> dict[int, int]:
    """Return two decimals for each account of the answers."""
    told = next(json.loads(sample.body) for sample in samples if sample.kind == "accounts")
    return {account["id"]: 2 for account in told["accounts"]}


_before = 0
"""Bytes of memory that reading began with, in this process."""


def limit_memory() -> None:
    """Let this process have only so much more memory, where the system can see to it."""
    global _before  # noqa: PLW0603 - one value per process, like the limit itself
    WholeWay().close()  # whatever is imported late has been
    if sys.platform == "linux":
        import resource

        with open("/proc/self/statm", encoding="ascii") as told:  # noqa: PTH123 - not a file of ours
            pages = int(told.read().split()[0])
        ceiling = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY_MORE
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    _before = _largest_memory()


def _largest_memory() -> int:
    """Return the most memory this process ever had in use, in bytes; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
