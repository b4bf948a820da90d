"""A desktop's notification daemon and tray host, in a process of its own on a session bus.

It owns org.freedesktop.Notifications and org.kde.StatusNotifierWatcher, keeps what it is given, and can press
a notification's buttons. Tests ask it over the same bus by the interface `test.Desktop`. Run it with
`python -m tests.daemons.notifications`; it prints `ready` when it owns its names.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from typing import Any

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    new_error,
    new_method_call,
    new_method_return,
    new_signal,
)
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, Proxy, open_dbus_connection

NOTIFICATIONS = "org.freedesktop.Notifications"
NOTIFICATIONS_PATH = "/org/freedesktop/Notifications"
WATCHER = "org.kde.StatusNotifierWatcher"
WATCHER_PATH = "/StatusNotifierWatcher"
DESKTOP = "test.Desktop"
CAPABILITIES = ["actions", "body", "body-markup"]


class Desktop:
    """Answers calls until its bus goes away."""

    def __init__(self, bus: DBusConnection) -> None:
        self._bus = bus
        self._shown: dict[int, dict[str, Any]] = {}
        self._order: list[int] = []
        self._tray: list[dict[str, str]] = []
        self._backlog: deque[Message] = deque()

    def serve(self) -> None:
        """Answer one call after the other."""
        while True:
            message = self._backlog.popleft() if self._backlog else self._bus.receive()
            if message.header.message_type is MessageType.method_call:
                self._answer(message)

    def _answer(self, call: Message) -> None:
        fields = call.header.fields
        member, interface = fields.get(HeaderFields.member), fields.get(HeaderFields.interface)
        handler = getattr(self, f"on_{member}", None)
        if handler is None:
            self._bus.send(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod"))
            return
        answer = handler(fields.get(HeaderFields.sender), *call.body)
        del interface
        if answer is None:
            self._bus.send(new_method_return(call))
        else:
            self._bus.send(new_method_return(call, *answer))

    # org.freedesktop.Notifications

    def on_GetCapabilities(self, sender: str) -> tuple[str, tuple[list[str]]]:
        del sender
        return "as", (CAPABILITIES,)

    def on_GetServerInformation(self, sender: str) -> tuple[str, tuple[str, str, str, str]]:
        del sender
        return "ssss", ("test", "obdesk", "1", "1.2")

    def on_Notify(
        self,
        sender: str,
        app: str,
        replaces: int,
        icon: str,
        title: str,
        body: str,
        actions: list[str],
        hints: dict[str, tuple[str, Any]],
        expire_ms: int,
    ) -> tuple[str, tuple[int]]:
        number = replaces or len(self._order) + 1
        self._order.append(number)
        self._shown[number] = {
            "number": number,
            "replaces": replaces,
            "app": app,
            "icon": icon,
            "title": title,
            "body": body,
            "actions": actions,
            "hints": {name: value[1] for name, value in hints.items()},
            "expire_ms": expire_ms,
            "sender": sender,
        }
        return "u", (number,)

    def on_CloseNotification(self, sender: str, number: int) -> None:
        del sender
        self._signal("NotificationClosed", "uu", (number, 3))

    # org.kde.StatusNotifierWatcher

    def on_RegisterStatusNotifierItem(self, sender: str, name: str) -> None:
        self._tray.append({"sender": sender, "name": name})

    def on_RegisterStatusNotifierHost(self, sender: str, name: str) -> None:
        del sender, name

    def on_Get(self, sender: str, interface: str, name: str) -> tuple[str, tuple[tuple[str, Any]]]:
        del sender, interface
        values: dict[str, tuple[str, Any]] = {
            "IsStatusNotifierHostRegistered": ("b", True),
            "ProtocolVersion": ("i", 0),
            "RegisteredStatusNotifierItems": ("as", [item["name"] for item in self._tray]),
        }
        return "v", (values[name],)

    # test.Desktop

    def on_Shown(self, sender: str) -> tuple[str, tuple[str]]:
        del sender
        return "s", (json.dumps([self._shown[number] for number in dict.fromkeys(self._order)]),)

    def on_Count(self, sender: str) -> tuple[str, tuple[int]]:
        del sender
        return "u", (len(self._order),)

    def on_Press(self, sender: str, number: int, action: str) -> None:
        del sender
        self._signal("ActionInvoked", "us", (number, action))
        self._signal("NotificationClosed", "uu", (number, 2))

    def on_Tray(self, sender: str) -> tuple[str, tuple[str]]:
        del sender
        return "s", (json.dumps(self._tray),)

    def _signal(self, name: str, signature: str, body: tuple[Any, ...]) -> None:
        where = DBusAddress(NOTIFICATIONS_PATH, interface=NOTIFICATIONS)
        self._bus.send(new_signal(where, name, signature, body))


class Asker:
    """A test's way to ask the desktop what it shows."""

    def __init__(self) -> None:
        self._bus = open_dbus_connection("SESSION")

    def _ask(self, member: str, signature: str | None = None, body: tuple[Any, ...] = ()) -> Any:
        there = DBusAddress("/test", bus_name=NOTIFICATIONS, interface=DESKTOP)
        reply = self._bus.send_and_get_reply(new_method_call(there, member, signature, body), timeout=5)
        assert reply.header.message_type is MessageType.method_return, reply
        return reply.body[0] if reply.body else None

    def shown(self) -> list[dict[str, Any]]:
        """Return every notification on screen, oldest first; a replaced one counts once."""
        found: list[dict[str, Any]] = json.loads(self._ask("Shown"))
        return found

    def count(self) -> int:
        """Return how often something was shown, replacements included."""
        return int(self._ask("Count"))

    def press(self, number: int, action: str) -> None:
        """Press a button of a notification."""
        self._ask("Press", "us", (number, action))

    def tray(self) -> list[dict[str, str]]:
        """Return the icons in the tray."""
        found: list[dict[str, str]] = json.loads(self._ask("Tray"))
        return found

    def call(self, bus_name: str, path: str, interface: str, member: str, *body: Any) -> Any:
        """Call anybody on the bus; strings and numbers are told by their type."""
        signature = "".join({str: "s", int: "i", bool: "b"}[type(each)] for each in body) or None
        there = DBusAddress(path, bus_name=bus_name, interface=interface)
        reply = self._bus.send_and_get_reply(new_method_call(there, member, signature, body), timeout=5)
        assert reply.header.message_type is MessageType.method_return, reply
        return reply.body

    def send(self, bus_name: str, path: str, interface: str, member: str, signature: str, *body: Any) -> Any:
        """Call anybody with a signature of one's own."""
        there = DBusAddress(path, bus_name=bus_name, interface=interface)
        reply = self._bus.send_and_get_reply(new_method_call(there, member, signature, body), timeout=5)
        assert reply.header.message_type is MessageType.method_return, reply
        return reply.body

    def close(self) -> None:
        """Leave the bus."""
        self._bus.close()


def main() -> None:
    """Own the names and serve."""
    bus = open_dbus_connection("SESSION")
    proxy = Proxy(message_bus, bus)
    for name in (NOTIFICATIONS, WATCHER):
        assert proxy.RequestName(name)[0] == 1, name
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    try:
        Desktop(bus).serve()
    except (ConnectionResetError, EOFError, OSError):
        return


if __name__ == "__main__":
    main()
