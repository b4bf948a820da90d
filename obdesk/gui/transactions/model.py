"""The list's model: a compact array of ids and the few rows that are near the screen.

A million rows are eight megabytes of ids; of the rows themselves only some thousand are kept. What is
not there is asked for by `rows_missing`, in windows, and shows up as an empty cell until it comes.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from obdesk.gui.transactions.diff import steps
from obdesk.gui.transactions.present import Column, Line, shown, title

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PySide6.QtCore import QObject

    from obdesk.domain.entities import TransactionRow
    from obdesk.gui.transactions.present import Presenter

    Index = QModelIndex | QPersistentModelIndex

WINDOW = 256
KEPT_MAX = 24 * WINDOW
HIDDEN_AMOUNT = "•••••"

# Comparing ints instead of Qt's enums halves the time of a frame.
_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_TOOL_TIP = int(Qt.ItemDataRole.ToolTipRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_ACCESSIBLE = int(Qt.ItemDataRole.AccessibleTextRole)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_TEXTS = frozenset((_DISPLAY, _TOOL_TIP, _ACCESSIBLE))
_NO_PARENT = QModelIndex()


class TransactionsModel(QAbstractTableModel):
    """Rows by position; `rows_missing` carries the ids of a window to read, `rows_arrived` says paint."""

    rows_missing = Signal(object)
    rows_arrived = Signal()

    def __init__(self, presenter: Presenter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.presenter = presenter
        self.private = False
        self._ids: array[int] = array("q")
        self._lines: dict[int, Line | TransactionRow] = {}
        self._asked: set[int] = set()
        self._seen = (0, -1)

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Override QAbstractTableModel.rowCount."""
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Override QAbstractTableModel.columnCount."""
        return 0 if parent.isValid() else len(Column)

    def data(self, index: Index, role: int = _DISPLAY) -> str | int | None:
        """Override QAbstractTableModel.data: a look-up, nothing else."""
        if role in _TEXTS:
            return self._text(index, role)
        if role == _ALIGNMENT:
            return _RIGHT if index.column() == Column.AMOUNT else _LEFT
        return None

    def _text(self, index: Index, role: int) -> str | None:
        row = index.row()
        line = self.line(row) if index.isValid() and row < len(self._ids) else None
        if line is None:
            return None
        column = Column(index.column())
        if column is Column.AMOUNT and self.private:
            return HIDDEN_AMOUNT
        if role == _TOOL_TIP:
            return self._tool_tip(line, column)
        return self.presenter.spoken(line, column) if role == _ACCESSIBLE else shown(line, column)

    def _tool_tip(self, line: Line, column: Column) -> str | None:
        match column:
            case Column.DATE:
                return self.presenter.whole_date(line)
            case Column.PAYEE:
                return _plain(f"{line.payee}\n{line.label}") if line.label else _plain(line.payee)
            case Column.CATEGORY | Column.ACCOUNT:
                return _plain(shown(line, column))
            case Column.AMOUNT:
                return line.amount

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> str | int | None:
        """Override QAbstractTableModel.headerData."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(Column):
            return None
        if role == _DISPLAY:
            return title(Column(section))
        if role == _ALIGNMENT:
            return _RIGHT if section == Column.AMOUNT else _LEFT
        return None

    @property
    def ids(self) -> array[int]:
        """Return the ids in the order of the list; read only."""
        return self._ids

    def line(self, row: int) -> Line | None:
        """Return a row ready to be drawn, or None while it is on its way."""
        identity = self._ids[row]
        found = self._lines.get(identity)
        if found is None or type(found) is Line:
            return found
        assert not isinstance(found, Line)
        line = self._lines[identity] = self.presenter.line(found)
        return line

    def starts(self, row: int) -> bool:
        """Tell whether a row is the first of its day, as far as the rows around it are known."""
        if row == 0:
            return True
        line, above = self.line(row), self.line(row - 1)
        return line is not None and above is not None and line.section != above.section

    def row_of(self, identity: int) -> int:
        """Return where a transaction stands, or -1."""
        try:
            return self._ids.index(identity)
        except ValueError:
            return -1

    def show_rows(self, rows: Sequence[TransactionRow]) -> None:
        """Show the first rows of a new question; `take_ids` brings the rest."""
        self.beginResetModel()
        self._ids = array("q", (row.id for row in rows))
        self._asked.clear()
        self._keep(rows)
        self.endResetModel()

    def take_ids(self, ids: array[int]) -> None:
        """Show the whole list; rows that stay keep their selection and their place."""
        for step in steps(self._ids, ids):
            first, last = step.first, step.last
            if step.puts_in:
                self.beginInsertRows(_NO_PARENT, first, last)
                self._ids = self._ids[:first] + ids[first : last + 1] + self._ids[first:]
                self.endInsertRows()
            else:
                self.beginRemoveRows(_NO_PARENT, first, last)
                self._ids = self._ids[:first] + self._ids[last + 1 :]
                self.endRemoveRows()

    def put(self, rows: Sequence[TransactionRow], asked: Iterable[int] = ()) -> None:
        """Keep rows that were read; `asked` are the ids they answer to."""
        self._asked.difference_update(asked)
        self._keep(rows)
        first, last = self._seen[0], min(self._seen[1], len(self._ids) - 1)
        if first <= last:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(Column) - 1))
        self.rows_arrived.emit()

    def _keep(self, rows: Sequence[TransactionRow]) -> None:
        lines = self._lines
        for row in rows:
            lines.pop(row.id, None)  # to the end of the dict, which is in the order of use
            lines[row.id] = row
        for identity in list(lines)[: max(0, len(lines) - KEPT_MAX)]:
            del lines[identity]

    def ensure(self, first: int, last: int) -> None:
        """Ask for the rows of a range that are not there, then for those a screen before and after it."""
        self._seen = (first, last)
        if last < first:
            return
        span = last - first + 1
        self._ensure(first, last)
        self._ensure(last + 1, last + span)
        self._ensure(first - span, first - 1)

    def _ensure(self, first: int, last: int) -> None:
        first, last = max(0, first), min(last, len(self._ids) - 1)
        for start in range(first - first % WINDOW, last + 1, WINDOW):
            ids = self._ids[max(start, first) : min(start + WINDOW, last + 1)]
            if all(identity in self._lines for identity in ids):
                continue
            window = self._ids[start : start + WINDOW]
            if not self._asked.issuperset(ids):
                self._asked.update(window)
                self.rows_missing.emit(window)

    def give_up(self, ids: Iterable[int]) -> None:
        """Take back a request that was dropped, so that it can be made again."""
        self._asked.difference_update(ids)

    def around_view(self) -> array[int]:
        """Return the ids of the rows on the screen and a screen before and after it."""
        first, last = self._seen
        span = last - first + 1
        return self._ids[max(0, first - span) : last + 1 + span]

    def forget_others(self, ids: Iterable[int]) -> None:
        """Drop every row but those of `ids`: what was read before a change may be out of date."""
        lines = self._lines
        self._lines = {identity: lines[identity] for identity in ids if identity in lines}

    def set_private(self, *, private: bool) -> None:
        """Hide the amounts from onlookers, or show them again."""
        self.private = private
        self.rows_arrived.emit()


def _plain(text: str) -> str:
    """Return a bank's words so that a tool tip does not take them for HTML."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br/>")
    return f"<qt>{escaped}</qt>" if escaped else ""
