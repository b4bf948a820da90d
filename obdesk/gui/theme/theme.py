"""The theme in use: handed to every screen, it says when the scheme changed."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor

from obdesk.gui.theme.fonts import Fonts, interface_fonts
from obdesk.gui.theme.tokens import DARK, LIGHT, Tokens

if TYPE_CHECKING:
    from PySide6.QtGui import QIcon
    from PySide6.QtWidgets import QApplication


class Mode(Enum):
    """What the person asked for."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Theme(QObject):
    """Colours, fonts and icons; dresses the application and follows the desktop's colour scheme.

    Widgets that paint read `colour(...)` while they paint, so a change of scheme needs only `update()`;
    those that keep something derived listen to `changed`.
    """

    changed = Signal()

    def __init__(self, app: QApplication, mode: Mode = Mode.SYSTEM, *, dressed: bool = True) -> None:
        """Know the scheme; `dressed` also dresses the application, which a first frame does without."""
        super().__init__(app)
        self._app = app
        self._mode = mode
        self._colours: dict[str, QColor] = {}
        self.fonts: Fonts = interface_fonts()
        self.tokens: Tokens = self._wanted()
        if dressed:
            self.dress()
        app.styleHints().colorSchemeChanged.connect(self._follow)

    @property
    def mode(self) -> Mode:
        """Return what the person asked for."""
        return self._mode

    @property
    def dark(self) -> bool:
        """Tell whether the dark table is in use."""
        return self.tokens is DARK

    def set_mode(self, mode: Mode) -> None:
        """Use the light or dark table, or follow the desktop."""
        self._mode = mode
        self._follow()

    def colour(self, token: str) -> QColor:
        """Return a token's colour."""
        found = self._colours.get(token)
        if found is None:
            found = self._colours[token] = QColor(getattr(self.tokens, token))
        return found

    def series(self, place: int) -> QColor:
        """Return one of the eight chart hues."""
        return QColor(self.tokens.series[place % len(self.tokens.series)])

    def icon(self, name: str, tint: str = "ink") -> QIcon:
        """Return an icon of the family, always in the token's colour of the scheme in use."""
        from obdesk.gui.icons import icon

        return icon(name, lambda: self.colour(tint), lambda: self.colour("ink_faint"))

    def _wanted(self) -> Tokens:
        match self._mode:
            case Mode.LIGHT:
                return LIGHT
            case Mode.DARK:
                return DARK
            case Mode.SYSTEM:
                scheme = self._app.styleHints().colorScheme()
                return DARK if scheme is Qt.ColorScheme.Dark else LIGHT

    def _follow(self) -> None:
        wanted = self._wanted()
        if wanted is self.tokens:
            return
        self.tokens = wanted
        self._colours.clear()
        self._dress()
        self.changed.emit()

    def dress(self) -> None:
        """Dress the application in style, font, palette and sheet."""
        # One style on all systems: the sheet is tested with it, and the palette reaches all of it.
        self._app.setStyle("Fusion")
        self._app.setFont(self.fonts.base)
        self._dress()

    def _dress(self) -> None:
        from obdesk.gui.theme.palette import palette_of, style_sheet

        self._app.setPalette(palette_of(self.tokens))
        self._app.setStyleSheet(style_sheet(self.tokens))
