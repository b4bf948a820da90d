"""A small typed bus: whoever listens hears every event of the closed set, in the order they happened."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.app.events import Event

    Listener = Callable[[Event], None]


class Bus:
    """Listeners are called in the interface's thread; an event raised meanwhile waits its turn."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._waiting: deque[Event] = deque()
        self._busy = False

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event from now on; return what stops it."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def publish(self, event: Event) -> None:
        """Tell every listener; events published by listeners come after this one."""
        self._waiting.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting:
                current = self._waiting.popleft()
                for listener in tuple(self._listeners):
                    listener(current)
        finally:
            self._busy = False
