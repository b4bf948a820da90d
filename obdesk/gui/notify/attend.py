"""Keeps the person informed while the window is closed: tray, notifications, and the first closing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout

from obdesk.app.notifier import Notifier
from obdesk.domain.changes import Kind
from obdesk.domain.errors import Action
from obdesk.domain.texts import tr
from obdesk.gui.notify.chain import PresenterChain
from obdesk.gui.notify.freedesktop import FreedesktopNotifications
from obdesk.gui.notify.simple import InWindow, TrayMessages
from obdesk.gui.tray import Tray, tray_state
from obdesk.gui.widgets.basics import button, label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from obdesk.app.bus import Bus
    from obdesk.app.interface import Commands, Reads
    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.entities import Connection
    from obdesk.domain.ids import ConnectionId
    from obdesk.gui.changes import Changes, Spawn
    from obdesk.gui.theme.theme import Theme


class WindowInFront(Protocol):
    """What is asked of the window."""

    keep_running: Callable[[], bool]

    def isMinimized(self) -> bool:
        """Tell whether it is shrunk to the task bar."""
        ...

    def showNormal(self) -> None:
        """Bring it back from there."""
        ...

    def show(self) -> None:
        """Show it."""
        ...

    def raise_(self) -> None:
        """Bring it to the front."""
        ...

    def activateWindow(self) -> None:
        """Give it the keyboard."""
        ...

    def open_section(self, key: str) -> None:
        """Bring a section to the front."""
        ...

    def refresh(self, connections: Sequence[ConnectionId] | None = None) -> None:
        """Ask the banks now."""
        ...

    def act(self, action: Action, connection_id: ConnectionId | None = None) -> None:
        """Do what a button says."""
        ...

    def toast(self, text: str) -> None:
        """Say one sentence."""
        ...


class Attendance(QObject):
    """Made once the application runs; `close` takes icon and notifications away."""

    quitWanted = Signal()

    def __init__(
        self,
        window: WindowInFront,
        theme: Theme,
        bus: Bus,
        reads: Reads,
        commands: Commands,
        spawn: Spawn,
        changes: Changes,
        connections: Sequence[Connection] = (),
    ) -> None:
        super().__init__()
        self._window, self._theme = window, theme
        self._reads, self._commands, self._spawn, self._changes = reads, commands, spawn, changes
        self._connections = tuple(connections)
        self._paused = reads.setting_now("sync.paused") == "on"
        self._explained = reads.setting_now("tray.explained") == "on"
        self.farewell: FirstClosing | None = None
        self.tray = Tray(theme.tokens, self)
        self.notifications = FreedesktopNotifications(self.bring_up)
        self.presenter = PresenterChain(
            [self.notifications, TrayMessages(self.tray.icon, self.bring_up), InWindow(window.toast)]
        )
        self._stop = bus.listen(Notifier(self.presenter, self._connections).hear)
        self._connect()
        self.tray.show_paused(paused=self._paused)
        self.tray.show()
        self._show()
        window.keep_running = self.keep_running

    def _connect(self) -> None:
        self.tray.openWanted.connect(lambda: self.bring_up(Action.NONE, None))
        self.tray.refreshWanted.connect(lambda: self._window.refresh(None))
        self.tray.pauseWanted.connect(self.pause)
        self.tray.quitWanted.connect(self.quitWanted)
        self._changes.changed.connect(self._touched)
        self._changes.syncing.connect(self._show)
        self._theme.changed.connect(lambda: self.tray.use_tokens(self._theme.tokens))

    def close(self) -> None:
        """Take icon and notifications away."""
        self._stop()
        self.tray.hide()
        self.notifications.close()
        if self.farewell is not None:
            self.farewell.close()

    def bring_up(self, action: Action, connection_id: ConnectionId | None) -> None:
        """Bring the window to the front, at what a notification was about, and do what its button says."""
        window = self._window
        if window.isMinimized():
            window.showNormal()
        window.show()
        window.raise_()
        window.activateWindow()
        if action is not Action.NONE:
            window.act(action, connection_id)
        elif connection_id is not None:
            window.open_section("connections")

    def pause(self, paused: bool) -> None:  # noqa: FBT001 - a slot of a signal of bool
        """Pause or resume all background syncing."""
        self._paused = paused
        self.tray.show_paused(paused=paused)
        self._show()
        self._spawn("tray: pause", self._commands.set_setting("sync.paused", "on" if paused else "off"))

    def keep_running(self) -> bool:
        """Answer the closing window: with a tray the program goes on, which is explained once."""
        if not self.tray.available:
            return False
        if not self._explained:
            self._explained = True
            self.farewell = FirstClosing(self._theme)
            self.farewell.quitWanted.connect(self.quitWanted)
            self.farewell.show()
            self._spawn("tray: explained", self._commands.set_setting("tray.explained", "on"))
        return True

    def _touched(self, changes: ChangeSet) -> None:
        if changes.touches(Kind.CONNECTIONS, Kind.RUNS):
            self._spawn("tray: state", self._read())

    async def _read(self) -> None:
        self._connections = await self._reads.connections()
        self._show()

    def _show(self) -> None:
        running = len(self._changes.running)
        self.tray.show_state(*tray_state(self._connections, running, paused=self._paused))


class FirstClosing(QDialog):
    """Shown when the window is closed for the first time: the program goes on, and how to end it."""

    quitWanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setWindowTitle("obdesk")
        inside = QVBoxLayout(self)
        inside.setContentsMargins(24, 20, 24, 18)
        inside.setSpacing(12)
        inside.addWidget(label(tr("obdesk goes on in the background"), theme.fonts.section))
        words = tr(
            "Its icon stays beside the clock. It asks your banks on schedule and tells you only when "
            "something needs you. Open or quit it from the icon's menu."
        )
        inside.addWidget(label(words, tone="muted", wrap=True))
        row = QHBoxLayout()
        row.addStretch(1)
        self.leave = button(tr("Quit obdesk"), self._quit)
        self.stay = button(tr("Keep it running"), self.accept, kind="primary")
        self.stay.setDefault(True)
        row.addWidget(self.leave)
        row.addWidget(self.stay)
        inside.addLayout(row)
        self.setMinimumWidth(440)
        self.setWindowFlag(Qt.WindowType.WindowContextHelpButtonHint, False)

    def _quit(self) -> None:
        self.accept()
        self.quitWanted.emit()
