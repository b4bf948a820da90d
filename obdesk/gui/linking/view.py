"""The linking screen: the banks on the left, the flow's page on the right, the step line at the foot."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import shiboken6
from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from obdesk.app.interface import LinkChannel
from obdesk.domain.errors import Action, ObdeskError
from obdesk.domain.texts import tr
from obdesk.gui.linking.banks import BankPanel
from obdesk.gui.linking.conduct import Conductor
from obdesk.gui.linking.engine import prefers_browser, prepare, refusal
from obdesk.gui.linking.flow import target_of
from obdesk.gui.linking.pages import (
    BrowserBar,
    StepLine,
    end_page,
    explain_page,
    waiting_page,
    welcome_page,
)
from obdesk.gui.linking.policy import is_loopback
from obdesk.gui.linking.present import ending_title, left_text, linked_names, step_line, title_of
from obdesk.gui.linking.stages import (
    Adopting,
    AtBank,
    BankChosen,
    BrowserWanted,
    CameBack,
    Cancel,
    Choosing,
    Confirmed,
    Done,
    Ended,
    Explaining,
    FirstSync,
    LastQuestion,
    Leave,
    Left,
    Opening,
    PageBroke,
    Retry,
    Target,
)
from obdesk.gui.remedies import REPEATS

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent

    from obdesk.app.interface import Commands, Reads
    from obdesk.domain.clock import Clock
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.remote import Connector
    from obdesk.gui.changes import Spawn
    from obdesk.gui.linking.pages import Button, Page
    from obdesk.gui.linking.policy import Gate
    from obdesk.gui.linking.stages import Flow, Stage
    from obdesk.gui.linking.webview import AddressBar, LinkBrowser
    from obdesk.gui.theme.theme import Theme

SAID_S = 8.0
"""How long the foot says what the page was told no about."""


class LinkingScreen(QWidget):
    """Give it to the window as a page; `start` shows the banks, `renew` goes to one at once.

    `left()` when the person is done or goes away, `actionWanted(Action)` for what it cannot do itself
    (setting up Powens), `linked(connections)` when a bank was linked or renewed.
    """

    left = Signal()
    actionWanted = Signal(object)
    linked = Signal(object)
    atBank = Signal()
    """The embedded page is there, for those who drive it from outside."""

    def __init__(
        self,
        theme: Theme,
        clock: Clock,
        reads: Reads,
        commands: Commands,
        spawn: Spawn,
        *,
        country: str = "",
        demo: bool = False,
    ) -> None:
        super().__init__()
        self.setObjectName("content")
        self._theme, self._clock, self._reads = theme, clock, reads
        self._commands, self._spawn = commands, spawn
        self._country, self._demo = country, demo
        self._colors: dict[str, str] = {}
        self._shown: Stage | None = None
        self._said, self._said_until_s = "", 0.0
        self.conductor = Conductor(commands, spawn, clock, open_in_browser)
        self.banks = BankPanel(theme)
        self.foot = StepLine(theme)
        self.browser: LinkBrowser | None = None
        self._address: AddressBar | None = None
        self._engine_refusal: str | None = None
        self._right = QStackedWidget()
        self._lay_out()
        self.conductor.moved.connect(self._moved)
        self.conductor.pageWanted.connect(self._open_page)
        self.conductor.pageDone.connect(self._close_page)
        self.banks.chosen.connect(lambda target: self.conductor.feed(BankChosen(target)))
        self.banks.explainWanted.connect(self._explain_first)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self._escape)

    def _lay_out(self) -> None:
        right = QWidget()
        right.setObjectName("surface")
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._right, 1)
        column.addWidget(self.foot)
        inside = QHBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        inside.addWidget(self.banks)
        inside.addWidget(right, 1)

    def start(self) -> None:
        """Show the banks, fetched anew."""
        self._moved(self.conductor.flow)
        self.banks.show_waiting()
        self._spawn("link: banks", self._fetch_banks())
        self.banks.search.setFocus()

    def renew(self, connection_id: ConnectionId, bank: str) -> None:
        """Go to renewing one bank's access."""
        self.start()
        self.conductor.feed(BankChosen(Target(bank, renews=connection_id)))

    def hideEvent(self, event: QHideEvent) -> None:
        """Override QWidget.hideEvent: another section instead of this page ends the attempt."""
        super().hideEvent(event)
        if self.isHidden():  # not so when the whole window hides into the tray
            self.conductor.feed(Leave())

    def leave(self) -> None:
        """Give up what is open and tell the window."""
        self.conductor.feed(Leave())
        self.left.emit()

    async def _fetch_banks(self) -> None:
        try:
            connectors = await self._commands.connectors()
            linked = linked_names(await self._reads.connections())
        except ObdeskError as error:
            if shiboken6.isValid(self):
                self.banks.show_error(error, self._act)
            return
        if not shiboken6.isValid(self):
            return  # the person went elsewhere meanwhile
        self._colors = {connector.id: connector.color for connector in connectors}
        self.banks.show_banks(_by_name(connectors), linked, self._country)
        self.banks.mark(target_of(self.conductor.flow.stage))

    def _act(self, action: Action) -> None:
        if action in REPEATS:
            self.start()
        else:
            self.actionWanted.emit(action)

    def _explain_first(self) -> None:
        if isinstance(self.conductor.flow.stage, Choosing | Left | Done | Ended):
            self.conductor.feed(BankChosen(Target(tr("your bank"))))

    def _escape(self) -> None:
        if isinstance(self.conductor.flow.stage, Choosing | Left):
            self.leave()
        else:
            self.conductor.feed(Cancel())

    # From the flow to the screen

    def _moved(self, flow: Flow) -> None:
        stage = flow.stage
        clock = ""
        if isinstance(stage, AtBank):
            clock = left_text(stage.deadline_s - self._clock.monotonic_s())
        if clock and self._clock.monotonic_s() < self._said_until_s:
            self.foot.say(self._said, clock)
        else:
            self.foot.say(step_line(flow), clock)
        before, self._shown = self._shown, stage
        self.banks.setEnabled(not isinstance(stage, Opening | AtBank | Adopting | LastQuestion))
        if isinstance(stage, AtBank) and isinstance(before, AtBank):
            if before.ticket is stage.ticket and before.fruit is stage.fruit:
                return
        elif before == stage and self._right.count():
            return
        if isinstance(stage, FirstSync) and not isinstance(before, FirstSync):
            self.linked.emit(stage.report.connections)
        if isinstance(stage, FirstSync):
            self._spawn("link: banks", self._fetch_banks())
        if not (isinstance(stage, AtBank) and stage.ticket.channel is LinkChannel.EMBEDDED):
            self._put(self._page_of(stage))
        self.banks.mark(target_of(stage))

    def _page_of(self, stage: Stage) -> Page:
        feed = self.conductor.feed
        cancel: Button = (tr("Cancel"), lambda: feed(Cancel()), "ghost")
        match stage:
            case Choosing() | Left():
                return welcome_page(self._theme)
            case Explaining(target):
                return self._explain(target)
            case Opening(target):
                return waiting_page(
                    self._theme, title_of(target), tr("Asking Powens for the bank's page…"), [cancel]
                )
            case AtBank():
                return self._browser_page(stage, cancel)
            case Adopting(target) | LastQuestion(target):
                sentence = tr("Powens is asked what came of it; nothing is taken from the page itself.")
                return waiting_page(self._theme, title_of(target), sentence, [cancel])
            case FirstSync() | Done():
                return self._linked_page(stage)
            case Ended():
                return self._ended_page(stage)

    def _explain(self, target: Target) -> Page:
        why_not, browser_first = self._engine()
        here: Button = (
            tr("Go on to the bank"),
            lambda: self.conductor.feed(Confirmed(LinkChannel.EMBEDDED)),
            "",
        )
        elsewhere: Button = (
            tr("Continue in my browser"),
            lambda: self.conductor.feed(Confirmed(LinkChannel.BROWSER)),
            "",
        )
        back: Button = (tr("Back"), lambda: self.conductor.feed(Cancel()), "ghost")
        order = [elsewhere, here] if browser_first else [here, elsewhere]
        if why_not:
            order = [elsewhere]
        buttons = [(order[0][0], order[0][1], "primary"), *order[1:], back]
        warning = why_not or ""
        if browser_first and not why_not:
            warning = tr(
                "The page built into obdesk has not had security updates for 60 days. "
                "Your own browser is the safer way until obdesk is updated."
            )
        color = self._colors.get(target.connector_id or "", "")
        return explain_page(self._theme, target, color, warning, buttons)

    def _browser_page(self, stage: AtBank, cancel: Button) -> Page:
        url = stage.ticket.url
        finish: Button = (tr("Finish"), lambda: self.conductor.feed(Cancel()), "primary")
        again: Button = (tr("Open it again"), lambda: self.conductor.feed(BrowserWanted()), "")
        copy: Button = (tr("Copy the address"), lambda: QGuiApplication.clipboard().setText(url), "")
        words = tr(
            "The bank's page is open in your browser. When you are done there, this window goes on by itself."
        )
        buttons = [finish] if stage.fruit is not None else [again, copy, cancel]
        return waiting_page(self._theme, title_of(stage.target), words, buttons)

    def _linked_page(self, stage: FirstSync | Done) -> Page:
        accounts: Button = (tr("Show my accounts"), self.leave, "primary")
        other: Button = (tr("Link another bank"), lambda: self.conductor.feed(Cancel()), "")
        done = isinstance(stage, Done)
        words = stage.sentence if isinstance(stage, Done) else tr("Your data is coming in…")
        buttons = [accounts, other] if done else [(tr("Use obdesk meanwhile"), self.leave, "primary")]
        return end_page(self._theme, stage.report.sentence, words, good=True, buttons=buttons)

    def _ended_page(self, stage: Ended) -> Page:
        retry: Button = (tr("Try again"), lambda: self.conductor.feed(Retry()), "primary")
        other: Button = (tr("Choose another bank"), lambda: self.conductor.feed(Cancel()), "")
        title = ending_title(stage)
        return end_page(self._theme, title, stage.sentence, good=False, buttons=[retry, other])

    def _put(self, page: QWidget) -> None:
        old = self._right.currentWidget()
        self._right.addWidget(page)
        self._right.setCurrentWidget(page)
        if old is not None:
            self._right.removeWidget(old)
            old.deleteLater()
        if not self.banks.search.hasFocus():
            page.setFocus()

    # The embedded page

    def _engine(self) -> tuple[str | None, bool]:
        """Return why the embedded page must not be shown, and whether the browser is the better way."""
        is_root = os.name == "posix" and os.geteuid() == 0
        why = refusal(os.environ, sys.argv[1:], is_root=is_root, root_demo=self._demo)
        if why is not None:
            return why, True
        # A page on this computer: the demo's, or a simulator that the person has set up themselves.
        page = urlsplit(self._reads.setting_now("powens.webview_url"))
        local = is_loopback(page.hostname or "")
        prepare(os.environ, local=local, is_root=is_root, root_demo=self._demo)
        try:
            from PySide6.QtWebEngineCore import qWebEngineChromiumSecurityPatchVersion
        except ImportError:
            return tr("The page built into obdesk is not installed here. Your own browser can show it."), True
        version = qWebEngineChromiumSecurityPatchVersion()
        return None, prefers_browser(str(version), self._clock.now().date()) and not self._demo

    def _open_page(self, url: str, gate: Gate) -> None:
        from obdesk.gui.linking.webview import AddressBar, LinkBrowser

        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        address = AddressBar(self._theme)
        bar = BrowserBar(self._theme, address)
        browser = LinkBrowser(self._theme)
        column.addWidget(bar)
        column.addWidget(browser, 1)
        feed, attempt = self.conductor.feed, self.conductor.flow.attempt
        bar.browserWanted.connect(lambda: feed(BrowserWanted()))
        bar.cancelled.connect(lambda: feed(Cancel()))
        target = target_of(self.conductor.flow.stage)
        note = "" if target is None else target.bank
        browser.moved.connect(lambda there: address.show_address(there, note))
        browser.cameBack.connect(lambda there: feed(CameBack(attempt, there)))
        browser.broke.connect(lambda fault: feed(PageBroke(attempt, fault)))
        browser.said.connect(self._page_said)
        self.browser, self._address = browser, address
        self._put(page)
        browser.open_page(url, gate)
        self.atBank.emit()

    def _page_said(self, sentence: str) -> None:
        self._said, self._said_until_s = sentence, self._clock.monotonic_s() + SAID_S
        self._moved(self.conductor.flow)

    def _close_page(self) -> None:
        if self.browser is not None:
            self.browser.close_page()
            self.browser = self._address = None


def open_in_browser(url: str) -> bool:
    """Show an address in the person's own browser."""
    return QDesktopServices.openUrl(QUrl(url))


def _by_name(connectors: tuple[Connector, ...]) -> list[Connector]:
    return sorted(connectors, key=lambda connector: connector.name.casefold())
