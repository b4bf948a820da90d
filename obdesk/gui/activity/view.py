"""The activity: what syncing did, run by run, how well it goes, and what waits for the person."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from obdesk.domain.changes import Kind
from obdesk.domain.commits import WhyNot, why_not_text
from obdesk.domain.errors import Action, ObdeskError
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.ids import AccountId
from obdesk.domain.texts import tr
from obdesk.gui.activity.cards import DetailsCard, MattersCard, PairsCard, TableCard
from obdesk.gui.activity.changes import Changes, more_line
from obdesk.gui.activity.findings import more_findings
from obdesk.gui.activity.matter import Way, around
from obdesk.gui.activity.matters import calls_of, matters_of, queue_of
from obdesk.gui.activity.present import (
    account_columns,
    accounts_of,
    as_of_line,
    bank_columns,
    banks_of,
    details_of,
    details_title,
    run_columns,
    runs_of,
    totals_line,
)
from obdesk.gui.changes import Rereading
from obdesk.gui.format import instant
from obdesk.gui.widgets.basics import ElidedLabel, button, label
from obdesk.gui.widgets.money import HIDDEN
from obdesk.gui.widgets.panels import EmptyState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QAction, QResizeEvent

    from obdesk.app.interface import Activity, Commands, Reads, RunDetails
    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.clock import Clock
    from obdesk.domain.entities import Run
    from obdesk.domain.ids import ConnectionId, RunId
    from obdesk.gui.activity.matter import Matter, Settles
    from obdesk.gui.changes import Spawn
    from obdesk.gui.format import Locale
    from obdesk.gui.shell.screen import Navigator, StatusTeller
    from obdesk.gui.theme.theme import Theme

TWO_COLUMNS_FROM = 780
NARROW_TABLES_BELOW = 720
VERY_NARROW_BELOW = 600
SIDE_WIDTH = 300
RUNS_FIRST = 12
RUNS_MORE = 50
_TRIGGER, _READ = 4, 5
_ASKED = 6
_BANK_OF_ACCOUNT = 2


class ActivityPage(QScrollArea):
    """The cards in two columns, or below each other where the window is narrow."""

    def __init__(self, theme: Theme, navigator: Navigator) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Activity"))
        inner = QWidget()
        inner.setObjectName("content")
        inside = QVBoxLayout(inner)
        inside.setContentsMargins(22, 20, 22, 20)
        inside.setSpacing(16)
        head = QVBoxLayout()
        head.setSpacing(4)
        head.addWidget(label(tr("Activity"), theme.fonts.title))
        self.as_of = ElidedLabel("", theme.fonts.small, tone="muted")
        head.addWidget(self.as_of)
        inside.addLayout(head)
        self.empty = EmptyState(
            theme,
            "activity",
            tr("Nothing has happened yet. Link a bank, and each sync appears here with what it changed."),
            (tr("Link a bank"), navigator.link_bank),
        )
        inside.addWidget(self.empty)
        self._cards(theme)
        inside.addWidget(self._filled)
        inside.addStretch(1)
        self.setWidget(inner)
        self._wide: bool | None = None
        self._arrange(wide=True)

    def _cards(self, theme: Theme) -> None:
        self.runs = TableCard(theme, tr("Runs"), run_columns(), tr("No bank has been asked yet."))
        self.more = button(tr("Show older runs"), kind="link")
        self.runs.foot.addWidget(self.more)
        self.runs.foot.addStretch(1)
        self.details = DetailsCard(theme)
        self.banks = TableCard(theme, tr("Banks"), bank_columns(), tr("No bank is linked."))
        self.accounts = TableCard(
            theme, tr("How fresh each account is"), account_columns(), tr("No account yet.")
        )
        self.matters = MattersCard(theme)
        self.calls = PairsCard(theme, tr("Checks without you, left in 24 hours"), tr("No bank is linked."))
        self.queue = PairsCard(theme, tr("Waiting to run"), tr("Nothing waits."))
        self._filled = QWidget()
        self._grid = QGridLayout(self._filled)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(16)
        self._side = QWidget()
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(12)
        for card in (self.matters, self.calls, self.queue):
            side.addWidget(card)
        side.addStretch(1)
        self._main = QWidget()
        main = QVBoxLayout(self._main)
        main.setContentsMargins(0, 0, 0, 0)
        main.setSpacing(16)
        for part in (self.runs, self.details, self.accounts):
            main.addWidget(part)
        main.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Override QScrollArea.resizeEvent."""
        super().resizeEvent(event)
        self._arrange(wide=self.viewport().width() >= TWO_COLUMNS_FROM)
        narrow = self.viewport().width() < NARROW_TABLES_BELOW
        beside = self.viewport().width() - (SIDE_WIDTH + 16 if self._wide else 0)
        hidden = [_READ] if beside < NARROW_TABLES_BELOW else []
        self.runs.table.hide_columns(*hidden, *([_TRIGGER] if beside < VERY_NARROW_BELOW else []))
        self.banks.table.hide_columns(*([_ASKED] if narrow else []))
        self.accounts.table.hide_columns(*([_BANK_OF_ACCOUNT] if beside < VERY_NARROW_BELOW else []))

    def show_filled(self, *, filled: bool) -> None:
        """Show the cards, or the sentence that nothing has happened."""
        self.empty.setVisible(not filled)
        self.as_of.setVisible(filled)
        self._filled.setVisible(filled)

    def _arrange(self, *, wide: bool) -> None:
        if wide == self._wide:
            return
        self._wide = wide
        parts = (self._main, self._side, self.banks)
        for part in parts:
            self._grid.removeWidget(part)
        if wide:
            self._grid.addWidget(self._main, 0, 0)
            self._grid.addWidget(self._side, 0, 1)
            self._grid.addWidget(self.banks, 1, 0, 1, 2)
        else:
            # What waits for the person stays above the fold.
            parts_in_one = (self._side, self._main, self.banks)
            for row, part in enumerate(parts_in_one):
                self._grid.addWidget(part, row, 0)
        self._side.setMinimumWidth(SIDE_WIDTH if wide else 0)
        self._side.setMaximumWidth(SIDE_WIDTH if wide else 16_777_215)
        self._grid.setColumnStretch(0, 1)


