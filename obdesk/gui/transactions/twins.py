"""Beside a transaction that may be one with another: what speaks for it, and the person's two answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from obdesk.domain.errors import AppError
from obdesk.domain.suggestions import why_text
from obdesk.domain.texts import tr
from obdesk.gui import format as fmt
from obdesk.gui.format import clean
from obdesk.gui.widgets.basics import button, label, rule

if TYPE_CHECKING:
    from obdesk.app.interface import Commands, Reads
    from obdesk.domain.entities import TransactionRow
    from obdesk.domain.ids import TransactionId
    from obdesk.domain.suggestions import Suggestion
    from obdesk.gui.changes import Spawn
    from obdesk.gui.theme.theme import Theme


class Twin(QFrame):
    """The likeliest other half of the transaction that is shown; hidden where there is none.

    `failed` carries a sentence when an answer could not be kept.
    """

    failed = Signal(str)

    def __init__(
        self, theme: Theme, locale: fmt.Locale, reads: Reads, commands: Commands, spawn: Spawn
    ) -> None:
        super().__init__()
        self._locale, self._reads, self._commands, self._spawn = locale, reads, commands, spawn
        self._shown: TransactionId | None = None
        self._suggestion: Suggestion | None = None
        self._private = False
        fonts = theme.fonts
        self._other = label("", wrap=True, selectable=True)
        self._why = label("", fonts.small, tone="muted", wrap=True)
        self._one = button(tr("It is one"), self._accept, name=tr("These two are one transaction"))
        self._two = button(tr("They are two"), self._refuse, name=tr("These two are different transactions"))
        self.setAccessibleName(tr("Perhaps the same transaction"))
        buttons = QHBoxLayout()
        buttons.addWidget(self._one)
        buttons.addWidget(self._two)
        buttons.addStretch(1)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 10, 0, 0)
        inside.setSpacing(6)
        inside.addWidget(rule())
        inside.addWidget(label(tr("Perhaps the same transaction"), fonts.strong, wrap=True))
        inside.addWidget(self._other)
        inside.addWidget(self._why)
        inside.addLayout(buttons)
        self.hide()

    def ask_about(self, shown: TransactionId | None) -> None:
        """Look whether the transaction that is shown may be one with another; None shows nothing."""
        if shown != self._shown:
            self.hide()
        self._shown = shown
        if shown is not None:
            self._spawn("transactions: twin", self._look(shown))

    def set_private(self, *, private: bool) -> None:
        """Hide the amount from onlookers, or show it again."""
        self._private = private
        if self._suggestion is not None and self._shown is not None:
            self._show(self._suggestion, self._shown)

    async def _look(self, shown: TransactionId) -> None:
        found = await self._reads.suggestions(shown)
        if shown != self._shown:
            return
        self._suggestion = found[0] if found else None
        if self._suggestion is not None:
            self._show(self._suggestion, shown)
        self.setVisible(self._suggestion is not None)

    def _show(self, suggestion: Suggestion, shown: TransactionId) -> None:
        other = suggestion.kept if suggestion.other.id == shown else suggestion.other
        self._other.setText(self._line(other))
        self._why.setText(
            tr("What speaks for it: {why}. {score} of 100.", why=why_text(suggestion), score=suggestion.score)
        )
        for each in (self._one, self._two):
            each.setEnabled(True)

    def _line(self, row: TransactionRow) -> str:
        name = clean(row.payee) or clean(row.label)
        day = fmt.day_month_year(row.booked_on, self._locale)
        if self._private or row.amount is None:
            return f"{name}\n{day}"
        return f"{name}\n{day} · {fmt.signed_money(row.amount, self._locale)}"

    def _accept(self) -> None:
        self._answer(same=True)

    def _refuse(self) -> None:
        self._answer(same=False)

    def _answer(self, *, same: bool) -> None:
        if self._suggestion is not None:
            for each in (self._one, self._two):
                each.setEnabled(False)
            self._spawn("transactions: twin answered", self._keep(self._suggestion, same=same))

    async def _keep(self, suggestion: Suggestion, *, same: bool) -> None:
        try:
            if same:
                await self._commands.accept_suggestion(suggestion.id)
            else:
                await self._commands.refuse_suggestion(suggestion.id)
        except AppError as error:
            self.failed.emit(f"{error.title}. {error.next_step}")
        if self._suggestion is suggestion:
            self._suggestion = None
            self.hide()
