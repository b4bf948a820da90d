"""The activity on the screen: what a person can do there, over a real file."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from obdesk.app.reads import StoreReads
from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.errors import Action, AppError
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.ids import AccountId
from obdesk.gui.activity.view import RUNS_FIRST, ActivityScreen
from obdesk.gui.widgets.basics import ElidedLabel
from obdesk.gui.widgets.money import HIDDEN
from obdesk.storage.queries import suggestions
from obdesk.storage.store import Store
from obdesk.storage.writes import commits, findings, holes
from tests.fakes import FrozenClock
from tests.gui.household import ENGLISH
from tests.gui.walkers import clipped, nameless, rich
from tests.happenings import NORDIC, PORT, ended, happened
from tests.seed import KEY, NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.modeltest import ModelTester
    from pytestqt.qtbot import QtBot

    from obdesk.domain.ids import RunId
    from obdesk.gui.theme.theme import Theme
    from obdesk.storage.tx import Tx


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "s.db", KEY)
    yield opened
    opened.close()


class _Navigator:
    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.calls.append((name, args))


class _Commands:
    """Takes a run back in the file, as the application does."""

    def __init__(self, stage: _Stage) -> None:
        self._stage = stage

    async def revert_run(self, run_id: RunId) -> None:
        if self._stage.refuses:
            raise AppError(title="It may not be", cause="because", next_step="wait")
        self._stage.store.write_now(lambda tx: commits.revert(tx, run_id, NOW))

    async def settle_problem(self, problem_id: int, *, settled: bool = True) -> None:
        if self._stage.refuses:
            raise AppError(title="It may not be", cause="because", next_step="wait")
        assert settled
        self._stage.store.write_now(lambda tx: findings.settle(tx, problem_id, NOW))

    async def settle_days(self, account_id: AccountId, first: date, last: date) -> None:
        self._stage.store.write_now(lambda tx: holes.settle(tx, account_id, (first, last), NOW))


class _Stage:
    """The screen over a real file, its reading done at once."""

    def __init__(self, theme: Theme, store: Store) -> None:
        self.navigator = _Navigator()
        self.store, self.refuses = store, False
        window: Any = self.navigator
        self.reads = 0
        self._waiting: list[Any] = []
        self.told: list[str] = []
        self.clock = FrozenClock(NOW)
        commands: Any = _Commands(self)
        self.screen = ActivityScreen(
            theme, ENGLISH, self.clock, StoreReads(store, self.clock), commands, self._run, window
        )
        self.screen.on_status(self._tell)
        self.page = self.screen.page

    def _tell(self, text: str) -> None:
        self.told.append(text)

    def _run(self, _name: str, coro: Any) -> None:
        """Run work to its end; what it starts itself comes after it, as on a loop."""
        self.reads += 1
        self._waiting.append(coro)
        if len(self._waiting) > 1:
            return
        while self._waiting:
            asyncio.run(self._waiting[0])
            self._waiting.pop(0)

    def shown(self, width: int = 1012) -> _Stage:
        self.page.resize(width, 760)
        self.page.show()
        self.screen.shown()
        QApplication.processEvents()
        return self


@pytest.fixture
def stage(theme: Theme, store: Store, qtbot: QtBot) -> _Stage:
    happened(store)
    made = _Stage(theme, store)
    qtbot.addWidget(made.page)
    return made


@pytest.mark.parametrize("width", [620, 860, 1012, 1500])
def test_nothing_is_clipped_nameless_or_rich(stage: _Stage, width: int, qtbot: QtBot) -> None:
    stage.shown(width)
    qtbot.waitUntil(lambda: clipped(stage.page) == [], timeout=2_000)

    assert nameless(stage.page) == []
    assert rich(stage.page) == []
    assert stage.told[-1].startswith("5 runs")


def test_going_to_a_run_shows_its_details_and_a_new_one_does_not_take_them_away(
    stage: _Stage, store: Store, qtbot: QtBot
) -> None:
    stage.shown()
    table = stage.page.runs.table
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert not stage.page.details.changes.isVisible(), "the changes are those of the run that is shown"
    title = stage.page.details.findChildren(ElidedLabel)[0]
    assert title.whole == "The run of 11:00"

    store.write_now(lambda tx: ended(tx, PORT, NOW))
    stage.screen.touched(ChangeSet.of(Kind.RUNS, [99]))
    QApplication.processEvents()

    assert table.lines.rowCount() == 7
    assert table.lines.line(table.currentIndex().row()).cells[1].text == "Nordic One"
    assert title.whole == "The run of 11:00"


def test_older_runs_come_when_asked_for(stage: _Stage, store: Store, qtbot: QtBot) -> None:
    def many(tx: Tx) -> None:
        for n in range(20):
            ended(tx, PORT, NOW - timedelta(days=2, minutes=n))

    store.write_now(many)
    stage.shown()
    assert stage.page.runs.table.lines.rowCount() == RUNS_FIRST

    qtbot.mouseClick(stage.page.more, Qt.MouseButton.LeftButton)

    assert stage.page.runs.table.lines.rowCount() == 26
    assert not stage.page.more.isVisible()


def test_each_button_leads_to_what_it_says(stage: _Stage, store: Store, qtbot: QtBot) -> None:
    stage.shown()
    for button in stage.page.matters.findChildren(QPushButton):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    (pair,) = store.read_now(suggestions.suggestions)
    days = sorted(each.booked_on for each in (pair.kept, pair.other))
    here = TransactionFilter(accounts=frozenset({AccountId(1)}), date_from=days[0], date_to=days[1])
    bad_day = TransactionFilter(accounts=frozenset({AccountId(2)}), date_from=date(2026, 11, 19))
    assert stage.navigator.calls == [
        ("open_rows", (bad_day, ())),
        ("act", (Action.RENEW, NORDIC)),
        ("open_rows", (here, [pair.other.id])),
        ("open_bank", (PORT,)),
    ]


def test_a_pair_that_is_answered_meanwhile_leads_nowhere(stage: _Stage, store: Store, qtbot: QtBot) -> None:
    stage.shown()
    store.write_now(lambda tx: tx.execute("UPDATE suggestions SET state = 'refused', decided_at = 1"))
    show = next(
        each for each in stage.page.matters.findChildren(QPushButton) if each.text() == "Show the pair"
    )
    qtbot.mouseClick(show, Qt.MouseButton.LeftButton)
    QApplication.processEvents()

    assert stage.navigator.calls == []
    said = [each.text() for each in stage.page.matters.findChildren(QLabel) if each.isVisible()]
    assert not any("may be one operation" in each for each in said)


def test_what_explains_a_finding_is_said_once_and_the_rest_is_a_number(
    stage: _Stage, store: Store, qtbot: QtBot
) -> None:
    def flood(tx: Tx) -> None:
        for n in range(30):
            tx.execute("INSERT INTO problems VALUES (NULL, 1, 1, 0, 'no_date', ?, '', NULL)", (str(n),))

    store.write_now(flood)
    stage.shown(620)
    qtbot.waitUntil(lambda: clipped(stage.page) == [], timeout=2_000)

    said = [each.text() for each in stage.page.matters.findChildren(QLabel) if each.isVisible()]
    assert said.count("Compte courant: a row has no date.") == 20
    assert sum(each.startswith("Without one it has no place") for each in said) == 1
    assert said[-1] == "and 11 more findings"


def test_a_run_shows_what_it_changed_and_can_be_taken_back(stage: _Stage, qtbot: QtBot) -> None:
    stage.shown()
    details = stage.page.details
    assert details.changes.lines.rowCount() == 14
    assert details.revert.isVisible()

    qtbot.mouseClick(details.revert, Qt.MouseButton.LeftButton)

    assert [name for name, _ in stage.navigator.calls] == ["toast"]
    newest = stage.page.runs.table.lines.line(0)
    assert newest.cells[2].text.startswith("taken back: 14 new")
    assert not details.revert.isVisible()


@pytest.mark.parametrize("width", [620, 860, 1012, 1500])
def test_what_is_found_is_whole_at_every_width(stage: _Stage, store: Store, width: int, qtbot: QtBot) -> None:
    store.write_now(
        lambda tx: tx.execute(
            "INSERT INTO problems VALUES (NULL, 1, 1, 0, 'account_successor', '', 'account 2', NULL)"
        )
    )
    stage.shown(width)
    qtbot.waitUntil(lambda: clipped(stage.page) == [], timeout=2_000)
    assert "may continue" in told(stage)


def told(stage: _Stage) -> str:
    return "\n".join(each.text() for each in stage.page.matters.findChildren(QLabel) if each.isVisible())


def press(stage: _Stage, text: str, about: str) -> None:
    buttons = stage.page.matters.findChildren(QPushButton)
    found, *_ = [each for each in buttons if each.text() == text and about in each.accessibleName()]
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)
    QApplication.processEvents()


def test_what_is_right_as_it_is_is_told_no_more_once_the_person_says_so(stage: _Stage, store: Store) -> None:
    store.write_now(
        lambda tx: tx.execute(
            "INSERT INTO problems VALUES (NULL, 1, 1, 0, 'currency_changed', '', 'EUR to USD', NULL)"
        )
    )
    stage.shown()
    assert "EUR before, USD now" in told(stage)
    stage.refuses = True
    press(stage, "It is right so", "USD now")
    assert "EUR before, USD now" in told(stage)
    assert stage.navigator.calls[-1][0] == "show_error"
    stage.refuses = False
    press(stage, "It is right so", "USD now")
    assert "EUR before, USD now" not in told(stage)
    holes_before = told(stage).count("nothing covers")
    press(stage, "Nothing is missing", "nothing covers")
    assert told(stage).count("nothing covers") == holes_before - 1


def test_a_run_that_may_not_be_taken_back_says_why(stage: _Stage, qtbot: QtBot) -> None:
    stage.refuses = True
    stage.shown()
    qtbot.mouseClick(stage.page.details.revert, Qt.MouseButton.LeftButton)

    assert [name for name, _ in stage.navigator.calls] == ["show_error"]


def test_enter_opens_a_bank_and_an_account(stage: _Stage, qtbot: QtBot) -> None:
    stage.shown()
    for table in (stage.page.banks.table, stage.page.accounts.table):
        table.setCurrentIndex(table.lines.index(0, 1))
        qtbot.keyClick(table, Qt.Key.Key_Return)

    assert stage.navigator.calls == [("open_section", ("connections",)), ("open_account", (4,))]


def test_nothing_is_read_before_somebody_looks_nor_while_nobody_does(stage: _Stage) -> None:
    stage.screen.touched(ChangeSet.many(Kind.RUNS))
    assert stage.reads == 0

    stage.shown()
    stage.screen.touched(ChangeSet.many(Kind.EDITS))
    assert stage.reads == 1
    stage.screen.minute_passed()
    assert stage.reads == 2


def test_amounts_are_hidden_with_all_others(stage: _Stage) -> None:
    stage.shown()
    stage.screen.set_private(private=True)
    QApplication.processEvents()

    said = " ".join(each.text() for each in stage.page.findChildren(QLabel) if each.isVisible())
    assert "46.00" not in said
    assert HIDDEN in said


def test_without_anything_the_page_says_what_will_be_here(theme: Theme, store: Store, qtbot: QtBot) -> None:
    made = _Stage(theme, store)
    qtbot.addWidget(made.page)
    made.shown()

    assert made.page.empty.isVisible()
    assert not made.page.runs.isVisible()
    qtbot.mouseClick(made.page.empty.findChildren(QPushButton)[0], Qt.MouseButton.LeftButton)
    assert made.navigator.calls == [("link_bank", ())]


def test_the_tables_are_sound(stage: _Stage, qtmodeltester: ModelTester) -> None:
    stage.shown()
    for card in (stage.page.runs, stage.page.banks, stage.page.accounts):
        qtmodeltester.check(card.table.lines)
        spoken = card.table.lines.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
        assert spoken, "the glyph has a word for who cannot see it"
