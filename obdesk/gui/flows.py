"""Pages over the window: the first run, setting up Powens, linking and renewing a bank; and the tray.

They come when asked for and go when done.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QLocale, QProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PySide6.QtCore import QSettings

    from obdesk.app.bootstrap import App
    from obdesk.app.interface import Commands, Reads
    from obdesk.domain.ids import ConnectionId
    from obdesk.gui.compose import Parts
    from obdesk.gui.linking.view import LinkingScreen
    from obdesk.gui.notify.attend import Attendance
    from obdesk.gui.shell.window import MainWindow


class Flows:
    """Holds the one page that is open over the window."""

    def __init__(
        self, window: MainWindow, parts: Callable[[], Parts | None], app: App, settings: QSettings
    ) -> None:
        self._window, self._parts, self._app, self._settings = window, parts, app, settings
        self.linking: LinkingScreen | None = None
        self.attendance: Attendance | None = None
        window.link_wanted.connect(self.link)
        window.renew_wanted.connect(self.renew)
        window.set_up_wanted.connect(lambda: self.set_up(self.link, window.show_sections))

    def begin(self) -> None:
        """Attend to the person while the window is closed, and welcome somebody who is new."""
        from obdesk.gui.notify.attend import Attendance

        parts, window, app = self._parts(), self._window, self._app
        assert parts is not None
        self.attendance = Attendance(
            window,
            window.theme,
            app.bus,
            cast("Reads", app.reads),
            cast("Commands", app.commands),
            parts.spawn,
            parts.changes,
            parts.feed.connections,
        )
        self.attendance.quitWanted.connect(window.quit_wanted)
        if not app.profile.demo and not parts.feed.connections and not parts.feed.accounts:
            self.welcome()

    def close(self) -> None:
        """Give up what is open, and take the tray's icon away."""
        if self.linking is not None:
            self.linking.leave()
        if self.attendance is not None:
            self.attendance.close()
            self.attendance = None

    def welcome(self) -> None:
        """Show the three ways in."""
        from obdesk.gui.firstrun.view import FirstRunPage

        language = str(self._settings.value("window/language", "system"))
        page = FirstRunPage(self._window.theme, language)
        page.connectWanted.connect(self._connect_bank)
        page.openWanted.connect(self._open_elsewhere)
        page.demoWanted.connect(lambda: start_again(["demo"]))
        page.languageWanted.connect(self._use_language)
        self._window.show_page(page)

    def set_up(self, then: Callable[[], object], back: Callable[[], object]) -> None:
        """Ask for the person's Powens application."""
        from obdesk.gui.firstrun.setup import PowensSetup

        parts, window = self._parts(), self._window
        assert parts is not None
        page = PowensSetup(window.theme, cast("Commands", self._app.commands), parts.spawn)
        page.done.connect(then)
        page.left.connect(back)
        window.show_page(page)

    def _connect_bank(self) -> None:
        if self._app.reads.setting_now("powens.client_id"):
            self.link()
        else:
            self.set_up(self.link, self.welcome)

    def _open_elsewhere(self, data_dir: Path, profile: str) -> None:
        if start_again(["--data-dir", str(data_dir), "--profile", profile]):
            self._window.quit_wanted.emit()

    def _use_language(self, code: str) -> None:
        """Start again in another language: every sentence on screen was made in the old one."""
        self._settings.setValue("window/language", code)
        self._settings.sync()
        if start_again(sys.argv[1:]):
            self._window.quit_wanted.emit()

    def link(self) -> None:
        """Show the banks that can be linked."""
        self._open_linking().start()

    def renew(self, connection_id: ConnectionId) -> None:
        """Go to renewing access to one bank."""
        parts = self._parts()
        assert parts is not None
        bank = next((link.bank for link in parts.feed.connections if link.id == connection_id), "")
        self._open_linking().renew(connection_id, bank)

    def _open_linking(self) -> LinkingScreen:
        from obdesk.gui.linking.view import LinkingScreen

        parts, window = self._parts(), self._window
        assert parts is not None
        screen = LinkingScreen(
            window.theme,
            self._app.clock,
            cast("Reads", self._app.reads),
            cast("Commands", self._app.commands),
            parts.spawn,
            country=_country(),
            demo=self._app.profile.demo,
        )
        screen.left.connect(self._leave)
        screen.actionWanted.connect(window.act)
        self.linking = screen
        window.show_page(screen)
        return screen

    def _leave(self) -> None:
        self.linking = None
        self._window.show_sections()


def start_again(arguments: Sequence[str]) -> bool:
    """Start the program once more beside this one, and tell whether that worked."""
    frozen = bool(getattr(sys, "frozen", False))
    command = list(arguments) if frozen else ["-m", "obdesk", *arguments]
    return bool(QProcess.startDetached(sys.executable, command)[0])


def _country() -> str:
    """Return the country of the system's settings as ISO 3166, or nothing."""
    return QLocale.territoryToCode(QLocale.system().territory()).lower()
