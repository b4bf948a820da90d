"""Who in this process waits for news of a device."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator


class Wakes:
    """Those that wait; what is kept for one is gone when it stops waiting."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._is_closed = False

    def wake(self, device_ids: Iterable[str]) -> None:
        """Let those look again who wait for one of these devices."""
        for device_id in device_ids:
            for future in self._waiting.get(device_id, ()):
                if not future.done():
                    future.set_result(None)

    def wake_all(self) -> None:
        """Let everybody look again."""
        self.wake(tuple(self._waiting))

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._is_closed = True
        self.wake_all()

    @contextmanager
    def _woken(self, device_id: str) -> Iterator[asyncio.Future[None]]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(device_id, set())
        waiting.add(future)
        try:
            yield future
        finally:
            waiting.discard(future)
            if not waiting and self._waiting.get(device_id) is waiting:
                del self._waiting[device_id]

    async def until(self, device_id: str, has_news: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
        """Return once a device has news, the time is over, or the store is closed.

        Whether there is news is asked after becoming one of those who are woken, so that none is missed.
        """
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + timeout_s
        while not self._is_closed:
            with self._woken(device_id) as future:
                if await has_news():
                    return
                left_s = deadline_s - loop.time()
                if left_s <= 0:
                    return
                await asyncio.wait((future,), timeout=left_s)
