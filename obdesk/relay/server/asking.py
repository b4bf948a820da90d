"""Asking the store with a limit to patience: a sender that waits too long counts it as our failure."""

from __future__ import annotations

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

    async def ask(self, operation: Operation, asked: Awaitable[_T]) -> _T:
        """Return the store's answer and count how long it took; raises StoreDownError."""
        began_s = perf_counter()
        try:
            return await self.wait(asked)
        finally:
            self._metrics.asked(operation, perf_counter() - began_s)

    async def wait(self, asked: Awaitable[_T]) -> _T:
        """Return the store's answer; raises StoreDownError.

        What was given up may still be done: whoever asks for something to be kept sends it again, and a
        second time is then known for one.
        """
        try:
            with self._deadlines.limit():
                return await asked
        except TimeoutError as error:
            raise StoreDownError("the store takes too long") from error
