"""How much memory another process holds."""

from __future__ import annotations

from pathlib import Path


def resident(pid: int) -> int:
    """Return the bytes that a process holds in memory."""
    told = Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()
    return int(told[0]) * 1024
