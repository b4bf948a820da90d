"""The locked page: title, cause, what happens next, and the ways out with their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from obdesk.app.interface import WayIn
from obdesk.domain.texts import tr
from obdesk.gui.lock.present import fault_of, ordered, words_of
from obdesk.gui.widgets.basics import Card, button, label, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QPushButton

    from obdesk.domain.errors import ObdeskError
    from obdesk.gui.lock.present import WayWords
    from obdesk.gui.theme.theme import Theme

WIDTH = 520


class SecretField(QWidget):
    """One or two hidden lines with the button that uses them."""

    entered = Signal(str)

    def __init__(self, theme: Theme, words: WayWords, *, primary: bool) -> None:
        super().__init__()
        self._way = words.way
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(8)
        inside.addWidget(label(words.asks, theme.fonts.strong))
        self.line = self._line(words.asks)
        inside.addWidget(self.line)
        self.again = self._line(tr("The same once more"))
        self.again.setVisible(words.way is WayIn.NEW_PASSPHRASE)
        inside.addWidget(self.again)
        if words.hint:
            inside.addWidget(label(words.hint, theme.fonts.small, tone="muted", wrap=True))
        self.fault = label("", theme.fonts.small, tone="danger", wrap=True)
        self.fault.hide()
        inside.addWidget(self.fault)
        row = QHBoxLayout()
        self.use = button(words.verb, self.submit, kind="primary" if primary else "")
        self.show_text = QCheckBox(tr("Show"))
        self.show_text.toggled.connect(self._reveal)
        row.addWidget(self.use)
        row.addWidget(self.show_text)
        row.addStretch(1)
        inside.addLayout(row)
        self.setFocusProxy(self.line)

    def _line(self, name: str) -> QLineEdit:
        line = QLineEdit()
        line.setEchoMode(QLineEdit.EchoMode.Password)
        line.setAccessibleName(name)
        line.setPlaceholderText(name)
        line.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)
        line.returnPressed.connect(self.submit)
        return line

    def submit(self) -> None:
        """Hand over what was typed, and forget it here."""
        typed = self.line.text()
        wrong = fault_of(self._way, typed, self.again.text())
        self.fault.setText(wrong)
        self.fault.setVisible(bool(wrong))
        if not wrong:
            self.line.clear()
            self.again.clear()
            self.entered.emit(typed)

    def _reveal(self, on: bool) -> None:  # noqa: FBT001 - a slot of QCheckBox.toggled
        mode = QLineEdit.EchoMode.Normal if on else QLineEdit.EchoMode.Password
        self.line.setEchoMode(mode)
        self.again.setEchoMode(mode)


class LockPage(QWidget):
    """`chosen(WayIn, str)` with the secret where the way needs one, `quitWanted()`."""

    chosen = Signal(object, str)
    quitWanted = Signal()

    def __init__(self, theme: Theme, error: ObdeskError, ways: Sequence[WayIn]) -> None:
        super().__init__()
        self.setObjectName("content")
        self.setAccessibleName(error.title)
        self.fields: dict[WayIn, SecretField] = {}
        self.buttons: dict[WayIn, QPushButton] = {}
        card = Card(theme, edge="warning", name=error.title)
        card.setFixedWidth(WIDTH)
        card.body.setContentsMargins(28, 24, 28, 24)
        card.body.setSpacing(12)
        head = QHBoxLayout()
        head.setSpacing(12)
        picture = QLabel()
        picture.setPixmap(theme.icon("lock", "warning").pixmap(QSize(28, 28)))
        head.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(label(error.title, theme.fonts.title, wrap=True), 1)
        card.body.addLayout(head)
        card.body.addWidget(label(error.cause, theme.fonts.base, tone="muted", wrap=True))
        card.body.addWidget(label(error.next_step, theme.fonts.base, wrap=True))
        for number, way in enumerate(ordered(ways, error)):
            card.body.addWidget(rule())
            card.body.addWidget(self._offer(theme, way, error, primary=number == 0))
        card.body.addWidget(rule())
        leave = button(tr("Quit"), self.quitWanted.emit, kind="ghost")
        card.body.addWidget(leave, 0, Qt.AlignmentFlag.AlignLeft)
        # Stretches at both sides and no alignment: only so the card is as high as its wrapped lines need.
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(card)
        middle.addStretch(1)
        outside = QVBoxLayout(self)
        outside.addStretch(2)
        outside.addLayout(middle)
        outside.addSpacing(10)
        kept = label(tr("Nothing was deleted or changed."), theme.fonts.base, tone="muted")
        outside.addWidget(kept, 0, Qt.AlignmentFlag.AlignHCenter)
        outside.addStretch(3)

    def _offer(self, theme: Theme, way: WayIn, error: ObdeskError, *, primary: bool) -> QWidget:
        words = words_of(way, error)
        if words.asks:
            field = SecretField(theme, words, primary=primary)
            field.entered.connect(lambda secret: self.chosen.emit(way, secret))
            self.fields[way] = field
            offered: QWidget = field
        else:
            plain = button(words.verb, lambda: self.chosen.emit(way, ""), kind="primary" if primary else "")
            self.buttons[way] = plain
            offered = QWidget()
            row = QHBoxLayout(offered)
            row.setContentsMargins(0, 0, 0, 0)
            row.addWidget(plain)
            row.addStretch(1)
        if primary:
            self.setFocusProxy(self.fields[way] if words.asks else self.buttons[way])
        return offered
