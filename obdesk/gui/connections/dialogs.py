"""Ending a link: what happens to what, and a typed word before anything is erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from obdesk.domain.filters import fold
from obdesk.domain.texts import tr, trn
from obdesk.gui.widgets.basics import label

if TYPE_CHECKING:
    from obdesk.gui.theme.theme import Theme


class RemoveDialog(QDialog):
    """Asks whether the history stays; erasing wants the bank's name typed, since it cannot be undone."""

    confirmed = Signal(bool)
    """Whether the history is kept."""

    def __init__(self, theme: Theme, bank: str, accounts: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._bank = bank
        title = tr("Remove {bank}?", bank=bank)
        self.setWindowTitle(title)
        self.setMinimumWidth(460)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(24, 20, 24, 16)
        inside.setSpacing(10)
        inside.addWidget(label(title, theme.fonts.section, wrap=True))
        what = trn(
            "The link ends and the aggregator forgets its access to {n} account. "
            "Nothing changes at the bank itself.",
            "The link ends and the aggregator forgets its access to {n} accounts. "
            "Nothing changes at the bank itself.",
            accounts,
        )
        inside.addWidget(label(what, tone="muted", wrap=True))
        self.keep = QRadioButton(tr("Keep the history here"))
        self.keep.setChecked(True)
        self.erase = QRadioButton(tr("Erase everything of this bank here as well"))
        self._choice = QButtonGroup(self)
        keeps = label(
            tr("Its accounts become closed ones; transactions, notes and categories stay."),
            tone="muted",
            wrap=True,
        )
        erases = label(tr("This cannot be undone. The bank keeps its own records."), tone="muted", wrap=True)
        for choice, words in ((self.keep, keeps), (self.erase, erases)):
            self._choice.addButton(choice)
            choice.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
            inside.addWidget(choice)
            words.setContentsMargins(26, 0, 0, 4)
            inside.addWidget(words)
        self._ask = label(tr("To erase, type the bank's name: {bank}", bank=bank), wrap=True)
        self.typed = QLineEdit()
        self.typed.setAccessibleName(self._ask.text())
        inside.addWidget(self._ask)
        inside.addWidget(self.typed)
        self.buttons = QDialogButtonBox()
        self.go = self.buttons.addButton(tr("Remove"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setAutoDefault(False)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel).setDefault(True)
        inside.addSpacing(4)
        inside.addWidget(self.buttons)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        self.erase.toggled.connect(lambda _on: self._follow())
        self.typed.textChanged.connect(lambda _text: self._follow())
        self._follow()

    def _follow(self) -> None:
        erase = self.erase.isChecked()
        self._ask.setVisible(erase)
        self.typed.setVisible(erase)
        typed_right = fold(self.typed.text()).strip() == fold(self._bank).strip()
        self.go.setEnabled(not erase or typed_right)
        self.go.setText(tr("Remove and erase") if erase else tr("Remove"))
        self.go.setProperty("kind", "danger" if erase else "")
        self.go.style().unpolish(self.go)
        self.go.style().polish(self.go)

    def _accept(self) -> None:
        self.confirmed.emit(self.keep.isChecked())
        self.accept()
