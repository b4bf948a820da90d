"""Alt pressed and let go alone, which shows or hides the menu bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMainWindow


class AltAlone(QObject):
    """Watches a window's keys; with any other key in between, Alt is part of a shortcut."""

    pressed = Signal()

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._alone = False
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Override QObject.eventFilter."""
        del watched
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Alt and not event.isAutoRepeat():
            if event.type() == QEvent.Type.KeyPress:
                self._alone = True
            elif event.type() == QEvent.Type.KeyRelease and self._alone:
                self.pressed.emit()
        elif event.type() in {QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride}:
            self._alone = False
        return False
