"""Size and places of the window from one start to the next; never an absolute place on Wayland."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtGui import QGuiApplication

if TYPE_CHECKING:
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QMainWindow, QSplitter

DEFAULT_SIZE = QSize(1180, 760)


def _may_place() -> bool:
    return QGuiApplication.platformName() != "wayland"


def remember(window: QMainWindow, splitter: QSplitter, settings: QSettings) -> None:
    """Keep size and places."""
    settings.setValue("window/size", window.size())
    settings.setValue("window/splitter", splitter.saveState())
    if _may_place():
        settings.setValue("window/geometry", window.saveGeometry())


def restore(window: QMainWindow, settings: QSettings) -> None:
    """Give the window the size and place it had, or the default ones."""
    geometry, size = settings.value("window/geometry"), settings.value("window/size")
    if isinstance(geometry, QByteArray) and _may_place():
        window.restoreGeometry(geometry)
    else:
        window.resize(size if isinstance(size, QSize) else DEFAULT_SIZE)


def restore_inside(splitter: QSplitter, settings: QSettings) -> None:
    """Give the sidebar the width it had."""
    state = settings.value("window/splitter")
    if isinstance(state, QByteArray):
        splitter.restoreState(state)
