"""The top of the window: refresh, search, privacy, and how things stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent, QPainter
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QMenu, QToolButton, QWidget

from obdesk.domain.texts import tr
from obdesk.gui.widgets.basics import ElidedLabel
from obdesk.gui.widgets.glyph import StatusGlyph
from obdesk.gui.widgets.tips import tip

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from obdesk.gui.shell.present import Summary
    from obdesk.gui.theme.theme import Theme

SEARCH_PAUSE_MS = 0
"""Search follows each key; the list itself drops answers that come too late."""
_WINDOWS_KEYS = {Qt.Key.Key_E, Qt.Key.Key_K}


class SearchField(QLineEdit):
    """The window's search field; Down or Enter go to the list, Escape clears."""

    searched = Signal(str)
    entered = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("search")
        self.setPlaceholderText(tr("Search transactions"))
        self.setAccessibleName(tr("Search transactions"))
        self.setToolTip(tr("Search transactions (Ctrl+F). Try amount:>20 or date:2026-11"))
        self.setClearButtonEnabled(True)
        self.setMaximumWidth(440)
        self.setMinimumWidth(190)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(SEARCH_PAUSE_MS)
        self._pause.timeout.connect(lambda: self.searched.emit(self.text()))
        self.textEdited.connect(lambda _text: self._pause.start())

    def event(self, event: QEvent) -> bool:
        """Override QLineEdit.event: on X11 a line would keep Ctrl+E and Ctrl+K, the window's, for itself."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            keys = event.keyCombination()
            if (
                keys.keyboardModifiers() == Qt.KeyboardModifier.ControlModifier
                and keys.key() in _WINDOWS_KEYS
            ):
                event.ignore()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Override QLineEdit.keyPressEvent."""
        if event.key() in {Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._pause.stop()
            self.searched.emit(self.text())
            self.entered.emit()
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            self.searched.emit("")
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QLineEdit.paintEvent."""
        super().paintEvent(event)
        painter = QPainter(self)
        icon = self._theme.icon("magnifying-glass", "ink_muted")
        icon.paint(painter, QRectF(9, (self.height() - 16) / 2, 16, 16).toRect())
        painter.end()


class RefreshButton(QToolButton):
    """Refresh all on a click; its menu offers this bank and this account."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("kind", "plain")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIcon(theme.icon("arrows-clockwise"))
        self.setIconSize(QSize(16, 16))
        self.setFont(theme.fonts.medium)
        self.setAccessibleName(tr("Refresh"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QToolButton.paintEvent."""
        super().paintEvent(event)
        painter = QPainter(self)
        caret = self._theme.icon("caret-down", "ink_muted" if self.isEnabled() else "ink_faint")
        caret.paint(painter, QRectF(self.width() - 19, (self.height() - 11) / 2, 11, 11).toRect())
        painter.end()


class Toolbar(QFrame):
    """Refresh, search field, privacy eye, and the summary at the right."""

    def __init__(self, theme: Theme, refresh: QAction, refresh_menu: QMenu, privacy: QAction) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("role", "toolbar")
        self.setFixedHeight(52)
        inside = QHBoxLayout(self)
        inside.setContentsMargins(18, 0, 18, 0)
        inside.setSpacing(10)
        self.refresh = RefreshButton(theme)
        self.refresh.setDefaultAction(refresh)
        self.refresh.setMenu(refresh_menu)
        inside.addWidget(self.refresh)
        self.search = SearchField(theme)
        inside.addWidget(self.search, 3)
        self.eye = QToolButton()
        self.eye.setDefaultAction(privacy)
        self.eye.setIconSize(QSize(18, 18))
        self.eye.setAccessibleName(tr("Hide amounts"))
        self.eye.setCursor(Qt.CursorShape.PointingHandCursor)
        inside.addWidget(self.eye)
        inside.addStretch(1)
        self._glyph = StatusGlyph(theme)
        inside.addWidget(self._glyph)
        self._summary = ElidedLabel("", theme.fonts.base, tone="muted")
        inside.addWidget(self._summary, 12)
        self._summary.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def show_summary(self, summary: Summary) -> None:
        """Say how things stand."""
        self._glyph.set_glyph(summary.glyph)
        self._glyph.setToolTip(summary.text)
        self._summary.set_whole(summary.text)
        self._summary.setMaximumWidth(self._summary.sizeHint().width())

    def show_allowance(self, allowance: str) -> None:
        """Say on the Refresh button how often the banks may still be read."""
        action = self.refresh.defaultAction()
        name = tr("Refresh all banks (Ctrl+R)")
        action.setToolTip(tip(f"{name}\n{allowance}") if allowance else name)
        self.refresh.setAccessibleDescription(allowance)

    def summary_text(self) -> str:
        """Return what is said at the right."""
        return self._summary.whole


class DemoRibbon(QFrame):
    """Says plainly that all money on screen is made up."""

    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "ribbon")
        inside = QHBoxLayout(self)
        inside.setContentsMargins(18, 6, 18, 6)
        words = ElidedLabel(
            tr("Demo: made-up banks and made-up money, kept apart from anything of yours."),
            theme.fonts.medium,
        )
        inside.addWidget(words, 1)
        leave = QToolButton()
        leave.setText(tr("Leave the demo"))
        leave.setAccessibleName(tr("Leave the demo"))
        leave.setFont(theme.fonts.medium)
        leave.clicked.connect(self.left)
        inside.addWidget(leave)
