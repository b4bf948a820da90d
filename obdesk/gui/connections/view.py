"""The connections: a card per bank, "Link a bank", and when each consent ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from obdesk.domain.changes import Kind
from obdesk.domain.errors import Action, ObdeskError
from obdesk.domain.texts import tr
from obdesk.gui.changes import Rereading
from obdesk.gui.connections.cards import ConnectionCard
from obdesk.gui.connections.dialogs import RemoveDialog
from obdesk.gui.connections.present import banks_line, cards_of, leaving_line, report_of, spans_of
from obdesk.gui.format import today
from obdesk.gui.widgets.basics import Card, button, label
from obdesk.gui.widgets.calendar import SpanCalendar
from obdesk.gui.widgets.panels import EmptyState

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Any

    from PySide6.QtGui import QAction, QShowEvent

    from obdesk.app.interface import Commands, FirstScreen, Reads
    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.clock import Clock
    from obdesk.domain.entities import Connection
    from obdesk.domain.erasures import PendingErasure
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.scores import Finding
    from obdesk.gui.changes import Changes, Spawn
    from obdesk.gui.connections.present import CardValues
    from obdesk.gui.format import Locale
    from obdesk.gui.shell.screen import Navigator, StatusTeller
    from obdesk.gui.theme.theme import Theme


class ConnectionsPage(QScrollArea):
    """Heading, cards, calendar; scrolls as one page. `came` comes each time before it is seen."""

    came = Signal()

    def __init__(self, theme: Theme, locale: Locale, navigator: Navigator) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Connections"))
        inner = QWidget()
        inner.setObjectName("content")
        inside = QVBoxLayout(inner)
        inside.setContentsMargins(22, 20, 22, 20)
        inside.setSpacing(16)
        head = QHBoxLayout()
        head.addWidget(label(tr("Connections"), theme.fonts.title))
        head.addStretch(1)
        link = button(f" {tr('Link a bank')}", navigator.link_bank, kind="primary", name=tr("Link a bank"))
        link.setIcon(theme.icon("plus", "on_accent"))
        head.addWidget(link)
        inside.addLayout(head)
        self.box = QVBoxLayout()
        self.box.setSpacing(16)
        inside.addLayout(self.box)
        self.leaving = Card(theme, name=tr("Being removed"))
        self.leaving.body.addWidget(label(tr("Being removed"), theme.fonts.strong))
        self.leaving_words = label(wrap=True, selectable=True)
        self.leaving.body.addWidget(self.leaving_words)
        self.leaving.hide()
        inside.addWidget(self.leaving)
        self.empty = EmptyState(
            theme,
            "link-simple",
            tr("No bank is linked. You log in at the bank itself; we only ever read."),
            (tr("Link a bank"), navigator.link_bank),
        )
        inside.addWidget(self.empty)
        self.consents = Card(theme, name=tr("Consent calendar"))
        self.consents.body.addWidget(label(tr("Consent calendar"), theme.fonts.strong))
        self.calendar = SpanCalendar(theme, locale, tr("Consent calendar"))
        self.consents.body.addWidget(self.calendar)
        inside.addWidget(self.consents)
        inside.addStretch(1)
        self.setWidget(inner)

    def showEvent(self, event: QShowEvent) -> None:
        """Override QScrollArea.showEvent."""
        super().showEvent(event)
        self.came.emit()


_SHOWN = (Kind.CONNECTIONS, Kind.ACCOUNTS, Kind.RUNS, Kind.PROBLEMS, Kind.BALANCES, Kind.SETTINGS)


class ConnectionsScreen:
    """Plugs the connections into the window (obdesk.gui.shell.screen.Screen)."""

    key = "connections"
    icon = "link-simple"

    def __init__(
        self,
        theme: Theme,
        locale: Locale,
        clock: Clock,
        reads: Reads,
        commands: Commands,
        spawn: Spawn,
        changes: Changes,
        navigator: Navigator,
    ) -> None:
        self._theme, self._locale, self._clock = theme, locale, clock
        self._reads, self._commands, self._spawn = reads, commands, spawn
        self._changes, self._navigator = changes, navigator
        self.page = ConnectionsPage(theme, locale, navigator)
        self._connections: tuple[Connection, ...] = ()
        self._findings: tuple[Finding, ...] = ()
        self._erasures: tuple[PendingErasure, ...] = ()
        self._cards: dict[ConnectionId, ConnectionCard] = {}
        self._order: list[ConnectionId] = []
        self._awaited: ConnectionId | None = None
        """Whose details are to be shown as soon as there is a card."""
        self._tell: StatusTeller = lambda _text: None
        self._rereading = Rereading(spawn, "connections: read", self._read, self._draw_seen)
        changes.syncing.connect(self._draw_seen)
        self._is_old = False
        self.page.came.connect(self._draw_old)

    @property
    def title(self) -> str:
        """Return the name in the sidebar."""
        return tr("Connections")

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

    def show_first(self, first: FirstScreen) -> None:
        """Show the first read."""
        self._connections = first.connections
        self._draw()

    def touched(self, changes: ChangeSet) -> None:
        """Read again when something shown here changed."""
        if changes.touches(*_SHOWN):
            self.reread()

    def shown(self) -> None:
        """Read again: the window may have been hidden for long."""
        self.reread()

    def show_bank(self, connection_id: ConnectionId) -> None:
        """Bring a bank's card into view and open its details."""
        self._draw_old()
        card = self._cards.get(connection_id)
        self._awaited = connection_id if card is None else None
        if card is not None:
            card.show_details()
            QTimer.singleShot(0, card, lambda: self.page.ensureWidgetVisible(card))  # once it is laid out

    def minute_passed(self) -> None:
        """Read again: days left and freshness are a matter of time."""
        self.reread()

    def set_private(self, *, private: bool) -> None:
        """Show no amounts here, private or not."""

    def reread(self) -> None:
        """Read what is shown; calls while a read is under way become one more read after it."""
        self._rereading.ask()

    async def _read(self) -> None:
        self._connections = await self._reads.connections()
        self._findings = await self._reads.findings()
        self._erasures = await self._reads.pending_erasures()

    def _draw_seen(self) -> None:
        """Draw where somebody looks: making cards anew for nobody would delay what is looked at."""
        if self.page.isVisible():
            self._draw()
        else:
            self._is_old = True

    def _draw_old(self) -> None:
        if self._is_old:
            self._draw()

    def _draw(self) -> None:
        self._is_old = False
        now = self._clock.now()
        values = cards_of(self._connections, self._findings, self._changes.running, now, self._locale)
        reports = {each.id: report_of(each) for each in self._connections}
        if [each.connection_id for each in values] != self._order:
            self._arrange(values, reports)
        for each in values:
            self._cards[each.connection_id].show_values(each, reports[each.connection_id])
        spans = spans_of(self._connections, now, self._locale)
        self.page.calendar.show_spans(spans, today(now, self._locale))
        self.page.consents.setVisible(bool(spans))
        self.page.empty.setVisible(not values)
        leaving = [leaving_line(each, now, self._locale) for each in self._erasures]
        self.page.leaving_words.setText("\n".join(leaving))
        self.page.leaving.setVisible(bool(leaving))
        self._tell(banks_line(self._connections))
        if self._awaited in self._cards:
            self.show_bank(self._awaited)

    def _arrange(self, values: Sequence[CardValues], reports: dict[ConnectionId, str]) -> None:
        wanted = [each.connection_id for each in values]
        for gone in set(self._cards) - set(wanted):
            card = self._cards.pop(gone)
            card.hide()
            card.deleteLater()
        for each in values:
            if each.connection_id not in self._cards:
                self._cards[each.connection_id] = self._card(each, reports[each.connection_id])
        for connection_id in wanted:
            self.page.box.removeWidget(self._cards[connection_id])
            self.page.box.addWidget(self._cards[connection_id])
        self._order = wanted

    def _card(self, values: CardValues, report: str) -> ConnectionCard:
        card = ConnectionCard(self._theme, values, report)
        each = values.connection_id
        card.acted.connect(lambda action: self._act(action, each))
        card.refreshed.connect(lambda: self._navigator.refresh([each]))
        card.renewed.connect(lambda: self._navigator.renew(each))
        card.paused.connect(lambda paused: self._pause(each, paused=paused))
        card.removed.connect(lambda: self._ask_remove(each))
        return card

    def _act(self, action: Action, connection_id: ConnectionId) -> None:
        if action is Action.SHOW_DETAILS:
            self._cards[connection_id].show_details()
        else:
            self._navigator.act(action, connection_id)

    def _pause(self, connection_id: ConnectionId, *, paused: bool) -> None:
        bank = self._cards[connection_id].values.bank
        done = tr("{bank} is paused.", bank=bank) if paused else tr("{bank} is read again.", bank=bank)
        self._do("connections: pause", self._commands.pause(connection_id, paused=paused), done)

    def _ask_remove(self, connection_id: ConnectionId) -> None:
        values = self._cards[connection_id].values
        dialog = RemoveDialog(self._theme, values.bank, values.account_count, self.page.window())
        dialog.confirmed.connect(lambda keep: self._remove(connection_id, values.bank, keep=keep))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _remove(self, connection_id: ConnectionId, bank: str, *, keep: bool) -> None:
        if keep:
            done = tr("{bank} is no longer linked; its history stays here.", bank=bank)
        else:
            done = tr("{bank} is no longer linked; its data here is erased.", bank=bank)
        work = self._commands.remove_connection(connection_id, keep_history=keep)
        self._do("connections: remove", work, done)

    def _do(self, name: str, work: Coroutine[Any, Any, None], done: str) -> None:
        self._spawn(name, self._told(work, done))

    async def _told(self, work: Coroutine[Any, Any, None], done: str) -> None:
        try:
            await work
        except ObdeskError as error:
            self._navigator.show_error(error)
        else:
            self._navigator.toast(done)
