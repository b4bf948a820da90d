"""The window as a person uses it: keys, sections, refresh, search, privacy, problems."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QWidget

from obdesk.app.events import Changed, SyncEnded, SyncProgress, SyncStarted
from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunCounts, RunResult, Trigger
from obdesk.domain.ids import AccountId
from obdesk.domain.syncing import Step, SyncOutcome
from obdesk.gui.shell.palette import CommandPalette, ShortcutSheet, name_of
from obdesk.gui.shell.sections import Section
from obdesk.gui.widgets.money import HIDDEN
from tests.gui.household import FIRST, NORDIC, NOW, PORT
from tests.gui.theme_fixtures import Shown
from tests.gui.walkers import clipped, nameless, rich

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

    from obdesk.domain.filters import TransactionFilter
    from obdesk.domain.ids import TransactionId
    from obdesk.gui.theme.theme import Theme


CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class Page:
    """A screen that writes down what it hears."""

    icon = "house"

    def __init__(self, key: str) -> None:
        self.key, self.title = key, key.title()
        self.widget = QWidget()
        self.widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.widget.setAccessibleName(self.title)
        self.heard: list[tuple[str, object]] = []

    def touched(self, changes: ChangeSet) -> None:
        self.heard.append(("touched", set(changes.touched)))

    def shown(self) -> None:
        self.heard.append(("shown", None))

    def actions(self) -> Sequence[QAction]:
        return ()

    def set_private(self, *, private: bool) -> None:
        self.heard.append(("private", private))


class ListPage(Page):
    """A screen that searches, has a status line and an inspector."""

    def search(self, text: str) -> None:
        self.heard.append(("search", text))

    def show_accounts(self, accounts: frozenset[AccountId]) -> None:
        self.heard.append(("accounts", accounts))

    def show_rows(self, wanted: TransactionFilter, rows: Sequence[TransactionId]) -> None:
        self.heard.append(("rows", (wanted, tuple(rows))))

    def on_status(self, tell: Any) -> None:
        self.tell = tell

    def set_narrow(self, *, narrow: bool) -> None:
        self.heard.append(("narrow", narrow))


def itself(page: Any) -> Any:
    return page


class Filled:
    """A shown window with two pages and a household."""

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        self.window = shown.window
        self.first, self.list = Page("overview"), ListPage("transactions")
        for page in (self.first, self.list):
            self.window.add_section(Section(page.key, page.title, page.icon, partial(itself, page)))
        self.window.open_section("overview")
        self.window.show_first(FIRST)
        self.window.resize(1180, 760)
        self.window.show()


@pytest.fixture
def filled(shown: Shown, qtbot: QtBot) -> Iterator[Filled]:
    made = Filled(shown)
    qtbot.waitExposed(made.window)
    made.window.activateWindow()
    yield made
    made.window.hide()


def test_a_section_is_made_when_it_is_first_needed(shown: Shown) -> None:
    made: list[str] = []

    def make(key: str) -> Any:
        made.append(key)
        return Page(key)

    for key in ("overview", "transactions"):
        shown.window.add_section(Section(key, key, "house", partial(make, key)))
    shown.window.open_section("transactions")

    assert made == ["transactions"]
    assert shown.window.sections.make_next()
    assert not shown.window.sections.make_next()
    assert made == ["transactions", "overview"]


def test_ctrl_and_a_number_bring_a_section_to_the_front(filled: Filled, qtbot: QtBot) -> None:
    qtbot.keyClick(filled.window, Qt.Key.Key_2, CTRL)
    current = filled.window.current_screen()
    assert current is not None
    assert current.key == "transactions"

    qtbot.keyClick(filled.window, Qt.Key.Key_1, CTRL)
    assert ("shown", None) in filled.list.heard
    again = filled.window.current_screen()
    assert again is not None
    assert again.key == "overview"


def test_search_leads_to_the_list_from_anywhere(filled: Filled, qtbot: QtBot) -> None:
    qtbot.keyClick(filled.window, Qt.Key.Key_F, CTRL)
    field = filled.window.toolbar.search
    qtbot.waitUntil(field.hasFocus)
    qtbot.keyClicks(field, "car")
    qtbot.waitUntil(lambda: ("search", "car") in filled.list.heard)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(filled.list.widget.hasFocus)

    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert filled.list.heard[-1] == ("search", "")
    assert field.text() == ""


def test_enter_on_an_account_shows_its_transactions(filled: Filled, qtbot: QtBot) -> None:
    tree = filled.window.sidebar.accounts
    tree.setCurrentIndex(filled.window.sidebar.model.find(AccountId(4)))
    qtbot.keyClick(tree, Qt.Key.Key_Return)

    assert ("accounts", frozenset({AccountId(4)})) in filled.list.heard
    assert filled.window.stack.currentWidget() is filled.list.widget


def test_closed_accounts_are_folded_away(filled: Filled) -> None:
    tree, model = filled.window.sidebar.accounts, filled.window.sidebar.model
    folded = [
        model.group(place).key
        for place in range(model.rowCount())
        if not tree.isExpanded(model.index(place, 0))
    ]

    assert folded == ["closed"]


def test_a_persons_refresh_is_told_step_by_step_and_ends_in_figures(filled: Filled, qtbot: QtBot) -> None:
    strip, bus = filled.window.strip, filled.shown.bus
    qtbot.keyClick(filled.window, Qt.Key.Key_R, CTRL)
    assert filled.shown.asked.names == ["window: refresh"]
    assert sorted(strip.texts()) == [
        "Asking Banque du Port…",
        "Asking Crédit des Alpes…",
        "Asking Nordic One…",
    ]

    bus.publish(SyncStarted(PORT, Trigger.PERSON, NOW))
    bus.publish(SyncProgress(PORT, Step.READING_TRANSACTIONS, 1_200, 3_400))
    qtbot.waitUntil(lambda: "Reading 1,200 of 3,400 rows of Banque du Port…" in strip.texts())
    assert filled.window.toolbar.summary_text() == "Refreshing 1 bank"

    bus.publish(SyncEnded(outcome_of("Banque du Port", RunResult.UPDATED, RunCounts(new=3))))
    assert "Banque du Port: saved, 3 new" in strip.texts()
    assert strip.isVisible()


def outcome_of(bank: str, result: RunResult, counts: RunCounts | None = None) -> SyncOutcome:
    return SyncOutcome(
        connection_id=PORT if bank == "Banque du Port" else NORDIC,
        bank=bank,
        trigger=Trigger.PERSON,
        result=result,
        condition=Condition.OK if result is RunResult.UPDATED else Condition.BANK_DOWN,
        counts=counts or RunCounts(),
        requests=2,
        started_at=NOW,
        duration_s=0.3,
    )


def test_a_reason_stays_until_it_is_closed(filled: Filled, qtbot: QtBot) -> None:
    strip = filled.window.strip
    filled.window.refresh([NORDIC])
    filled.shown.bus.publish(SyncEnded(outcome_of("Nordic One", RunResult.RETRY_LATER)))

    assert "Nordic One does not answer." in strip.texts()[0]
    assert not strip._timer.isActive()
    close = next(b for b in strip.findChildren(QWidget) if b.accessibleName() == "Close")
    qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    assert not strip.isVisible()


def test_a_background_sync_only_turns_the_glyphs(filled: Filled, qtbot: QtBot) -> None:
    filled.shown.bus.publish(SyncStarted(PORT, Trigger.SCHEDULE, NOW))
    qtbot.waitUntil(lambda: filled.window.toolbar.summary_text() == "Refreshing 1 bank")

    assert not filled.window.strip.isVisible()


def test_a_sync_that_ends_at_once_is_still_seen(filled: Filled) -> None:
    filled.shown.bus.publish(SyncStarted(PORT, Trigger.LINK, NOW))
    filled.shown.bus.publish(SyncEnded(outcome_of("Banque du Port", RunResult.UPDATED, RunCounts(new=9))))

    assert filled.window.strip.texts() == ["Banque du Port: saved, 9 new"]


def test_a_burst_of_commits_is_read_once(filled: Filled, qtbot: QtBot) -> None:
    for number in range(20):
        filled.shown.bus.publish(Changed(ChangeSet.of(Kind.TRANSACTIONS, [number])))
    filled.shown.bus.publish(Changed(ChangeSet.of(Kind.BALANCES, [1])))
    qtbot.waitUntil(lambda: any(what == "touched" for what, _ in filled.first.heard))

    touched = [kinds for what, kinds in filled.first.heard if what == "touched"]
    assert touched == [{Kind.TRANSACTIONS, Kind.BALANCES}]
    assert filled.shown.asked.names == ["window: accounts"]


def test_privacy_hides_the_sidebars_amounts_and_is_remembered(filled: Filled, qtbot: QtBot) -> None:
    before = filled.window.sidebar.grab().toImage()
    qtbot.keyClick(filled.window, Qt.Key.Key_P, CTRL | SHIFT)

    assert filled.window.sidebar.grab().toImage() != before
    assert filled.first.heard[-1] == ("private", True)
    assert filled.shown.settings.value("window/private", type=bool) is True
    assert HIDDEN


def test_the_palette_lists_every_command_and_runs_the_chosen_one(filled: Filled, qtbot: QtBot) -> None:
    qtbot.keyClick(filled.window, Qt.Key.Key_K, CTRL)
    palette = filled.window.findChild(CommandPalette)
    assert isinstance(palette, CommandPalette)
    wanted = {name_of(a) for a in filled.window.commands() if a.isEnabled() and a.isVisible()}
    assert set(palette.names()) == wanted

    qtbot.keyClicks(palette.field, "go tra")
    assert palette.names()[0] == "Go to Transactions"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert filled.window.stack.currentWidget() is filled.list.widget


def test_no_two_commands_share_a_shortcut(filled: Filled) -> None:
    keys = [key.toString() for action in filled.window.commands() for key in action.shortcuts()]

    assert len(keys) == len(set(keys))
    for wanted in (
        "Ctrl+K",
        "Ctrl+F",
        "Ctrl+R",
        "F5",
        "Ctrl+Shift+R",
        "Ctrl+E",
        "Ctrl+Shift+P",
        "F1",
        "Ctrl+Q",
    ):
        assert QKeySequence(wanted).toString() in keys


def test_f1_shows_every_shortcut(filled: Filled, qtbot: QtBot) -> None:
    qtbot.keyClick(filled.window, Qt.Key.Key_F1)
    sheet = filled.window.findChild(ShortcutSheet)
    assert isinstance(sheet, ShortcutSheet)

    assert clipped(sheet) == []
    sheet.reject()


def test_nothing_linked_nothing_to_refresh(shown: Shown) -> None:
    shown.window.show()
    shown.window.refresh()

    assert shown.window.toaster.isVisible()
    assert shown.asked.names == []


def test_the_window_hides_when_it_is_to_keep_running_and_else_asks_to_quit(filled: Filled) -> None:
    quits: list[int] = []
    filled.window.quit_wanted.connect(lambda: quits.append(1))
    filled.window.keep_running = lambda: True
    filled.window.close()
    assert not filled.window.isVisible()
    assert quits == []

    filled.window.show()
    filled.window.keep_running = lambda: False
    filled.window.close()
    assert quits == [1]


def test_size_and_sidebar_come_back(filled: Filled, theme: Theme, tmp_path: Path, qtbot: QtBot) -> None:
    filled.window.resize(1010, 640)
    filled.window.frame.splitter.setSizes([300, 710])
    filled.window.remember()
    # The screen of the tests is smaller than the window, which a restored place would respect.
    filled.shown.settings.remove("window/geometry")
    filled.shown.settings.sync()

    again = Shown(theme, tmp_path)
    qtbot.addWidget(again.window)
    again.window.show()
    assert again.window.size().toTuple() == (1010, 640)
    assert abs(again.window.frame.splitter.sizes()[0] - 300) <= 2
    again.changes.close()


def test_below_a_thousand_pixels_the_inspector_becomes_an_overlay(filled: Filled, qtbot: QtBot) -> None:
    filled.window.open_section("transactions")
    filled.window.resize(900, 600)
    qtbot.waitUntil(lambda: filled.list.heard[-1] == ("narrow", True))
    filled.window.resize(1200, 700)
    qtbot.waitUntil(lambda: filled.list.heard[-1] == ("narrow", False))


def test_alt_alone_shows_the_menu(filled: Filled, qtbot: QtBot) -> None:
    shown = filled.window.menuBar().isVisible()
    qtbot.keyPress(filled.window, Qt.Key.Key_Alt, Qt.KeyboardModifier.AltModifier)
    qtbot.keyRelease(filled.window, Qt.Key.Key_Alt)

    assert filled.window.menuBar().isVisible() != shown


def test_the_status_bar_speaks_for_the_screen_in_front(filled: Filled) -> None:
    filled.window.open_section("transactions")
    filled.list.tell("14 selected")
    assert filled.window.status.texts() == ("14 selected", "Last check 11:56")

    filled.window.open_section("overview")
    assert filled.window.status.texts()[0] == "3 fresh · 1 delayed · 2 need you"


@pytest.mark.parametrize("size", [(880, 560), (1180, 760), (1600, 900)])
def test_nothing_is_clipped_nameless_or_rich(filled: Filled, size: tuple[int, int]) -> None:
    filled.window.resize(*size)
    QApplication.processEvents()
    filled.window.grab()

    assert clipped(filled.window) == []
    assert nameless(filled.window) == []
    assert rich(filled.window) == []


def test_tab_reaches_every_part_of_the_frame(filled: Filled, qtbot: QtBot) -> None:
    filled.window.sidebar.accounts.setFocus()
    reached: set[str] = set()
    for _press in range(20):
        focused = QApplication.focusWidget()
        if focused is not None:
            reached.add(focused.accessibleName())
            qtbot.keyClick(focused, Qt.Key.Key_Tab)

    assert {"Accounts", "Refresh", "Search transactions", "Hide amounts", "Link a bank"} <= reached
