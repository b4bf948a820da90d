"""How a bank of the list is painted: its monogram, its name, and a word at the right edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from obdesk.gui.linking.model import Role
from obdesk.gui.widgets.avatar import paint_avatar

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from obdesk.gui.linking.present import BankRow
    from obdesk.gui.theme.theme import Theme

    Index = QModelIndex | QPersistentModelIndex

ROW_H = 44
_AVATAR, _INSET, _GAP = 26, 12, 11


class BankDelegate(QStyledItemDelegate):
    """Paints one bank."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Override QStyledItemDelegate.sizeHint."""
        del option, index
        return QSize(200, ROW_H)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Override QStyledItemDelegate.paint."""
        row: BankRow | None = index.data(Role.ROW)
        if row is None:
            return
        place, state, fonts = QRect(option.rect), option.state, self._theme.fonts
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        fill = "accent_soft" if chosen else "hover" if state & QStyle.StateFlag.State_MouseOver else ""
        if fill:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour(fill))
            painter.drawRoundedRect(QRectF(place).adjusted(0, 1, 0, -1), 6, 6)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(place).adjusted(1, 2, -1, -2), 6, 6)
        left = place.left() + _INSET
        avatar = QRectF(left, place.top() + (ROW_H - _AVATAR) / 2, _AVATAR, _AVATAR)
        paint_avatar(painter, avatar, row.name, row.color, fonts.base)
        right = place.right() - _INSET
        if row.note:
            wide = QFontMetrics(fonts.small).horizontalAdvance(row.note)
            painter.setFont(fonts.small)
            painter.setPen(self._theme.colour("ink_muted"))
            note = QRect(right - wide, place.top(), wide + 1, ROW_H)
            painter.drawText(note, Qt.AlignmentFlag.AlignVCenter, row.note)
            right -= wide + _GAP
        name_left = int(avatar.right()) + _GAP
        name = QRect(name_left, place.top(), max(0, right - name_left), ROW_H)
        painter.setFont(fonts.medium)
        painter.setPen(self._theme.colour("ink"))
        shown = QFontMetrics(fonts.medium).elidedText(row.name, Qt.TextElideMode.ElideRight, name.width())
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()
