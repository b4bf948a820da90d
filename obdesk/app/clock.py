"""The machine's clock, the only place that reads one."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """Wall clock in UTC and a monotonic clock."""

    def now(self) -> datetime:
        """Return the wall clock."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()
