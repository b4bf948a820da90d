"""Status glyphs painted as vector shapes, so that they are crisp at any scale and need no font."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from obdesk.gui.widgets.status import Glyph, sentence_of, token_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QColor

    from obdesk.gui.theme.theme import Theme

SIZE = 14


def paint_glyph(painter: QPainter, place: QRectF, glyph: Glyph, theme: Theme) -> None:
    """Draw a glyph centred in `place`, 14 px in size."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(place.center().x() - SIZE / 2, place.center().y() - SIZE / 2)
    colour = theme.colour(token_of(glyph))
    pen = QPen(colour, 1.6)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _SHAPES[glyph](painter, colour)
    painter.restore()


_RING = QRectF(2.4, 2.4, 9.2, 9.2)


def _fresh(painter: QPainter, colour: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(QRectF(2.2, 2.2, 9.6, 9.6))


def _refreshing(painter: QPainter, colour: QColor) -> None:
    painter.drawEllipse(_RING)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPie(QRectF(3.4, 3.4, 7.2, 7.2), 0, 90 * 16)


def _ageing(painter: QPainter, colour: QColor) -> None:
    painter.drawEllipse(_RING)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawChord(_RING, 180 * 16, 180 * 16)


def _paused(painter: QPainter, colour: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(QRectF(3.2, 2.2, 2.8, 9.6), 1, 1)
    painter.drawRoundedRect(QRectF(8.0, 2.2, 2.8, 9.6), 1, 1)


def _stale(painter: QPainter, colour: QColor) -> None:
    del colour
    painter.drawEllipse(_RING)
    painter.drawPolyline(QPolygonF([QPointF(7, 4.4), QPointF(7, 7.2), QPointF(9, 8.2)]))


def _delayed(painter: QPainter, colour: QColor) -> None:
    painter.setPen(
        QPen(colour, 1.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    )
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([QPointF(7, 2.2), QPointF(12.4, 11.4), QPointF(1.6, 11.4)]))


def _unknown(painter: QPainter, colour: QColor) -> None:
    del colour
    painter.drawEllipse(_RING)


def _broken(painter: QPainter, colour: QColor) -> None:
    pen = QPen(colour, 2.2)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.drawLine(QPointF(3, 3), QPointF(11, 11))
    painter.drawLine(QPointF(11, 3), QPointF(3, 11))


def _needs_you(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(QBrush(colour))
    painter.drawEllipse(QRectF(1.4, 4.4, 5.2, 5.2))
    pen = QPen(colour, 2.0)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.drawLine(QPointF(6.6, 7), QPointF(12.6, 7))
    painter.drawLine(QPointF(9.6, 7.2), QPointF(9.6, 9.8))
    painter.drawLine(QPointF(12.4, 7.2), QPointF(12.4, 9.8))


def _consent_soon(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(QBrush(colour))
    painter.drawPolygon(QPolygonF([QPointF(3.6, 2.4), QPointF(10.4, 2.4), QPointF(7, 7)]))
    painter.drawPolygon(QPolygonF([QPointF(7, 7), QPointF(10.4, 11.6), QPointF(3.6, 11.6)]))
    painter.drawLine(QPointF(2.6, 2), QPointF(11.4, 2))
    painter.drawLine(QPointF(2.6, 12), QPointF(11.4, 12))


_SHAPES: dict[Glyph, Callable[[QPainter, QColor], None]] = {
    Glyph.FRESH: _fresh,
    Glyph.REFRESHING: _refreshing,
    Glyph.AGEING: _ageing,
    Glyph.PAUSED: _paused,
    Glyph.STALE: _stale,
    Glyph.DELAYED: _delayed,
    Glyph.UNKNOWN: _unknown,
    Glyph.BROKEN: _broken,
    Glyph.NEEDS_YOU: _needs_you,
    Glyph.CONSENT_SOON: _consent_soon,
}


class StatusGlyph(QWidget):
    """One glyph with its sentence as tooltip and accessible name."""

    def __init__(self, theme: Theme, glyph: Glyph = Glyph.UNKNOWN, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._glyph = glyph
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedSize(SIZE, SIZE)
        self.set_glyph(glyph)

    @property
    def glyph(self) -> Glyph:
        """Return what is shown."""
        return self._glyph

    def set_glyph(self, glyph: Glyph) -> None:
        """Show another state."""
        self._glyph = glyph
        self.setToolTip(sentence_of(glyph))
        self.setAccessibleName(sentence_of(glyph))
        self.update()

    def sizeHint(self) -> QSize:
        """Override QWidget.sizeHint."""
        return QSize(SIZE, SIZE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QWidget.paintEvent."""
        del event
        painter = QPainter(self)
        paint_glyph(painter, QRectF(self.rect()), self._glyph, self._theme)
        painter.end()
