"""How a line of the activity's tables is painted."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from obdesk.gui.activity.model import LINE_ROLE, LinesTable
from obdesk.gui.widgets.glyph import paint_glyph

if TYPE_CHECKING:
    from obdesk.gui.activity.present import Line
    from obdesk.gui.theme.theme import Theme

    Index = QModelIndex | QPersistentModelIndex

LINE_H = 34
_PAD = 6
"""The header's own padding, so that texts stand below their headings."""


class LineDelegate(QStyledItemDelegate):
    """A glyph, then texts in their tones; what does not fit ends in three dots."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Override QStyledItemDelegate.sizeHint."""
        del option
        cell = cast("LinesTable", index.model()).cell(index)
        if cell is None:
            return QSize(30, LINE_H)
        font = self._theme.fonts.strong if cell.strong else self._theme.fonts.base
        return QSize(QFontMetrics(font).horizontalAdvance(cell.text) + 2 * _PAD + 8, LINE_H)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Override QStyledItemDelegate.paint."""
        line: Line = index.data(LINE_ROLE)
        place = QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(place, self._theme.colour("selection"))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(place, self._theme.colour("canvas"))
        painter.setPen(QPen(self._theme.colour("line"), 1))
        painter.drawLine(place.bottomLeft(), place.bottomRight())
        if index.column() == 0:
            if line.glyph is not None:
                paint_glyph(painter, QRectF(place), line.glyph, self._theme)
        else:
            self._text(painter, place.adjusted(_PAD, 0, -_PAD, 0), index)
        painter.restore()

    def _text(self, painter: QPainter, inner: QRect, index: Index) -> None:
        table = cast("LinesTable", index.model())
        cell = table.cell(index)
        assert cell is not None
        font = self._theme.fonts.strong if cell.strong else self._theme.fonts.base
        tones = {"": "ink", "muted": "ink_muted"}
        painter.setFont(font)
        painter.setPen(self._theme.colour(tones.get(cell.tone, cell.tone)))
        shown = QFontMetrics(font).elidedText(cell.text, Qt.TextElideMode.ElideRight, inner.width())
        right = table.columns[index.column()].right
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(inner, side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)
