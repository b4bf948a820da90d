"""Parts of the frame: the sidebar's accounts as a model, the demo's ribbon."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QWidget

from obdesk.gui.shell.model import AccountsModel
from obdesk.gui.shell.present import groups_of
from tests.gui.household import ACCOUNTS, CONNECTIONS, ENGLISH, NOW
from tests.gui.theme_fixtures import Shown

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.modeltest import ModelTester
    from pytestqt.qtbot import QtBot

    from obdesk.gui.theme.theme import Theme


def test_the_sidebars_model_is_sound(qtmodeltester: ModelTester, qapp: QApplication) -> None:
    del qapp
    model = AccountsModel()
    qtmodeltester.check(model)
    model.show_groups(groups_of(ACCOUNTS, CONNECTIONS, (), NOW, ENGLISH))
    qtmodeltester.check(model)

    model.show_groups(groups_of(ACCOUNTS[:3], CONNECTIONS, (), NOW, ENGLISH))
    assert model.rowCount() == 1
    assert model.rowCount(model.index(0, 0)) == 3
    assert model.parent(model.index(0, 0, model.index(0, 0))) == model.index(0, 0)
    assert model.parent(QModelIndex()) == QModelIndex()


def test_a_hostile_account_name_stays_text_in_its_tooltip(qapp: QApplication) -> None:
    del qapp
    evil = replace(ACCOUNTS[0], name="<img src='https://tracker.invalid/x'>")
    model = AccountsModel()
    model.show_groups(groups_of([evil], (), (), NOW, ENGLISH))
    tooltip = model.index(0, 0, model.index(0, 0)).data(Qt.ItemDataRole.ToolTipRole)

    assert "<img" not in tooltip
    assert "&lt;img" in tooltip


def test_the_demo_shows_its_ribbon(theme: Theme, tmp_path: Path, qtbot: QtBot) -> None:
    demo = Shown(theme, tmp_path, demo=True)
    qtbot.addWidget(demo.window)
    left: list[int] = []
    demo.window.demo_left.connect(lambda: left.append(1))
    demo.window.show()
    button = next(b for b in demo.window.findChildren(QWidget) if b.accessibleName() == "Leave the demo")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    assert left == [1]
    demo.changes.close()
