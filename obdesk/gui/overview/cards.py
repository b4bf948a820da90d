"""The cards of the overview; each shows values and asks the navigator for everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from obdesk.domain.texts import tr, trn
from obdesk.gui.overview.delegate import LINE_H, LineDelegate
from obdesk.gui.overview.model import AccountsTable, Column
from obdesk.gui.widgets.basics import Card, ElidedLabel, button, clear, label, retone, rule
from obdesk.gui.widgets.chart import HistoryChart
from obdesk.gui.widgets.glyph import StatusGlyph
from obdesk.gui.widgets.money import MoneyLabel
from obdesk.gui.widgets.status import Glyph
from obdesk.gui.widgets.tables import GLYPH_WIDTH, WholeTable
from obdesk.gui.widgets.tips import tip

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.domain.errors import Action
    from obdesk.domain.ids import ConnectionId
    from obdesk.gui.format import Locale
    from obdesk.gui.overview.present import AccountLine, Coming, Flow, NeedsCard, News, Worth
    from obdesk.gui.theme.theme import Theme

    Act = Callable[[Action, ConnectionId | None], None]


class WorthCard(Card):
    """Net worth with its date, one currency in front, and its history."""

    def __init__(self, theme: Theme, locale: Locale) -> None:
        super().__init__(theme, name=tr("Net worth"))
        self._theme_, self._shown, self._private = theme, 0, False
        self._worths: tuple[Worth, ...] = ()
        top = QHBoxLayout()
        top.addWidget(label(tr("Net worth"), theme.fonts.medium, tone="muted"))
        top.addStretch(1)
        self._switch = QHBoxLayout()
        self._switch.setSpacing(2)
        top.addLayout(self._switch)
        self.body.addLayout(top)
        figures = QHBoxLayout()
        figures.setSpacing(12)
        self.total = MoneyLabel("", theme.fonts.headline)
        self._others = MoneyLabel("", theme.fonts.section, tone="muted")
        self._others.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
        figures.addWidget(self.total)
        figures.addWidget(self._others, 0, Qt.AlignmentFlag.AlignBottom)
        figures.addStretch(1)
        self._change = MoneyLabel("", theme.fonts.medium)
        figures.addWidget(self._change, 0, Qt.AlignmentFlag.AlignBottom)
        self.body.addLayout(figures)
        self.as_of = ElidedLabel("", theme.fonts.base, tone="muted")
        self.body.addWidget(self.as_of)
        self.chart = HistoryChart(theme, locale, tr("Net worth over twelve months"))
        self.body.addWidget(self.chart, 1)
        self._group = QButtonGroup(self)

    def show_worths(self, worths: tuple[Worth, ...]) -> None:
        """Show net worth; several currencies get a switch between their histories."""
        same = [w.code for w in worths] == [w.code for w in self._worths]
        self._worths = worths
        if not same:
            self._shown = 0
            clear(self._switch)
            for place, worth in enumerate(worths if len(worths) > 1 else ()):
                self._switch.addWidget(self._switch_button(place, worth.code))
        self._draw()

    def set_private(self, *, private: bool) -> None:
        """Hide the amounts or show them."""
        self._private = private
        for each in (self.total, self._others, self._change):
            each.set_private(private=private)
        self.chart.set_private(private=private)

    def _switch_button(self, place: int, code: str) -> QToolButton:
        made = QToolButton()
        made.setText(code)
        made.setFont(self._theme_.fonts.small_strong)
        made.setCheckable(True)
        made.setChecked(place == 0)
        made.setAccessibleName(tr("Show {currency}", currency=code))
        made.clicked.connect(lambda: self._choose(place))
        self._group.addButton(made)
        return made

    def _choose(self, place: int) -> None:
        self._shown = place
        self._draw()

    def _draw(self) -> None:
        if not self._worths:
            self.total.set_amount(tr("No balance yet"))
            self._others.set_amount("")
            self._change.set_amount("")
            self.as_of.set_whole(tr("Net worth appears with the first balance of a bank."))
            self.chart.set_points(())
            return
        front = self._worths[self._shown]
        self.total.set_amount(front.total)
        others = [worth.total for place, worth in enumerate(self._worths) if place != self._shown]
        self._others.set_amount("  ".join(f"+ {total}" for total in others))
        tone = "muted" if front.change_up is None else "income" if front.change_up else "muted"
        self._change.set_amount(front.change, tone=tone)
        self.as_of.set_whole(front.as_of)
        retone(self.as_of, "muted")
        self.chart.set_points(front.history)


class NeedsCards(QWidget):
    """At most three cards for what a person has to do; the rest is counted."""

    more = Signal()

    def __init__(self, theme: Theme, act: Act) -> None:
        super().__init__()
        self._theme, self._act = theme, act
        self._cards: tuple[NeedsCard, ...] = ()
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(12)
        self.hide()

    def show_cards(self, cards: tuple[NeedsCard, ...], shown_max: int) -> None:
        """Show other cards; the same ones stay, so that the focus is not lost."""
        if cards == self._cards:
            return
        self._cards = cards
        clear(self._box)
        for card in cards[:shown_max]:
            self._box.addWidget(self._card(card))
        left = len(cards) - shown_max
        if left > 0:
            text = trn("{n} more bank needs you", "{n} more banks need you", left)
            self._box.addWidget(button(text, self.more.emit, kind="link"))
        self.setVisible(bool(cards))

    def _card(self, needs: NeedsCard) -> Card:
        card = Card(
            self._theme, edge="danger" if needs.glyph is Glyph.BROKEN else "warning", name=needs.title
        )
        card.setObjectName("needs")
        top = QHBoxLayout()
        top.setSpacing(8)
        glyph = StatusGlyph(self._theme, needs.glyph)
        glyph.setToolTip(tip(needs.title))
        glyph.setAccessibleName(needs.title)
        top.addWidget(glyph, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(label(needs.title, self._theme.fonts.strong, wrap=True), 1)
        card.body.addLayout(top)
        card.body.addWidget(label(needs.cause, tone="muted", wrap=True))
        row = QHBoxLayout()
        row.setContentsMargins(0, 4, 0, 0)
        row.addWidget(
            button(
                needs.button,
                lambda: self._act(needs.action, needs.connection_id),
                kind="primary",
                name=f"{needs.button}: {needs.title}",
            )
        )
        row.addStretch(1)
        card.body.addLayout(row)
        return card


class NewsCard(Card):
    """What happened since the last visit, in counts."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._theme_ = theme
        self._title = ElidedLabel("", theme.fonts.strong)
        self.body.addWidget(self._title)
        self.as_of = ElidedLabel("", theme.fonts.small, tone="muted")
        self.body.addWidget(self.as_of)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        self.body.addLayout(self._grid)
        self._news: News | None = None

    def show_news(self, news: News) -> None:
        """Show counts, or the sentence that there is nothing."""
        if news == self._news:
            return
        self._news = news
        self._title.set_whole(news.title)
        self.as_of.set_whole(news.as_of)
        self.as_of.setVisible(bool(news.as_of))
        self.setAccessibleName(news.title)
        self.setAccessibleDescription(news.as_of)
        clear(self._grid)
        for row, line in enumerate(news.lines):
            number = label(line.many, self._theme_.fonts.strong)
            number.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._grid.addWidget(number, row, 0)
            self._grid.addWidget(label(line.text, wrap=True), row, 1)
        if not news.lines:
            self._grid.addWidget(label(news.nothing, tone="muted", wrap=True), 0, 0, 1, 2)


