"""A problem of the whole program in one strip: what, why, what next, one button. It blocks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout

from obdesk.domain.errors import Action, action_label
from obdesk.domain.texts import tr
from obdesk.gui.remedies import BUTTONS, REPEATS
from obdesk.gui.widgets.basics import button, label
from obdesk.gui.widgets.glyph import StatusGlyph
from obdesk.gui.widgets.status import Glyph

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.domain.errors import ObdeskError
    from obdesk.gui.theme.theme import Theme


class Banner(QFrame):
    """Shows the newest problem until it is closed or acted on."""

    acted = Signal(object)
    """Action"""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "progress")
        self._action = Action.NONE
        self._again: Callable[[], object] | None = None
        inside = QHBoxLayout(self)
        inside.setContentsMargins(20, 10, 12, 10)
        inside.setSpacing(10)
        inside.addWidget(StatusGlyph(theme, Glyph.BROKEN))
        words = QVBoxLayout()
        words.setSpacing(1)
        self._title = label("", theme.fonts.strong, wrap=True)
        self._cause = label("", tone="muted", wrap=True)
        words.addWidget(self._title)
        words.addWidget(self._cause)
        inside.addLayout(words, 1)
        self._button = button("", self._act, kind="primary")
        inside.addWidget(self._button)
        close = QToolButton()
        close.setIcon(theme.icon("x", "ink_muted"))
        close.setIconSize(QSize(16, 16))
        close.setAccessibleName(tr("Close"))
        close.setToolTip(tr("Close"))
        close.clicked.connect(self.hide)
        inside.addWidget(close)
        self.hide()

    def show_error(self, error: ObdeskError, again: Callable[[], object] | None = None) -> None:
        """Show a problem; `again` is how what failed is repeated, else the window refreshes."""
        self._action, self._again = error.action, again
        self._title.setText(error.title)
        self._cause.setText(f"{error.cause} {error.next_step}".strip())
        useful = error.action in BUTTONS
        self._button.setVisible(useful)
        if useful:
            text = action_label(error.action)
            self._button.setText(text)
            self._button.setAccessibleName(text)
        self.setAccessibleName(error.title)
        self.setAccessibleDescription(self._cause.text())
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def texts(self) -> tuple[str, str]:
        """Return title and cause as shown."""
        return self._title.text(), self._cause.text()

    def _act(self) -> None:
        self.hide()
        if self._again is not None and self._action in REPEATS:
            self._again()
        else:
            self.acted.emit(self._action)
