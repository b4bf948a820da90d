"""How many requests one sync costs, also while others run beside it: each task counts its own."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class RequestCount:
    """A number that grows with every request of the task that began it, retries included."""

    sent: int = 0
    renewals: int = 0
    """Tokens that had to be renewed on the way."""
    on_wait: Callable[[float], None] | None = None
    """Told, in seconds, of each wait for a turn to ask: it is nobody's slowness."""


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


def waits(seconds: float) -> None:
    """Tell that the next request waits for its turn."""
    count = _current.get()
    if count is not None and count.on_wait is not None:
        count.on_wait(seconds)


def renewed_one() -> None:
    """Count a token that was renewed because the old one was refused."""
    count = _current.get()
    if count is not None:
        count.renewals += 1
