"""Collecting garbage in the interface's thread only.

Python's collector runs in whichever thread happens to fill its counters. A Qt object that ends in a
storage thread takes Qt's locks there while the interface holds Python's: the two wait for each other.
"""

from __future__ import annotations

import gc
import linecache
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_MS = 2_000


class Collector(QObject):
    """Takes collecting over from Python while it lives, by the same thresholds.

    While `busy` says that rows are being saved nothing is collected: each look would go through them all
    and hold up every thread, and rows are no garbage.
    """

    def __init__(self, parent: QObject, busy: Callable[[], bool] = lambda: False) -> None:
        super().__init__(parent)
        self._busy = busy
        gc.disable()
        self._turns = QTimer(self)
        self._turns.setInterval(EVERY_MS)
        self._turns.timeout.connect(self.collect_unless_busy)
        self._turns.start()

    def collect_unless_busy(self) -> None:
        """Collect what is due, if nothing is being saved."""
        if not self._busy():
            collect_due()
            drop_sources()

    def close(self) -> None:
        """Give collecting back to Python."""
        self._turns.stop()
        gc.enable()


def collect_due() -> None:
    """Collect the oldest generation whose counter is full."""
    full = [count > limit for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)]
    if any(full):
        gc.collect(max(generation for generation, is_full in enumerate(full) if is_full))


def drop_sources() -> None:
    """Forget the texts of modules, which nobody reads.

    PySide6 looks into the source of each module that is imported, and Python keeps what it reads that way:
    nine megabytes, measured on the whole window. A traceback reads its lines again.
    """
    linecache.clearcache()
