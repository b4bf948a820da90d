"""What a person keeps from the menus: the language, how often banks are checked, an account's own name."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QMenu

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.gui.shell.accounts import AccountChanges, RenameDialog
from obdesk.gui.shell.choices import Choices
from tests.gui.household import ACCOUNTS, FIRST
from tests.gui.walkers import clipped, nameless

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

    from tests.gui.theme_fixtures import Shown


class _Commands:
    """Writes down what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def __getattr__(self, name: str) -> Any:
        def ask(*what: object, **more: object) -> Any:
            self.asked.append((name, *what, *more.values()))

            async def nothing() -> None: ...

            return nothing()

        return ask


def _run_at_once(_name: str, coro: Coroutine[Any, Any, None], /) -> None:
    with contextlib.suppress(StopIteration):
        coro.send(None)


@pytest.fixture
def commands(shown: Shown, qtbot: QtBot) -> Iterator[_Commands]:
    made = _Commands()
    shown.feed._commands = made
    shown.feed._spawn = _run_at_once
    AccountChanges(shown.window, shown.feed)
    Choices(shown.window, shown.feed, shown.settings)
    shown.window.show_first(FIRST)
    shown.window.show()
    qtbot.waitExposed(shown.window)
    yield made
    shown.window.hide()


def test_the_language_is_kept_beside_the_data_and_said_to_come_later(
    shown: Shown, commands: _Commands
) -> None:
    languages = shown.window.actions_.languages
    assert languages["system"].isChecked()
    languages["fr"].trigger()

    assert shown.settings.value("window/language") == "fr"
    assert languages["fr"].isChecked()
    assert not languages["system"].isChecked()
    assert "next time" in shown.window.toaster.accessibleName()
    assert commands.asked == []


def test_the_interval_is_kept_in_the_data_and_the_one_in_use_is_marked(
    shown: Shown, commands: _Commands
) -> None:
    intervals = shown.window.actions_.intervals
    shown.feed.interval_h = 4
    shown.feed.renewed.emit()
    assert [hours for hours, action in intervals.items() if action.isChecked()] == [4]
    intervals[24].trigger()

    assert commands.asked == [("set_setting", "sync.interval_h", "24")]


def test_another_interval_moves_the_next_run_times(shown: Shown) -> None:
    shown.feed._touched(ChangeSet.many(Kind.SETTINGS))

    assert shown.asked.names == ["window: accounts"]


def test_the_choices_are_in_the_menus_and_the_palette(shown: Shown) -> None:
    texts = [action.text() for action in shown.window.commands()]

    assert {"Language: Français", "Check each bank every hour", "Check each bank every 8 hours"} <= set(texts)


def _menu_of(shown: Shown, qtbot: QtBot) -> dict[str, QAction]:
    tree = shown.window.sidebar.accounts
    tree.setCurrentIndex(tree._accounts.find(ACCOUNTS[0].id))
    qtbot.keyClick(tree, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    menu = tree.findChild(QMenu)
    assert isinstance(menu, QMenu)
    return {action.text(): action for action in menu.actions()}


def test_an_account_is_taken_out_of_net_worth_from_the_keyboard(
    shown: Shown, commands: _Commands, qtbot: QtBot
) -> None:
    counts = _menu_of(shown, qtbot)["Counts in net worth"]
    assert counts.isChecked() is ACCOUNTS[0].in_net_worth
    counts.trigger()

    assert commands.asked == [("set_in_net_worth", ACCOUNTS[0].id, not ACCOUNTS[0].in_net_worth)]


def test_an_account_is_marked_as_important_from_the_keyboard(
    shown: Shown, commands: _Commands, qtbot: QtBot
) -> None:
    mark = _menu_of(shown, qtbot)["Important: checked before others"]
    assert not mark.isChecked()
    mark.trigger()

    assert commands.asked == [("set_important", ACCOUNTS[0].id, True)]


@pytest.mark.parametrize(("typed", "name"), [(" Household ", "Household"), ("", "")])
def test_an_account_gets_the_name_that_is_typed(
    typed: str, name: str, shown: Shown, commands: _Commands, qtbot: QtBot
) -> None:
    _menu_of(shown, qtbot)["Rename…"].trigger()
    dialog = shown.window.findChild(RenameDialog)
    assert isinstance(dialog, RenameDialog)
    assert dialog.line.text() == ACCOUNTS[0].name
    assert (clipped(dialog), nameless(dialog)) == ([], [])
    dialog.line.setText(typed)
    qtbot.keyClick(dialog.line, Qt.Key.Key_Return)

    assert commands.asked == [("rename_account", ACCOUNTS[0].id, name)]


def test_a_name_that_is_not_wanted_after_all_changes_nothing(
    shown: Shown, commands: _Commands, qtbot: QtBot
) -> None:
    _menu_of(shown, qtbot)["Rename…"].trigger()
    dialog = shown.window.findChild(RenameDialog)
    assert isinstance(dialog, RenameDialog)
    dialog.buttons.button(QDialogButtonBox.StandardButton.Cancel).click()

    assert commands.asked == []
