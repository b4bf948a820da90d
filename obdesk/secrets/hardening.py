"""Keep the memory of this process to ourselves, as far as the system offers it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

_PR_SET_DUMPABLE = 4


@dataclass(frozen=True, slots=True)
class Hardening:
    """What was reached: no core file is written; other processes of this user cannot read the memory."""

    no_core_files: bool
    memory_private: bool


def process_hardening() -> Hardening:
    """Switch off core files and, on Linux, reading of our memory by others; new files are ours alone.

    Python cannot wipe a key from memory, so this is what keeps one in. Does nothing on Windows. Call it
    once, early: child processes inherit the core limit and the umask.
    """
    if sys.platform == "win32":
        return Hardening(no_core_files=False, memory_private=False)
    import resource

    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return Hardening(no_core_files=True, memory_private=_hide_memory())


def _hide_memory() -> bool:
    if sys.platform != "linux":
        return False
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
