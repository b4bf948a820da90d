"""How many requests one sync costs, also while others run beside it: each task counts its own."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class RequestCount:
    """A number that grows with every request of the task that began it, retries included."""

    sent: int = 0


_current: ContextVar[RequestCount | None] = ContextVar("request_count", default=None)


def begin() -> RequestCount:
    """Count from zero in this task and those it starts; return what counts."""
    count = RequestCount()
    _current.set(count)
    return count


def sent_one() -> None:
    """Count a request that is about to be sent."""
    count = _current.get()
    if count is not None:
        count.sent += 1
