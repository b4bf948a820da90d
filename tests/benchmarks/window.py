"""What the benchmarks of the window share: the real screen over a filled encrypted file."""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import qasync
from PySide6.QtCore import QLocale, QSettings
from PySide6.QtWidgets import QApplication

from obdesk.app.reads import StoreReads
from obdesk.app.scopes import Scope
from obdesk.gui.locales import locale_of
from obdesk.gui.shell.toolbar import SearchField
from obdesk.gui.theme.theme import Mode, Theme
from obdesk.gui.transactions.screen import TransactionsScreen
from obdesk.storage.store import Store
from tests.fakes import FrozenClock
from tests.seed import KEY, NOW, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QTableView

FRAME_TIMEOUT_S = 10


class Frames:
    """Tells when a table has painted, by standing in for its paint event."""

    def __init__(self, table: QTableView) -> None:
        self._paint: Callable[[QPaintEvent], None] = table.paintEvent
        self._painted = asyncio.Event()
        self.at_s = 0.0
        table.paintEvent = self._timed  # type: ignore[method-assign]

    def _timed(self, event: QPaintEvent) -> None:
        self._paint(event)
        self.at_s = time.perf_counter()
        self._painted.set()

    async def after(self, work: Callable[[], object]) -> float:
        """Do `work` and return the milliseconds until it was on the screen."""
        self._painted.clear()
        begin = time.perf_counter()
        work()
        await asyncio.wait_for(self._painted.wait(), FRAME_TIMEOUT_S)
        return (self.at_s - begin) * 1000

    async def painted_after(self, moment_s: float) -> None:
        """Wait for a frame that ended after a moment."""
        while self.at_s <= moment_s:
            self._painted.clear()
            await asyncio.wait_for(self._painted.wait(), FRAME_TIMEOUT_S)


class Bench:
    """The transactions screen over a store, with the window's search field."""

    def __init__(self, app: QApplication, store: Store, scope: Scope, settings: Path) -> None:
        self.app, self.scope = app, scope
        self.theme = Theme(app, Mode.LIGHT)
        self.search = SearchField(self.theme)
        clock = FrozenClock(NOW)
        made: Any = _Nobody()
        self.screen = TransactionsScreen(
            theme=self.theme,
            locale=locale_of(QLocale("fr_FR")),
            clock=clock,
            reads=StoreReads(store, clock),
            commands=made,
            spawn=scope.spawn,
            settings=QSettings(str(settings), QSettings.Format.IniFormat),
            navigator=made,
        )
        self.search.searched.connect(self.screen.search)
        self.screen.widget.resize(1024, 720)
        self.screen.widget.show()
        self.search.show()

    async def settled(self) -> None:
        """Wait until nothing is being read."""
        quiet = 0
        while quiet < 5:
            await asyncio.sleep(0.05)
            quiet = quiet + 1 if self.scope.idle else 0


class _Nobody:
    """Commands and a navigator that are never called here."""


def with_screen(rows: int, story: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    """Fill an encrypted file with `rows` transactions and run `story` over the real screen."""
    with tempfile.TemporaryDirectory(prefix="obdesk-bench-") as name:
        store = Store.open(Path(name, "ledger.db"), KEY)
        try:
            fill(store, rows)
            app = QApplication.instance() or QApplication([])
            assert isinstance(app, QApplication)
            with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
                runner.run(_told(app, store, Path(name), story))
        finally:
            store.close()


async def _told(
    app: QApplication, store: Store, folder: Path, story: Callable[[Bench], Coroutine[Any, Any, None]]
) -> None:
    app.setQuitOnLastWindowClosed(False)
    failures: list[BaseException] = []
    async with Scope("bench", lambda _name, error: failures.append(error)) as scope:
        bench = Bench(app, store, scope, folder / "settings.ini")
        bench.screen.shown()
        await bench.settled()
        gc.collect()
        gc.freeze()  # as the program does once its window is there
        await story(bench)
        await bench.settled()
        bench.screen.widget.hide()
    if failures:
        raise failures[0]
