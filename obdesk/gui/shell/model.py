"""The sidebar's accounts as a tree of two levels: banks, and their accounts."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from obdesk.domain.texts import tr
from obdesk.gui.shell.present import AccountGroup, AccountRow
from obdesk.gui.widgets.tips import tip

if TYPE_CHECKING:
    from obdesk.domain.ids import AccountId

    Index = QModelIndex | QPersistentModelIndex

_TOP = 0
"""The internal id of groups; rows carry their group's place plus one."""


class Role(IntEnum):
    """What the delegate asks for."""

    GROUP = Qt.ItemDataRole.UserRole + 1
    ROW = Qt.ItemDataRole.UserRole + 2


class AccountsModel(QAbstractItemModel):
    """Groups and rows as they were presented; `data` only looks up."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._groups: tuple[AccountGroup, ...] = ()

    def show_groups(self, groups: tuple[AccountGroup, ...]) -> None:
        """Show another state; without a change of shape only the contents are renewed."""
        if self._shape(groups) != self._shape(self._groups):
            self.beginResetModel()
            self._groups = groups
            self.endResetModel()
            return
        old, self._groups = self._groups, groups
        for place, group in enumerate(groups):
            if group != old[place]:
                parent = self.index(place, 0)
                self.dataChanged.emit(parent, parent)
                last = len(group.rows) - 1
                self.dataChanged.emit(self.index(0, 0, parent), self.index(last, 0, parent))

    @staticmethod
    def _shape(groups: tuple[AccountGroup, ...]) -> list[tuple[str, list[tuple[int, bool]]]]:
        # Whether a row has its second line decides its height, so it belongs to the shape.
        return [(g.key, [(r.account_id, bool(r.note)) for r in g.rows]) for g in groups]

    def group(self, place: int) -> AccountGroup:
        """Return a group."""
        return self._groups[place]

    def find(self, account_id: AccountId) -> QModelIndex:
        """Return where an account is, or an invalid index."""
        for place, group in enumerate(self._groups):
            for row, account in enumerate(group.rows):
                if account.account_id == account_id:
                    return self.index(row, 0, self.index(place, 0))
        return QModelIndex()

    def index(self, row: int, column: int, parent: Index | None = None) -> QModelIndex:
        """Override QAbstractItemModel.index."""
        above = QModelIndex() if parent is None else parent
        if column != 0 or not 0 <= row < self.rowCount(above):
            return QModelIndex()
        return self.createIndex(row, column, above.row() + 1 if above.isValid() else _TOP)

    def parent(self, child: Index | None = None) -> QModelIndex:  # type: ignore[override]
        """Override QAbstractItemModel.parent."""
        if child is None or not child.isValid() or child.internalId() == _TOP:
            return QModelIndex()
        return self.createIndex(int(child.internalId()) - 1, 0, _TOP)

    def rowCount(self, parent: Index | None = None) -> int:
        """Override QAbstractItemModel.rowCount."""
        if parent is None or not parent.isValid():
            return len(self._groups)
        if parent.internalId() != _TOP or parent.column() != 0:
            return 0
        return len(self._groups[parent.row()].rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """Override QAbstractItemModel.columnCount."""
        del parent
        return 1

    def item(self, index: Index) -> AccountGroup | AccountRow | None:
        """Return what an index stands for."""
        if not index.isValid():
            return None
        place = int(index.internalId())
        if place == _TOP:
            return self._groups[index.row()]
        return self._groups[place - 1].rows[index.row()]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Override QAbstractItemModel.data."""
        item = self.item(index)
        match item:
            case None:
                return None
            case AccountGroup():
                return self._group_data(item, role)
            case AccountRow():
                return self._row_data(item, role)

    @staticmethod
    def _group_data(group: AccountGroup, role: int) -> object:
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return group.name
            case Qt.ItemDataRole.AccessibleTextRole:
                return (
                    tr("{bank}, together {sum}", bank=group.name, sum=group.subtotal)
                    if group.subtotal
                    else group.name
                )
            case Role.GROUP:
                return group
            case _:
                return None

    @staticmethod
    def _row_data(row: AccountRow, role: int) -> object:
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.name
            case Qt.ItemDataRole.AccessibleTextRole:
                return row.sentence
            case Qt.ItemDataRole.ToolTipRole:
                return tip(row.sentence)
            case Role.ROW:
                return row
            case _:
                return None
