"""The overview: net worth, what needs the person, accounts by freshness, the month."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from obdesk.domain.changes import Kind
from obdesk.domain.texts import tr
from obdesk.gui.changes import Rereading
from obdesk.gui.overview.cards import FreshnessTable, MonthCard, NeedsCards, NewsCard, WorthCard
from obdesk.gui.overview.present import (
    CARDS_MAX,
    News,
    coming_of,
    flows_of,
    lines_of,
    month_as_of,
    month_title,
    needs_of,
    news_of,
    worth_of,
)
from obdesk.gui.standing import piece_of
from obdesk.gui.widgets.basics import Card, label
from obdesk.gui.widgets.panels import EmptyState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PySide6.QtGui import QAction, QResizeEvent

    from obdesk.app.interface import FirstScreen, Reads
    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.clock import Clock
    from obdesk.domain.entities import Account, Connection, NetWorth
    from obdesk.gui.changes import Spawn
    from obdesk.gui.format import Locale
    from obdesk.gui.shell.screen import Navigator
    from obdesk.gui.standing import Piece
    from obdesk.gui.theme.theme import Theme

TWO_COLUMNS_FROM = 780
SIDE_WIDTH = 300
COMING_MAX = 5


class OverviewPage(QScrollArea):
    """The cards in two columns, or below each other where the window is narrow."""

    def __init__(self, theme: Theme, locale: Locale, navigator: Navigator) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Overview"))
        inner = QWidget()
        inner.setObjectName("content")
        self._grid = QGridLayout(inner)
        self._grid.setContentsMargins(22, 20, 22, 20)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(16)
        self.setWidget(inner)
        self.worth = WorthCard(theme, locale)
        self.needs = NeedsCards(theme, navigator.act)
        self.needs.more.connect(lambda: navigator.open_section("connections"))
        self.news = NewsCard(theme)
        self.month = MonthCard(theme)
        self.table = FreshnessTable(theme)
        self.table.opened.connect(navigator.open_account)
        self._empty = EmptyState(
            theme,
            "bank",
            tr("No account yet. Link a bank and its accounts appear here, each with a date on every figure."),
            (tr("Link a bank"), navigator.link_bank),
        )
        self.accounts = Card(theme, name=tr("Accounts by freshness"))
        self.accounts.body.addWidget(label(tr("Accounts by freshness"), theme.fonts.strong))
        self.accounts.body.addWidget(self.table)
        self.accounts.body.addWidget(self._empty)
        self.accounts.body.addStretch(1)
        self._side = QWidget()
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(12)
        for card in (self.needs, self.news):
            side.addWidget(card)
        side.addStretch(1)
        self.worth.setMinimumHeight(300)
        self.month.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.MinimumExpanding)
        self._wide: bool | None = None
        self._arrange(wide=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Override QScrollArea.resizeEvent."""
        super().resizeEvent(event)
        self._arrange(wide=self.viewport().width() >= TWO_COLUMNS_FROM)

    def show_empty(self, *, empty: bool) -> None:
        """Show the sentence for "no account yet" instead of the table."""
        self._empty.setVisible(empty)
        self.table.setVisible(not empty)

    def _arrange(self, *, wide: bool) -> None:
        if wide == self._wide:
            return
        self._wide = wide
        for part in (self.worth, self._side, self.accounts, self.month):
            self._grid.removeWidget(part)
        if wide:
            self._grid.addWidget(self.worth, 0, 0)
            self._grid.addWidget(self._side, 0, 1)
            self._grid.addWidget(self.accounts, 1, 0)
            self._grid.addWidget(self.month, 1, 1)
        else:
            # What needs the person stays above the fold.
            self._grid.addWidget(self._side, 0, 0)
            self._grid.addWidget(self.worth, 1, 0)
            self._grid.addWidget(self.accounts, 2, 0)
            self._grid.addWidget(self.month, 3, 0)
        for part in (self._side, self.month):
            part.setMinimumWidth(SIDE_WIDTH if wide else 0)
            part.setMaximumWidth(SIDE_WIDTH if wide else 16_777_215)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 0)
        self._grid.setRowStretch(1, 1 if wide else 0)
        self._grid.setRowStretch(3, 0)
        self.table.hide_columns(narrow=not wide and self.viewport().width() < 600)


