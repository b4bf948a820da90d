"""The connections: what a card says from values, and what its buttons do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton

from obdesk.app.events import SyncStarted
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import Connection, RunCounts, RunResult, Trigger
from obdesk.domain.erasures import PendingErasure
from obdesk.domain.errors import Action
from obdesk.domain.limits import Budget
from obdesk.domain.scores import Finding
from obdesk.gui.connections.dialogs import RemoveDialog
from obdesk.gui.connections.present import (
    banks_line,
    cards_of,
    mark_of,
    report_of,
    spans_of,
)
from obdesk.gui.connections.view import ConnectionsScreen
from obdesk.gui.format import NARROW_SPACE
from obdesk.gui.widgets.status import Glyph
from tests.gui.household import ALPES, CONNECTIONS, ENGLISH, FIRST, NORDIC, NOW, PORT, run
from tests.gui.walkers import clipped, nameless, rich

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from obdesk.gui.connections.cards import ConnectionCard
    from obdesk.gui.connections.present import CardValues
    from obdesk.gui.theme.theme import Theme
    from tests.gui.theme_fixtures import Shown


def _card(connection: Connection, *, running: bool = False) -> CardValues:
    return cards_of([connection], (), [connection.id] if running else (), NOW, ENGLISH)[0]


NEEDS, DELAYED, FRESH = CONNECTIONS


def test_a_bank_that_needs_its_person_says_so_and_offers_the_one_button() -> None:
    card = _card(NEEDS)

    assert (card.glyph, card.word, card.edge) == (Glyph.NEEDS_YOU, "needs you", "warning")
    assert (card.action, card.action_text) == (Action.RENEW, "Renew access")
    assert card.next_run == "after you renew"
    assert card.sentence.startswith("Crédit des Alpes asks you to confirm access.")


def test_a_delayed_bank_says_that_it_heals_alone_and_when() -> None:
    card = _card(DELAYED)

    assert card.glyph is Glyph.DELAYED
    assert "We try again by ourselves, next at 14:05." in card.sentence
    assert card.action is Action.NONE
    assert (card.data_as_of, card.data_old) == ("yesterday 21:58", True)


def test_a_fresh_bank_is_calm() -> None:
    card = _card(FRESH)

    assert card.sentence == "3 accounts · 14 new transactions at 11:56"
    assert (card.asked, card.data_as_of, card.next_run) == ("11:56", "today 11:31", "15:58")
    assert card.edge == ""


def test_a_bank_without_a_run_counts_none() -> None:
    assert _card(replace(FRESH, last_runs=())).runs_name == "Last run"


def test_a_paused_bank_can_be_resumed() -> None:
    card = _card(replace(DELAYED, paused=True))

    assert (card.glyph, card.action, card.next_run) == (Glyph.PAUSED, Action.RESUME, "when you resume")


def test_a_running_bank_cannot_be_refreshed_twice() -> None:
    card = _card(FRESH, running=True)

    assert card.glyph is Glyph.REFRESHING
    assert not card.may_refresh


def test_a_consent_that_ends_soon_offers_to_renew_before_it_is_late() -> None:
    card = _card(replace(FRESH, consent_expires_at=NOW + timedelta(days=9)))

    assert (card.glyph, card.action) == (Glyph.CONSENT_SOON, Action.RENEW)


@pytest.mark.parametrize("condition", Condition)
def test_every_condition_makes_a_whole_card(condition: Condition) -> None:
    card = _card(replace(NEEDS, condition=condition))

    assert card.sentence
    assert "{" not in card.sentence
    assert "SCARequired" not in card.sentence
    assert ("State at the provider", "SCARequired") in card.details


def test_that_a_bank_refused_when_it_was_asked_is_told_in_words() -> None:
    card = _card(replace(NEEDS, provider_state="asked:wrong_password"))

    told = "the bank refused when it was asked (wrong_password)"
    assert ("State at the provider", told) in card.details


def test_the_runs_stand_oldest_first_and_each_has_its_sentence() -> None:
    card = _card(FRESH)

    assert len(card.runs) == 12
    assert card.runs[-1].sentence == f"today 11:56: 14 new, 3 changed, 0 removed (0.6{NARROW_SPACE}s)"
    assert card.runs[0].sentence.startswith("Sun 22 Nov")


@pytest.mark.parametrize("result", RunResult)
def test_good_and_bad_runs_differ_without_colour(result: RunResult) -> None:
    mark = mark_of(run(1, PORT, NOW, result, RunCounts(), Condition.BANK_DOWN), "Bank", NOW, ENGLISH)
    good = result in {RunResult.UPDATED, RunResult.UNCHANGED}

    assert (mark.mark == "full") == good


def test_the_copied_report_holds_codes_and_times_but_no_name() -> None:
    report = report_of(NEEDS)

    assert "SCARequired" in report
    assert "2026-11-24T06:58:00Z" in report
    assert "Crédit" not in report


def test_the_calendar_shows_the_first_end_on_top() -> None:
    spans = spans_of(CONNECTIONS, NOW, ENGLISH)

    assert [span.bank for span in spans] == ["Crédit des Alpes", "Nordic One", "Banque du Port"]
    assert all(span.first <= span.last for span in spans)


def test_the_status_line_counts_banks() -> None:
    assert banks_line(CONNECTIONS) == "3 banks · 1 needs you"
    assert banks_line(CONNECTIONS[2:]) == "1 bank"


# The screen


class _Calls:
    """Writes down what the screen asks of the window and of the application."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[object, ...], dict[str, object]]] = []

    def __getattr__(self, name: str) -> Any:
        async def nothing() -> None:
            return None

        def call(*args: object, **kwargs: object) -> Any:
            self.calls.append((name, args, kwargs))
            return nothing() if name in {"pause", "remove_connection"} else None

        return call


