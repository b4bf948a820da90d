"""Walks over everything a window shows and says what a person could not use or read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QScrollBar,
    QWidget,
)

from obdesk.gui.widgets.basics import ElidedLabel

if TYPE_CHECKING:
    from collections.abc import Iterator


def _visible(root: QWidget) -> Iterator[QWidget]:
    yield root
    for each in root.findChildren(QWidget):
        if each.isVisibleTo(root):
            yield each


def _where(widget: QWidget) -> str:
    parts: list[str] = []
    at: QWidget | None = widget
    while at is not None and len(parts) < 4:
        parts.append(at.objectName() or type(at).__name__)
        at = at.parentWidget()
    return " in ".join(parts)


def nameless(root: QWidget) -> list[str]:
    """Return the widgets that take the focus and have no name for a screen reader."""
    found = []
    for each in _visible(root):
        internal = each.objectName().startswith("qt_") or isinstance(
            each.parentWidget(), QLineEdit | QAbstractSpinBox
        )
        if internal or isinstance(each, QScrollBar | QHeaderView):
            continue
        asks = isinstance(
            each, QAbstractButton | QLineEdit | QComboBox | QAbstractItemView | QAbstractSpinBox
        )
        if not asks and each.focusPolicy() is Qt.FocusPolicy.NoFocus:
            continue
        if not asks and isinstance(each, QAbstractScrollArea) and not each.accessibleName():
            found.append(_where(each))
            continue
        named = each.accessibleName() or (isinstance(each, QAbstractButton) and each.text())
        if asks and not named:
            found.append(_where(each))
    return found


def clipped(root: QWidget) -> list[str]:
    """Return the labels and buttons whose text does not fit the room they have."""
    found = []
    for each in _visible(root):
        if isinstance(each, ElidedLabel) or not isinstance(each, QLabel | QAbstractButton):
            continue
        text = each.text()
        if not text or (isinstance(each, QLabel) and not each.pixmap().isNull()):
            continue
        if isinstance(each, QLabel) and each.wordWrap():
            needed = each.heightForWidth(each.width())
            if needed > each.height() + 1:
                found.append(f"{_where(each)}: {text!r} needs {needed} px of height, has {each.height()}")
        elif each.sizeHint().width() > each.width() + 1 or each.sizeHint().height() > each.height() + 2:
            hint, has = each.sizeHint(), each.size()
            found.append(f"{_where(each)}: {text!r} needs {hint.toTuple()}, has {has.toTuple()}")
    return found


def rich(root: QWidget) -> list[str]:
    """Return the labels that would read a bank's words as mark-up."""
    return [
        _where(each)
        for each in root.findChildren(QLabel)
        if each.textFormat() is not Qt.TextFormat.PlainText and not each.objectName().startswith("qt_")
    ]
