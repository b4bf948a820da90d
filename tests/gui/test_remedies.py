"""The button of a problem: every action either mends something or has no button."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

from obdesk.app.events import Problem
from obdesk.domain.errors import Action, AppError
from obdesk.gui.shell.sections import Section
from tests.gui.household import FIRST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

    from tests.gui.theme_fixtures import Shown


class _Page:
    """A screen that only has a name."""

    icon = "house"

    def __init__(self, key: str) -> None:
        self.key, self.title, self.widget = key, key, QWidget()

    def touched(self, _changes: object) -> None: ...

    def shown(self) -> None: ...

    def actions(self) -> Sequence[QAction]:
        return ()

    def set_private(self, *, private: bool) -> None: ...


def _made(key: str) -> Any:
    return _Page(key)


@pytest.fixture
def filled(shown: Shown, qtbot: QtBot) -> Iterator[Shown]:
    for key in ("overview", "connections", "settings"):
        shown.window.add_section(Section(key, key, "house", partial(_made, key)))
    shown.window.open_section("overview")
    shown.window.show_first(FIRST)
    shown.window.show()
    qtbot.waitExposed(shown.window)
    yield shown
    shown.window.hide()


def _problem(action: Action) -> AppError:
    return AppError(title="It failed", cause="The disk said no.", next_step="Try.", action=action)


def _banner_button(filled: Shown) -> QPushButton | None:
    return next((b for b in filled.window.banner.findChildren(QPushButton) if b.isVisible()), None)


def test_a_problem_shows_its_cause_and_its_one_button(filled: Shown, qtbot: QtBot) -> None:
    error = _problem(Action.UNLOCK_KEYRING)
    filled.bus.publish(Problem(error))
    banner = filled.window.banner
    assert banner.isVisible()
    assert banner.texts() == ("It failed", "The disk said no. Try.")

    button = _banner_button(filled)
    assert button is not None
    assert button.text() == "Unlock the keyring"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert filled.asked.names == ["window: refresh"]
    assert not banner.isVisible()


@pytest.mark.parametrize("action", Action)
def test_every_button_of_a_problem_does_something(action: Action, filled: Shown, qtbot: QtBot) -> None:
    window, done = filled.window, []
    window.set_up_wanted.connect(lambda: done.append("set up"))
    window.link_wanted.connect(lambda: done.append("link"))
    window.export_wanted.connect(lambda _filter: done.append("export"))
    window.show_error(_problem(action))
    button = _banner_button(filled)
    if button is None:
        before = window.current_screen()
        window.act(action)
        assert (done, filled.asked.names, window.current_screen()) == ([], [], before)
        assert [b.accessibleName() for b in window.banner.findChildren(QToolButton)] == ["Close"]
        return
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    front = window.current_screen()
    assert front is not None
    assert done or filled.asked.names or front.key in {"connections", "settings"}


@pytest.mark.parametrize("action", [Action.FREE_DISK_SPACE, Action.CHOOSE_ANOTHER_FILE])
def test_a_failed_export_is_asked_for_again(action: Action, filled: Shown, qtbot: QtBot) -> None:
    exports: list[object] = []
    filled.window.export_wanted.connect(exports.append)
    filled.window.show_error(_problem(action), filled.window.actions_.export.trigger)
    button = _banner_button(filled)
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    assert len(exports) == 1
    assert filled.asked.names == []
