"""The right side: one calm page per stage of the flow, round the embedded browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from obdesk.domain.texts import tr
from obdesk.gui.linking.present import facts_of, title_of
from obdesk.gui.widgets.avatar import Avatar
from obdesk.gui.widgets.basics import button, label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from obdesk.gui.linking.stages import Target
    from obdesk.gui.theme.theme import Theme

WIDTH = 520
Button = tuple[str, "Callable[[], object]", str]


class Page(QWidget):
    """A column in the middle: a head, paragraphs, and a row of buttons."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("surface")
        self._column = QWidget()
        self._column.setFixedWidth(WIDTH)
        self.body = QVBoxLayout(self._column)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(14)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(12, 24, 12, 24)
        # Stretches at both sides and no alignment: only so the column is as high as its lines need.
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(self._column)
        middle.addStretch(1)
        outside.addStretch(2)
        outside.addLayout(middle)
        outside.addStretch(3)

    def head(self, title: str, bank: str = "", color: str = "", icon: str = "", tint: str = "accent") -> None:
        """Add the first line, with a bank's monogram or an icon."""
        row = QHBoxLayout()
        row.setSpacing(12)
        if bank:
            row.addWidget(Avatar(self._theme, bank, color, 36))
        elif icon:
            picture = QLabel()
            picture.setPixmap(self._theme.icon(icon, tint).pixmap(QSize(28, 28)))
            row.addWidget(picture)
        row.addWidget(label(title, self._theme.fonts.title, wrap=True), 1)
        self.body.addLayout(row)
        self.setAccessibleName(title)

    def say(self, sentence: str, tone: str = "") -> QLabel:
        """Add a paragraph."""
        words = label(sentence, self._theme.fonts.base, tone=tone, wrap=True)
        self.body.addWidget(words)
        return words

    def offer(self, buttons: Sequence[Button]) -> None:
        """Add the buttons; the first is the one that Enter presses."""
        row = QHBoxLayout()
        row.setSpacing(8)
        made = [button(text, on_click, kind=kind) for text, on_click, kind in buttons]
        for each in made:
            row.addWidget(each)
        row.addStretch(1)
        self.body.addSpacing(4)
        self.body.addLayout(row)
        if made:
            made[0].setDefault(True)
            made[0].setAutoDefault(True)
            self.setFocusProxy(made[0])


def welcome_page(theme: Theme) -> Page:
    """Return the page beside the list before a bank is chosen."""
    page = Page(theme)
    page.head(tr("Choose your bank"), icon="bank")
    page.say(
        tr("Type a few letters of its name on the left. Before anything is opened you read what you allow."),
        "muted",
    )
    return page


def explain_page(theme: Theme, target: Target, color: str, warning: str, buttons: Sequence[Button]) -> Page:
    """Return who asks, what for, how long and how to end it; `warning` says why the browser comes first."""
    page = Page(theme)
    page.head(title_of(target), bank=target.bank, color=color)
    for icon, question, answer in facts_of(target):
        row = QHBoxLayout()
        row.setSpacing(12)
        picture = QLabel()
        picture.setPixmap(theme.icon(icon, "accent").pixmap(QSize(20, 20)))
        row.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(question, theme.fonts.strong))
        words.addWidget(label(answer, theme.fonts.base, tone="muted", wrap=True))
        row.addLayout(words, 1)
        page.body.addLayout(row)
    if warning:
        note = QFrame()
        note.setProperty("role", "note")
        inside = QVBoxLayout(note)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(label(warning, theme.fonts.base, tone="warning", wrap=True))
        page.body.addWidget(note)
    page.offer(buttons)
    return page


def waiting_page(theme: Theme, title: str, sentence: str, buttons: Sequence[Button]) -> Page:
    """Return a page for a moment of waiting that can be given up."""
    page = Page(theme)
    page.head(title, icon="hourglass-medium", tint="info")
    page.say(sentence, "muted")
    page.offer(buttons)
    return page


def end_page(theme: Theme, title: str, sentence: str, *, good: bool, buttons: Sequence[Button]) -> Page:
    """Return how it ended, in one sentence, and what can be done next."""
    page = Page(theme)
    icon, tint = ("check-circle", "accent") if good else ("info", "warning")
    page.head(title, icon=icon, tint=tint)
    page.say(sentence)
    page.offer(buttons)
    return page


class BrowserBar(QFrame):
    """The head of the embedded page: where it is, and the two ways out that are always there."""

    browserWanted = Signal()
    cancelled = Signal()

    def __init__(self, theme: Theme, address: QWidget) -> None:
        super().__init__()
        self.setProperty("role", "toolbar")
        inside = QHBoxLayout(self)
        inside.setContentsMargins(16, 6, 10, 6)
        inside.setSpacing(8)
        inside.addWidget(address, 1)
        self.browser = button(tr("Continue in my browser"), self.browserWanted.emit)
        self.cancel = button(tr("Cancel"), self.cancelled.emit, kind="ghost")
        inside.addWidget(self.browser)
        inside.addWidget(self.cancel)
        self.setMinimumHeight(44)
        del theme


class StepLine(QFrame):
    """The line at the foot: which step it is, and what the page was told no about."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("role", "statusbar")
        self._glyph = QLabel()
        self._glyph.setPixmap(theme.icon("circle-half", "info").pixmap(QSize(14, 14)))
        self._words = label("", theme.fonts.base, tone="muted", wrap=True)
        self._clock = label("", theme.fonts.base, tone="muted")
        inside = QHBoxLayout(self)
        inside.setContentsMargins(16, 8, 16, 8)
        inside.setSpacing(8)
        inside.addWidget(self._glyph)
        inside.addWidget(self._words, 1)
        inside.addWidget(self._clock)
        self.setMinimumHeight(44)

    @property
    def words(self) -> str:
        """What the line says."""
        return self._words.text()

    def say(self, words: str, clock: str = "") -> None:
        """Show the step and, while an attempt is open, the time it has left."""
        self._words.setText(words)
        self._clock.setText(clock)
        self.setAccessibleName(words)
