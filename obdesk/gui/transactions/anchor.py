"""Keeps by id what is at the top and what is selected, while the list changes around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.gui.transactions.model import TransactionsModel
    from obdesk.gui.transactions.table import TransactionsTable

HELD_MAX = 200
"""Larger selections are left to Qt, which keeps the rows that do not move."""
_Flag = QItemSelectionModel.SelectionFlag


class Anchor:
    """`hold` before a change, `release` after it."""

    def __init__(self, table: TransactionsTable, model: TransactionsModel) -> None:
        self._table, self._model = table, model
        self._top: tuple[int, int] | None = None
        self._selected: list[int] = []
        self._current = -1

    def hold(self) -> None:
        """Remember; a list at its very top stays there, so that new rows are seen."""
        ids, value = self._model.ids, self._table.verticalScrollBar().value()
        self._top = None
        if value and ids:
            row, hidden = self._table.layout_now.anchor(value)
            self._top = (ids[row], hidden)
        ranges = self._table.selected_rows()
        few = sum(last - first + 1 for first, last in ranges) <= HELD_MAX
        self._selected = [ids[at] for first, last in ranges for at in range(first, last + 1)] if few else []
        self._current = self.current_id()

    def release(self) -> None:
        """Bring back what was remembered, wherever it is now."""
        self._select_again()
        self._table.updateGeometries()
        if self._top is None:
            return
        (identity, hidden), self._top = self._top, None
        row = self._model.row_of(identity)
        if row >= 0:
            self._table.verticalScrollBar().setValue(self._table.layout_now.value_at(row, hidden))

    def choose(self, ids: Sequence[int]) -> bool:
        """Select these rows and nothing else, the keyboard on the first; tell whether all are in the list."""
        rows = [row for row in map(self._model.row_of, ids) if row >= 0]
        if rows:
            self._table.choose(rows[0])
        for row in rows[1:]:
            self._table.selectionModel().select(self._model.index(row, 0), _Flag.Select | _Flag.Rows)
        return len(rows) == len(ids)

    def current_id(self) -> int:
        """Return the transaction the keyboard is on, or -1."""
        row = self._table.currentIndex().row()
        return self._model.ids[row] if 0 <= row < self._model.rowCount() else -1

    def _select_again(self) -> None:
        """Select what had to move to another place in the list, and so fell out of Qt's selection."""
        chosen = self._table.selectionModel()
        if self._current >= 0 and self.current_id() != self._current:
            row = self._model.row_of(self._current)
            if row >= 0:
                chosen.setCurrentIndex(self._model.index(row, 0), _Flag.NoUpdate)
        if sum(last - first + 1 for first, last in self._table.selected_rows()) == len(self._selected):
            return
        for identity in self._selected:
            row = self._model.row_of(identity)
            if row >= 0:
                chosen.select(self._model.index(row, 0), _Flag.Select | _Flag.Rows)
