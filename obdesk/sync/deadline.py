"""A bound on all reading of one sync, so that none hangs; waiting for a turn to ask does not use it up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from obdesk.providers.counting import RequestCount


@asynccontextmanager
async def reading_within(seconds: float, requests: RequestCount) -> AsyncIterator[None]:
    """Raise TimeoutError once reading took `seconds`, the waits that `requests` hears of not counted."""
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + seconds
    async with asyncio.timeout_at(ends_s) as bound:

        def put_off(wait_s: float) -> None:
            nonlocal ends_s
            ends_s += wait_s
            if not bound.expired():
                bound.reschedule(ends_s)

        requests.on_wait = put_off
        try:
            yield
        finally:
            requests.on_wait = None
