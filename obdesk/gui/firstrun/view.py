"""The first run: three equal cards, what leaves this computer, and the language."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from obdesk.app.profile import profile_of
from obdesk.domain.errors import AppError
from obdesk.domain.texts import tr
from obdesk.gui.firstrun.present import Way, cards, place_of, what_leaves
from obdesk.gui.widgets.basics import Card, button, label

if TYPE_CHECKING:
    from obdesk.gui.firstrun.present import WayCard
    from obdesk.gui.theme.theme import Theme

CARD_WIDTH = 308
_LANGUAGES = (("system", "System"), ("en", "English"), ("fr", "Français"))


class WayPanel(Card):
    """One way in: icon, title, two lines, one button."""

    def __init__(self, theme: Theme, card: WayCard, *, primary: bool) -> None:
        super().__init__(theme, name=card.title)
        self.setFixedWidth(CARD_WIDTH)
        self.setMinimumHeight(238)
        self.body.setContentsMargins(24, 24, 24, 24)
        self.body.setSpacing(12)
        badge = QLabel()
        badge.setProperty("role", "badge")
        badge.setFixedSize(40, 40)
        badge.setAlignment(Qt.AlignmentFlag.AlignCenter)
        badge.setPixmap(theme.icon(card.icon, "accent").pixmap(QSize(20, 20)))
        self.body.addWidget(badge)
        self.body.addWidget(label(card.title, theme.fonts.section))
        words = label(card.words, theme.fonts.base, tone="muted", wrap=True)
        words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.body.addWidget(words, 1)
        self.verb: QPushButton = button(card.verb, kind="primary" if primary else "")
        self.body.addWidget(self.verb, 0, Qt.AlignmentFlag.AlignLeft)


class FirstRunPage(QScrollArea):
    """Give it to the window as a page.

    `connectWanted()`, `openWanted(Path, str)` with data folder and profile, `demoWanted()`,
    `languageWanted(str)`.
    """

    connectWanted = Signal()
    openWanted = Signal(object, str)
    demoWanted = Signal()
    languageWanted = Signal(str)

    def __init__(self, theme: Theme, chosen_language: str = "system") -> None:
        super().__init__()
        self._theme = theme
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(tr("Welcome"))
        inner = QWidget()
        inner.setObjectName("content")
        self.setWidget(inner)
        column = QVBoxLayout(inner)
        column.setContentsMargins(24, 32, 24, 32)
        column.setSpacing(8)
        column.addStretch(2)
        column.addWidget(_centred(label(tr("All your accounts, on your own computer"), theme.fonts.headline)))
        promise = tr("Encrypted here, read-only at the bank, and every number says how old it is.")
        column.addWidget(_centred(label(promise, theme.fonts.base, tone="muted", wrap=True)))
        column.addSpacing(24)
        self.panels: dict[Way, WayPanel] = {}
        column.addLayout(self._cards())
        self._note = _centred(label("", theme.fonts.base, tone="warning", wrap=True))
        self._note.hide()
        column.addWidget(self._note)
        column.addSpacing(16)
        column.addLayout(self._foot(chosen_language))
        self.fold = self._leaves()
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(self.fold)
        middle.addStretch(1)
        column.addLayout(middle)
        column.addStretch(3)
        self.setFocusProxy(self.panels[Way.CONNECT].verb)

    def _cards(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(18)
        row.addStretch(1)
        for card in cards():
            panel = WayPanel(self._theme, card, primary=card.way is Way.CONNECT)
            panel.verb.clicked.connect(lambda _on=False, way=card.way: self._go(way))
            self.panels[card.way] = panel
            row.addWidget(panel)
        row.addStretch(1)
        return row

    def _foot(self, chosen_language: str) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(16)
        self.leaves = button(tr("What leaves this computer?"), self._unfold, kind="ghost")
        self.leaves.setCheckable(True)
        self.language = QComboBox()
        self.language.setAccessibleName(tr("Language"))
        for code, name in _LANGUAGES:
            self.language.addItem(tr("System") if code == "system" else name, code)
        self.language.setCurrentIndex(max(0, self.language.findData(chosen_language)))
        self.language.activated.connect(
            lambda _index: self.languageWanted.emit(str(self.language.currentData()))
        )
        row.addStretch(1)
        row.addWidget(self.leaves)
        row.addWidget(label(tr("Language"), tone="muted"))
        row.addWidget(self.language)
        row.addStretch(1)
        return row

    def _leaves(self) -> QWidget:
        fold = Card(self._theme, name=tr("What leaves this computer?"))
        fold.setFixedWidth(CARD_WIDTH * 2)
        for title, words in what_leaves():
            fold.body.addWidget(label(title, self._theme.fonts.strong))
            fold.body.addWidget(label(words, self._theme.fonts.base, tone="muted", wrap=True))
        fold.hide()
        return fold

    def _unfold(self) -> None:
        self.fold.setVisible(not self.fold.isVisible())
        self.leaves.setChecked(self.fold.isVisible())
        if self.fold.isVisible():
            self.ensureWidgetVisible(self.fold)

    def _go(self, way: Way) -> None:
        match way:
            case Way.CONNECT:
                self.connectWanted.emit()
            case Way.OPEN:
                self._choose_folder()
            case Way.LOOK_AROUND:
                self.demoWanted.emit()

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, tr("The folder with your data"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(lambda chosen: self.open_folder(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def open_folder(self, folder: Path) -> None:
        """Go on with a folder, or say that there is no data in it."""
        place = place_of(folder)
        if place is None:
            self._note.setText(tr("There is no data of obdesk in {folder}.", folder=folder))
            self._note.show()
            return
        try:
            profile_of(*place)
        except AppError as error:
            self._note.setText(f"{error.title}. {error.cause}")
            self._note.show()
            return
        self._note.hide()
        self.openWanted.emit(*place)


def _centred(words: QLabel) -> QLabel:
    words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    return words
