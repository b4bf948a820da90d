"""Giving memory back to the system after large reads; only the GNU C library has to be asked.

A list of a million ids comes as blocks of eight megabytes and more. When they are let go that library
keeps them for the next ones: 15 MB of 145, measured on a million rows.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any


def give_back() -> None:
    """Return what is free inside the heap; it takes a fraction of a millisecond, in which Python runs on."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


@cache
def _glibc() -> Any:
    """Return the C library if it is the one that has to be asked."""
    if sys.platform != "linux":
        return None
    import ctypes

    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None
