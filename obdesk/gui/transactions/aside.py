"""Beside a transaction: another one that has to do with it, and what the person can do about both."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from obdesk.domain.errors import AppError
from obdesk.gui import format as fmt
from obdesk.gui.format import clean
from obdesk.gui.widgets.basics import button, label, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from PySide6.QtWidgets import QPushButton

    from obdesk.app.interface import Commands, Reads
    from obdesk.domain.entities import TransactionRow
    from obdesk.domain.ids import TransactionId
    from obdesk.gui.changes import Spawn
    from obdesk.gui.theme.theme import Theme

T = TypeVar("T")


class Aside(QFrame, Generic[T]):
    """What was found beside the transaction that is shown; hidden where there is nothing.

    `failed` carries a sentence when an answer could not be kept.
    """

    failed = Signal(str)

    def __init__(
        self, theme: Theme, locale: fmt.Locale, reads: Reads, commands: Commands, spawn: Spawn
    ) -> None:
        super().__init__()
        self._locale, self._reads, self._commands, self._spawn = locale, reads, commands, spawn
        self._shown: TransactionId | None = None
        self._found: T | None = None
        self._private = False
        self._other = label("", wrap=True, selectable=True)
        self._why = label("", theme.fonts.small, tone="muted", wrap=True)
        self._answers: list[QPushButton] = []
        self._buttons = QHBoxLayout()
        self._buttons.addStretch(1)
        self._lay_out(theme)
        self.hide()

    def _lay_out(self, theme: Theme) -> None:
        heading = self._heading()
        self.setAccessibleName(heading)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 10, 0, 0)
        inside.setSpacing(6)
        inside.addWidget(rule())
        inside.addWidget(label(heading, theme.fonts.strong, wrap=True))
        inside.addWidget(self._other)
        inside.addWidget(self._why)
        inside.addLayout(self._buttons)

    def _offer(self, text: str, name: str, answer: Callable[[T], Coroutine[Any, Any, object]]) -> QPushButton:
        """Put a button beside the last one; `answer` keeps what it says."""
        made = button(text, lambda: self._answer(answer), name=name)
        self._buttons.insertWidget(len(self._answers), made)
        self._answers.append(made)
        return made

    @abstractmethod
    def _heading(self) -> str:
        """Return what this is."""

    @abstractmethod
    async def _find(self, shown: TransactionId) -> T | None:
        """Read what there is beside a transaction."""

    @abstractmethod
    def _rows_of(self, found: T, shown: TransactionId) -> tuple[TransactionRow, ...]:
        """Return the other transactions."""

    @abstractmethod
    def _why_of(self, found: T) -> str:
        """Return a sentence on what was found."""

    def ask_about(self, shown: TransactionId | None) -> None:
        """Look what there is beside the transaction that is shown; None shows nothing."""
        if shown != self._shown:
            self.hide()
        self._shown = shown
        if shown is not None:
            self._spawn("transactions: aside", self._look(shown))

    def set_private(self, *, private: bool) -> None:
        """Hide the amount from onlookers, or show it again."""
        self._private = private
        if self._found is not None and self._shown is not None:
            self._show(self._found, self._shown)

    async def _look(self, shown: TransactionId) -> None:
        found = await self._find(shown)
        if shown != self._shown:
            return
        self._found = found
        if found is not None:
            self._show(found, shown)
        self.setVisible(found is not None)

    def _show(self, found: T, shown: TransactionId) -> None:
        self._other.setText("\n".join(map(self._line, self._rows_of(found, shown))))
        self._why.setText(self._why_of(found))
        for each in self._answers:
            each.setEnabled(True)

    def _line(self, row: TransactionRow) -> str:
        name = clean(row.payee) or clean(row.label)
        day = fmt.day_month_year(row.booked_on, self._locale)
        if self._private or row.amount is None:
            return f"{name}\n{day}"
        return f"{name}\n{day} · {fmt.signed_money(row.amount, self._locale)}"

    def _answer(self, answer: Callable[[T], Coroutine[Any, Any, object]]) -> None:
        if self._found is not None:
            for each in self._answers:
                each.setEnabled(False)
            self._spawn("transactions: aside answered", self._keep(self._found, answer))

    async def _keep(self, found: T, answer: Callable[[T], Coroutine[Any, Any, object]]) -> None:
        try:
            await answer(found)
        except AppError as error:
            self.failed.emit(f"{error.title}. {error.next_step}")
        if self._found is found and self._shown is not None:  # what is so now, also where it failed
            await self._look(self._shown)
