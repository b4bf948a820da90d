"""The foot of the window: what the front screen says, or how the accounts stand; offline is said here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from obdesk.domain.texts import tr
from obdesk.gui.widgets.basics import ElidedLabel, label

if TYPE_CHECKING:
    from obdesk.gui.theme.theme import Theme


class StatusBar(QFrame):
    """One line, left for the screen, right for the last check."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "statusbar")
        self.setFixedHeight(28)
        inside = QHBoxLayout(self)
        inside.setContentsMargins(18, 0, 18, 0)
        self._left = ElidedLabel("", theme.fonts.small, tone="muted")
        self.right = label("", theme.fonts.small, tone="muted")
        inside.addWidget(self._left, 1)
        inside.addWidget(self.right)
        self._lines: dict[str, str] = {}
        self._front = ""
        self._state = ""

    def say(self, key: str, text: str) -> None:
        """Keep a screen's line; it shows while the screen is in front."""
        self._lines[key] = text
        self._draw()

    def front(self, key: str) -> None:
        """Tell which screen is in front."""
        self._front = key
        self._draw()

    def show_state(self, counts: str, last_check: str, *, offline: bool) -> None:
        """Show how the accounts stand and when somebody last asked."""
        self._state = counts
        self.right.setText(
            tr("Offline: nothing new can come until the network is back") if offline else last_check
        )
        if self.property("offline") != ("true" if offline else "false"):
            self.setProperty("offline", "true" if offline else "false")
            self.style().unpolish(self)
            self.style().polish(self)
        self._draw()

    def texts(self) -> tuple[str, str]:
        """Return what is shown left and right."""
        return self._left.whole, self.right.text()

    def _draw(self) -> None:
        self._left.set_whole(self._lines.get(self._front) or self._state)
