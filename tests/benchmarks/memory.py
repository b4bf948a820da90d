"""How much memory this process holds, as the system counts it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

_ROLLUP = Path("/proc/self/smaps_rollup")
_KIB = 1024


class Held(NamedTuple):
    """Bytes: resident, proportional (shared pages divided among their users), and private."""

    resident: int
    proportional: int
    private: int


def held() -> Held:
    """Return what this process holds now; where the system tells only its peak, that."""
    if not _ROLLUP.exists():
        peak = _peak()
        return Held(peak, peak, peak)
    told: dict[str, int] = {}
    for line in _ROLLUP.read_text().splitlines()[1:]:
        name, value, *_unit = line.split()
        told[name.rstrip(":")] = int(value) * _KIB
    return Held(told["Rss"], told["Pss"], told["Private_Clean"] + told["Private_Dirty"])


def _peak() -> int:
    if sys.platform == "win32":
        raise OSError("memory is measured on Linux and macOS")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIB
