"""The panel beside the list: one transaction in full, or what several have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import (
    QCompleter,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from obdesk.domain.entities import TransactionState
from obdesk.domain.texts import tr
from obdesk.gui import format as fmt
from obdesk.gui.format import clean
from obdesk.gui.transactions.facts import as_of, bank_facts, history_facts
from obdesk.gui.widgets.basics import Pill, label, retone, rule
from obdesk.gui.widgets.money import MoneyLabel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from PySide6.QtGui import QFocusEvent, QKeyEvent

    from obdesk.domain.entities import TransactionDetail
    from obdesk.gui.theme.theme import Theme
    from obdesk.gui.transactions.facts import Fact

WIDTH = 320
_NOTE_MAX = 2_000


class Field(QLineEdit):
    """A line of the person's own words: kept on Enter and on leaving, put back on Escape."""

    committed = Signal(str)
    left = Signal()
    settled = Signal()

    def __init__(self, name: str, hint: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setPlaceholderText(hint)
        self.setMaxLength(_NOTE_MAX)
        self._kept = self._sent = ""

    def keep(self, text: str) -> None:
        """Show what is stored."""
        self._kept = text
        self.setText(text)
        self.setCursorPosition(0)

    def take_back(self, stored: str) -> None:
        """Show again what could not be kept, so that nobody has to type it twice."""
        if self._sent:
            self._kept = stored
            self.setText(self._sent)

    @property
    def typing(self) -> bool:
        """Tell whether something is typed that is not kept yet."""
        return self.hasFocus() and self.text().strip() != self._kept

    def begin(self) -> None:
        """Take the keyboard with everything selected, and offer what there is to choose from."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()
        completer: QCompleter | None = self.completer()
        if completer is not None:
            completer.setCompletionPrefix("")
            completer.complete()

    def commit(self) -> None:
        """Keep what was typed, if it is anything new."""
        typed = self.text().strip()
        if typed != self._kept:
            self._kept = self._sent = typed
            self.committed.emit(typed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Override QLineEdit.keyPressEvent."""
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.commit()
                self.left.emit()
            case Qt.Key.Key_Escape:
                self.setText(self._kept)
                self.left.emit()
            case _:
                super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Override QLineEdit.focusOutEvent: a completer's list is not leaving."""
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self.commit()
            self.settled.emit()


class FactGrid(QWidget):
    """Labels and texts in two columns; its rows are made once and used again."""

    def __init__(self, theme: Theme, label_width: int) -> None:
        super().__init__()
        self._theme = theme
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnMinimumWidth(0, label_width)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[QLabel, QLabel]] = []

    def show_facts(self, facts: Sequence[Fact]) -> None:
        """Show some lines in place of those before."""
        while len(self._rows) < len(facts):
            self._add_row()
        for place, (name, text) in enumerate(self._rows):
            used = place < len(facts)
            name.setVisible(used)
            text.setVisible(used)
            if used:
                fact = facts[place]
                name.setText(fact.label)
                text.setText(fact.text)
                text.setToolTip(fact.whole)
                text.setAccessibleName(f"{fact.label}: {fact.text}")

    def _add_row(self) -> None:
        small = self._theme.fonts.small
        name, text = label("", small, tone="muted"), label("", small, wrap=True, selectable=True)
        row = len(self._rows)
        top = Qt.AlignmentFlag.AlignTop
        self._grid.addWidget(name, row, 0, top)
        self._grid.addWidget(text, row, 1, top)
        self._rows.append((name, text))


