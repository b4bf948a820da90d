"""A bank's avatar: its monogram on its own colour."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from obdesk.gui.theme.tokens import readable_on

if TYPE_CHECKING:
    from obdesk.gui.theme.theme import Theme

_COLOUR = re.compile(r"#?([0-9A-Fa-f]{6})$")
_SMALL_WORDS = {"de", "des", "du", "la", "le", "les", "et", "of", "the", "and", "d", "l"}
_NO_COLOUR = "#6B6A64"


def monogram(bank: str) -> str:
    """Return one or two capitals that stand for a bank's name."""
    words = [word for word in re.split(r"[\W_]+", bank) if word]
    strong = [word for word in words if word.lower() not in _SMALL_WORDS] or words
    if not strong:
        return "?"
    if len(strong) == 1:
        return strong[0][:2].upper()
    return (strong[0][0] + strong[1][0]).upper()


def colour_of(text: str) -> str:
    """Return a bank's colour as `#RRGGBB`; anything that is not one becomes a neutral grey."""
    found = _COLOUR.match(text.strip())
    return f"#{found[1].upper()}" if found else _NO_COLOUR


def paint_avatar(painter: QPainter, place: QRectF, bank: str, colour: str, font: QFont) -> None:
    """Draw an avatar into a square."""
    ground = colour_of(colour)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(ground))
    radius = place.height() * 0.28
    painter.drawRoundedRect(place, radius, radius)
    written = QFont(font)
    written.setPixelSize(max(7, round(place.height() * 0.46)))
    written.setWeight(QFont.Weight.Bold)
    painter.setFont(written)
    painter.setPen(QColor(readable_on(ground)))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, monogram(bank))
    painter.restore()


class Avatar(QWidget):
    """An avatar of a fixed size; it repeats a name that stands beside it, so readers skip it."""

    def __init__(self, theme: Theme, bank: str, colour: str, size: int = 20) -> None:
        super().__init__()
        self._theme, self._bank, self._colour = theme, bank, colour
        self.setFixedSize(size, size)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QWidget.paintEvent."""
        del event
        painter = QPainter(self)
        paint_avatar(painter, QRectF(self.rect()), self._bank, self._colour, self._theme.fonts.base)
        painter.end()
