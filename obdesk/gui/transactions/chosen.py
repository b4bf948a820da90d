"""What the selection adds up to and, for a single row, all that is known of it."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from obdesk.domain.entities import Selection
from obdesk.domain.ids import TransactionId

if TYPE_CHECKING:
    from obdesk.app.interface import Reads
    from obdesk.domain.entities import TransactionDetail
    from obdesk.domain.money import Money
    from obdesk.gui.changes import Spawn
    from obdesk.gui.transactions.model import TransactionsModel
    from obdesk.gui.transactions.table import TransactionsTable

SETTLE_MS = 40
_ADDED_HERE_MAX = 500


class Chosen(QObject):
    """`one` carries a TransactionDetail, `many` a count and perhaps a Selection, `none` nothing."""

    one = Signal(object)
    many = Signal(int, object)
    none = Signal()

    def __init__(
        self, table: TransactionsTable, model: TransactionsModel, reads: Reads, spawn: Spawn
    ) -> None:
        super().__init__(table)
        self._table, self._model, self._reads, self._spawn = table, model, reads, spawn
        self.totals: Selection | None = None
        """The sums of the whole list, when they are known: what "all selected" adds up to."""
        self.ids: array[int] = array("q")
        self._turn = 0
        self._reading = False
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self.reread)
        table.selection_changed.connect(self._changed)
        model.modelReset.connect(self._changed)  # a reset drops the selection without saying so

    def _changed(self) -> None:
        ranges = self._table.selected_rows()
        count = sum(last - first + 1 for first, last in ranges)
        if count != 1:
            self.many.emit(count, None) if count else self.none.emit()
        self._settle.start()

    def now(self) -> array[int]:
        """Return the ids of the rows that are selected at this moment."""
        found: array[int] = array("q")
        for first, last in self._table.selected_rows():
            found.extend(self._model.ids[first : last + 1])
        return found

    def reread(self) -> None:
        """Read what is selected again; an older answer that is still on its way is dropped."""
        self._settle.stop()
        self._turn += 1
        self.ids = self.now()
        if not self.ids:
            self.none.emit()
        elif len(self.ids) > 1 and (known := self._known()) is not None:
            self.many.emit(len(self.ids), known)
        elif not self._reading:
            self._reading = True
            self._spawn("transactions: selection", self._read())

    def _known(self) -> Selection | None:
        if self.totals is not None and self.totals.count == len(self.ids) == self._model.rowCount():
            return self.totals
        if len(self.ids) > _ADDED_HERE_MAX:
            return None
        sums: dict[str, Money] = {}
        for first, last in self._table.selected_rows():
            for row in range(first, last + 1):
                line = self._model.line(row)
                if line is None:
                    return None
                if line.money is not None:
                    code = line.money.currency.code
                    sums[code] = sums[code] + line.money if code in sums else line.money
        return Selection(len(self.ids), tuple(sums[code] for code in sorted(sums)))

    async def _read(self) -> None:
        try:
            turn = -1
            while turn != self._turn:
                turn, ids = self._turn, self.ids
                if len(ids) == 1:
                    detail = await self._reads.transaction(TransactionId(ids[0]))
                    self._tell_one(detail, turn)
                elif ids:
                    found = await self._reads.selection(ids)
                    if turn == self._turn:
                        self.many.emit(len(ids), found)
        finally:
            self._reading = False

    def _tell_one(self, detail: TransactionDetail | None, turn: int) -> None:
        if turn != self._turn:
            return
        if detail is None:
            self.none.emit()
        else:
            self.one.emit(detail)
