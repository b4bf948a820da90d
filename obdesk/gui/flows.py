"""Pages over the window: linking and renewing a bank; they come when asked for and go when done."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QLocale

if TYPE_CHECKING:
    from obdesk.app.bootstrap import App
    from obdesk.app.interface import Commands, Reads
    from obdesk.domain.ids import ConnectionId
    from obdesk.gui.desk import Desk
    from obdesk.gui.linking.view import LinkingScreen


class Flows:
    """Holds the one page that is open over the window."""

    def __init__(self, desk: Desk, app: App) -> None:
        self._desk, self._app = desk, app
        self.linking: LinkingScreen | None = None
        desk.window.link_wanted.connect(self.link)
        desk.window.renew_wanted.connect(self.renew)

    def link(self) -> None:
        """Show the banks that can be linked."""
        self._open_linking().start()

    def renew(self, connection_id: ConnectionId) -> None:
        """Go to renewing access to one bank."""
        parts = self._desk.parts
        assert parts is not None
        bank = next((link.bank for link in parts.feed.connections if link.id == connection_id), "")
        self._open_linking().renew(connection_id, bank)

    def _open_linking(self) -> LinkingScreen:
        from obdesk.gui.linking.view import LinkingScreen

        parts, window = self._desk.parts, self._desk.window
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
        screen.actionWanted.connect(lambda action: window.action_wanted.emit(action, None))
        self.linking = screen
        window.show_page(screen)
        return screen

    def _leave(self) -> None:
        self.linking = None
        self._desk.window.show_sections()


def _country() -> str:
    """Return the country of the system's settings as ISO 3166, or nothing."""
    return QLocale.territoryToCode(QLocale.system().territory()).lower()
