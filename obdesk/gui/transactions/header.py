"""The list's column headings: aligned with what is drawn below them, movable, sorted by a click."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPolygonF
from PySide6.QtWidgets import QHeaderView

from obdesk.gui.transactions.delegate import DATE_INSET, INSET, RIGHT_INSET
from obdesk.gui.transactions.present import SORTS, Column, title

if TYPE_CHECKING:
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QWidget

    from obdesk.domain.filters import Sort
    from obdesk.gui.theme.theme import Theme
    from obdesk.gui.transactions.delegate import RowPainter

_SAMPLES = {
    Column.DATE: "28 Sept 2028",
    Column.CATEGORY: "Groceries, etc.",
    Column.ACCOUNT: "Compte courant",
    Column.AMOUNT: "+8 888 888,88 €",
}
_NARROWEST = 60
_COLUMNS = {sort: column for column, sort in SORTS.items()}
_DESCENDING_FIRST = {Column.DATE, Column.AMOUNT}


class TransactionsHeader(QHeaderView):
    """Headings whose order, widths and sort are kept in QSettings under `group`."""

    sort_wanted = Signal(object, bool)

    def __init__(self, theme: Theme, rows: RowPainter, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme, self._rows = theme, rows
        self.setSectionsMovable(True)
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(_NARROWEST)
        self.setSortIndicatorShown(True)
        self.sectionClicked.connect(self._click)

    def prepare(self) -> None:
        """Give every column its width; called once the model is there."""
        for column, sample in _SAMPLES.items():
            self.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            self.resizeSection(column, self._rows.width_for(column, sample))
        self.setSectionResizeMode(Column.PAYEE, QHeaderView.ResizeMode.Stretch)

    @property
    def sort(self) -> tuple[Sort, bool]:
        """Return the sort that the arrow shows, and whether it descends."""
        column = Column(max(0, min(self.sortIndicatorSection(), len(Column) - 1)))
        return SORTS[column], self.sortIndicatorOrder() is Qt.SortOrder.DescendingOrder

    def show_sort(self, sort: Sort, *, descending: bool) -> None:
        """Draw the arrow for a sort."""
        order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        self.setSortIndicator(_COLUMNS[sort], order)

    def _click(self, section: int) -> None:
        # Qt has turned the arrow already; a new column begins with the order that is most often wanted.
        column = Column(section)
        sort, descending = self.sort
        if column is not self._last_sorted:
            descending = column in _DESCENDING_FIRST
            self.show_sort(sort, descending=descending)
        self._last_sorted = column
        self.sort_wanted.emit(sort, descending)

    _last_sorted = Column.DATE

    def save(self, settings: QSettings, group: str) -> None:
        """Keep order, widths and sort."""
        settings.setValue(f"{group}/header", self.saveState())

    def restore(self, settings: QSettings, group: str) -> bool:
        """Take back what `save` kept; what does not fit the columns of today is left alone."""
        kept = settings.value(f"{group}/header")
        if not isinstance(kept, QByteArray) or not self.restoreState(kept):
            return False
        self.setSectionResizeMode(Column.PAYEE, QHeaderView.ResizeMode.Stretch)
        self._last_sorted = Column(max(0, min(self.sortIndicatorSection(), len(Column) - 1)))
        return True

    def sizeHint(self) -> QSize:
        """Override QHeaderView.sizeHint."""
        return QSize(self.length(), QFontMetrics(self._theme.fonts.small_strong).height() + 14)

    def paintSection(self, painter: QPainter, rect: QRect, logicalIndex: int) -> None:  # noqa: N803 - Qt's name
        """Override QHeaderView.paintSection."""
        column = Column(logicalIndex)
        sorted_by = self.sortIndicatorSection() == logicalIndex
        painter.fillRect(rect, self._theme.colour("surface"))
        painter.fillRect(rect.x(), rect.bottom(), rect.width(), 1, self._theme.colour("line"))
        painter.setFont(self._theme.fonts.small_strong)
        painter.setPen(self._theme.colour("ink" if sorted_by else "ink_muted"))
        left = DATE_INSET if column is Column.DATE else INSET
        right = RIGHT_INSET if column is Column.AMOUNT else INSET
        place = rect.adjusted(left, 0, -right, 0)
        measure = QFontMetrics(self._theme.fonts.small_strong)
        arrow_w = 14 if sorted_by else 0
        text = measure.elidedText(title(column), Qt.TextElideMode.ElideRight, place.width() - arrow_w)
        width = measure.horizontalAdvance(text)
        x = place.right() - width + 1 if column is Column.AMOUNT else place.x()
        painter.drawText(x, rect.y() + (rect.height() - measure.height()) // 2 + measure.ascent(), text)
        if sorted_by:
            at = x - 10 if column is Column.AMOUNT else x + width + 9
            self._arrow(painter, QPointF(at, rect.center().y()))

    def _arrow(self, painter: QPainter, centre: QPointF) -> None:
        down = self.sortIndicatorOrder() is Qt.SortOrder.DescendingOrder
        tip = 2.5 if down else -2.5
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(self._theme.colour("ink"))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPolygon(
            QPolygonF([centre + QPointF(-4, -tip), centre + QPointF(4, -tip), centre + QPointF(0, tip)])
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
