"""Fixtures of the tests that show widgets: a theme, and a window filled with a household."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSettings

from obdesk.app.bus import Bus
from obdesk.gui.changes import Changes
from obdesk.gui.shell.feed import FrameFeed
from obdesk.gui.shell.window import MainWindow
from obdesk.gui.theme.theme import Mode, Theme
from tests.fakes import FrozenClock
from tests.gui.household import ENGLISH, NOW

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot


def undress(app: QApplication) -> None:
    """Take the theme off the application, as no obdesk ever does: it only changes one for another.

    Closed windows are ended first. Qt keeps what it knows of a dressed widget with the sheet, so a
    widget that outlives its sheet leaves a dangling pointer there, and the next sheet ends the process.
    """
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    app.setStyleSheet("")


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    """Dress the application in light colours; nothing is left of it afterwards."""
    made = Theme(qapp, Mode.LIGHT)
    yield made
    qapp.styleHints().colorSchemeChanged.disconnect(made._follow)
    undress(qapp)
    made.deleteLater()


class Asked:
    """Work that was started, by name; it is never run, since the widgets under test show values."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str, coro: Coroutine[Any, Any, None], /) -> None:
        self.names.append(name)
        coro.close()


class Shown:
    """A window with its feed and the bus behind it."""

    def __init__(self, theme: Theme, folder: Path, *, demo: bool = False) -> None:
        self.settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        self.clock = FrozenClock(NOW)
        self.bus = Bus()
        self.asked = Asked()
        self.changes = Changes(fold_ms=0)
        self.changes.follow(self.bus)
        self.window = MainWindow(theme, ENGLISH, self.clock, self.settings, demo=demo)
        self.feed = FrameFeed(
            self.window,
            reads=_NOTHING,
            commands=_NOTHING,
            spawn=self.asked,
            changes=self.changes,
            clock=self.clock,
            locale=ENGLISH,
        )
        self.window.attach(self.feed)


class _Answers:
    """Answers every question with a coroutine that is never awaited."""

    def __getattr__(self, name: str) -> Any:
        async def nothing(*_args: object, **_kwargs: object) -> tuple[()]:
            return ()

        return nothing


_NOTHING: Any = _Answers()


@pytest.fixture
def shown(theme: Theme, tmp_path: Path, qtbot: QtBot) -> Iterator[Shown]:
    """Show a window without screens."""
    made = Shown(theme, tmp_path)
    qtbot.addWidget(made.window)
    yield made
    made.changes.close()
