"""The main window: it frames the screens, carries out the commands and never blocks.

What it is made of is imported where it is made (`furnish`): an empty window shows a first frame before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QMainWindow

from obdesk.domain.texts import tr
from obdesk.gui.shell import sheets
from obdesk.gui.shell.places import remember, restore, restore_inside
from obdesk.gui.shell.screen import Ages, HasInspector, HasStatus, Narrows, Searches, ShowsBanks, ShowsFirst

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtCore import QSettings
    from PySide6.QtGui import QAction, QCloseEvent, QResizeEvent
    from PySide6.QtWidgets import QWidget

    from obdesk.app.interface import FirstScreen
    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.clock import Clock
    from obdesk.domain.errors import Action, ObdeskError
    from obdesk.domain.filters import TransactionFilter
    from obdesk.domain.ids import AccountId, ConnectionId, TransactionId
    from obdesk.gui.format import Locale
    from obdesk.gui.shell.feed import FrameFeed
    from obdesk.gui.shell.screen import Screen
    from obdesk.gui.shell.sections import Section
    from obdesk.gui.theme.theme import Mode, Theme

MINIMUM_SIZE = QSize(880, 560)
NARROW_BELOW = 1000
MINUTE_MS = 60_000


class MainWindow(QMainWindow):
    """The frame around the screens; it is the `Navigator` that screens are given.

    It can be shown before anything is unlocked: `show_page` fills it with a page of its own (first run,
    unlocking, linking), `attach` gives it data and `show_sections` brings the screens to the front.
    """

    link_wanted = Signal()
    renew_wanted = Signal(object)
    """ConnectionId"""
    set_up_wanted = Signal()
    """The person's Powens application is to be entered anew."""
    export_wanted = Signal(object)
    """TransactionFilter: what the list shows"""
    quit_wanted = Signal()
    demo_left = Signal()

    def __init__(
        self,
        theme: Theme,
        locale: Locale,
        clock: Clock,
        settings: QSettings,
        *,
        demo: bool = False,
        furnished: bool = True,
    ) -> None:
        """Make the window; one that is not `furnished` has its place and size and nothing inside yet."""
        super().__init__()
        self.theme, self._locale, self._clock, self._settings = theme, locale, clock, settings
        self._feed: FrameFeed | None = None
        self._narrow: bool | None = None
        self.keep_running: Callable[[], bool] = lambda: False
        """Asked when the window is closed: True hides it and lets the program go on."""
        self.setWindowTitle("obdesk" if not demo else tr("obdesk, demo"))
        self.setMinimumSize(MINIMUM_SIZE)
        self._demo, self.furnished = demo, False
        restore(self, settings)
        if furnished:
            self.furnish()

    def furnish(self) -> None:
        """Make everything inside; it takes the place of what was shown before."""
        from obdesk.gui.shell.actions import Actions

        self.actions_ = Actions(self.theme, self)
        self._build(demo=self._demo)
        self._connect()
        restore_inside(self.frame.splitter, self._settings)
        self.actions_.privacy.setChecked(self._settings.value("window/private", False, bool) is True)
        self.furnished = True
        self._minute = QTimer(self)
        self._minute.setInterval(MINUTE_MS)
        self._minute.timeout.connect(self._minute_passed)
        self._minute.start()

    def _build(self, *, demo: bool) -> None:
        from PySide6.QtWidgets import QMenu

        from obdesk.gui.shell.actions import menu_bar_shown_at_start
        from obdesk.gui.shell.altkey import AltAlone
        from obdesk.gui.shell.frame import Frame
        from obdesk.gui.shell.sections import Sections
        from obdesk.gui.shell.toolbar import Toolbar
        from obdesk.gui.widgets.panels import Toast

        menu = QMenu(self)
        menu.addActions(
            [self.actions_.refresh_all, self.actions_.refresh_bank, self.actions_.refresh_account]
        )
        toolbar = Toolbar(self.theme, self.actions_.refresh_all, menu, self.actions_.privacy)
        self.frame = Frame(self.theme, toolbar, demo=demo)
        self.sidebar, self.toolbar, self.strip = self.frame.sidebar, self.frame.toolbar, self.frame.strip
        self.banner, self.stack, self.status = self.frame.banner, self.frame.stack, self.frame.status
        self.sections = Sections(self.stack, self._screen_made)
        self.frame.demo_left.connect(self.demo_left)
        self.setCentralWidget(self.frame)
        self.toaster = Toast(self.theme, self.frame)
        self.addActions(self.actions_.all())
        self.actions_.fill(self.menuBar())
        self.menuBar().setVisible(menu_bar_shown_at_start())
        AltAlone(self).pressed.connect(self._toggle_menu)

    def _connect(self) -> None:
        acts = self.actions_
        acts.refresh_all.triggered.connect(lambda: self.refresh(None))
        for one in (acts.refresh_bank, acts.refresh_account):
            one.triggered.connect(self._refresh_current)
        acts.search.triggered.connect(self._to_search)
        acts.link.triggered.connect(self.link_wanted)
        acts.export.triggered.connect(self._export)
        acts.privacy.toggled.connect(self._set_private)
        acts.commands.triggered.connect(lambda: sheets.open_palette(self.theme, self.commands(), self))
        acts.shortcuts.triggered.connect(lambda: sheets.open_shortcuts(self.theme, self.commands(), self))
        acts.menu.triggered.connect(self._toggle_menu)
        acts.about.triggered.connect(lambda: sheets.open_about(self.theme, self))
        acts.quit.triggered.connect(self.quit_wanted)
        for mode, action in acts.modes.items():
            action.triggered.connect(lambda _on=False, mode=mode: self._choose_mode(mode))
        self.sidebar.section_wanted.connect(self.open_section)
        self.sidebar.link_wanted.connect(self.link_wanted)
        self.sidebar.accounts.opened.connect(self.open_account)
        self.sidebar.accounts.refresh_wanted.connect(self._refresh_account)
        self.toolbar.search.searched.connect(self._search)
        self.toolbar.search.entered.connect(self._enter_list)
        self.banner.acted.connect(self.act)

    # Screens and data

    def add_section(self, section: Section) -> None:
        """Add a section below the others; its screen is made when it is first needed."""
        self.sections.add(section)
        action = self.actions_.add_section(section.title)
        action.triggered.connect(lambda: self.open_section(section.key))
        self.addAction(action)
        self.sidebar.add_section(section, action.shortcut().toString())
        self._fill_menus()

    def _screen_made(self, screen: Screen) -> None:
        if isinstance(screen, HasStatus):
            screen.on_status(lambda text, key=screen.key: self.status.say(key, text))
        screen.set_private(private=self.actions_.privacy.isChecked())
        if isinstance(screen, HasInspector):
            screen.set_narrow(narrow=self.width() < NARROW_BELOW)
        if screen.actions():
            self._fill_menus()

    def _fill_menus(self) -> None:
        of_screens = [action for screen in self.sections.made() for action in screen.actions()]
        self.actions_.fill(self.menuBar(), of_screens)

    def attach(self, feed: FrameFeed) -> None:
        """Give the frame its data; the screens have theirs from their makers."""
        self._feed = feed
        feed.renewed.connect(self._show_feed)
        feed.progressed.connect(self.strip.begin)
        feed.finished.connect(self.strip.end)
        feed.given_up.connect(self.strip.drop)
        self.strip.cancel_wanted.connect(feed.cancel)
        feed.failed.connect(self.show_error)
        feed.changes.changed.connect(self._spread_changes)
        feed.changes.problem.connect(self.show_error)

    def show_first(self, first: FirstScreen) -> None:
        """Show the first read in the frame and in every screen that can."""
        if self._feed is not None:
            self._feed.show_first(first)
        for screen in self.sections.made():
            if isinstance(screen, ShowsFirst):
                screen.show_first(first)

    def show_page(self, page: QWidget) -> None:
        """Show a page over everything (first run, unlocking, linking); it replaces an earlier one."""
        self.frame.show_page(page)

    def show_sections(self) -> None:
        """Show the screens and let go of the page."""
        front = self.sections.front()
        if self.frame.show_sections() and front is not None:
            front.widget.setFocus()

    def current_screen(self) -> Screen | None:
        """Return the screen in front."""
        return self.sections.front()

    def _show_feed(self) -> None:
        from obdesk.gui.shell.showing import show

        if self._feed is None:
            return
        show(self.frame, self._feed, self._clock.now(), self._locale)
        for one in (self.actions_.refresh_bank, self.actions_.refresh_account):
            one.setEnabled(self.sidebar.accounts.current_account() is not None)

    def _spread_changes(self, changes: ChangeSet) -> None:
        for screen in self.sections.made(front_first=True):  # what somebody looks at is read first
            screen.touched(changes)

    def _minute_passed(self) -> None:
        if not self.isVisible():
            return
        if self._feed is not None:
            self._feed.reread()
        screen = self.current_screen()
        if screen is not None and isinstance(screen, Ages):
            screen.minute_passed()

    # Navigator

    def open_section(self, key: str) -> None:
        """Bring a section to the front."""
        screen = self.sections.get(key)
        if screen is None:
            return
        self.stack.setCurrentWidget(screen.widget)
        self.show_sections()
        self.sidebar.show_section(key)
        self.status.front(key)
        self._settings.setValue("window/section", key)
        if not isinstance(screen, Searches):
            self.sidebar.accounts.mark(None)
        screen.shown()

    def open_account(self, account_id: AccountId) -> None:
        """Show one account's transactions."""
        self.sidebar.accounts.mark(account_id)
        self._show_feed()
        for screen in self.sections.all():
            if isinstance(screen, Searches):
                screen.show_accounts(frozenset({account_id}))
                self.open_section(screen.key)

    def open_rows(self, wanted: TransactionFilter, rows: Sequence[TransactionId] = ()) -> None:
        """Show the transactions of a filter, and some of them selected."""
        self.sidebar.accounts.mark(next(iter(wanted.accounts)) if len(wanted.accounts) == 1 else None)
        for screen in self.sections.all():
            if isinstance(screen, Searches):
                screen.show_rows(wanted, rows)
                self.open_section(screen.key)

    def open_bank(self, connection_id: ConnectionId) -> None:
        """Show one bank's card with its details."""
        for screen in self.sections.all():
            if isinstance(screen, ShowsBanks):
                self.open_section(screen.key)
                screen.show_bank(connection_id)

    def link_bank(self) -> None:
        """Start linking a bank."""
        self.link_wanted.emit()

    def renew(self, connection_id: ConnectionId) -> None:
        """Start renewing access."""
        self.renew_wanted.emit(connection_id)

    def refresh(self, connections: Sequence[ConnectionId] | None = None) -> None:
        """Ask the banks now."""
        if self._feed is not None and self._feed.connections:
            self._feed.refresh(connections)
        elif self._feed is not None:
            self.toast(tr("No bank is linked yet, so there is nothing to refresh."))

    def act(self, action: Action, connection_id: ConnectionId | None = None) -> None:
        """Do what a button of an error or a condition says."""
        from obdesk.gui.shell.acting import carry_out

        export = self.actions_.export.trigger
        carry_out(action, connection_id, self, set_up=self.set_up_wanted.emit, export=export)

    def show_search(self, text: str) -> None:
        """Show in the search field what a screen searches for."""
        self.toolbar.search.setText(text)

    def show_error(self, error: ObdeskError, again: Callable[[], object] | None = None) -> None:
        """Show an error without stopping anything; `again` repeats what failed."""
        self.banner.show_error(error, again)

    def toast(self, text: str) -> None:
        """Say one sentence."""
        self.toaster.say(text)

    def _refresh_current(self) -> None:
        account = self.sidebar.accounts.current_account()
        if account is not None:
            self._refresh_account(account)

    def _refresh_account(self, account_id: AccountId) -> None:
        connection_id = self._feed.connection_of(account_id) if self._feed else None
        if connection_id is None:
            self.toast(tr("This account is not linked to a bank."))
        else:
            self.refresh([connection_id])

    def _to_search(self) -> None:
        self._open_searching()
        self.toolbar.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.toolbar.search.selectAll()

    def _open_searching(self) -> Screen | None:
        for screen in self.sections.all():
            if isinstance(screen, Searches):
                if screen is not self.current_screen():
                    self.open_section(screen.key)
                return screen
        return None

    def _search(self, text: str) -> None:
        screen = self._open_searching()
        if screen is not None and isinstance(screen, Searches):
            screen.search(text)

    def _enter_list(self) -> None:
        screen = self.current_screen()
        if screen is not None:
            screen.widget.setFocus()

    def _export(self) -> None:
        from obdesk.domain.filters import TransactionFilter

        shown = [screen.wanted for screen in self.sections.all() if isinstance(screen, Narrows)]
        self.export_wanted.emit(shown[0] if shown else TransactionFilter())

    def _set_private(self, on: bool) -> None:  # noqa: FBT001 - a slot of QAction.toggled
        self._settings.setValue("window/private", on)
        self.actions_.privacy.setIcon(self.theme.icon("eye-slash" if on else "eye"))
        self.sidebar.set_private(private=on)
        for screen in self.sections.made():
            screen.set_private(private=on)

    def _choose_mode(self, mode: Mode) -> None:
        self._settings.setValue("window/theme", mode.value)
        self.theme.set_mode(mode)

    def commands(self) -> list[QAction]:
        """Return every command, the window's and the front screen's."""
        screen = self.current_screen()
        return [*self.actions_.all(), *(screen.actions() if screen is not None else ())]

    def _toggle_menu(self) -> None:
        self.menuBar().setVisible(not self.menuBar().isVisible())

    # The window itself

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Override QMainWindow.resizeEvent."""
        super().resizeEvent(event)
        if self.furnished:
            self._spread_narrow()

    def _spread_narrow(self) -> None:
        narrow = self.width() < NARROW_BELOW
        if narrow == self._narrow:
            return
        self._narrow = narrow
        for screen in self.sections.made():
            if isinstance(screen, HasInspector):
                screen.set_narrow(narrow=narrow)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Override QMainWindow.closeEvent."""
        self.remember()
        if self.keep_running():
            event.ignore()
            self.hide()
            return
        super().closeEvent(event)
        self.quit_wanted.emit()

    def remember(self) -> None:
        """Keep size and places for the next time."""
        from obdesk.gui.shell.traces import standing_of
        from obdesk.gui.standing import written

        if not self.furnished:
            return
        remember(self, self.frame.splitter, self._settings)
        front = None if self.frame.paged else self.current_screen()
        standing = "" if front is None else written(standing_of(self.frame, front))
        self._settings.setValue("window/standing", standing)