class Inspector(QFrame):
    """What is selected; `note_given` and `category_given` carry what the person wrote."""

    note_given = Signal(object, str)
    category_given = Signal(object, str)
    closed = Signal()
    left = Signal()
    settled = Signal()
    """Nothing is being typed any more: what is selected now may be shown."""

    def __init__(self, theme: Theme, locale: fmt.Locale, beside: Sequence[QWidget]) -> None:
        super().__init__()
        self._theme, self._locale, self._beside = theme, locale, beside
        self._target: tuple[int, ...] = ()
        self._wish: Field | None = None
        self._failed = False
        self.setObjectName("inspector")
        self.setAccessibleName(tr("Inspector"))
        self.setMinimumWidth(260)
        self._make_parts()
        self._lay_out()
        self.show_nothing()

    def _make_parts(self) -> None:
        fonts = self._theme.fonts
        self._above = label("", tone="muted", wrap=True)
        self._payee = label("", fonts.section, wrap=True, selectable=True)
        self._amount = MoneyLabel("", fonts.title)
        self._amount.setAlignment(Qt.AlignmentFlag.AlignLeft)
        self._age = label("", fonts.small, tone="muted", wrap=True)
        self._pending = Pill(self._theme, tr("Pending · not in booked balance"), "info")
        self._category_name = label(tr("Category"), fonts.small, tone="muted")
        self._category = Field(tr("Category"), tr("as the bank says"))
        self._words = QStringListModel(self)
        completer = QCompleter(self._words, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.activated.connect(lambda _text: self._category.commit())
        self._category.setCompleter(completer)
        self._note_name = label(tr("Note"), fonts.small, tone="muted")
        self._note = Field(tr("Note"), tr("only for you, never sent"))
        self._trouble = label("", fonts.small, tone="danger", wrap=True)
        self._bank, self._history = FactGrid(self._theme, 104), FactGrid(self._theme, 104)
        self._note.committed.connect(lambda text: self.note_given.emit(self._target, text))
        self._category.committed.connect(lambda text: self.category_given.emit(self._target, text))
        for field in (self._note, self._category):
            field.left.connect(self.left)
            field.settled.connect(self.settled)

    def _lay_out(self) -> None:
        close = QToolButton()
        close.setIcon(self._theme.icon("x", "ink_muted"))
        close.setToolTip(tr("Close the inspector (Space)"))
        close.setAccessibleName(tr("Close the inspector"))
        close.clicked.connect(self.closed)
        top = QHBoxLayout()
        top.addWidget(self._above, 1)
        top.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        inside = QWidget()
        inside.setObjectName("inspector-body")
        body = QVBoxLayout(inside)
        body.setContentsMargins(18, 12, 14, 18)
        body.setSpacing(4)
        body.addLayout(top)
        for part in (self._payee, self._amount, self._age, self._pending):
            body.addWidget(part)
        body.addSpacing(8)
        for field in (self._category_name, self._category, self._note_name, self._note, self._trouble):
            body.addWidget(field)
        for aside in self._beside:
            body.addWidget(aside)
        fonts = self._theme.fonts
        self._parts = QWidget()
        parts = QVBoxLayout(self._parts)
        parts.setContentsMargins(0, 10, 0, 0)
        parts.setSpacing(10)
        for heading, grid in ((tr("From your bank"), self._bank), (tr("History"), self._history)):
            parts.addWidget(rule())
            parts.addWidget(label(heading, fonts.strong))
            parts.addWidget(grid)
        body.addWidget(self._parts)
        body.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)

    def set_categories(self, categories: Sequence[str]) -> None:
        """Offer these while the person types a category."""
        self._words.setStringList(list(categories))

    def set_private(self, *, private: bool) -> None:
        """Hide the amount from onlookers, or show it again."""
        self._amount.set_private(private=private)

    @property
    def typing(self) -> bool:
        """Tell whether the person is writing: then the panel stays with what they write about."""
        return self._note.typing or self._category.typing

    def show_nothing(self) -> None:
        """Say how to fill the panel."""
        if self.typing:
            return
        self._aim(())
        self._wish = None
        self._above.setText(tr("Select a transaction to see all that is known of it."))
        self._show_parts(one=False, some=False)

    def show_one(self, detail: TransactionDetail, now: datetime) -> None:
        """Show one transaction in full."""
        if self.typing:
            return
        row = detail.row
        again = self._aim((row.id,))
        self._above.setText(clean(row.account_name))
        self._payee.setText(clean(row.payee) or clean(row.label))
        income = row.amount is not None and row.amount.amount_minor > 0
        text = fmt.DASH if row.amount is None else fmt.signed_money(row.amount, self._locale)
        self._amount.set_amount(text, tone="income" if income else "")
        self._age.setText(as_of(detail, now, self._locale))
        self._category.keep(row.category)
        self._note.keep(detail.note)
        if again and self._failed:
            self._note.take_back(detail.note)
        self._bank.show_facts(bank_facts(detail, now, self._locale))
        self._history.show_facts(history_facts(detail, now, self._locale))
        self._show_parts(one=True, some=True)
        self._pending.setVisible(row.state is TransactionState.PENDING)
        self._grant_wish()

    def show_many(self, ids: Sequence[int], sentence: str, sums: str, age: str) -> None:
        """Show what several transactions add up to."""
        if self.typing:
            return
        self._aim(tuple(ids))
        self._above.setText(sentence)
        self._amount.set_amount(sums, tone="")
        self._age.setText(age)
        self._category.keep("")
        self._show_parts(one=False, some=True)
        self._grant_wish()

    def _show_parts(self, *, one: bool, some: bool) -> None:
        alone: tuple[QWidget, ...] = (self._payee, self._note_name, self._note, self._parts)
        for widget in alone:
            widget.setVisible(one)
        shown: tuple[QWidget, ...] = (self._amount, self._age, self._category_name, self._category)
        for widget in shown:
            widget.setVisible(some)
        self._pending.hide()
        self._category.setPlaceholderText(tr("as the bank says") if one else tr("for all of them"))

    def _aim(self, ids: tuple[int, ...]) -> bool:
        """Take what is shown as what is written about; tell whether it is the same as before."""
        if ids == self._target:
            return True
        self._target = ids
        self._failed = False
        self.show_trouble("")
        return False

    def show_trouble(self, sentence: str, *, tone: str = "danger") -> None:
        """Say why something was not kept, or how far a longer edit is."""
        self._failed = tone == "danger" and bool(sentence)
        retone(self._trouble, tone)
        self._trouble.setText(sentence)
        self._trouble.setVisible(bool(sentence))

    def edit_note(self, ids: Sequence[int]) -> None:
        """Take the keyboard for the note on one transaction, as soon as it is the one that is shown."""
        self._edit(self._note, ids)

    def edit_category(self, ids: Sequence[int]) -> None:
        """Take the keyboard for the category of some transactions, as soon as they are those shown."""
        self._edit(self._category, ids)

    def _edit(self, field: Field, ids: Sequence[int]) -> None:
        if self._target != tuple(ids):
            self._wish = field
        elif field.isVisibleTo(self):
            field.begin()

    def _grant_wish(self) -> None:
        wish, self._wish = self._wish, None
        if wish is not None and wish.isVisibleTo(self):
            wish.begin()
