"""Notices when the interface's thread does not come to its loop: looks from another thread."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger(__name__)
BEAT_S = 0.1
LIMIT_S = 0.25
"""A person feels longer ones. One of a third of a second is seen whenever it begins between two beats."""


class Watchdog:
    """Asks a loop for a sign of life ten times a second and logs how long it took, when that was long.

    The line holds a duration and nothing else: what was going on is in the lines around it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ended = threading.Event()
        self._answered = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="obdesk-watchdog", daemon=True)
        self.stalls = 0
        """How many there were."""

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking; at once, whether the loop answers or not."""
        self._ended.set()
        self._answered.set()
        if self._thread.is_alive():
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _watch(self) -> None:
        while not self._ended.wait(BEAT_S):
            self._answered.clear()
            if (
                self._ended.is_set()
            ):  # its sign was just wiped away, and the loop that waits for us gives no other
                return
            asked_s = time.perf_counter()
            try:
                self._loop.call_soon_threadsafe(self._answered.set)
            except RuntimeError:  # the loop was closed before us
                return
            self._answered.wait()
            took_s = time.perf_counter() - asked_s
            if took_s > LIMIT_S and not self._ended.is_set():
                self.stalls += 1
                log.info("the interface did not answer for %.2f s", took_s)
