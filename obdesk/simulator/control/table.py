"""A table of control calls: method, path, what it does. The same table serves HTTP and scenarios."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.simulator.clock import Clock
    from obdesk.simulator.faults import Faults
    from obdesk.simulator.hooks.registry import Registry
    from obdesk.simulator.switches import Switches
    from obdesk.simulator.world.world import World

Json = dict[str, Any]


class Machinery(Protocol):
    """What the control calls work on: a simulator, as far as they care."""

    world: World
    clock: Clock
    switches: Switches
    registry: Registry
    faults: Faults

    def reset(self, clock: Clock | None = None) -> None:
        """Start over."""
        ...


class ControlError(Exception):
    """A control call that makes no sense; the text says why."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Order:
    """One control call as a handler sees it."""

    parts: dict[str, str]
    body: Any
    query: dict[str, str] = field(default_factory=dict)

    @property
    def members(self) -> Json:
        """The body, which must be an object."""
        if not isinstance(self.body, dict):
            raise ControlError("the body must be a JSON object")
        return self.body


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table."""

    method: str
    path: str
    pattern: re.Pattern[str]
    handler: Callable[[Order], Any]


class Table:
    """Control calls by method and path; `{name}` in a path becomes a part of the order."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, method: str, path: str, handler: Callable[[Order], Any]) -> None:
        """Add a line."""
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "/?")
        self.entries.append(Entry(method, path, pattern, handler))

    def run(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> Any:
        """Run the call; raises ControlError when there is none such or it makes no sense."""
        for entry in self.entries:
            found = entry.pattern.fullmatch(path)
            if entry.method == method.upper() and found is not None:
                return entry.handler(Order(found.groupdict(), {} if body is None else body, query or {}))
        raise ControlError(f"no control call {method} {path}", 404)
