"""One icon family (Phosphor, from QtAwesome's font file), tinted from the palette when painted.

QtAwesome itself is not imported: it reads every font it has, and the first paint needs one.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QColor

    Tint = Callable[[], QColor]

_log = logging.getLogger(__name__)

CODE_POINTS = {
    "activity": 0xF371,
    "arrow-left": 0xF03B,
    "arrow-right": 0xF044,
    "arrow-square-out": 0xF058,
    "arrows-clockwise": 0xF045,
    "bank": 0xF073,
    "bell": 0xF082,
    "calendar-blank": 0xF0AD,
    "caret-down": 0xF0C2,
    "caret-right": 0xF0C4,
    "chart-line": 0xF0D4,
    "check": 0xF0E7,
    "check-circle": 0xF0E8,
    "circle-half": 0xF0EE,
    "clock": 0xF0F9,
    "columns": 0xF10E,
    "copy": 0xF114,
    "credit-card": 0xF11A,
    "device-mobile": 0xF130,
    "dots-three": 0xF145,
    "download-simple": 0xF14C,
    "export": 0xF15A,
    "eye": 0xF15B,
    "eye-slash": 0xF15E,
    "file-arrow-down": 0xF168,
    "folder": 0xF186,
    "funnel": 0xF196,
    "gear": 0xF19B,
    "globe": 0xF1AF,
    "hourglass-medium": 0xF1D3,
    "house": 0xF1D8,
    "info": 0xF1E0,
    "key": 0xF1E4,
    "keyboard": 0xF1E5,
    "link-simple": 0xF1F6,
    "list": 0xF1FA,
    "list-bullets": 0xF1FB,
    "lock": 0xF1FF,
    "magnifying-glass": 0xF20A,
    "moon": 0xF21F,
    "note": 0xF22A,
    "pause": 0xF25E,
    "pencil-simple": 0xF266,
    "play": 0xF27C,
    "plus": 0xF27F,
    "question": 0xF293,
    "shield-check": 0xF2B8,
    "sign-out": 0xF2C7,
    "sliders": 0xF2CF,
    "sparkle": 0xF2DF,
    "squares-four": 0xF2F0,
    "sun": 0xF2FE,
    "tag": 0xF305,
    "trash": 0xF334,
    "tray": 0xF336,
    "trend-up": 0xF33B,
    "wallet": 0xF35B,
    "warning": 0xF35C,
    "warning-circle": 0xF35D,
    "wifi-slash": 0xF367,
    "x": 0xF36D,
    "x-circle": 0xF36E,
}


def font_file() -> Path | None:
    """Return the family's font file as QtAwesome ships it, or None when it is not there."""
    spec = find_spec("qtawesome")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for found in sorted(Path(folder, "fonts").glob("phosphor-*.ttf")):
            return found
    return None


@cache
def family() -> str:
    """Load the font once and return its family; without it icons are left out, texts remain."""
    path = font_file()
    number = QFontDatabase.addApplicationFont(str(path)) if path else -1
    families = QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
    if not families:
        _log.warning("the icon font could not be loaded")
        return ""
    return families[0]


class _FontIconEngine(QIconEngine):
    """Paints one character of the icon font; asks for its colour each time, so themes can change."""

    def __init__(self, character: str, tint: Tint, faint: Tint) -> None:
        super().__init__()
        self._character, self._tint, self._faint = character, tint, faint

    def clone(self) -> QIconEngine:
        """Override QIconEngine.clone."""
        return _FontIconEngine(self._character, self._tint, self._faint)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Override QIconEngine.pixmap."""
        drawn = QPixmap(size)
        if drawn.isNull():
            return drawn
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return drawn

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Override QIconEngine.paint."""
        del state
        if not family():
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        font = QFont(family())
        font.setPixelSize(max(1, rect.height()))
        painter.setFont(font)
        painter.setPen(self._faint() if mode is QIcon.Mode.Disabled else self._tint())
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._character)
        painter.restore()


def icon(name: str, tint: Tint, faint: Tint) -> QIcon:
    """Return the icon `name`; `faint` colours its disabled form. An unknown name raises KeyError."""
    return QIcon(_FontIconEngine(chr(CODE_POINTS[name]), tint, faint))
