"""Notifications of the freedesktop specification over D-Bus, with buttons.

Spoken by jeepney, which comes with the keyring's Secret Service, and not by QtDBus: PySide6 has no way to
send the unsigned number that Notify asks for (tried with 6.11; every int goes out signed). The socket is
watched by Qt, so a pressed button is heard without a thread and without polling.
"""

from __future__ import annotations

import logging
from collections import deque
from html import escape
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QSocketNotifier, QTimer

from obdesk.domain.errors import Action, action_label
from obdesk.domain.notices import NoticeKind
from obdesk.domain.texts import tr
from obdesk.gui.notify.chain import tamed
from obdesk.gui.remedies import BUTTONS

if TYPE_CHECKING:
    from jeepney import Message
    from jeepney.io.blocking import DBusConnection

    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.notices import Notice
    from obdesk.gui.notify.chain import OnAction

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
REPLY_S = 1.0
_URGENCY = {
    NoticeKind.RECOVERED: 0,
    NoticeKind.SYNC_ERROR: 1,
    NoticeKind.ACTION_NEEDED: 1,
    NoticeKind.PROBLEM: 1,
}
_EXPIRE_DEFAULT = -1

_log = logging.getLogger(__name__)


class FreedesktopNotifications(QObject):
    """One notification per bank: a newer notice of the same bank replaces the older one."""

    name = "freedesktop"

    def __init__(self, on_action: OnAction, desktop_entry: str = "obdesk") -> None:
        super().__init__()
        self._on_action = on_action
        self._entry = desktop_entry
        self._bus: DBusConnection | None = None
        self._ears: QSocketNotifier | None = None
        self._heard: deque[Message] = deque()
        """Signals that came while an answer was waited for."""
        self._has: frozenset[str] = frozenset()
        self._numbers: dict[ConnectionId | None, int] = {}
        self._meant: dict[int, tuple[Action, ConnectionId | None]] = {}

    def show(self, notice: Notice) -> bool:
        """Show a notice; False when there is no bus or nobody on it who shows notifications."""
        if self._bus is None and not self._connect():
            return False
        number = self._notify(notice)
        if number is None:
            self.close()
            return False
        self._numbers[notice.connection_id] = number
        self._meant[number] = (notice.action, notice.connection_id)
        return True

    def close(self) -> None:
        """Let go of the bus."""
        if self._ears is not None:
            self._ears.setEnabled(False)
            self._ears = None
        if self._bus is not None:
            self._bus.close()
            self._bus = None

    def _connect(self) -> bool:
        try:
            from jeepney import DBusErrorResponse, MatchRule
            from jeepney.bus_messages import message_bus
            from jeepney.io.blocking import Proxy, open_dbus_connection
        except ImportError:  # it comes with the Secret Service, which other systems do not have
            return False
        try:
            self._bus = open_dbus_connection("SESSION")
            rule = MatchRule(type="signal", interface=NAME, path=PATH)
            Proxy(message_bus, self._bus, timeout=REPLY_S).AddMatch(rule)
        except (OSError, KeyError, ValueError, RuntimeError, DBusErrorResponse):
            _log.info("there is no session bus for notifications")
            self.close()
            return False
        self._bus.filter(rule, queue=self._heard)
        capabilities = self._call("GetCapabilities")
        if capabilities is None:
            self.close()
            return False
        self._has = frozenset(capabilities)
        self._ears = QSocketNotifier(self._bus.sock.fileno(), QSocketNotifier.Type.Read, self)
        self._ears.activated.connect(self._listen)
        return True

    def _notify(self, notice: Notice) -> int | None:
        title, body = tamed(notice.title), tamed(notice.body)
        if "body-markup" in self._has:
            body = escape(body, quote=False)
        hints = {
            "urgency": ("y", _URGENCY[notice.kind]),
            "desktop-entry": ("s", self._entry),
        }
        replaced = self._numbers.get(notice.connection_id, 0)
        actions = self._buttons(notice.action) if "actions" in self._has else []
        answer = self._call(
            "Notify", "susssasa{sv}i",
            ("obdesk", replaced, self._entry, title, body, actions, hints, _EXPIRE_DEFAULT),
        )  # fmt: skip
        return answer if isinstance(answer, int) else None

    @staticmethod
    def _buttons(action: Action) -> list[str]:
        buttons = ["default", tr("Open obdesk")]
        if action in BUTTONS:
            buttons += [action.value, action_label(action)]
        return buttons

    def _call(self, method: str, signature: str | None = None, body: tuple[Any, ...] = ()) -> Any:
        """Return the first value of an answer, or None when there was none."""
        from jeepney import DBusAddress, MessageType, new_method_call

        assert self._bus is not None
        there = DBusAddress(PATH, bus_name=NAME, interface=NAME)
        try:
            message = new_method_call(there, method, signature, body)
            reply = self._bus.send_and_get_reply(message, timeout=REPLY_S)
        except (OSError, TimeoutError):
            return None
        if reply.header.message_type is not MessageType.method_return:
            return None
        # What was read together with the answer makes the socket ready no more.
        QTimer.singleShot(0, self, self._listen)
        return reply.body[0] if reply.body else True

    def _listen(self) -> None:
        while self._bus is not None:
            while self._heard:
                self._hear(self._heard.popleft())
            try:
                message = self._bus.receive(timeout=0)
            except TimeoutError:
                return
            except OSError:
                self.close()
                return
            self._hear(message)

    def _hear(self, message: Message) -> None:
        from jeepney import HeaderFields

        fields = message.header.fields
        if fields.get(HeaderFields.interface) != NAME or len(message.body) != 2:
            return
        number, word = message.body
        meant = self._meant.get(number)
        if meant is None:
            return
        action, connection_id = meant
        match fields.get(HeaderFields.member):
            case "ActionInvoked":
                self._on_action(action if word == action.value else Action.NONE, connection_id)
            case "NotificationClosed":
                self._meant.pop(number, None)
                if self._numbers.get(connection_id) == number:
                    del self._numbers[connection_id]
