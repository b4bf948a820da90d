"""The running window while a large sync is saved: how late its own thread comes to what it has to do.

A process of its own, because what other benchmarks left behind would be part of the figure.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer

from obdesk.app.events import Changed, SyncProgress, SyncStarted
from obdesk.app.profile import profile_of
from obdesk.domain.entities import Trigger
from obdesk.domain.syncing import Step
from obdesk.gui.run import run
from obdesk.gui.transactions.screen import TransactionsScreen
from obdesk.providers.powens.pages import TransactionPage, read_page
from obdesk.storage.writes import connections
from obdesk.sync.saving import Saved, save
from tests.benchmarks.figures import percentile
from tests.benchmarks.ledger import PARIS, bodies
from tests.seed import NOW, answer_of, made_rows, remote_account, remote_connection
from tests.seed_open import opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.app.bootstrap import App, OpenProfile
    from obdesk.gui.desk import Desk

TICK_MS = 1
FIRST_NEW_ID = 500_000_000
NEW_ACCOUNTS = (2801, 2802, 2803)
WORDS = ("carrefour", "uber", "sas exemple 12", "zq")
SCROLL_MS, KEY_MS = 60, 140
SIZE = (1180, 760)


class Ticker(QObject):
    """Notes how much later than its millisecond each tick of the interface's thread comes."""

    def __init__(self) -> None:
        super().__init__()
        self.late_ms: list[float] = []
        self._last_s = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin to tick."""
        self.late_ms = []
        self._last_s = time.perf_counter()
        self._timer.start()

    def stop(self) -> list[float]:
        """End, and return how late each tick was."""
        self._timer.stop()
        return self.late_ms

    def _tick(self) -> None:
        now_s = time.perf_counter()
        self.late_ms.append(max(0.0, (now_s - self._last_s) * 1000 - TICK_MS))
        self._last_s = now_s


class Person(QObject):
    """Scrolls with the wheel and types into the search field, all the time."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        screen = desk.window.current_screen()
        assert isinstance(screen, TransactionsScreen)
        self._screen, self._field = screen, desk.window.toolbar.search
        self._turn = self._letter = 0
        self._timers = [self._every(SCROLL_MS, self._scroll), self._every(KEY_MS, self._type)]

    def _every(self, interval_ms: int, work: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(interval_ms)
        timer.timeout.connect(work)
        return timer

    def begin(self) -> None:
        """Start using the list."""
        for timer in self._timers:
            timer.start()

    def rest(self) -> None:
        """Take the hands away."""
        for timer in self._timers:
            timer.stop()

    def _scroll(self) -> None:
        self._turn += 1
        bar = self._screen.table.verticalScrollBar()
        step = 3 * bar.singleStep()
        bar.setValue(bar.value() + step if self._turn % 200 < 100 else max(0, bar.value() - step))

    def _type(self) -> None:
        self._letter += 1
        word = WORDS[self._letter // 24 % len(WORDS)]
        text = word[: self._letter % 12]
        self._field.setText(text)
        self._field.searched.emit(text)


async def _sync(app: App, profile: OpenProfile, answer: list[bytes]) -> None:
    """Do what a sync does with the bytes of its pages as they come, and tell the window as it does."""
    remote = remote_connection("312", "Banque du Large")
    linked = await profile.store.write(lambda tx: connections.adopt(tx, "powens", remote, NOW))
    app.bus.publish(SyncStarted(linked, Trigger.LINK, NOW))
    loop = asyncio.get_running_loop()

    def tell(step: Step, done: int, total: int | None) -> None:
        event = SyncProgress(linked, step, done, total)
        loop.call_soon_threadsafe(app.bus.publish, event)

    pages = []
    for body in answer:
        page = await asyncio.to_thread(read_page, body, "transactions")
        assert page is not None
        pages.append(TransactionPage(page.rows, page.digest, page.total, PARIS))
        tell(Step.READING_TRANSACTIONS, 1000 * len(pages), page.total)
    accounts = [remote_account(each, f"Compte {each}", connection="312") for each in NEW_ACCOUNTS]
    wanted = answer_of(linked, accounts, pages, remote=remote)
    saved: Saved = await profile.store.write(
        lambda tx: save(tx, wanted, lambda done, total: tell(Step.SAVING, done, total)), bulk=True
    )
    assert saved.counts.new, saved.counts
    app.bus.publish(Changed(saved.changes))


def main(folder: str, rows: str) -> None:
    """Measure with the hands alone, then with the sync beside them, and say both."""
    made = made_rows(int(rows), account_ids=NEW_ACCOUNTS)
    answer = bodies([row._replace(provider_id=FIRST_NEW_ID + row.provider_id) for row in made])
    gc.collect()
    where = Path(folder)
    kept: list[OpenProfile] = []

    def opener() -> OpenProfile:
        kept.append(opened(where))
        return kept[0]

    async def story(app: App, desk: Desk) -> None:
        try:
            desk.window.resize(*SIZE)
            desk.window.open_section("transactions")
            await asyncio.sleep(3)
            person, ticker = Person(desk), Ticker()
            person.begin()
            ticker.start()
            await asyncio.sleep(3)
            _tell("hands", ticker.stop(), 3.0)
            begin_s = time.perf_counter()
            ticker.start()
            await _sync(app, kept[0], answer)
            await asyncio.sleep(1.5)
            late = ticker.stop()
            person.rest()
            _tell("sync", late, time.perf_counter() - begin_s)
        finally:
            desk.window.quit_wanted.emit()

    run(profile_of(where, "seeded"), opener=opener, story=story)


def _tell(when: str, late_ms: list[float], took_s: float) -> None:
    told = {
        "when": when,
        "ticks": len(late_ms),
        "took_s": took_s,
        "p50_ms": percentile(late_ms, 0.5),
        "p99_ms": percentile(late_ms, 0.99),
        "p999_ms": percentile(late_ms, 0.999),
        "worst_ms": max(late_ms),
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
