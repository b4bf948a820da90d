"""The one way these stories wait: look again and again until a fact holds or its time is up."""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
LOOK_EVERY_S = 0.1
PATIENCE_S = 30.0


def until(
    what: str, fact: Callable[[], T | None], within_s: float = PATIENCE_S, look_every_s: float = LOOK_EVERY_S
) -> T:
    """Return what `fact` answers as soon as that is true; fail with `what` when it stays untrue."""
    pause, deadline_s = Event(), time.monotonic() + within_s
    while True:
        if found := fact():
            return found
        if time.monotonic() > deadline_s:
            raise AssertionError(f"waited {within_s:.0f} s in vain for {what}")
        pause.wait(look_every_s)
