"""The list itself: a QTableView to keyboards and screen readers, one paint event to the machine.

Qt's vertical header would keep a record for each of a million rows; here it stays empty and `layout`
says where rows are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter, QRegion, QStandardItemModel
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QTableView

from obdesk.domain.filters import Sort
from obdesk.domain.texts import tr
from obdesk.gui.standing import piece_of
from obdesk.gui.transactions.delegate import Band, Cell, RowPainter, Strip
from obdesk.gui.transactions.header import TransactionsHeader
from obdesk.gui.transactions.layout import RowLayout
from obdesk.gui.transactions.present import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtGui import QFocusEvent, QKeyEvent, QPaintEvent, QResizeEvent
    from PySide6.QtWidgets import QWidget

    from obdesk.gui.standing import Piece
    from obdesk.gui.theme.theme import Theme
    from obdesk.gui.transactions.model import TransactionsModel

    Index = QModelIndex | QPersistentModelIndex

_ACCOUNT_SHOWN_MIN = 620  # below, payees need the room more
_ENSURE = QAbstractItemView.ScrollHint.EnsureVisible
_SelectionFlag = QItemSelectionModel.SelectionFlag


class TransactionsTable(QTableView):
    """Rows of one height, with a band before the first of each day when sorted by date."""

    key_asked = Signal(str)
    """A single letter or key that acts on the selection: "note", "category", "inspector", "escape"."""
    selection_changed = Signal()

    def __init__(self, theme: Theme, model: TransactionsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._rows = theme, RowPainter(theme)
        self._lines = model
        self._banded = self._several_accounts = self._waiting = True
        self._cells: list[Cell] = []
        self._set_up(model)
        theme.changed.connect(self._restyle)
        model.rows_arrived.connect(self._arrived)
        model.modelReset.connect(self._reset)
        model.rowsInserted.connect(self._restack)
        model.rowsRemoved.connect(self._restack)

    def _set_up(self, model: TransactionsModel) -> None:
        self.setAccessibleName(tr("Transactions"))
        self.setHorizontalHeader(TransactionsHeader(self._theme, self._rows, self))
        self.setModel(model)
        self._no_rows = QStandardItemModel(self)
        self.verticalHeader().setModel(self._no_rows)
        self.verticalHeader().hide()
        for corner in self.findChildren(QAbstractButton):
            corner.hide()  # it would select all; nothing lays it out here
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setTabKeyNavigation(False)
        self.setMinimumWidth(420)
        header = self.header
        header.prepare()
        header.sectionResized.connect(self._columns_changed)
        header.sectionMoved.connect(self._columns_changed)
        header.geometriesChanged.connect(self._columns_changed)

    @property
    def header(self) -> TransactionsHeader:
        """Return the column headings."""
        found = self.horizontalHeader()
        assert isinstance(found, TransactionsHeader)
        return found

    @property
    def layout_now(self) -> RowLayout:
        """Return the geometry of the present list in the present viewport."""
        rows = self._rows
        return RowLayout(
            self._lines.rowCount(),
            rows.row_h,
            rows.band_h if self._banded else 0,
            self.viewport().height(),
            self._lines.starts,
        )

    def set_banded(self, *, banded: bool) -> None:
        """Show days as bands (a list sorted by date) or not."""
        if banded != self._banded:
            self._banded = banded
            self._restack()

    def set_waiting(self, *, waiting: bool) -> None:
        """Tell whether an empty list only waits for its rows: then their places are drawn."""
        if waiting != self._waiting:
            self._waiting = waiting
            self.viewport().update()

    def set_account_column(self, *, shown: bool) -> None:
        """Show the account's name, which a list of one account does not need, where there is room."""
        self._several_accounts = shown
        self._fit_account_column()

    def _fit_account_column(self) -> None:
        hidden = not self._several_accounts or self.width() < _ACCOUNT_SHOWN_MIN
        if hidden != self.header.isSectionHidden(Column.ACCOUNT):
            self.header.setSectionHidden(Column.ACCOUNT, hidden)
            self._columns_changed()

    def choose(self, row: int) -> None:
        """Select one row and nothing else; Qt's own `selectRow` looks at the keys that are held down."""
        self.selectionModel().setCurrentIndex(
            self._lines.index(row, 0), _SelectionFlag.ClearAndSelect | _SelectionFlag.Rows
        )

    def selected_rows(self) -> list[tuple[int, int]]:
        """Return the selection as ranges of rows, first and last."""
        return sorted((part.top(), part.bottom()) for part in self._ranges())

    def standing(self) -> Iterator[Piece]:
        """Yield where the list and its columns stand, while the newest rows come first."""
        if not self._banded or self.header.sort != (Sort.DATE, True):
            return
        at = piece_of("list", self.viewport(), f"{self._rows.row_h}:{self._rows.band_h}")
        for cell in self._cells:
            yield at._replace(kind="column", x=at.x + cell.x, width=cell.width, ref=str(int(cell.column)))
        yield at

    def _ranges(self) -> list[QItemSelectionRange]:
        chosen = self.selectionModel().selection()
        return [chosen.at(place) for place in range(chosen.count())]

    def _restyle(self) -> None:
        self._rows.refresh_fonts()
        self._restack()

    def _columns_changed(self) -> None:
        header = self.header
        self._cells = [
            Cell(Column(section), header.sectionViewportPosition(section), header.sectionSize(section))
            for section in range(header.count())
            if not header.isSectionHidden(section)
        ]
        self._rows.forget_widths()
        self.viewport().update()

    def _reset(self) -> None:
        self._restack()
        self.verticalScrollBar().setValue(0)

    def _restack(self) -> None:
        self.updateGeometries()
        self.viewport().update()

    def _arrived(self) -> None:
        # Bands that were not known before may have moved the end of the list.
        bar = self.verticalScrollBar()
        at_end = bar.value() == bar.maximum() > 0
        self.updateGeometries()
        if at_end:
            bar.setValue(bar.maximum())
        self.viewport().update()

    # What follows are Qt's questions to a view.

    def updateGeometries(self) -> None:
        """Override QTableView.updateGeometries: the header on top, and the scroll bar in rows."""
        header = self.horizontalHeader()
        height = header.sizeHint().height()
        self.setViewportMargins(0, height, 0, 0)
        port = self.viewport().geometry()
        header.setGeometry(port.left(), port.top() - height, port.width(), height)
        layout = self.layout_now
        bar = self.verticalScrollBar()
        bar.setSingleStep(layout.row_h)
        bar.setPageStep(layout.page())
        bar.setRange(0, layout.value_max())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Override QTableView.resizeEvent."""
        super().resizeEvent(event)
        self._fit_account_column()
        self._columns_changed()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QTableView.paintEvent: all visible rows in one pass."""
        del event
        lines, value, layout = self._lines, self.verticalScrollBar().value(), self.layout_now
        chosen = self.selectionModel()
        current = self.currentIndex().row() if self.hasFocus() else -1
        strips, bands = [], []
        seen = -1
        if not layout.count and self._waiting:
            tops = range(layout.top, layout.height, layout.row_h)
            strips = [Strip(-1, y, None, selected=False, current=False) for y in tops]
        for place in layout.places(value):
            if not place.band:
                seen = place.row
            line = lines.line(place.row)
            if not place.band:
                index = lines.index(place.row, 0)
                strips.append(Strip(place.row, place.y, line, chosen.isSelected(index), place.row == current))
            elif line is not None:
                bands.append(Band(place.y, lines.presenter.section(line)))
            else:
                bands.append(Band(place.y, ""))
        painter = QPainter(self.viewport())
        try:
            area = self.viewport().rect()
            self._rows.paint(painter, area, self._cells, strips, bands, private=lines.private)
        finally:
            painter.end()
        lines.ensure(layout.anchor(value)[0], seen)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Override QTableView.scrollContentsBy: drawing a screenful anew costs no more than moving it."""
        del dx, dy
        self.viewport().update()

    def visualRect(self, index: Index) -> QRect:
        """Override QTableView.visualRect."""
        if not index.isValid() or self.header.isSectionHidden(index.column()):
            return QRect()
        y = self.layout_now.y_of(index.row(), self.verticalScrollBar().value())
        x = self.header.sectionViewportPosition(index.column())
        return QRect(x, y, self.header.sectionSize(index.column()), self._rows.row_h)

    def indexAt(self, pos: QPoint) -> QModelIndex:
        """Override QTableView.indexAt."""
        row = self.layout_now.row_at(pos.y(), self.verticalScrollBar().value())
        column = self.header.logicalIndexAt(pos.x())
        return self._lines.index(row, column) if row >= 0 and column >= 0 else QModelIndex()

    def scrollTo(self, index: Index, hint: QAbstractItemView.ScrollHint = _ENSURE) -> None:
        """Override QTableView.scrollTo."""
        if not index.isValid():
            return
        bar, layout = self.verticalScrollBar(), self.layout_now
        match hint:
            case QAbstractItemView.ScrollHint.PositionAtTop:
                bar.setValue(layout.value_at(index.row(), 0))
            case QAbstractItemView.ScrollHint.PositionAtBottom:
                bar.setValue(layout.value_for_bottom(index.row()))
            case QAbstractItemView.ScrollHint.PositionAtCenter:
                bar.setValue(layout.value_at(index.row(), 0) - layout.page() // 2)
            case _:
                bar.setValue(layout.value_showing(index.row(), bar.value()))

    def horizontalOffset(self) -> int:
        """Override QTableView.horizontalOffset."""
        return 0

    def verticalOffset(self) -> int:
        """Override QTableView.verticalOffset."""
        return self.verticalScrollBar().value()

    def isIndexHidden(self, index: Index) -> bool:
        """Override QTableView.isIndexHidden."""
        return self.header.isSectionHidden(index.column())

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        """Override QTableView.setSelection: whole rows between two points, on the screen or not."""
        layout, value = self.layout_now, self.verticalScrollBar().value()
        if not layout.count:
            return
        first, last = (layout.row_near(y, value) for y in sorted((rect.top(), rect.bottom())))
        model = self._lines
        rows = QItemSelection(model.index(first, 0), model.index(last, model.columnCount() - 1))
        self.selectionModel().select(rows, command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        """Override QTableView.visualRegionForSelection."""
        del selection
        return QRegion(self.viewport().rect())

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Override QTableView.selectionChanged."""
        super().selectionChanged(selected, deselected)
        self.viewport().update()
        self.selection_changed.emit()

    def moveCursor(
        self,
        cursorAction: QAbstractItemView.CursorAction,  # noqa: N803 - Qt's name
        modifiers: Qt.KeyboardModifier,
    ) -> QModelIndex:
        """Override QTableView.moveCursor."""
        del modifiers
        count = self._lines.rowCount()
        if not count:
            return QModelIndex()
        current = self.currentIndex()
        here = current.row()
        action, page = QAbstractItemView.CursorAction, self.layout_now.page() // self._rows.row_h
        match cursorAction:
            case action.MoveUp | action.MovePrevious:
                row = here - 1 if here >= 0 else count - 1
            case action.MoveDown | action.MoveNext:
                row = here + 1
            case action.MovePageUp:
                row = here - page
            case action.MovePageDown:
                row = max(here, 0) + page
            case action.MoveHome:
                row = 0
            case action.MoveEnd:
                row = count - 1
            case _:
                row = here
        return self._lines.index(min(max(row, 0), count - 1), max(current.column(), 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Override QTableView.keyPressEvent: single letters act on the selection."""
        key = Qt.Key(event.key())
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        extend = modifiers == Qt.KeyboardModifier.ShiftModifier
        plain = modifiers == Qt.KeyboardModifier.NoModifier
        if plain and key in _KEYS:
            self.key_asked.emit(_KEYS[key])
        elif plain and self._begins_selection(key):
            self.selectionModel().select(
                self.currentIndex(), _SelectionFlag.ClearAndSelect | _SelectionFlag.Rows
            )
        elif key in _STEPS and (extend or plain):
            self._step(_STEPS[key], extend=extend)
        else:
            super().keyPressEvent(event)
            return
        event.accept()

    def _begins_selection(self, key: Qt.Key) -> bool:
        """Tell whether a key should select the row it is on, because nothing is selected yet."""
        here = self.currentIndex()
        if not here.isValid() or self.selectionModel().hasSelection():
            return False
        at_top = here.row() == 0 and key in {Qt.Key.Key_Home, Qt.Key.Key_PageUp}
        return at_top or key in {Qt.Key.Key_Up, Qt.Key.Key_Down} or key in _STEPS

    def _step(self, action: QAbstractItemView.CursorAction, *, extend: bool) -> None:
        index = self.moveCursor(action, Qt.KeyboardModifier.NoModifier)
        if not index.isValid():
            return
        rows = _SelectionFlag.Rows
        self.selectionModel().setCurrentIndex(
            index, (_SelectionFlag.Select if extend else _SelectionFlag.ClearAndSelect) | rows
        )

    def keyboardSearch(self, search: str) -> None:
        """Override QTableView.keyboardSearch: letters are commands here."""
        del search

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Override QTableView.focusInEvent: without a current row the arrows would have nowhere to start."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Override QTableView.focusOutEvent."""
        super().focusOutEvent(event)
        self.viewport().update()


_KEYS = {
    Qt.Key.Key_Space: "inspector",
    Qt.Key.Key_Return: "note",
    Qt.Key.Key_Enter: "note",
    Qt.Key.Key_N: "note",
    Qt.Key.Key_C: "category",
    Qt.Key.Key_Escape: "escape",
}
_STEPS = {
    Qt.Key.Key_J: QAbstractItemView.CursorAction.MoveDown,
    Qt.Key.Key_K: QAbstractItemView.CursorAction.MoveUp,
}