class FreshnessTable(WholeTable):
    """The accounts, least fresh first."""

    opened = Signal(object)
    """AccountId"""

    def __init__(self, theme: Theme) -> None:
        self.rows = AccountsTable()
        super().__init__(
            theme,
            self.rows,
            LineDelegate(theme),
            name=tr("Accounts by freshness"),
            line_height=LINE_H,
            stretched=Column.ACCOUNT,
        )
        self.rows.setParent(self)
        self.line_opened.connect(self._open_account)

    def show_lines(self, lines: tuple[AccountLine, ...]) -> None:
        """Show other lines."""
        self.rows.show_lines(lines)
        self.fit(len(lines))
        self.horizontalHeader().resizeSections(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().resizeSection(Column.STATE, GLYPH_WIDTH)

    def hide_columns(self, *, narrow: bool) -> None:
        """Leave out what a narrow page has no room for; the glyph and its sentence remain."""
        self.setColumnHidden(Column.PILL, narrow)

    def _open_account(self, row: int) -> None:
        self.opened.emit(self.rows.line(row).account_id)


class _Share(QWidget):
    """A bar that shows one of two amounts against the larger."""

    def __init__(self, theme: Theme, share: float, paint: str) -> None:
        super().__init__()
        self._theme, self._share, self._paint = theme, share, paint
        self.setFixedHeight(8)

    def sizeHint(self) -> QSize:
        """Override QWidget.sizeHint."""
        return QSize(120, 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QWidget.paintEvent."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("line"))
        painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
        if self._share > 0:
            painter.setBrush(self._theme.colour(self._paint))
            painter.drawRoundedRect(QRectF(0, 0, max(8.0, self.width() * self._share), 8), 4, 4)
        painter.end()


class MonthCard(Card):
    """This month in and out, then what the banks have announced."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._theme_ = theme
        self._private = False
        self._state: tuple[str, tuple[Flow, ...], tuple[Coming, ...], str] | None = None

    def show_month(
        self, title: str, flows: tuple[Flow, ...], coming: tuple[Coming, ...], as_of: str = ""
    ) -> None:
        """Show other figures and up to when the banks' data behind them is complete."""
        if self._state == (title, flows, coming, as_of):
            return
        self._state = (title, flows, coming, as_of)
        self.setAccessibleName(title)
        self.setAccessibleDescription(as_of)
        self._draw()

    def show_reading(self, title: str) -> None:
        """Show the month's name while its figures are on their way."""
        if self._state is None:
            clear(self.body)
            self.body.addWidget(label(title, self._theme_.fonts.strong))
            self.body.addWidget(label(tr("Reading…"), tone="muted"))
            self.body.addStretch(1)

    def set_private(self, *, private: bool) -> None:
        """Hide the amounts or show them."""
        self._private = private
        if self._state is not None:
            self._draw()

    def _draw(self) -> None:
        assert self._state is not None
        title, flows, coming, as_of = self._state
        clear(self.body)
        fonts = self._theme_.fonts
        self.body.addWidget(label(title, fonts.strong))
        if as_of:
            self.body.addWidget(ElidedLabel(as_of, fonts.small, tone="muted"))
        if not flows:
            self.body.addWidget(label(tr("Nothing booked yet this month."), tone="muted", wrap=True))
        for flow in flows:
            self._amounts(tr("In"), flow.income, "income", flow.income_share)
            self._amounts(tr("Out"), flow.spending, "ink_muted", flow.spending_share)
        self.body.addSpacing(6)
        self.body.addWidget(rule())
        self.body.addSpacing(2)
        heading = label(tr("Coming"), fonts.strong)
        heading.setToolTip(as_of)
        heading.setAccessibleDescription(as_of)
        self.body.addWidget(heading)
        if not coming:
            self.body.addWidget(label(tr("Your banks have announced nothing."), tone="muted", wrap=True))
        grid = QGridLayout()
        grid.setColumnStretch(0, 1)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(7)
        for place, line in enumerate(coming):
            row = 2 * place
            grid.addWidget(ElidedLabel(line.payee), row, 0)
            grid.addWidget(label(line.day, tone="muted"), row, 1)
            grid.addWidget(self._money(line.amount, "income" if line.incoming else ""), row, 2)
            if place + 1 < len(coming):
                grid.addWidget(rule(), row + 1, 0, 1, 3)
        self.body.addLayout(grid)
        self.body.addStretch(1)

    def _amounts(self, name: str, amount: str, paint: str, share: float) -> None:
        row = QHBoxLayout()
        row.addWidget(label(name, tone="muted"))
        row.addStretch(1)
        made = self._money(amount, "income" if paint == "income" else "")
        made.setFont(self._theme_.fonts.strong)
        row.addWidget(made)
        self.body.addLayout(row)
        self.body.addWidget(_Share(self._theme_, share, paint))

    def _money(self, amount: str, tone: str) -> MoneyLabel:
        made = MoneyLabel(amount, self._theme_.fonts.base, tone=tone)
        made.set_private(private=self._private)
        return made