class OverviewScreen:
    """Plugs the overview into the window (obdesk.gui.shell.screen.Screen)."""

    key = "overview"
    icon = "house"

    def __init__(
        self, theme: Theme, locale: Locale, clock: Clock, reads: Reads, spawn: Spawn, navigator: Navigator
    ) -> None:
        self._locale, self._clock, self._reads, self._spawn = locale, clock, reads, spawn
        self.page = OverviewPage(theme, locale, navigator)
        self._since: datetime | None = None
        self._since_known = False
        self._rereading = Rereading(spawn, "overview: read", self._read)

    @property
    def title(self) -> str:
        """Return the name in the sidebar."""
        return tr("Overview")

    @property
    def widget(self) -> QWidget:
        """Return the page."""
        return self.page

    def actions(self) -> Sequence[QAction]:
        """Return no commands of its own."""
        return ()

    def show_first(self, first: FirstScreen) -> None:
        """Show the first read; the month and the news follow with the next."""
        self._show_accounts(first.accounts, first.connections, first.net_worth)
        self.page.worth.chart.set_reading()
        self.page.month.show_reading(month_title(self._clock.now(), self._locale))
        self.page.news.show_news(News(tr("Latest changes"), (), tr("Reading…")))

    def touched(self, changes: ChangeSet) -> None:
        """Read again when something shown here changed."""
        if changes.touches(Kind.ACCOUNTS, Kind.BALANCES, Kind.CONNECTIONS, Kind.TRANSACTIONS, Kind.RUNS):
            self.reread()

    def shown(self) -> None:
        """Read again: the window may have been hidden for long."""
        self.reread()

    def minute_passed(self) -> None:
        """Read again: freshness is a matter of time."""
        self.reread()

    def set_private(self, *, private: bool) -> None:
        """Hide the amounts or show them."""
        self.page.worth.set_private(private=private)
        self.page.month.set_private(private=private)
        self.page.table.rows.set_private(private=private)

    def standing(self) -> Iterable[Piece]:
        """Return where net worth and its date stand, unless they are scrolled away."""
        worth = self.page.worth
        yield piece_of("ground", worth, "surface")
        yield piece_of("worth", worth.total, "-")
        yield piece_of("worth_as_of", worth.as_of, "-")

    def reread(self) -> None:
        """Read what is shown; calls while a read is under way become one more read after it."""
        self._rereading.ask()

    async def _read(self) -> None:
        if not self._since_known:
            stored = await self._reads.setting("last_visit")
            self._since = datetime.fromisoformat(stored) if stored else None
            self._since_known = True
        connections = await self._reads.connections()
        accounts = await self._reads.accounts()
        self._show_accounts(accounts, connections, await self._reads.net_worth())
        now, locale = self._clock.now(), self._locale
        flows = flows_of(await self._reads.month_flows(now), locale)
        coming = coming_of(await self._reads.upcoming(COMING_MAX), locale)
        as_of = month_as_of(accounts, now, locale)
        self.page.month.show_month(month_title(now, locale), flows, coming, as_of)
        self.page.news.show_news(news_of(await self._reads.runs(limit=200), self._since, now, locale))

    def _show_accounts(
        self, accounts: Sequence[Account], connections: Sequence[Connection], worth: Sequence[NetWorth]
    ) -> None:
        now, locale = self._clock.now(), self._locale
        lines = lines_of(accounts, connections, now, locale)
        self.page.worth.show_worths(worth_of(worth, now, locale))
        self.page.table.show_lines(lines)
        self.page.needs.show_cards(needs_of(connections, accounts, now, locale), CARDS_MAX)
        self.page.show_empty(empty=not lines)