@pytest.fixture
def calls() -> _Calls:
    return _Calls()


@pytest.fixture
def screen(theme: Theme, shown: Shown, calls: _Calls, qtbot: QtBot) -> ConnectionsScreen:
    asked: Any = calls
    made = ConnectionsScreen(
        theme, ENGLISH, shown.clock, shown.feed._reads, asked, _closing(shown), shown.changes, asked
    )
    made.page.resize(1000, 740)
    qtbot.addWidget(made.page)
    made.show_first(FIRST)
    made.page.show()
    QApplication.processEvents()
    return made


def _closing(shown: Shown) -> Any:
    def spawn(name: str, coro: Any) -> None:
        # Run to the end: what is told holds a coroutine of its own, which must not be left behind.
        shown.asked.names.append(name)
        try:
            while True:
                coro.send(None)
        except StopIteration:
            pass

    return spawn


def _button(card: ConnectionCard, text: str) -> QPushButton:
    return next(b for b in card._inner.findChildren(QPushButton) if b.text() == text)


def test_each_button_asks_for_what_it_says(screen: ConnectionsScreen, calls: _Calls, qtbot: QtBot) -> None:
    card = screen._cards[ALPES]
    for text in ("Renew access", "Refresh", "Pause"):
        qtbot.mouseClick(_button(card, text), Qt.MouseButton.LeftButton)

    assert calls.calls == [
        ("act", (Action.RENEW, ALPES), {}),
        ("refresh", ([ALPES],), {}),
        ("pause", (ALPES,), {"paused": True}),
        ("toast", ("Crédit des Alpes is paused.",), {}),
    ]


def test_the_card_shows_a_sync_as_it_runs(screen: ConnectionsScreen, shown: Shown, qtbot: QtBot) -> None:
    shown.bus.publish(SyncStarted(NORDIC, Trigger.PERSON, NOW))
    qtbot.waitUntil(lambda: screen._cards[NORDIC].values.glyph is Glyph.REFRESHING)

    assert not _button(screen._cards[NORDIC], "Refresh").isEnabled()


def test_redrawing_a_card_keeps_the_focus(screen: ConnectionsScreen, qtbot: QtBot) -> None:
    screen.page.activateWindow()
    button = _button(screen._cards[PORT], "Pause")
    button.setFocus()
    qtbot.waitUntil(button.hasFocus)

    screen._cards[PORT].show_values(_card(replace(FRESH, account_count=4)), "")
    QApplication.processEvents()

    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.accessibleName() == "Pause: Banque du Port"


def test_details_can_be_unfolded_and_copied(screen: ConnectionsScreen, qtbot: QtBot) -> None:
    card = screen._cards[ALPES]
    card.show_details()
    QApplication.processEvents()
    qtbot.mouseClick(_button(card, "Copy"), Qt.MouseButton.LeftButton)

    assert "SCARequired" in QGuiApplication.clipboard().text()


def test_only_refused_rows_count_as_not_readable() -> None:
    found = [
        Finding(PORT, "", "duplicate_suspected", 2, NOW),
        Finding(PORT, "", "account_successor", 1, NOW),
        Finding(NORDIC, "", "no_date", 9, NOW),
    ]
    details = dict(cards_of([FRESH], found, (), NOW, ENGLISH)[0].details)
    assert details["Rows not readable"] == "0"
    assert details["Findings in the data"] == (
        "3: A transaction may be there twice (2) · A new account may replace one that is gone (1)"
    )

    refused = [Finding(PORT, "", "no_date", 2, NOW)]
    details = dict(cards_of([FRESH], refused, (), NOW, ENGLISH)[0].details)
    assert details["Rows not readable"] == "2: A row has no date"
    assert details["Findings in the data"] == "0"


