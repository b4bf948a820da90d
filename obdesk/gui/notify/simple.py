"""The two plainer ways: the tray's own message, and a sentence inside the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QSystemTrayIcon

from obdesk.domain.errors import Action
from obdesk.domain.notices import NoticeKind
from obdesk.gui.notify.chain import tamed

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.notices import Notice
    from obdesk.gui.notify.chain import OnAction

SHOWN_MS = 10_000


class TrayMessages:
    """Messages of the notification area; a click opens the window at what the last one was about."""

    name = "tray"

    def __init__(self, icon: QSystemTrayIcon, on_action: OnAction) -> None:
        self._icon = icon
        self._about: ConnectionId | None = None
        icon.messageClicked.connect(lambda: on_action(Action.NONE, self._about))

    def show(self, notice: Notice) -> bool:
        """Show a notice where the system supports messages."""
        # Without a tray Qt still says that the icon is visible and that messages are supported.
        if not QSystemTrayIcon.isSystemTrayAvailable() or not QSystemTrayIcon.supportsMessages():
            return False
        if not self._icon.isVisible():
            return False
        kinds = QSystemTrayIcon.MessageIcon
        kind = kinds.Information if notice.kind is NoticeKind.RECOVERED else kinds.Warning
        self._about = notice.connection_id
        self._icon.showMessage(tamed(notice.title), tamed(notice.body), kind, SHOWN_MS)
        return True


class InWindow:
    """A sentence in the window: always possible."""

    name = "window"

    def __init__(self, toast: Callable[[str], object]) -> None:
        self._toast = toast

    def show(self, notice: Notice) -> bool:
        """Say the title in the window."""
        self._toast(notice.title)
        return True
