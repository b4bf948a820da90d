"""What stands where data would: an empty state, an error with its way out, and the toast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from obdesk.domain.errors import action_label
from obdesk.domain.texts import tr
from obdesk.gui.remedies import BUTTONS
from obdesk.gui.widgets.basics import Card, button, label

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.domain.errors import Action, ObdeskError
    from obdesk.gui.theme.theme import Theme

TOAST_MS = 6_000


class EmptyState(QWidget):
    """One icon, one sentence, at most one button: an empty panel always says why it is empty."""

    def __init__(
        self,
        theme: Theme,
        icon_name: str,
        sentence: str,
        action: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        super().__init__()
        inside = QVBoxLayout(self)
        inside.setContentsMargins(24, 28, 24, 28)
        inside.setSpacing(12)
        inside.addStretch(1)
        picture = QLabel()
        picture.setTextFormat(Qt.TextFormat.PlainText)
        picture.setPixmap(theme.icon(icon_name, "ink_faint").pixmap(QSize(28, 28)))
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inside.addWidget(picture)
        words = label(sentence, tone="muted", wrap=True)
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inside.addWidget(words)
        if action is not None:
            inside.addWidget(button(action[0], action[1]), 0, Qt.AlignmentFlag.AlignCenter)
        inside.addStretch(1)
        self.setAccessibleName(sentence)


class ErrorPanel(Card):
    """An error in full: what happened, why, what happens next, and one button."""

    def __init__(self, theme: Theme, error: ObdeskError, act: Callable[[Action], object] | None) -> None:
        super().__init__(theme, edge="danger", name=error.title)
        self.body.addWidget(label(error.title, theme.fonts.section, wrap=True))
        self.body.addWidget(label(error.cause, tone="muted", wrap=True))
        self.body.addWidget(label(error.next_step, wrap=True))
        if act is not None and error.action in BUTTONS:
            row = QHBoxLayout()
            row.addWidget(button(action_label(error.action), lambda: act(error.action), kind="primary"))
            row.addStretch(1)
            self.body.addLayout(row)


class Toast(QFrame):
    """One sentence over the foot of its parent; it leaves after six seconds, or when closed.

    While the mouse is over it or its button has the focus it stays.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setProperty("role", "toast")
        self._text = label("", theme.fonts.medium, wrap=True)
        self._close = button(tr("Close"), self.hide)
        self._undo: Callable[[], object] | None = None
        self._action = button("", self._act)
        inside = QHBoxLayout(self)
        inside.setContentsMargins(16, 8, 8, 8)
        inside.addWidget(self._text, 1)
        inside.addWidget(self._action)
        inside.addWidget(self._close)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._leave)
        parent.installEventFilter(self)
        self.hide()

    def say(self, text: str, action: tuple[str, Callable[[], object]] | None = None) -> None:
        """Show a sentence, perhaps with one button such as Undo."""
        self._text.setText(text)
        self._undo = action[1] if action else None
        self._action.setVisible(action is not None)
        if action:
            self._action.setText(action[0])
            self._action.setAccessibleName(action[0])
        self.setAccessibleName(text)
        self._place()
        self.show()
        self.raise_()
        self._timer.start(TOAST_MS)
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Override QObject.eventFilter."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _act(self) -> None:
        self.hide()
        if self._undo is not None:
            self._undo()

    def _leave(self) -> None:
        if self.underMouse() or self._close.hasFocus() or self._action.hasFocus():
            self._timer.start(TOAST_MS)
        else:
            self.hide()

    def _place(self) -> None:
        room = self._over.size()
        wide = min(560, room.width() - 48)
        text_wide = self._text.fontMetrics().horizontalAdvance(self._text.text())
        buttons = self._close.sizeHint().width() + 40
        buttons += self._action.sizeHint().width() if self._undo else 0
        wide = min(wide, text_wide + buttons)
        self.setFixedWidth(max(200, wide))
        self.adjustSize()
        self.move((room.width() - self.width()) // 2, room.height() - self.height() - 44)
