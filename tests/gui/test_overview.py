"""The overview: what it says from values, and what a person can do on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import MonthFlow, RunCounts
from obdesk.domain.errors import Action
from obdesk.domain.ids import ConnectionId
from obdesk.domain.money import Money
from obdesk.gui.format import DASH, MINUS
from obdesk.gui.overview.cards import FreshnessTable
from obdesk.gui.overview.present import (
    coming_of,
    flows_of,
    lines_of,
    month_as_of,
    month_title,
    needs_of,
    news_of,
    worth_of,
)
from obdesk.gui.overview.view import OverviewScreen
from obdesk.gui.widgets.basics import ElidedLabel
from obdesk.gui.widgets.money import HIDDEN
from obdesk.gui.widgets.status import Glyph
from tests.gui.household import (
    ACCOUNTS,
    ALPES,
    COMING,
    CONNECTIONS,
    ENGLISH,
    EUR,
    FIRST,
    FLOWS,
    FRENCH,
    NET_WORTH,
    NOW,
    PORT,
    RUNS,
    connection,
    pending,
    run,
)
from tests.gui.walkers import clipped, nameless, rich

if TYPE_CHECKING:
    from pytestqt.modeltest import ModelTester
    from pytestqt.qtbot import QtBot

    from obdesk.gui.theme.theme import Theme
    from tests.gui.theme_fixtures import Shown


def test_net_worth_carries_the_date_of_its_oldest_part_and_how_much_of_it_is_fresh() -> None:
    euros, dollars = worth_of(NET_WORTH, NOW, ENGLISH)

    assert euros.total == "€83,214.25"
    assert euros.as_of == "Complete as of Sun 22 Nov 18:58 · 3 of 5 accounts in net worth fresh"
    assert euros.change == "+€1,204.10 in 30 days"
    assert dollars.code == "USD"
    assert dollars.as_of == "Complete as of yesterday 21:58 · 0 of 1 account in net worth fresh"


def test_net_worth_without_a_date_does_not_claim_to_be_complete() -> None:
    (worth,) = worth_of([replace(NET_WORTH[0], as_of=None)], NOW, ENGLISH)

    assert worth.as_of.startswith("Not complete")


def test_who_needs_the_person_says_why_and_what_to_press() -> None:
    (card,) = needs_of(CONNECTIONS, ACCOUNTS, NOW, ENGLISH)

    assert card.connection_id == ALPES
    assert card.title == "Crédit des Alpes asks you to confirm access"
    assert card.cause.endswith("Your data is complete up to Sunday 22 Nov.")
    assert (card.action, card.button) == (Action.RENEW, "Renew access")


def test_what_heals_alone_or_is_paused_asks_nothing() -> None:
    assert needs_of(CONNECTIONS[1:], ACCOUNTS, NOW, ENGLISH) == ()
    assert needs_of([replace(CONNECTIONS[0], paused=True)], ACCOUNTS, NOW, ENGLISH) == ()


def test_the_least_fresh_account_stands_first_and_closed_ones_are_left_out() -> None:
    lines = lines_of(ACCOUNTS, CONNECTIONS, NOW, ENGLISH)

    assert [line.name for line in lines] == [
        "Compte joint", "PEL", "Checking USD", "Compte courant", "Carte", "Livret A",
    ]  # fmt: skip
    assert lines[0].pill == "needs you"
    assert lines[2].glyph is Glyph.DELAYED
    assert lines[2].data_as_of == "yesterday 21:58"
    assert lines[3].asked == "11:56"


def test_an_account_nobody_has_asked_about_shows_dashes() -> None:
    unread = replace(
        ACCOUNTS[0], balance=None, freshness=replace(ACCOUNTS[0].freshness, asked_at=None, data_as_of=None)
    )
    (line,) = lines_of([unread], (), NOW, ENGLISH)

    assert (line.balance, line.asked, line.data_as_of) == (DASH, DASH, DASH)


def test_the_news_since_the_last_visit_add_up() -> None:
    news = news_of(RUNS[PORT], NOW - timedelta(hours=5), NOW, ENGLISH)

    assert news.title == "Since today 06:58"
    assert [(line.many, line.text) for line in news.lines] == [
        ("14", "new transactions"),
        ("3", "transactions changed"),
    ]


def test_the_news_are_counted_in_the_readers_way_and_carry_the_end_of_the_last_check() -> None:
    runs = [
        run(2, PORT, NOW - timedelta(minutes=2), counts=RunCounts(new=3050)),
        run(1, PORT, NOW - timedelta(hours=2), counts=RunCounts(updated=1)),
    ]
    news = news_of(runs, None, NOW, ENGLISH)

    assert news.lines[0].many == "3,050"
    assert news_of(runs, None, NOW, FRENCH).lines[0].many == f"3{FRENCH.group}050"
    assert news.as_of == "As of today 11:56"
    assert news_of([], None, NOW, ENGLISH).as_of == ""


def test_the_month_is_as_old_as_its_oldest_account() -> None:
    assert month_as_of(ACCOUNTS, NOW, ENGLISH) == "Bank data as of Sun 22 Nov 18:58"
    undated = replace(ACCOUNTS[0], freshness=replace(ACCOUNTS[0].freshness, data_as_of=None))
    assert "no date" in month_as_of([undated, *ACCOUNTS[1:]], NOW, ENGLISH)
    assert month_as_of([undated], NOW, ENGLISH) == ""


def test_every_figure_of_the_overview_has_its_date_for_eyes_and_ears(screen: OverviewScreen) -> None:
    as_of = month_as_of(ACCOUNTS, NOW, ENGLISH)
    screen.page.month.show_month("November", flows_of(FLOWS, ENGLISH), coming_of(COMING, ENGLISH), as_of)
    screen.page.news.show_news(news_of(RUNS[PORT], None, NOW, ENGLISH))

    assert as_of in [each.whole for each in screen.page.month.findChildren(ElidedLabel)]
    assert screen.page.month.accessibleDescription() == as_of
    assert screen.page.news.accessibleDescription().startswith("As of ")
    coming = next(each for each in screen.page.month.findChildren(QLabel) if each.text() == "Coming")
    assert coming.accessibleDescription() == as_of


def test_runs_before_the_last_visit_are_not_news() -> None:
    old = [run(1, PORT, NOW - timedelta(hours=9), counts=RunCounts(new=5))]

    news = news_of(old, NOW - timedelta(hours=5), NOW, ENGLISH)

    assert news.lines == ()
    assert news.nothing == "Nothing new since today 06:58."


def test_the_month_shows_both_ways_against_the_larger() -> None:
    (flow,) = flows_of(FLOWS, ENGLISH)

    assert (flow.income, flow.spending) == ("+€3,210.00", f"{MINUS}€2,184.36")
    assert flow.income_share == 1
    assert flow.spending_share == pytest.approx(0.68, abs=0.01)
    assert month_title(NOW, ENGLISH) == "November"
    assert month_title(NOW, FRENCH) == "Novembre"


def test_a_month_without_anything_divides_by_nothing() -> None:
    empty = MonthFlow(FLOWS[0].first_day, Money(0, EUR), Money(0, EUR))

    assert flows_of([empty], ENGLISH)[0].income_share == 0


def test_what_comes_may_have_no_amount_yet() -> None:
    rows = coming_of([*COMING, pending(3, "", NOW.date(), None)], ENGLISH)

    assert [(row.payee, row.day, row.amount) for row in rows[:1]] == [("EDF", "27 Nov", f"{MINUS}€84.10")]
    assert rows[2].amount == DASH


# The screen


class _Calls:
    """Writes down what the screen asks of the window."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.calls.append((name, args))


@pytest.fixture
def calls() -> _Calls:
    return _Calls()


@pytest.fixture
def screen(theme: Theme, shown: Shown, calls: _Calls, qtbot: QtBot) -> OverviewScreen:
    made = OverviewScreen(theme, ENGLISH, shown.clock, shown.feed._reads, shown.asked, calls)
    made.page.resize(980, 720)
    qtbot.addWidget(made.page)
    made.show_first(FIRST)
    made.page.show()
    return made


def test_the_button_of_a_card_does_what_it_says(screen: OverviewScreen, calls: _Calls, qtbot: QtBot) -> None:
    button = next(b for b in screen.page.needs.findChildren(QPushButton) if b.text() == "Renew access")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    assert calls.calls == [("act", (Action.RENEW, ALPES))]


def test_at_most_three_cards_and_the_rest_is_counted(screen: OverviewScreen) -> None:
    many = [replace(CONNECTIONS[0], id=ConnectionId(number), bank=f"Bank {number}") for number in range(1, 6)]
    screen.page.needs.show_cards(needs_of(many, (), NOW, ENGLISH), 3)
    QApplication.processEvents()

    texts = [button.text() for button in screen.page.needs.findChildren(QPushButton) if button.isVisible()]
    assert texts == ["Renew access"] * 3 + ["2 more banks need you"]


