"""Collecting garbage in the interface's thread only.

Python's collector runs in whichever thread happens to fill its counters. A Qt object that ends in a
storage thread takes Qt's locks there while the interface holds Python's: the two wait for each other.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 2_000


class Collector(QObject):
    """Takes collecting over from Python while it lives, by the same thresholds."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._turns = QTimer(self)
        self._turns.setInterval(EVERY_MS)
        self._turns.timeout.connect(collect_due)
        self._turns.start()

    def close(self) -> None:
        """Give collecting back to Python."""
        self._turns.stop()
        gc.enable()


def collect_due() -> None:
    """Collect the oldest generation whose counter is full."""
    full = [count > limit for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)]
    if any(full):
        gc.collect(max(generation for generation, is_full in enumerate(full) if is_full))
