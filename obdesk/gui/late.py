"""Standing in for what does not run yet, so that screens can be made before the first paint.

Work that a screen starts then waits until the loop runs; commands are only asked for by a person, whose
first click comes later still.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obdesk.domain.errors import BugError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from obdesk.gui.changes import Spawn


class LateSpawn:
    """A `Spawn` that keeps work until it is given the real one."""

    def __init__(self) -> None:
        self._spawn: Spawn | None = None
        self._waiting: list[tuple[str, Coroutine[Any, Any, None]]] = []

    def __call__(self, name: str, coro: Coroutine[Any, Any, None], /) -> object:
        """Start work, or keep it until it can be started."""
        if self._spawn is None:
            self._waiting.append((name, coro))
            return None
        return self._spawn(name, coro)

    def bind(self, spawn: Spawn) -> None:
        """Start what waited, in order, and everything from now on."""
        self._spawn = spawn
        waiting, self._waiting = self._waiting, []
        for name, coro in waiting:
            spawn(name, coro)

    def close(self) -> None:
        """Drop what never started."""
        for _name, coro in self._waiting:
            coro.close()
        self._waiting = []


class Late:
    """An object whose methods are those of another, which comes later."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._target: object | None = None

    def bind(self, target: object) -> None:
        """Become `target` to whoever holds this."""
        self._target = target

    def __getattr__(self, name: str) -> Any:
        if self._target is None:
            raise BugError(f"{self._what} were asked for {name} before they were there")
        return getattr(self._target, name)