def test_enter_on_a_line_opens_the_account(screen: OverviewScreen, calls: _Calls, qtbot: QtBot) -> None:
    screen.page.table.selectRow(0)
    qtbot.keyClick(screen.page.table, Qt.Key.Key_Return)

    assert calls.calls == [("open_account", (ACCOUNTS[3].id,))]


def test_a_currency_can_be_brought_to_the_front(screen: OverviewScreen, qtbot: QtBot) -> None:
    worth = screen.page.worth
    assert worth.total.text() == "€83,214.25"

    qtbot.mouseClick(worth._group.buttons()[1], Qt.MouseButton.LeftButton)

    assert worth.total.text() == "$1,204.55"
    assert "yesterday" in worth.as_of.whole


def test_privacy_hides_every_amount_and_leaves_the_dates(screen: OverviewScreen) -> None:
    screen.page.month.show_month("November", flows_of(FLOWS, ENGLISH), coming_of(COMING, ENGLISH))
    screen.set_private(private=True)

    seen = " ".join(_texts(screen))
    assert "€" not in seen
    assert "$" not in seen
    assert HIDDEN in seen
    assert "Sun 22 Nov 18:58" in seen
    assert "€" not in screen.page.worth.chart.accessibleDescription()


def _texts(screen: OverviewScreen) -> list[str]:
    model = screen.page.table.rows
    cells = [
        str(model.index(row, column).data())
        for row in range(model.rowCount())
        for column in range(model.columnCount())
    ]
    return cells + [label.text() for label in screen.page.findChildren(QLabel) if label.isVisible()]


def test_the_chart_tells_each_day_to_the_keyboard(screen: OverviewScreen, qtbot: QtBot) -> None:
    chart = screen.page.worth.chart
    chart.setFocus()
    qtbot.keyClick(chart, Qt.Key.Key_End)
    last = chart.read_out()
    qtbot.keyClick(chart, Qt.Key.Key_Left)

    assert last.startswith("Tuesday 24 Nov")
    assert "€" in last
    assert chart.read_out().startswith("Monday 23 Nov")
    assert len(chart.table()) == len(NET_WORTH[0].history)
    assert chart.accessibleDescription()


def test_an_empty_profile_says_so_and_offers_the_way_on(
    screen: OverviewScreen, calls: _Calls, qtbot: QtBot
) -> None:
    screen._show_accounts((), (), ())
    button = next(
        b
        for b in screen.page.accounts.findChildren(QPushButton)
        if b.isVisible() and b.text() == "Link a bank"
    )
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    assert calls.calls == [("link_bank", ())]
    assert screen.page.worth.total.text() == "No balance yet"


@pytest.mark.parametrize("width", [620, 980, 1600])
def test_nothing_is_clipped_nameless_or_rich(screen: OverviewScreen, width: int, qtbot: QtBot) -> None:
    screen.page.month.show_month("November", flows_of(FLOWS, ENGLISH), coming_of(COMING, ENGLISH))
    screen.page.news.show_news(news_of(RUNS[PORT], None, NOW, ENGLISH))
    screen.page.resize(width, 700)
    qtbot.waitExposed(screen.page)
    screen.page.grab()

    assert clipped(screen.page) == []
    assert nameless(screen.page) == []
    assert rich(screen.page) == []


def test_hostile_words_of_a_bank_stay_words(screen: OverviewScreen) -> None:
    evil = "<img src=x><b>Bank</b>"
    bad = connection(
        ALPES, evil, "javascript:1", Condition.NEEDS_SCA, CONNECTIONS[0].freshness, consent_days=1, accounts=1
    )
    screen.page.needs.show_cards(needs_of([bad], (), NOW, ENGLISH), 3)
    QApplication.processEvents()

    assert rich(screen.page) == []
    assert any(evil in text for text in _texts(screen))


def test_the_table_is_a_sound_model(theme: Theme, qtmodeltester: ModelTester, qtbot: QtBot) -> None:
    table = FreshnessTable(theme)
    qtbot.addWidget(table)
    qtmodeltester.check(table.rows)
    table.show_lines(lines_of(ACCOUNTS, CONNECTIONS, NOW, ENGLISH))
    table.show_lines(lines_of(ACCOUNTS, CONNECTIONS, NOW, FRENCH))

    assert table.rows.rowCount() == 6


def test_a_change_elsewhere_is_not_read_again(screen: OverviewScreen, shown: Shown) -> None:
    from obdesk.domain.changes import ChangeSet, Kind

    shown.asked.names.clear()
    screen.touched(ChangeSet.many(Kind.SETTINGS))
    assert shown.asked.names == []

    screen.touched(ChangeSet.many(Kind.BALANCES))
    assert shown.asked.names == ["overview: read"]
