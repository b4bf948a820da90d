"""The transactions screen over a real encrypted file, with its reading in the test's own hands."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest

from obdesk.app import merging
from obdesk.app.commands import AppCommands
from obdesk.app.reads import StoreReads
from obdesk.gui.transactions.screen import TransactionsScreen
from obdesk.storage.store import Store
from obdesk.storage.writes import connections, edits
from obdesk.sync.saving import save
from tests.fakes import FrozenClock
from tests.gui.household import ENGLISH
from tests.seed import KEY, NOW, SeedPage, answer_of, made_rows, remote_account, remote_connection

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from obdesk.domain.errors import AppError
    from obdesk.domain.filters import TransactionFilter
    from obdesk.domain.ids import TransactionId
    from obdesk.domain.remote import RemoteTransaction
    from obdesk.domain.suggestions import MergeId, SuggestionId
    from obdesk.gui.format import Locale
    from obdesk.gui.theme.theme import Theme
    from obdesk.storage.tx import Tx


ROWS = 400
PLAIN, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


def put(store: Store, rows: Sequence[RemoteTransaction], *, accounts: int = 3) -> None:
    """Sync rows into a store as a bank's whole answer."""
    names = ("Compte courant", "Livret A", "Compte joint")

    def write(tx: Tx) -> None:
        connection_id = connections.adopt(tx, "powens", remote_connection(), NOW)
        told = [remote_account(1801 + n, names[n]) for n in range(accounts)]
        save(tx, answer_of(connection_id, told, [SeedPage(tuple(rows), len(rows))]))

    store.write_now(write)


class GatedReads(StoreReads):
    """Real reads of which the first page can be held back, to see what overtakes it."""

    gate: asyncio.Event | None = None
    reached: asyncio.Event
    pages = 0

    async def transaction_page(self, wanted: TransactionFilter, **how: Any) -> tuple[Any, ...]:
        found = await super().transaction_page(wanted, **how)
        self.pages += 1
        if self.gate is not None:
            self.reached.set()
            await self.gate.wait()
        return found


class StoreCommands(AppCommands):
    """The commands this screen gives, straight to the store; `refuses` makes it fail."""

    def __init__(self, store: Store) -> None:
        self._kept = store
        self.refuses: AppError | None = None

    async def edit_transaction(
        self, transaction_id: TransactionId, *, note: str | None = None, category: str | None = None
    ) -> None:
        if self.refuses is not None:
            raise self.refuses
        await self._kept.write(
            lambda tx: edits.edit_transaction(tx, transaction_id, note=note, category=category, now=NOW)
        )

    async def accept_suggestion(self, suggestion: SuggestionId) -> MergeId:
        if self.refuses is not None:
            raise self.refuses
        done = await self._kept.write(lambda tx: merging.accept(tx, suggestion, NOW))
        assert done is not None
        return done[0]

    async def refuse_suggestion(self, suggestion: SuggestionId) -> None:
        await self._kept.write(lambda tx: merging.refuse(tx, suggestion, NOW))

    async def split(self, merge_id: MergeId) -> None:
        if self.refuses is not None:
            raise self.refuses
        await self._kept.write(lambda tx: merging.split(tx, merge_id, NOW))


class Window:
    """What the screen asks of its window, remembered."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.searched: list[str] = []
        self.linked = 0

    def toast(self, text: str) -> None:
        self.said.append(text)

    def show_search(self, text: str) -> None:
        self.searched.append(text)

    def link_bank(self) -> None:
        self.linked += 1


class Desk:
    """A shown screen; `settle` carries out all the reading it has started."""

    def __init__(self, theme: Theme, store: Store, folder: Path, locale: Locale = ENGLISH) -> None:
        self._runner = asyncio.Runner()
        self._closed = False
        self._started: list[Coroutine[Any, Any, None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.store, self.clock = store, FrozenClock(NOW)
        self.reads, self.commands = GatedReads(store, self.clock), StoreCommands(store)
        self.window, self.status = Window(), [""]
        navigator: Any = self.window
        self.screen = TransactionsScreen(
            theme=theme, locale=locale, clock=self.clock, reads=self.reads, commands=self.commands,
            spawn=self._spawn, settings=QSettings(str(folder / "desk.ini"), QSettings.Format.IniFormat),
            navigator=navigator,
        )  # fmt: skip
        self.screen.on_status(self._say)
        self.table, self.model = self.screen.table, self.screen.model

    def _say(self, text: str) -> None:
        self.status.append(text)

    def _spawn(self, name: str, coro: Coroutine[Any, Any, None], /) -> None:
        del name
        if self._closed:
            coro.close()
            return
        try:
            self._tasks.add(asyncio.get_running_loop().create_task(coro))
        except RuntimeError:
            self._started.append(coro)

    def settle(self) -> None:
        """Let timers ring and carry out what was started, until nothing is left to do."""
        quiet, chosen = self.screen.feed._quiet, self.screen.chosen._settle
        while self._started or self._tasks or quiet.isActive() or chosen.isActive():
            for timer in (quiet, chosen):
                if timer.isActive():
                    timer.stop()
                    timer.timeout.emit()
            self.run(self._drain())

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks |= {loop.create_task(coro) for coro in self._started}
        self._started.clear()
        while self._tasks:
            done, self._tasks = self._tasks, set()
            await asyncio.gather(*done)

    def run(self, story: Coroutine[Any, Any, None]) -> None:
        """Carry out a coroutine of the test."""
        self._runner.run(story)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Leave nothing running, whatever the test left open."""
        for timer in (self.screen.feed._quiet, self.screen.chosen._settle):
            timer.stop()
        self.screen.widget.close()
        self._closed = True
        for coro in self._started:
            coro.close()
        self._runner.close()

    def open(self, qtbot: QtBot) -> Self:
        """Show the screen with its first rows."""
        qtbot.addWidget(self.screen.widget)
        self.screen.widget.resize(1100, 700)
        with qtbot.waitExposed(self.screen.widget):
            self.screen.widget.show()
        self.screen.shown()
        self.settle()
        self.table.setFocus()
        return self

    def paint(self, app: QApplication) -> None:
        """Draw what is due, and read what turned out to be missing."""
        self.table.viewport().repaint()
        app.processEvents()
        self.settle()
        self.table.viewport().repaint()

    def texts(self, first: int, last: int) -> list[str]:
        """Return the payees of some rows as they are drawn."""
        lines = [self.model.line(row) for row in range(first, last + 1)]
        return [line.payee if line else "(on its way)" for line in lines]

    def selected(self) -> list[int]:
        """Return the selected rows."""
        return [row for first, last in self.table.selected_rows() for row in range(first, last + 1)]


@contextmanager
def ledger(folder: Path, fill: Callable[[Store], object]) -> Iterator[Store]:
    """Open a new encrypted store and fill it."""
    with Store.open(folder / "ledger.db", KEY) as store:
        fill(store)
        yield store


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Store]:
    """Give a ledger of `ROWS` transactions in three accounts."""
    with ledger(tmp_path, lambda made: put(made, list(made_rows(ROWS)))) as opened:
        yield opened


@pytest.fixture
def desk(filled: Store, tmp_path: Path, theme: Theme, qtbot: QtBot) -> Iterator[Desk]:
    """Show the screen over that ledger."""
    with Desk(theme, filled, tmp_path) as made:
        yield made.open(qtbot)


def press(desk: Desk, *keys: Qt.Key, modifier: Qt.KeyboardModifier = PLAIN) -> None:
    """Press keys in the list and wait for what they bring about."""
    for key in keys:
        QTest.keyClick(desk.table, key, modifier)
    desk.settle()
