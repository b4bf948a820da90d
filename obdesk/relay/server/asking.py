"""Asking the store with a limit to patience: a sender that waits too long counts it as our failure."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Final, TypeVar

from obdesk.relay.server.deadlines import Deadlines
from obdesk.relay.server.store import StoreDownError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from obdesk.relay.server.metrics import Metrics, Operation

PATIENCE_S: Final = 2.0
"""Two of the aggregator's time-outs end its run of retries, so a slow store is one that is down."""
_T = TypeVar("_T")


class Patience:
    """Awaits what the store is asked, for so long."""

    def __init__(self, metrics: Metrics, patience_s: float = PATIENCE_S) -> None:
        self._metrics = metrics
        self._deadlines = Deadlines(patience_s)
        self.trouble: StoreDownError | None = None
        """Why the store was down last."""
        self.fell = asyncio.Event()
        """Set when it was found to be down; whoever has dealt with that clears it."""

    async def ask(self, operation: Operation, asked: Awaitable[_T]) -> _T:
        """Return the store's answer and count how long it took; raises StoreDownError."""
        began_s = perf_counter()
        try:
            return await self.wait(asked)
        finally:
            self._metrics.asked(operation, perf_counter() - began_s)

    async def wait(self, asked: Awaitable[_T], spent_s: float = 0.0) -> _T:
        """Return the store's answer, or that of many questions for which some time is spent already.

        Raises StoreDownError. What was given up may still be done: whoever asks for something to be kept
        sends it again, and a second time is then known for one.
        """
        try:
            with self._deadlines.limit(spent_s):
                return await asked
        except TimeoutError as error:
            self._fell(down := StoreDownError("the store takes too long"))
            raise down from error
        except StoreDownError as error:
            self._fell(error)
            raise

    def _fell(self, why: StoreDownError) -> None:
        self.trouble = why
        self.fell.set()


class Spent:
    """The time that was spent in its blocks."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began_s = 0.0

    def __enter__(self) -> None:
        self._began_s = perf_counter()

    def __exit__(self, *exc_info: object) -> None:
        self.seconds += perf_counter() - self._began_s
