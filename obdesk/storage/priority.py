"""Threads that stand back: the interface's thread runs as soon as it has something to paint.

A sync that is saved and a sum over a million rows are work for a processor each; on two of them the
system lets the interface wait for its turn, a few milliseconds at a time. Threads that have stepped back
are put off at once. Only Linux lets a thread do so for itself; elsewhere nothing changes.
"""

from __future__ import annotations

import os
import sys
import threading

WRITING = 15
"""Nice value for what saves: it works on while anything of the system is idle, and never starves."""
SUMMING = 19
"""Nice value for sums, which nobody waits for."""


def step_back(nice: int) -> None:
    """Let every thread with a lower nice value go before the calling one; never the other way round."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(nice, os.getpriority(os.PRIO_PROCESS, thread)))
