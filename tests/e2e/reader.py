"""Reads a program's window as a screen reader does: over AT-SPI, on the bus that the program was given.

Qt puts itself on the bus named by AT_SPI_BUS_ADDRESS, so neither a registry nor a bus of its own is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jeepney import DBusAddress, MessageType, new_method_call
from jeepney.io.blocking import open_dbus_connection

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

_ACCESSIBLE = "org.a11y.atspi.Accessible"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_ROOT = "/org/a11y/atspi/accessible/root"
_FOCUSED, _SENSITIVE, _SHOWING = 12, 24, 25
_ANSWER_S = 5.0
_CHILDREN_MAX = 400
"""A longer list is not read out: a person would not either."""


@dataclass(frozen=True)
class Thing:
    """Something on the screen."""

    role: str
    name: str
    focused: bool
    enabled: bool


class ScreenReader:
    """Reads the windows of one process."""

    def __init__(self, bus_address: str, process: subprocess.Popen[bytes]) -> None:
        self._bus = open_dbus_connection(bus_address)
        self._process = process
        self._name: str | None = None

    @property
    def ended(self) -> bool:
        """Tell whether the program has ended."""
        return self._process.poll() is not None

    def things(self) -> list[Thing]:
        """Return all that shows at the moment, from the outermost to the innermost."""
        name = self._name = self._name or self._find()
        return [] if name is None else list(self._walk(name, _ROOT))

    def close(self) -> None:
        """Leave the bus."""
        self._bus.close()

    def _find(self) -> str | None:
        bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
        for name in self._ask(bus, "ListNames") or ():
            if (
                name.startswith(":")
                and self._ask(bus, "GetConnectionUnixProcessID", "s", name) == self._process.pid
                and self._ask(DBusAddress(_ROOT, name, _ACCESSIBLE), "GetRoleName") == "application"
            ):
                return str(name)
        return None

    def _walk(self, name: str, path: str) -> Iterator[Thing]:
        here = DBusAddress(path, name, _ACCESSIBLE)
        states = self._ask(here, "GetState")
        role = self._ask(here, "GetRoleName")
        if states is None or role is None:
            return
        bits = states[0] | states[1] << 32
        if role != "application":
            if not bits >> _SHOWING & 1:
                return
            title = self._property(here, "Name") or ""
            yield Thing(role, title, bool(bits >> _FOCUSED & 1), bool(bits >> _SENSITIVE & 1))
        if (self._property(here, "ChildCount") or 0) > _CHILDREN_MAX:
            return
        for child_name, child_path in self._ask(here, "GetChildren") or ():
            yield from self._walk(child_name, child_path)

    def _property(self, there: DBusAddress, name: str) -> Any:
        at = there.with_interface(_PROPERTIES)
        found = self._ask(at, "Get", "ss", there.interface, name)
        return None if found is None else found[1]

    def _ask(self, there: DBusAddress, member: str, signature: str | None = None, *body: Any) -> Any:
        """Return the first value of the answer, or None: things come and go while they are read."""
        message = new_method_call(there, member, signature, body)
        try:
            reply = self._bus.send_and_get_reply(message, timeout=_ANSWER_S)
        except TimeoutError:
            return None
        if reply.header.message_type is not MessageType.method_return:
            return None
        return reply.body[0]
