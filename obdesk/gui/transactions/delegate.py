"""Draws rows and day bands straight from the model's lines: one pass over the visible rows, no cell objects.

Qt's own delegates ask the model some 1 600 questions for a screenful; this asks once a row. Columns are
drawn one after the other so that fonts and colours change a dozen times a frame, not a hundred. Bank texts
are drawn as plain text at a point, where no mark-up is understood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter

from obdesk.gui.icons import CODE_POINTS, family
from obdesk.gui.transactions.model import HIDDEN_AMOUNT
from obdesk.gui.transactions.present import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.gui.theme.theme import Theme
    from obdesk.gui.transactions.present import Line

INSET = 10
DATE_INSET = 34
RIGHT_INSET = 18
_DOT = 8
_DOT_GAP = 7
_NOTE_W = 20
_FITTED_MAX = 2_000
_MUTED = "ink_muted"


@dataclass(frozen=True, slots=True)
class Cell:
    """A visible column: where it begins and how wide it is."""

    column: Column
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Strip:
    """One row of a frame; without a line it is still on its way."""

    row: int
    y: int
    line: Line | None
    selected: bool
    current: bool


@dataclass(frozen=True, slots=True)
class Band:
    """One day's heading."""

    y: int
    text: str


class Ready(NamedTuple):
    """A row that can be drawn: where, what, and its texts as they fit, by column, the label last."""

    y: int
    line: Line
    fitted: tuple[str, ...]


