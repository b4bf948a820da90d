"""One bank as a card: how it stands, both clocks, its runs, and the buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from obdesk.domain.errors import Action
from obdesk.domain.texts import tr
from obdesk.gui.widgets.avatar import Avatar
from obdesk.gui.widgets.basics import Card, ElidedLabel, button, label, retone, rule
from obdesk.gui.widgets.glyph import StatusGlyph
from obdesk.gui.widgets.runs import ConsentBar, RunSquares

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from obdesk.gui.connections.present import CardValues
    from obdesk.gui.theme.theme import Theme

NARROW_BELOW = 700


class ConnectionCard(Card):
    """A card that is drawn anew when its values change; an open fold stays open."""

    acted = Signal(object)
    """Action"""
    refreshed = Signal()
    renewed = Signal()
    paused = Signal(bool)
    removed = Signal()

    def __init__(self, theme: Theme, values: CardValues, report: str) -> None:
        super().__init__(theme, name=values.bank)
        self._theme_, self.values, self._report = theme, values, report
        self._open = False
        self._narrow = False
        self._draw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Override QFrame.resizeEvent: where there is little room the buttons go below the words."""
        super().resizeEvent(event)
        narrow = self.width() < NARROW_BELOW
        if narrow != self._narrow:
            self._narrow = narrow
            self._draw()

    def show_values(self, values: CardValues, report: str) -> None:
        """Show other values."""
        self._report = report
        if values == self.values:
            return
        focus = self._focused_name()
        self.values = values
        self._draw()
        self._give_focus(focus)

    def _focused_name(self) -> str:
        held = next((w for w in self.findChildren(QWidget) if w.hasFocus()), None)
        return held.accessibleName() if held is not None else ""

    def _give_focus(self, name: str) -> None:
        if name:
            same = (w for w in self._inner.findChildren(QWidget) if w.accessibleName() == name)
            wanted = next(same, None)
            if wanted is not None:
                wanted.setFocus()

    def _draw(self) -> None:
        old = self.body.takeAt(0) if self.body.count() else None
        if old is not None and (gone := old.widget()) is not None:
            gone.hide()
            gone.deleteLater()
        self.set_edge(self.values.edge)
        self._inner = QWidget()
        inside = QVBoxLayout(self._inner)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(12)
        inside.addLayout(self._head())
        if self._narrow:
            inside.addLayout(self._buttons())
        inside.addWidget(rule())
        inside.addLayout(self._facts())
        self._fold = self._details()
        self._fold.setVisible(self._open)
        inside.addWidget(self._fold)
        self.body.addWidget(self._inner)

    def _head(self) -> QHBoxLayout:
        values, fonts = self.values, self._theme_.fonts
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(Avatar(self._theme_, values.bank, values.color, 34), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        first = QHBoxLayout()
        first.setSpacing(7)
        name = ElidedLabel(values.bank, fonts.section)
        name.setMaximumWidth(name.sizeHint().width())
        first.addWidget(name)
        first.addWidget(StatusGlyph(self._theme_, values.glyph))
        first.addWidget(label(values.word, fonts.strong, tone=values.tone))
        first.addStretch(1)
        words.addLayout(first)
        words.addWidget(label(values.sentence, tone="muted", wrap=True))
        head.addLayout(words, 1)
        if not self._narrow:
            head.addLayout(self._buttons())
        return head

    def _buttons(self) -> QHBoxLayout:
        values = self.values
        row = QHBoxLayout()
        row.setSpacing(8)
        row.setAlignment(Qt.AlignmentFlag.AlignTop)
        if values.action is not Action.NONE:
            row.addWidget(
                button(
                    values.action_text,
                    self._act,
                    kind="primary",
                    name=tr("{action}: {bank}", action=values.action_text, bank=values.bank),
                )
            )
        if not values.paused:
            refresh = button(
                tr("Refresh"),
                self.refreshed.emit,
                name=tr("{action}: {bank}", action=tr("Refresh"), bank=values.bank),
            )
            refresh.setEnabled(values.may_refresh)
            refresh.setToolTip(values.reads_left)
            refresh.setAccessibleDescription(values.reads_left)
            row.addWidget(refresh)
            row.addWidget(
                button(
                    tr("Pause"),
                    lambda: self.paused.emit(True),
                    name=tr("{action}: {bank}", action=tr("Pause"), bank=values.bank),
                )
            )
        row.addWidget(self._more())
        if self._narrow:
            row.addStretch(1)
        return row

    def _act(self) -> None:
        if self.values.action is Action.RESUME:
            self.paused.emit(False)
        else:
            self.acted.emit(self.values.action)

    def _more(self) -> QToolButton:
        more = QToolButton()
        more.setIcon(self._theme_.icon("dots-three"))
        more.setIconSize(QSize(18, 18))
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        more.setAccessibleName(tr("More for {bank}", bank=self.values.bank))
        more.setToolTip(tr("Renew, details, remove"))
        menu = QMenu(more)
        renew = QAction(tr("Renew access"), menu)
        renew.triggered.connect(self.renewed)
        self.details_action = QAction(tr("Details"), menu)
        self.details_action.setCheckable(True)
        self.details_action.setChecked(self._open)
        self.details_action.toggled.connect(self._unfold)
        remove = QAction(tr("Remove…"), menu)
        remove.triggered.connect(self.removed)
        menu.addActions([renew, self.details_action])
        menu.addSeparator()
        menu.addAction(remove)
        more.setMenu(menu)
        return more

    def _facts(self) -> QGridLayout:
        values = self.values
        consent = QVBoxLayout()
        consent.setSpacing(5)
        consent.addWidget(ElidedLabel(values.consent.text))
        consent.addWidget(
            ConsentBar(self._theme_, values.consent.used, values.consent.token, values.consent.text)
        )
        squares = QVBoxLayout()
        if values.runs:
            squares.addWidget(RunSquares(self._theme_, values.runs, f"{values.runs_name}, {values.bank}"))
        else:
            squares.addWidget(label(tr("no run yet")))
        facts = (
            (tr("Consent"), consent),
            (tr("Asked"), _fact(values.asked)),
            (tr("Bank data as of"), _fact(values.data_as_of, "warning" if values.data_old else "")),
            (tr("Next"), _fact(values.next_run)),
            (values.runs_name, squares),
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(8)
        columns = 3 if self._narrow else 5
        for place, (heading, what) in enumerate(facts):
            what.insertWidget(0, label(heading, self._theme_.fonts.small, tone="muted"))
            what.addStretch(1)
            grid.addLayout(what, place // columns, place % columns)
        for column, stretch in enumerate((40, 20, 24) if self._narrow else (30, 20, 22, 20, 0)):
            grid.setColumnStretch(column, stretch)
        if not self._narrow:
            grid.setColumnMinimumWidth(4, 148)
        return grid

    def _details(self) -> QWidget:
        fold = QWidget()
        inside = QVBoxLayout(fold)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(rule())
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        for row, (name, text) in enumerate(self.values.details):
            grid.addWidget(
                label(name, self._theme_.fonts.small, tone="muted"), row, 0, Qt.AlignmentFlag.AlignTop
            )
            grid.addWidget(label(text, self._theme_.fonts.small, wrap=True, selectable=True), row, 1)
        inside.addLayout(grid)
        foot = QHBoxLayout()
        self._copied = label("", self._theme_.fonts.small, tone="muted")
        foot.addWidget(
            button(
                tr("Copy"), self._copy, name=tr("{action}: {bank}", action=tr("Copy"), bank=self.values.bank)
            )
        )
        foot.addWidget(self._copied)
        foot.addStretch(1)
        inside.addLayout(foot)
        return fold

    def _unfold(self, on: bool) -> None:  # noqa: FBT001 - a slot of QAction.toggled
        self._open = on
        self._fold.setVisible(on)

    def show_details(self) -> None:
        """Open the fold."""
        self.details_action.setChecked(True)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._report)
        self._copied.setText(tr("Copied: codes and times, no name and no figure."))
        retone(self._copied, "muted")


def _fact(text: str, tone: str = "") -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2)
    column.addWidget(ElidedLabel(text, tone=tone))
    return column
