"""Never more requests in any minute than the aggregator allows: whoever is too early waits."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from obdesk.providers import counting
from obdesk.storage.queries.limits import calls_this_minute
from obdesk.storage.writes.calls import count_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from obdesk.domain.clock import Clock
    from obdesk.storage.store import Store

MINUTE_S = 60.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class HostPace:
    """The turns of one host (obdesk.providers.base.Pace); `most` requests in any minute, None for no limit.

    Each request is counted in the file before it is sent: a program that crashed and came back knows what
    it had asked.
    """

    def __init__(
        self,
        store: Store,
        host: str,
        most: int | None,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._host = host
        self._most = most
        self._clock = clock
        self._sleep = sleep
        self._sent_s: deque[float] | None = None
        self._queue = asyncio.Lock()

    async def turn(self) -> None:
        """Wait until one more request may be sent; it is counted when this returns."""
        async with self._queue:
            sent = self._sent_s
            if sent is None:
                sent = self._sent_s = deque(await self._from_before())
            while self._most is not None and (wait_s := self._wait_s(sent, self._most)) > 0:
                counting.waits(wait_s)
                await self._sleep(wait_s)
            minute = self._minute()
            await self._store.write(lambda tx: count_request(tx, self._host, minute))
            sent.append(self._clock.monotonic_s())

    def _wait_s(self, sent: deque[float], most: int) -> float:
        now_s = self._clock.monotonic_s()
        while sent and sent[0] <= now_s - MINUTE_S:
            sent.popleft()
        return 0.0 if len(sent) < most else sent[len(sent) - most] + MINUTE_S - now_s

    async def _from_before(self) -> list[float]:
        """Return what an earlier run of the program sent lately, as if it were just now."""
        many = await self._store.read(calls_this_minute, self._host, self._minute())
        return [self._clock.monotonic_s()] * many

    def _minute(self) -> int:
        return int((self._clock.now() - _EPOCH).total_seconds() // MINUTE_S)
