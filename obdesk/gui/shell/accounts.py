"""What a person changes about an account: its name, and whether it counts in net worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from obdesk.domain.texts import tr
from obdesk.gui.widgets.basics import label

if TYPE_CHECKING:
    from obdesk.domain.ids import AccountId
    from obdesk.gui.shell.feed import FrameFeed
    from obdesk.gui.shell.window import MainWindow
    from obdesk.gui.theme.theme import Theme

LENGTH_MAX = 80


class RenameDialog(QDialog):
    """Asks for the person's own name of an account; nothing typed means the bank's name again."""

    named = Signal(str)

    def __init__(self, theme: Theme, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Rename account"))
        self.setMinimumWidth(400)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(24, 20, 24, 16)
        inside.setSpacing(10)
        inside.addWidget(label(tr("Rename account"), theme.fonts.section))
        words = tr("Only you see this name. Leave it empty for the bank's own name.")
        inside.addWidget(label(words, tone="muted", wrap=True))
        self.line = QLineEdit(name)
        self.line.setMaxLength(LENGTH_MAX)
        self.line.setAccessibleName(tr("Name of the account"))
        self.line.selectAll()
        inside.addWidget(self.line)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton(tr("Rename"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setDefault(True)
        inside.addWidget(self.buttons)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.accepted.connect(lambda: self.named.emit(self.line.text().strip()))
        self.line.setFocus()


class AccountChanges(QObject):
    """Carries out what the sidebar's menu of an account asks for; the window owns it."""

    def __init__(self, window: MainWindow, feed: FrameFeed) -> None:
        super().__init__(window)
        self._window, self._feed = window, feed
        window.sidebar.accounts.rename_wanted.connect(self._rename)
        window.sidebar.accounts.counting_wanted.connect(feed.count_in_net_worth)
        window.sidebar.accounts.important_wanted.connect(feed.mark_important)

    def _rename(self, account_id: AccountId) -> None:
        name = next((each.name for each in self._feed.accounts if each.id == account_id), "")
        dialog = RenameDialog(self._window.theme, name, self._window)
        dialog.named.connect(lambda typed: self._feed.rename(account_id, typed))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
