"""What the activity is made of: tables of lines, the details of a run, and cards for what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from obdesk.domain.texts import tr
from obdesk.gui.activity.changes import change_columns
from obdesk.gui.activity.delegate import LINE_H, LineDelegate
from obdesk.gui.activity.matter import way_text
from obdesk.gui.activity.model import LinesTable
from obdesk.gui.widgets.basics import Card, ElidedLabel, button, clear, label, rule
from obdesk.gui.widgets.tables import WholeTable
from obdesk.gui.widgets.tips import tip

if TYPE_CHECKING:
    from PySide6.QtCore import QModelIndex

    from obdesk.gui.activity.matter import Matter
    from obdesk.gui.activity.matters import CallsLine, QueueLine
    from obdesk.gui.activity.present import Column, Line
    from obdesk.gui.theme.theme import Theme


class LinesView(WholeTable):
    """Lines of the activity, each known by its key."""

    current = Signal(int)
    """The key of the line that the person went to."""
    opened = Signal(int)
    """The key of a line on which Enter was pressed, or that was clicked twice."""

    def __init__(self, theme: Theme, columns: tuple[Column, ...], name: str) -> None:
        self.lines = LinesTable(columns)
        stretched = next((place for place, column in enumerate(columns) if column.stretch), None)
        super().__init__(
            theme, self.lines, LineDelegate(theme), name=name, line_height=LINE_H, stretched=stretched
        )
        self.lines.setParent(self)
        self.line_opened.connect(self._open_key)
        self.selectionModel().currentRowChanged.connect(self._moved)

    def show_lines(self, lines: tuple[Line, ...]) -> None:
        """Show other lines; the one the person is on stays the current one while it is there."""
        at = self.currentIndex()
        key = self.lines.line(at.row()).key if at.isValid() else None
        self.lines.show_lines(lines)
        self.fit(len(lines))
        row = None if key is None else self.lines.row_of(key)
        if row is not None and self.currentIndex().row() != row:
            self.setCurrentIndex(self.lines.index(row, 1))

    def hide_columns(self, *places: int) -> None:
        """Leave out what a narrow page has no room for; the tooltip says it all."""
        for place in range(1, len(self.lines.columns)):
            self.setColumnHidden(place, place in places)

    def _moved(self, index: QModelIndex) -> None:
        if index.isValid():
            self.current.emit(self.lines.line(index.row()).key)

    def _open_key(self, row: int) -> None:
        self.opened.emit(self.lines.line(row).key)


class TableCard(Card):
    """A heading, a table, and a sentence where it is empty."""

    def __init__(self, theme: Theme, title: str, columns: tuple[Column, ...], nothing: str) -> None:
        super().__init__(theme, name=title)
        self.body.addWidget(label(title, theme.fonts.strong, wrap=True))
        self.table = LinesView(theme, columns, title)
        self._nothing = label(nothing, tone="muted", wrap=True)
        self.body.addWidget(self.table)
        self.body.addWidget(self._nothing)
        self.foot = QHBoxLayout()
        self.body.addLayout(self.foot)
        self.body.addStretch(1)

    def show_lines(self, lines: tuple[Line, ...]) -> None:
        """Show lines, or the sentence that there are none."""
        self.table.show_lines(lines)
        self.table.setVisible(bool(lines))
        self._nothing.setVisible(not lines)


class MattersCard(Card):
    """What is open, each with a sentence, its date, a button, and perhaps one that leaves it as it is."""

    chosen = Signal(object)
    """Matter"""
    settled = Signal(object)
    """Settles"""

    def __init__(self, theme: Theme) -> None:
        title = tr("To look at")
        super().__init__(theme, name=title)
        self._fonts = theme.fonts
        self.body.addWidget(label(title, theme.fonts.strong, wrap=True))
        self._box = QVBoxLayout()
        self._box.setSpacing(8)
        self.body.addLayout(self._box)
        self._shown: tuple[tuple[Matter, ...], str] | None = None

    def show_matters(self, matters: tuple[Matter, ...], more: str) -> None:
        """Show other matters; `more` says how many there are beyond them."""
        if (matters, more) == self._shown:
            return
        self._shown = (matters, more)
        clear(self._box)
        if not matters:
            self._box.addWidget(label(tr("The banks' data raises no question."), tone="muted", wrap=True))
        explained = ""
        for place, matter in enumerate(matters):
            if place:
                self._box.addWidget(rule())
            self._add(matter, matter.note if matter.note != explained else "")
            explained = matter.note
        if more:
            self._box.addWidget(rule())
            self._box.addWidget(label(more, tone="muted", wrap=True))

    def _add(self, matter: Matter, note: str) -> None:
        """Add a matter; what explains it is left out where the one above has said it."""
        text = label(matter.text, wrap=True)
        text.setToolTip(tip(matter.note))
        text.setAccessibleDescription(matter.note)
        self._box.addWidget(text)
        if note:
            self._box.addWidget(label(note, self._fonts.small, tone="muted", wrap=True))
        self._box.addWidget(label(matter.seen, self._fonts.small, tone="muted", wrap=True))
        self._box.addWidget(self._button(matter), alignment=Qt.AlignmentFlag.AlignLeft)
        if (settles := matter.settles) is not None:
            name = f"{settles.text}: {matter.text}"
            leave = button(settles.text, lambda: self.settled.emit(settles), kind="link", name=name)
            self._box.addWidget(leave, alignment=Qt.AlignmentFlag.AlignLeft)

    def _button(self, matter: Matter) -> QPushButton:
        text = way_text(matter.way)
        return button(text, lambda: self.chosen.emit(matter), name=f"{text}: {matter.text}")


class PairsCard(Card):
    """Names at the left, values at the right, perhaps a note below; and a sentence for none."""

    def __init__(self, theme: Theme, title: str, nothing: str) -> None:
        super().__init__(theme, name=title)
        self._fonts, self._nothing = theme.fonts, nothing
        self.body.addWidget(label(title, theme.fonts.strong, wrap=True))
        self.as_of = ElidedLabel("", theme.fonts.small, tone="muted")
        self.body.addWidget(self.as_of)
        self._grid = QGridLayout()
        self._grid.setColumnStretch(0, 1)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(6)
        self.body.addLayout(self._grid)
        self._shown: object = None

    def show_calls(self, lines: tuple[CallsLine, ...], as_of: str) -> None:
        """Show the accesses left."""
        if not self._begin(lines, as_of):
            return
        for place, line in enumerate(lines):
            row = 3 * place
            left = label(line.left, self._fonts.strong, tone=line.tone)
            left.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._grid.addWidget(ElidedLabel(line.bank), row, 0)
            self._grid.addWidget(left, row, 1)
            if line.note:
                self._grid.addWidget(
                    ElidedLabel(line.note, self._fonts.small, tone="muted"), row + 1, 0, 1, 2
                )
            if place + 1 < len(lines):
                self._grid.addWidget(rule(), row + 2, 0, 1, 2)

    def show_queue(self, lines: tuple[QueueLine, ...], as_of: str) -> None:
        """Show what runs and what waits."""
        if not self._begin(lines, as_of):
            return
        for place, line in enumerate(lines):
            row = 3 * place
            self._grid.addWidget(ElidedLabel(line.bank, self._fonts.medium), row, 0)
            self._grid.addWidget(label(line.text, self._fonts.small, tone="muted", wrap=True), row + 1, 0)
            if place + 1 < len(lines):
                self._grid.addWidget(rule(), row + 2, 0)

    def _begin(self, lines: tuple[object, ...], as_of: str) -> bool:
        self.as_of.set_whole(as_of)
        if lines == self._shown:
            return False
        self._shown = lines
        clear(self._grid)
        if not lines:
            self._grid.addWidget(label(self._nothing, tone="muted", wrap=True), 0, 0, 1, 2)
        return True


class DetailsCard(Card):
    """Everything that one run wrote down, what it changed, and taking it back."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, name=tr("Details of a run"))
        self._fonts = theme.fonts
        self._title = ElidedLabel("", theme.fonts.strong)
        self.body.addWidget(self._title)
        self._inner = QWidget()
        self.body.addWidget(self._inner)
        self._grid = QGridLayout(self._inner)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        for column in (1, 3):
            self._grid.setColumnStretch(column, 1)
        self.changes = LinesView(theme, change_columns(), tr("What the run changed"))
        self.changes.setColumnHidden(0, True)
        self._more = label("", tone="muted")
        self._why_not = label("", theme.fonts.small, tone="muted", wrap=True)
        self.revert = button(tr("Take this run back"))
        for part in (self.changes, self._more, self._why_not):
            self.body.addWidget(part)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.revert)
        self.body.addLayout(foot)
        self.show_changes((), "", "", may_revert=False)
        self._shown: object = None

    def show_changes(self, lines: tuple[Line, ...], more: str, why_not: str, *, may_revert: bool) -> None:
        """Show what the run changed, and whether it can be taken back."""
        self.changes.show_lines(lines)
        self.changes.setVisible(bool(lines))
        for part, text in ((self._more, more), (self._why_not, why_not)):
            part.setText(text)
            part.setVisible(bool(text))
        self.revert.setVisible(may_revert)

    def show_run(self, title: str, rows: tuple[tuple[str, str], ...]) -> None:
        """Show another run, its facts in two columns."""
        if (title, rows) == self._shown:
            return
        self._shown = (title, rows)
        self._title.set_whole(title)
        self.setAccessibleDescription(title)
        clear(self._grid)
        half = (len(rows) + 1) // 2
        top = Qt.AlignmentFlag.AlignTop
        for place, (name, value) in enumerate(rows):
            row, column = place % half, 2 * (place // half)
            self._grid.addWidget(label(name, tone="muted"), row, column, top)
            self._grid.addWidget(label(value, wrap=True, selectable=True), row, column + 1, top)