class RowPainter:
    """The look of the list; `row_h` and `band_h` follow the reader's font size."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._known: dict[int, tuple[Line, tuple[str, ...]]] = {}
        self.refresh_fonts()

    def refresh_fonts(self) -> None:
        """Measure the fonts anew."""
        fonts = self._theme.fonts
        self._base, self._medium, self._small = fonts.base, fonts.medium, fonts.small
        self._strong, self._band = fonts.strong, fonts.small_strong
        self._italic = QFont(fonts.base)
        self._italic.setItalic(True)
        self._symbols = QFont(family())
        base, small, band = QFontMetrics(self._base), QFontMetrics(self._small), QFontMetrics(self._band)
        self._symbols.setPixelSize(max(13, base.ascent() + 1))
        self._measures = {
            "base": base,
            "medium": QFontMetrics(self._medium),
            "italic": QFontMetrics(self._italic),
            "strong": QFontMetrics(self._strong),
            "small": small,
        }
        self.row_h = base.height() + small.height() + 8
        self.band_h = band.height() + 12
        self._payee_baseline = 4 + base.ascent()
        self._label_baseline = 4 + base.height() + small.ascent()
        self._middle_baseline = (self.row_h - base.height()) // 2 + base.ascent()
        self._band_baseline = 6 + band.ascent()
        self._hidden_w = base.horizontalAdvance(HIDDEN_AMOUNT)
        self.forget_widths()

    def width_for(self, column: Column, sample: str) -> int:
        """Return the width at which a column shows `sample` whole."""
        advance = self._measures["base"].horizontalAdvance(sample) + 2
        match column:
            case Column.DATE:
                return advance + DATE_INSET + INSET
            case Column.AMOUNT:
                return self._measures["strong"].horizontalAdvance(sample) + INSET + RIGHT_INSET
            case Column.CATEGORY:
                return advance + 2 * INSET + _DOT + _DOT_GAP
            case _:
                return advance + 2 * INSET

    def paint(
        self,
        painter: QPainter,
        area: QRect,
        cells: Sequence[Cell],
        strips: Sequence[Strip],
        bands: Sequence[Band],
        *,
        private: bool,
    ) -> None:
        """Draw one frame."""
        colour = self._theme.colour
        width = area.width()
        painter.fillRect(area, colour("surface"))
        line, selection, row_h = colour("line"), colour("selection"), self.row_h
        for strip in strips:
            if strip.selected:
                painter.fillRect(0, strip.y, width, row_h, selection)
            painter.fillRect(0, strip.y + row_h - 1, width, 1, line)
            if strip.current:
                painter.fillRect(0, strip.y, 3, row_h - 1, colour("accent"))
        ready = [
            Ready(strip.y, strip.line, self._fitted(strip.line, cells)) for strip in strips if strip.line
        ]
        for cell in cells:
            self._cells(painter, cell, ready, private=private)
        if len(ready) < len(strips):
            self._skeletons(painter, cells, [s.y for s in strips if s.line is None])
        self._bands(painter, width, bands)

    def _cells(self, painter: QPainter, cell: Cell, ready: Sequence[Ready], *, private: bool) -> None:
        match cell.column:
            case Column.DATE:
                self._dates(painter, cell, ready)
            case Column.PAYEE:
                self._payees(painter, cell, ready)
            case Column.CATEGORY:
                self._categories(painter, cell, ready)
            case Column.ACCOUNT:
                self._plain(painter, cell.x + INSET, Column.ACCOUNT, ready)
            case Column.AMOUNT:
                self._amounts(painter, cell, ready, private=private)

    def _dates(self, painter: QPainter, cell: Cell, ready: Sequence[Ready]) -> None:
        self._plain(painter, cell.x + DATE_INSET, Column.DATE, ready)
        pending = [y for y, line, _ in ready if line.pending]
        if pending:
            self._symbol(painter, cell.x + 14, pending, "clock")

    def _plain(self, painter: QPainter, x: int, column: Column, ready: Sequence[Ready]) -> None:
        painter.setFont(self._base)
        painter.setPen(self._theme.colour(_MUTED))
        baseline, draw = self._middle_baseline, painter.drawText
        for y, _line, fitted in ready:
            draw(x, y + baseline, fitted[column])

    def _symbol(self, painter: QPainter, x: int, tops: Sequence[int], name: str) -> None:
        painter.setFont(self._symbols)
        painter.setPen(self._theme.colour(_MUTED))
        for y in tops:
            place = QRect(x, y, self._symbols.pixelSize(), self.row_h)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, chr(CODE_POINTS[name]))

    def _payees(self, painter: QPainter, cell: Cell, ready: Sequence[Ready]) -> None:
        x, draw = cell.x + INSET, painter.drawText
        painter.setPen(self._theme.colour("ink"))
        for pending, font in ((False, self._medium), (True, self._italic)):
            painter.setFont(font)
            for y, line, fitted in ready:
                if line.pending is pending:
                    baseline = self._payee_baseline if line.label else self._middle_baseline
                    draw(x, y + baseline, fitted[Column.PAYEE])
        painter.setFont(self._small)
        painter.setPen(self._theme.colour(_MUTED))
        for y, line, fitted in ready:
            if line.label:
                draw(x, y + self._label_baseline, fitted[len(Column)])
        noted = [y for y, line, _ in ready if line.has_note]
        if noted:
            self._symbol(painter, cell.x + cell.width - _NOTE_W, noted, "note")

    def _categories(self, painter: QPainter, cell: Cell, ready: Sequence[Ready]) -> None:
        painter.setFont(self._base)
        painter.setPen(self._theme.colour("ink"))
        x, middle = cell.x + INSET, (self.row_h - _DOT) // 2
        baseline, draw = self._middle_baseline, painter.drawText
        bare = []
        for y, line, fitted in ready:
            if line.category:
                draw(x + _DOT + _DOT_GAP, y + baseline, fitted[Column.CATEGORY])
            else:
                bare.append(y)
        painter.setPen(self._theme.colour(_MUTED))
        for y in bare:
            draw(x, y + baseline, "—")
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for y, line, _fitted in ready:
            if line.category:
                painter.setBrush(self._theme.series(line.hue))
                painter.drawRoundedRect(x, y + middle, _DOT, _DOT, 2.5, 2.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _amounts(self, painter: QPainter, cell: Cell, ready: Sequence[Ready], *, private: bool) -> None:
        right, room = cell.x + cell.width - RIGHT_INSET, cell.width - RIGHT_INSET
        baseline, draw = self._middle_baseline, painter.drawText
        looks = ((False, self._base, "base", "ink"), (True, self._strong, "strong", "income"))
        for income, font, name, tone in looks:
            painter.setFont(font)
            painter.setPen(self._theme.colour(tone if not private else "ink"))
            advance = self._measures[name].horizontalAdvance
            for y, line, _fitted in ready:
                if line.income is income:
                    text = HIDDEN_AMOUNT if private else line.amount
                    width = advance(text)
                    if width > room:  # half a figure would be a wrong figure
                        text, width = "…", advance("…")
                    draw(right - width, y + baseline, text)

    def _fitted(self, line: Line, cells: Sequence[Cell]) -> tuple[str, ...]:
        """Return a line's texts as they fit the columns; a line on the screen is measured once."""
        known = self._known.get(line.id)
        if known is not None and known[0] is line:
            return known[1]
        if len(self._known) >= _FITTED_MAX:
            self._known.clear()
        fitted = self._elide(line, cells)
        self._known[line.id] = (line, fitted)
        return fitted

    def forget_widths(self) -> None:
        """Measure every line anew: a column or a font has another width."""
        self._known.clear()

    def _elide(self, line: Line, cells: Sequence[Cell]) -> tuple[str, ...]:
        texts = [line.date, line.payee, line.category, line.account, line.amount, line.label]
        for cell in cells:
            room = cell.width - 2 * INSET
            match cell.column:
                case Column.DATE:
                    texts[0] = self._fit("base", line.date, cell.width - DATE_INSET - INSET // 2)
                case Column.PAYEE:
                    room -= _NOTE_W - INSET if line.has_note else 0
                    texts[1] = self._fit("italic" if line.pending else "medium", line.payee, room)
                    texts[5] = self._fit("small", line.label, room)
                case Column.CATEGORY:
                    texts[2] = self._fit("base", line.category, room - _DOT - _DOT_GAP)
                case Column.ACCOUNT:
                    texts[3] = self._fit("base", line.account, room)
                case Column.AMOUNT:
                    pass
        return tuple(texts)

    def _fit(self, font: str, text: str, room: int) -> str:
        return self._measures[font].elidedText(text, Qt.TextElideMode.ElideRight, max(0, room))

    def _skeletons(self, painter: QPainter, cells: Sequence[Cell], tops: Sequence[int]) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("line"))
        for cell in cells:
            inset = DATE_INSET if cell.column is Column.DATE else INSET
            share = 0.42 if cell.column is Column.PAYEE else 0.6
            bar_w = max(8.0, (cell.width - inset - INSET) * share)
            x = float(cell.x + inset)
            if cell.column is Column.AMOUNT:
                x = cell.x + cell.width - RIGHT_INSET - bar_w
            for y in tops:
                painter.drawRoundedRect(QRectF(x, y + self.row_h / 2 - 5, bar_w, 9), 4, 4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _bands(self, painter: QPainter, width: int, bands: Sequence[Band]) -> None:
        painter.setFont(self._band)
        ground, line, ink = (self._theme.colour(name) for name in ("canvas", "line", _MUTED))
        for band in bands:
            painter.fillRect(0, band.y, width, self.band_h - 1, ground)
            painter.fillRect(0, band.y + self.band_h - 1, width, 1, line)
            painter.setPen(ink)
            painter.drawText(QPointF(18, band.y + self._band_baseline), band.text)
