"""How a line of the accounts by freshness is painted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from obdesk.gui.overview.model import LINE_ROLE, Column
from obdesk.gui.widgets.glyph import paint_glyph

if TYPE_CHECKING:
    from PySide6.QtGui import QColor, QFont

    from obdesk.gui.overview.present import AccountLine
    from obdesk.gui.theme.theme import Theme

    Index = QModelIndex | QPersistentModelIndex

LINE_H = 36
PILL_PAD = 7
NOTE_H = 15
_V = Qt.AlignmentFlag.AlignVCenter


class LineDelegate(QStyledItemDelegate):
    """Glyph, name with its bank in a fainter tone, right-aligned balance, two dates, a pill."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Override QStyledItemDelegate.sizeHint."""
        del option
        text = str(index.data() or "")
        column = index.column()
        font = self._theme.fonts.small_strong if column == Column.PILL else self._theme.fonts.base
        wide = QFontMetrics(font).horizontalAdvance(text)
        if column == Column.PILL:
            wide += 2 * PILL_PAD + 2
        return QSize(wide + 20, LINE_H)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Override QStyledItemDelegate.paint."""
        line: AccountLine = index.data(LINE_ROLE)
        place = QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(place, self._theme.colour("selection"))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(place, self._theme.colour("canvas"))
        painter.setPen(QPen(self._theme.colour("line"), 1))
        painter.drawLine(place.bottomLeft(), place.bottomRight())
        self._cell(painter, place, Column(index.column()), line, str(index.data() or ""))
        painter.restore()

    def _cell(self, painter: QPainter, place: QRect, column: Column, line: AccountLine, text: str) -> None:
        base, ink, muted = self._theme.fonts.base, self._theme.colour("ink"), self._theme.colour("ink_muted")
        inner = place.adjusted(6, 0, -6, 0)
        match column:
            case Column.STATE:
                paint_glyph(painter, QRectF(place), line.glyph, self._theme)
            case Column.ACCOUNT:
                if line.missing:
                    self._missing(painter, inner, line.missing)
                    inner = inner.adjusted(0, 0, 0, -NOTE_H)
                name = QFontMetrics(base).elidedText(text, Qt.TextElideMode.ElideMiddle, inner.width())
                self._draw(painter, inner, name, base, ink)
                used = QFontMetrics(base).horizontalAdvance(name) + 7
                rest = inner.adjusted(used, 0, 0, 0)
                if rest.width() > 40:
                    bank = QFontMetrics(base).elidedText(line.bank, Qt.TextElideMode.ElideRight, rest.width())
                    self._draw(painter, rest, bank, base, muted)
            case Column.BALANCE:
                colour = self._theme.colour("danger") if line.negative and text == line.balance else ink
                self._draw(painter, inner, text, base, colour, right=True)
            case Column.ASKED:
                self._draw(painter, inner, text, base, ink)
            case Column.DATA:
                self._draw(
                    painter, inner, text, base, self._theme.colour("warning") if line.data_old else ink
                )
            case Column.PILL:
                self._pill(painter, inner, text, line.tone)

    def _missing(self, painter: QPainter, inner: QRect, text: str) -> None:
        """Say under the name which days are missing."""
        font = self._theme.fonts.small
        note = QRect(inner.left(), inner.bottom() - NOTE_H - 1, inner.width(), NOTE_H)
        shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, note.width())
        self._draw(painter, note, shown, font, self._theme.colour("warning"))

    def _pill(self, painter: QPainter, inner: QRect, text: str, tone: str) -> None:
        font = self._theme.fonts.small_strong
        wide = QFontMetrics(font).horizontalAdvance(text) + 2 * PILL_PAD
        high = QFontMetrics(font).height() + 4
        box = QRectF(inner.right() - wide, inner.center().y() - high / 2, wide, high)
        soft = {
            "accent": "accent_soft",
            "warning": "warning_soft",
            "danger": "danger_soft",
            "info": "info_soft",
        }
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour(soft.get(tone, "hover")))
        painter.drawRoundedRect(box, 5, 5)
        painter.setFont(font)
        painter.setPen(self._theme.colour(tone if tone in soft else "ink_muted"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    @staticmethod
    def _draw(
        painter: QPainter, place: QRect, text: str, font: QFont, colour: QColor, *, right: bool = False
    ) -> None:
        painter.setFont(font)
        painter.setPen(colour)
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(place, side | _V | Qt.TextFlag.TextSingleLine, text)
