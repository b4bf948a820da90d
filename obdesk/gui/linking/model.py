"""The list of banks as a Qt model over prepared rows."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QObject

    from obdesk.gui.linking.present import BankRow

    Index = QModelIndex | QPersistentModelIndex

_ROOT = QModelIndex()


class Role(IntEnum):
    """What a delegate asks for."""

    ROW = Qt.ItemDataRole.UserRole + 1


class BankModel(QAbstractListModel):
    """Read-only; `show_rows` replaces everything at once."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[BankRow] = []

    def show_rows(self, rows: Sequence[BankRow]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def row(self, number: int) -> BankRow | None:
        """Return a row, or None outside the list."""
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Override QAbstractListModel.rowCount."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Override QAbstractListModel.data: a look-up, nothing else."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == Role.ROW:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{row.name}, {row.note}" if row.note else row.name
        return None
