"""Where the list's rows come from: the newest question wins, the first screenful comes first.

At most one read of each kind is under way, so that a fast typist never waits for a queue of old answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from obdesk.app.interface import Cancelled

if TYPE_CHECKING:
    from array import array

    from obdesk.app.interface import Reads
    from obdesk.domain.entities import TransactionRow
    from obdesk.domain.filters import TransactionFilter
    from obdesk.gui.changes import Spawn
    from obdesk.gui.transactions.model import TransactionsModel

FIRST_ROWS = 60
QUIET_MS = 140  # a little longer than the pause between two keys of a fast typist
WINDOWS_WAITING_MAX = 3


class Feed(QObject):
    """Asks for what the model shows.

    `answered` follows the first rows of a new question, `completed` the full list, `counted` its sums.
    """

    answered = Signal()
    completing = Signal()
    completed = Signal()
    counted = Signal(object)

    def __init__(
        self, model: TransactionsModel, reads: Reads, spawn: Spawn, wanted: TransactionFilter
    ) -> None:
        super().__init__(model)
        self._model, self._reads, self._spawn = model, reads, spawn
        self.wanted = wanted
        self.complete = False
        """Whether the model shows every row of the question, and not only a quick look at the first."""
        self._turn = 0
        self._asking = self._loading = self._again = False
        self._completing = -1
        self._waiting: list[array[int]] = []
        self._reload = False
        self._quiet = QTimer(self, singleShot=True, interval=QUIET_MS)
        self._quiet.timeout.connect(self._complete)
        model.rows_missing.connect(self._load)

    def ask(self, wanted: TransactionFilter) -> None:
        """Show the answer to a question as soon as its first rows are there; older answers are dropped."""
        self.wanted = wanted
        self._turn += 1
        self._reload = self._again = False
        self._quiet.stop()
        if not self._asking:
            self._asking = True
            self._spawn("transactions: first rows", self._first_rows())

    def reread(self) -> None:
        """Read the same question again after a change; what stays keeps its place."""
        if self._asking:
            self._turn += 1
        elif self._completing == self._turn:
            self._again = True  # a stream of changes must not keep the list from ever being whole
        else:
            self._quiet.stop()
            self._reload = True
            self._complete()

    async def _first_rows(self) -> None:
        try:
            rows = await self._newest_page()
        finally:
            self._asking = False
        self.complete = False
        self._model.show_rows(rows)
        self.answered.emit()
        self._quiet.start()

    async def _newest_page(self) -> tuple[TransactionRow, ...]:
        while True:
            turn = self._turn
            rows = await self._reads.transaction_page(self.wanted, limit=FIRST_ROWS, quick=True)
            if turn == self._turn:
                return rows

    def _complete(self) -> None:
        # A question that is older than this one is given up by the reader at once.
        self._completing = self._turn
        self._spawn("transactions: all ids", self._ids_and_sums(self._turn))

    async def _ids_and_sums(self, turn: int) -> None:
        try:
            ids = await self._reads.transaction_ids(self.wanted)
            if turn == self._turn:
                self._take(ids)
                totals = await self._reads.filter_totals(self.wanted)
                if turn == self._turn:
                    self.counted.emit(totals)
        except Cancelled:
            if turn == self._turn:
                self._quiet.start()  # somebody else asked for sums; ours come a little later
        finally:
            if self._completing == turn:
                self._completing = -1
        if self._again and turn == self._turn:
            self._again = False
            self.reread()

    def _take(self, ids: array[int]) -> None:
        self.completing.emit()
        self._model.take_ids(ids)
        self.complete = True
        self.completed.emit()
        if self._reload:
            self._reload = False
            visible = self._model.around_view()
            self._model.forget_others(visible)
            self._load(visible)

    def _load(self, ids: array[int]) -> None:
        self._waiting.append(ids)
        while len(self._waiting) > WINDOWS_WAITING_MAX:
            self._model.give_up(self._waiting.pop(0))
        if not self._loading:
            self._loading = True
            self._spawn("transactions: rows", self._windows())

    async def _windows(self) -> None:
        try:
            while self._waiting:
                ids = self._waiting.pop()  # the newest request is what is on the screen now
                rows = await self._reads.transaction_rows(ids)
                self._model.put(rows, ids)
        finally:
            self._loading = False
