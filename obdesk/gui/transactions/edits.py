"""Notes and categories on their way to the database, and back again with undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from obdesk.domain.errors import AppError
from obdesk.domain.ids import TransactionId
from obdesk.domain.texts import tr, trn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.app.interface import Commands, Reads
    from obdesk.gui.changes import Spawn

AT_ONCE_MAX = 2_000
_TELL_EVERY = 50


@dataclass(frozen=True, slots=True)
class Edit:
    """A person's own words for one transaction; None leaves a word as it is, empty text takes it away."""

    id: TransactionId
    note: str | None = None
    category: str | None = None


class Edits(QObject):
    """Carries out edits one after the other; `failed` and `told` carry a sentence for the person."""

    failed = Signal(str)
    told = Signal(str)
    changed = Signal()
    """Whether there is something to undo or redo may have changed."""

    def __init__(self, commands: Commands, reads: Reads, spawn: Spawn, parent: QObject) -> None:
        super().__init__(parent)
        self._commands, self._reads, self._spawn = commands, reads, spawn
        self._undo: list[list[Edit]] = []
        self._redo: list[list[Edit]] = []

    @property
    def undoable(self) -> bool:
        """Tell whether there is an edit to take back."""
        return bool(self._undo)

    @property
    def redoable(self) -> bool:
        """Tell whether there is an edit to make again."""
        return bool(self._redo)

    def set_note(self, identity: int, note: str) -> None:
        """Give one transaction a note."""
        self._begin([Edit(TransactionId(identity), note=note)])

    def set_category(self, ids: Sequence[int], category: str) -> None:
        """Give transactions a category; an empty one returns to the bank's."""
        if len(ids) > AT_ONCE_MAX:
            self.failed.emit(
                tr("Nothing was changed: choose at most {n} transactions at once.", n=AT_ONCE_MAX)
            )
            return
        self._begin([Edit(TransactionId(each), category=category) for each in ids])

    def undo(self) -> None:
        """Take back the last edit."""
        if self._undo:
            self._spawn("transactions: undo", self._carry_out(self._undo.pop(), self._redo))
            self.changed.emit()

    def redo(self) -> None:
        """Make the edit again that was taken back last."""
        if self._redo:
            self._spawn("transactions: redo", self._carry_out(self._redo.pop(), self._undo))
            self.changed.emit()

    def _begin(self, edits: list[Edit]) -> None:
        self._redo.clear()
        self.told.emit("")
        self._spawn("transactions: edit", self._carry_out(edits, self._undo))

    async def _carry_out(self, edits: list[Edit], way_back: list[list[Edit]]) -> None:
        done: list[Edit] = []
        try:
            for edit in edits:
                before = await self._before(edit)
                if before is None:
                    continue
                await self._commands.edit_transaction(edit.id, note=edit.note, category=edit.category)
                done.append(before)
                if len(edits) > _TELL_EVERY and len(done) % _TELL_EVERY == 0:
                    self.told.emit(tr("{done} of {all} changed", done=len(done), all=len(edits)))
        except AppError as error:
            self.failed.emit(f"{error.title}. {error.next_step}")
        else:
            self._sum_up(len(done), len(edits))
        if done:
            way_back.append(done)
        self.changed.emit()

    def _sum_up(self, done: int, wanted: int) -> None:
        gone = wanted - done
        if gone:
            self.failed.emit(trn("{n} transaction is gone.", "{n} transactions are gone.", gone))
        elif wanted > 1:
            self.told.emit(trn("{n} transaction changed", "{n} transactions changed", done))

    async def _before(self, edit: Edit) -> Edit | None:
        detail = await self._reads.transaction(edit.id)
        if detail is None:
            return None
        own = "" if detail.row.category == detail.bank_category else detail.row.category
        return Edit(
            edit.id,
            note=None if edit.note is None else detail.note,
            category=None if edit.category is None else own,
        )
