"""The accounts by freshness as a table."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from obdesk.domain.texts import tr
from obdesk.gui.widgets.money import HIDDEN

if TYPE_CHECKING:
    from obdesk.gui.overview.present import AccountLine

    Index = QModelIndex | QPersistentModelIndex

LINE_ROLE = Qt.ItemDataRole.UserRole + 1


class Column(IntEnum):
    """The columns from left to right."""

    STATE = 0
    ACCOUNT = 1
    BALANCE = 2
    ASKED = 3
    DATA = 4
    PILL = 5


def heading(column: Column) -> str:
    """Return a column's heading."""
    match column:
        case Column.STATE | Column.PILL:
            return ""
        case Column.ACCOUNT:
            return tr("Account")
        case Column.BALANCE:
            return tr("Balance")
        case Column.ASKED:
            return tr("Asked")
        case Column.DATA:
            return tr("Data as of")


class AccountsTable(QAbstractTableModel):
    """Lines as they were presented; `data` only looks up."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: tuple[AccountLine, ...] = ()
        self._private = False

    def show_lines(self, lines: tuple[AccountLine, ...]) -> None:
        """Show another state; the same accounts in the same order keep the person's place."""
        if lines == self._lines:
            return
        if [line.account_id for line in lines] == [line.account_id for line in self._lines]:
            self._lines = lines
            self.dataChanged.emit(self.index(0, 0), self.index(len(lines) - 1, len(Column) - 1))
            return
        self.beginResetModel()
        self._lines = lines
        self.endResetModel()

    def set_private(self, *, private: bool) -> None:
        """Hide the balances or show them."""
        self._private = private
        if self._lines:
            column = Column.BALANCE
            self.dataChanged.emit(self.index(0, column), self.index(len(self._lines) - 1, column))

    def line(self, row: int) -> AccountLine:
        """Return a line."""
        return self._lines[row]

    def rowCount(self, parent: Index | None = None) -> int:
        """Override QAbstractTableModel.rowCount."""
        return 0 if parent is not None and parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index | None = None) -> int:
        """Override QAbstractTableModel.columnCount."""
        return 0 if parent is not None and parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Override QAbstractTableModel.headerData."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return heading(Column(section))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = section == Column.BALANCE
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Override QAbstractTableModel.data."""
        if not index.isValid():
            return None
        line = self._lines[index.row()]
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return self._text(line, Column(index.column()), spoken=role == Qt.ItemDataRole.AccessibleTextRole)
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.sentence
        return line if role == LINE_ROLE else None

    def _text(self, line: AccountLine, column: Column, *, spoken: bool) -> str:
        match column:
            case Column.STATE:
                return line.sentence if spoken else ""
            case Column.ACCOUNT:
                whole = f"{line.name}, {line.bank}. {line.missing}".removesuffix(". ")
                return whole if spoken else line.name
            case Column.BALANCE:
                return HIDDEN if self._private else line.balance
            case Column.ASKED:
                return line.asked
            case Column.DATA:
                return line.data_as_of
            case Column.PILL:
                return line.pill