def test_a_bank_is_shown_with_its_details(screen: ConnectionsScreen) -> None:
    screen.show_bank(PORT)
    QApplication.processEvents()
    assert screen._cards[PORT].details_action.isChecked()


def test_a_bank_whose_card_is_still_to_come_is_shown_once_it_is_there(screen: ConnectionsScreen) -> None:
    screen._connections = ()
    screen._draw()
    screen.show_bank(NORDIC)
    screen._connections = CONNECTIONS
    screen._draw()
    assert screen._cards[NORDIC].details_action.isChecked()


def test_erasing_wants_the_banks_name_typed(theme: Theme, shown: Shown, qtbot: QtBot) -> None:
    dialog = RemoveDialog(theme, "Crédit des Alpes", 2, shown.window)
    answers: list[bool] = []
    dialog.confirmed.connect(answers.append)
    dialog.open()
    assert dialog.go.isEnabled()

    dialog.erase.setChecked(True)
    assert not dialog.go.isEnabled()
    qtbot.keyClicks(dialog.typed, "banque du port")
    assert not dialog.go.isEnabled()
    dialog.typed.clear()
    qtbot.keyClicks(dialog.typed, "credit des alpes")
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)

    assert answers == [False]


def test_removing_keeps_the_history_unless_told_otherwise(theme: Theme, shown: Shown, qtbot: QtBot) -> None:
    dialog = RemoveDialog(theme, "Crédit des Alpes", 2, shown.window)
    answers: list[bool] = []
    dialog.confirmed.connect(answers.append)
    dialog.open()
    assert clipped(dialog) == []
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)

    assert answers == [True]


@pytest.mark.parametrize("width", [620, 1000, 1500])
def test_nothing_is_clipped_nameless_or_rich(screen: ConnectionsScreen, width: int, qtbot: QtBot) -> None:
    screen._cards[ALPES].show_details()
    screen.page.resize(width, 700)
    qtbot.waitUntil(lambda: clipped(screen.page) == [], timeout=2_000)

    assert nameless(screen.page) == []
    assert rich(screen.page) == []


def test_a_bank_that_went_away_leaves_no_card(screen: ConnectionsScreen) -> None:
    screen._connections = CONNECTIONS[1:]
    screen._draw()

    assert set(screen._cards) == {NORDIC, PORT}


def test_what_changed_while_nobody_looked_is_there_at_the_first_look(
    screen: ConnectionsScreen, shown: Shown, qtbot: QtBot
) -> None:
    screen.page.hide()
    before = screen._cards[NORDIC]._inner
    shown.bus.publish(SyncStarted(NORDIC, Trigger.WEBHOOK, NOW))
    qtbot.waitUntil(lambda: screen._is_old)
    assert screen._cards[NORDIC]._inner is before

    screen.page.show()

    assert screen._cards[NORDIC].values.glyph is Glyph.REFRESHING


def test_without_banks_the_page_says_what_to_do(
    screen: ConnectionsScreen, calls: _Calls, qtbot: QtBot
) -> None:
    screen._connections = ()
    screen._draw()
    QApplication.processEvents()
    assert screen.page.empty.isVisible()
    assert not screen.page.consents.isVisible()

    button = next(b for b in screen.page.empty.findChildren(QPushButton))
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert calls.calls[-1][0] == "link_bank"


def test_F34_a_bank_that_is_being_removed_says_so_in_words(screen: ConnectionsScreen) -> None:
    assert not screen.page.leaving.isVisible()
    screen._erasures = (
        PendingErasure(1, "powens", "311", "Nordic <b>One</b>", NOW, 3, NOW + timedelta(minutes=20)),
    )
    screen._draw()
    assert screen.page.leaving.isVisible()
    words = screen.page.leaving_words
    assert words.text().startswith("Nordic <b>One</b> is removed here. The aggregator still has to erase")
    assert words.textFormat() is Qt.TextFormat.PlainText
    screen._erasures = ()
    screen._draw()
    assert not screen.page.leaving.isVisible()


def test_refresh_says_how_often_the_bank_may_still_be_read_without_the_person() -> None:
    untouched = _card(FRESH).reads_left
    assert "more than 4 times a day; none is used" in untouched
    used = replace(FRESH, budget=Budget(1, 4, NOW + timedelta(hours=3)))
    assert (
        "Reads a day that we may ask for by ourselves: 1 of 4 left; one more is free"
        in _card(used).reads_left
    )
    assert "Refreshing yourself is always possible." in _card(used).reads_left