_SHOWN = (Kind.RUNS, Kind.CONNECTIONS, Kind.ACCOUNTS, Kind.BALANCES, Kind.PROBLEMS, Kind.SETTINGS)


class ActivityScreen:
    """Plugs the activity into the window (obdesk.gui.shell.screen.Screen)."""

    key = "activity"
    icon = "activity"

    def __init__(
        self,
        theme: Theme,
        locale: Locale,
        clock: Clock,
        reads: Reads,
        commands: Commands,
        spawn: Spawn,
        navigator: Navigator,
    ) -> None:
        self._locale, self._clock, self._reads, self._commands = locale, clock, reads, commands
        self._spawn, self._navigator = spawn, navigator
        self.page = ActivityPage(theme, navigator)
        self.page.show_filled(filled=False)
        self.page.empty.hide()
        self._activity: Activity | None = None
        self._details: RunDetails | None = None
        self._chosen: int | None = None
        self._limit = RUNS_FIRST
        self._private = False
        self._tell: StatusTeller = lambda _text: None
        self._rereading = Rereading(spawn, "activity: read", self._read, self._draw)
        self.page.runs.table.current.connect(self._choose)
        self.page.more.clicked.connect(self._show_more)
        self.page.details.revert.clicked.connect(self._revert)
        self.page.matters.chosen.connect(self._go)
        self.page.matters.settled.connect(
            lambda settles: self._spawn("activity: settle", self._settle(settles))
        )
        self.page.banks.table.opened.connect(lambda _key: navigator.open_section("connections"))
        self.page.accounts.table.opened.connect(lambda key: navigator.open_account(AccountId(key)))

    @property
    def title(self) -> str:
        """Return the name in the sidebar."""
        return tr("Activity")

    @property
    def widget(self) -> QWidget:
        """Return the page."""
        return self.page

    def actions(self) -> Sequence[QAction]:
        """Return no commands of its own."""
        return ()

    def on_status(self, tell: StatusTeller) -> None:
        """Keep where the status line goes."""
        self._tell = tell

    def touched(self, changes: ChangeSet) -> None:
        """Read again when something shown here changed and is seen; unseen, the next look reads."""
        if changes.touches(*_SHOWN) and self.page.isVisible():
            self.reread()

    def shown(self) -> None:
        """Read: nothing is counted before somebody looks."""
        self.reread()

    def minute_passed(self) -> None:
        """Read again: ages, the queue and accesses left are a matter of time."""
        self.reread()

    def set_private(self, *, private: bool) -> None:
        """Hide the amounts or show them."""
        self._private = private
        self._draw()

    def reread(self) -> None:
        """Read what is shown; calls while a read is under way become one more read after it."""
        self._rereading.ask()

    async def _read(self) -> None:
        self._activity = await self._reads.activity(self._limit + 1)
        run = self._chosen_run()
        self._details = None if run is None else await self._reads.run_details(run.id)

    def _draw(self) -> None:
        found = self._activity
        if found is None:
            return
        now, locale, page, scores = self._clock.now(), self._locale, self.page, found.scores
        page.show_filled(filled=bool(found.runs or scores.connections or found.accounts))
        page.as_of.set_whole(as_of_line(scores, now, locale))
        shown = found.runs[: self._limit]
        page.runs.show_lines(runs_of(shown, self._banks(), now, locale))
        page.more.setVisible(len(found.runs) > self._limit)
        page.banks.show_lines(banks_of(scores, now, locale))
        page.accounts.show_lines(accounts_of(found.accounts, now, locale))
        hidden = HIDDEN if self._private else ""
        page.matters.show_matters(matters_of(found, now, locale, hidden=hidden), more_findings(found, locale))
        as_of = tr("as of {when}", when=instant(scores.as_of, now, locale))
        page.calls.show_calls(calls_of(scores, now, locale), as_of)
        page.queue.show_queue(queue_of(scores, now, locale), as_of)
        self._show_details()
        self._tell(totals_line(scores, locale))

    def _banks(self) -> dict[ConnectionId, str]:
        scores = self._activity.scores if self._activity is not None else None
        return {} if scores is None else {each.connection_id: each.bank for each in scores.connections}

    def _choose(self, run_id: int) -> None:
        self._chosen = run_id
        self._show_details()
        if self._details is None or self._details.commit.run.id != run_id:
            self.reread()

    def _show_details(self) -> None:
        run = self._chosen_run()
        self.page.details.setVisible(run is not None)
        if run is not None:
            title = details_title(run, self._clock.now(), self._locale)
            bank = self._banks().get(run.connection_id, "")
            self.page.details.show_run(title, details_of(run, bank, self._locale))
            self._show_changes(run)

    def _show_changes(self, run: Run) -> None:
        found, activity = self._details, self._activity
        if found is None or found.commit.run.id != run.id or activity is None:
            self.page.details.show_changes((), "", "", may_revert=False)  # they are on their way
            return
        commit, hidden = found.commit, HIDDEN if self._private else ""
        lines = Changes(found.rows, activity.accounts, self._locale, hidden).lines(commit)
        self.page.details.show_changes(
            lines,
            more_line(commit, len(lines), self._locale),
            "" if commit.why_not in {None, WhyNot.NOTHING} else why_not_text(commit.why_not),
            may_revert=commit.why_not is None,
        )

    async def _settle(self, settles: Settles) -> None:
        try:
            if settles.problem_id is not None:
                await self._commands.settle_problem(settles.problem_id)
            if settles.days is not None:
                await self._commands.settle_days(*settles.days)
        except ObdeskError as error:
            self._navigator.show_error(error)
        self.reread()

    def _revert(self) -> None:
        run = self._chosen_run()
        if run is not None:
            self._spawn("activity: take back", self._take_back(run.id))

    async def _take_back(self, run_id: RunId) -> None:
        try:
            await self._commands.revert_run(run_id)
        except ObdeskError as error:
            self._navigator.show_error(error)
        else:
            self._navigator.toast(
                tr("The next check reads everything again. What you wrote yourself was not touched.")
            )
        self.reread()

    def _chosen_run(self) -> Run | None:
        """Return the run the person chose; the newest until they choose one."""
        runs = self._activity.runs if self._activity is not None else ()
        return next((run for run in runs if run.id == self._chosen), runs[0] if runs else None)

    def _show_more(self) -> None:
        self._limit += RUNS_MORE
        self.reread()

    def _go(self, matter: Matter) -> None:
        match matter.way:
            case Way.ROWS:
                self._navigator.open_rows(matter.wanted or TransactionFilter(), matter.rows)
            case Way.PAIR:
                self._spawn("activity: pair", self._open_pair(matter.connection_id))
            case Way.BANKS:
                self._navigator.open_bank(matter.connection_id)
            case Way.RENEW:
                self._navigator.act(Action.RENEW, matter.connection_id)
            case other:
                assert_never(other)

    async def _open_pair(self, connection_id: ConnectionId) -> None:
        """Show the likeliest pair of a bank, with the question beside it; it may be answered by now."""
        accounts = self._activity.accounts if self._activity is not None else ()
        here = {each.id for each in accounts if each.connection_id == connection_id}
        pair = next((each for each in await self._reads.suggestions() if each.account_id in here), None)
        if pair is None:
            self.reread()
            return
        both = (pair.other, pair.kept)  # the one that was known first may have left the list
        shown = await self._reads.transaction_rows([each.id for each in both])
        self._navigator.open_rows(around([pair.account_id], both), [each.id for each in shown[:1]])
