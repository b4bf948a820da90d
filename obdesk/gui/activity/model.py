"""The lines of runs, banks and accounts as one kind of table model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

if TYPE_CHECKING:
    from obdesk.gui.activity.present import Cell, Column, Line

    Index = QModelIndex | QPersistentModelIndex

LINE_ROLE = Qt.ItemDataRole.UserRole + 1


class LinesTable(QAbstractTableModel):
    """Lines as they were presented; column 0 is the glyph, `data` only looks up."""

    def __init__(self, columns: tuple[Column, ...], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = columns
        self._lines: tuple[Line, ...] = ()

    def show_lines(self, lines: tuple[Line, ...]) -> None:
        """Show another state; the same keys in the same order keep the person's place."""
        if lines == self._lines:
            return
        if [line.key for line in lines] == [line.key for line in self._lines]:
            self._lines = lines
            self.dataChanged.emit(self.index(0, 0), self.index(len(lines) - 1, len(self.columns) - 1))
            return
        self.beginResetModel()
        self._lines = lines
        self.endResetModel()

    def line(self, row: int) -> Line:
        """Return a line."""
        return self._lines[row]

    def row_of(self, key: int) -> int | None:
        """Return where a line stands, or None when it is not shown."""
        return next((row for row, line in enumerate(self._lines) if line.key == key), None)

    def cell(self, index: Index) -> Cell | None:
        """Return the text of a place; the glyph's column has none."""
        return self._lines[index.row()].cells[index.column() - 1] if index.column() else None

    def rowCount(self, parent: Index | None = None) -> int:
        """Override QAbstractTableModel.rowCount."""
        return 0 if parent is not None and parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index | None = None) -> int:
        """Override QAbstractTableModel.columnCount."""
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Override QAbstractTableModel.headerData."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Override QAbstractTableModel.data."""
        if not index.isValid():
            return None
        line, cell = self._lines[index.row()], self.cell(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return "" if cell is None else cell.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return line.word if cell is None else cell.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.sentence
        return line if role == LINE_ROLE else None
