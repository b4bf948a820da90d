"""Days that were never read, on the overview: beside their account, and on a card with its button."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from obdesk.app.i18n import use_language
from obdesk.domain.entities import MissingDays
from obdesk.domain.errors import Action
from obdesk.gui.overview.model import Column
from obdesk.gui.overview.present import missing_note, needs_of
from obdesk.gui.overview.view import OverviewScreen
from tests.gui.household import ACCOUNTS, ALPES, CONNECTIONS, ENGLISH, FIRST, FRENCH, NOW, PORT

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from obdesk.gui.theme.theme import Theme
    from tests.gui.theme_fixtures import Shown

LOST = MissingDays(date(2026, 5, 3), date(2026, 5, 19), NOW - timedelta(days=1))
HOLED = tuple(replace(each, missing=(LOST,)) if each.name == "Compte courant" else each for each in ACCOUNTS)


@pytest.fixture
def screen(theme: Theme, shown: Shown, qtbot: QtBot) -> OverviewScreen:
    made = OverviewScreen(theme, ENGLISH, shown.clock, shown.feed._reads, shown.asked, shown.window)
    made.page.resize(980, 720)
    qtbot.addWidget(made.page)
    made.show_first(FIRST)
    made.page.show()
    return made


def test_F30_a_bank_that_is_paused_says_its_missing_days_beside_the_account_alone() -> None:
    assert needs_of([replace(CONNECTIONS[2], paused=True)], HOLED, NOW, ENGLISH) == ()


def test_F30_missing_days_are_said_after_what_holds_new_data_up_with_the_button_that_may_fetch_them() -> None:
    waits, lacks = needs_of(CONNECTIONS, HOLED, NOW, ENGLISH)

    assert waits.connection_id == ALPES
    assert (lacks.connection_id, lacks.title) == (PORT, "Banque du Port: days are missing")
    assert lacks.cause == (
        "Compte courant: no data from 3 to 19 May 2026. Found yesterday 11:58. "
        "Renewing access may bring the missing days."
    )
    assert (lacks.action, lacks.button) == (Action.RENEW, "Renew access")


def test_F30_a_bank_that_waits_for_its_person_and_lacks_days_says_both_on_one_card() -> None:
    holed = [replace(each, missing=(LOST,)) for each in ACCOUNTS if each.connection_id == ALPES]
    three = [*holed, replace(holed[0], name="Livret"), replace(holed[0], name="Loyer")]
    (card,) = needs_of(CONNECTIONS[:1], three, NOW, ENGLISH)

    assert card.cause.endswith(
        "Compte joint: no data from 3 to 19 May 2026. PEL: no data from 3 to 19 May 2026. "
        "2 more accounts lack days. Found yesterday 11:58."
    )
    assert "complete" not in card.cause
    assert card.action is Action.RENEW


@pytest.mark.parametrize(
    ("first", "last", "english", "french"),
    [
        (date(2026, 8, 3), date(2026, 8, 19), "No data from 3 to 19 Aug", "Rien du 3 au 19 août"),
        (date(2026, 8, 3), date(2026, 9, 2), "No data from 3 Aug to 2 Sep",
         "Rien du 3 août au 2 sept"),
        (date(2026, 8, 3), date(2026, 8, 3), "No data on 3 Aug", "Rien le 3 août"),
        (
            date(2025, 12, 30), date(2026, 8, 2), "No data from 30 Dec 2025 to 2 Aug",
            "Rien du 30 déc 2025 au 2 août",
        ),
        (
            date(2024, 12, 28), date(2025, 1, 15), "No data from 28 Dec to 15 Jan 2025",
            "Rien du 28 déc au 15 janv 2025",
        ),
        (
            date(2023, 12, 28), date(2025, 1, 15), "No data from 28 Dec 2023 to 15 Jan 2025",
            "Rien du 28 déc 2023 au 15 janv 2025",
        ),
    ],
)  # fmt: skip
def test_missing_days_are_short_and_never_ambiguous(
    first: date, last: date, english: str, french: str
) -> None:
    account = replace(ACCOUNTS[0], missing=(MissingDays(first, last, NOW),))
    told = missing_note(account, NOW, ENGLISH)
    use_language("fr")

    assert told == english
    assert missing_note(account, NOW, FRENCH) == french


def test_where_the_month_comes_first_both_days_name_it() -> None:
    american = ENGLISH._replace(day_first=False)

    assert missing_note(HOLED[0], NOW, american) == "No data from May 3 to May 19, 2026"


def test_further_gaps_of_an_account_are_counted() -> None:
    twice = replace(ACCOUNTS[0], missing=(LOST, LOST))

    assert missing_note(twice, NOW, ENGLISH) == "No data from 3 to 19 May 2026 and 1 more gap"


def test_the_line_of_an_account_says_its_missing_days_to_eyes_and_ears(screen: OverviewScreen) -> None:
    screen.show_first(replace(FIRST, accounts=HOLED))
    rows = screen.page.table.rows
    place = next(n for n in range(rows.rowCount()) if rows.line(n).missing)
    state, name = rows.index(place, Column.STATE), rows.index(place, Column.ACCOUNT)

    assert rows.line(place).missing == "No data from 3 to 19 May 2026"
    assert state.data(Qt.ItemDataRole.ToolTipRole).endswith("No data from 3 to 19 May 2026.")
    assert name.data(Qt.ItemDataRole.AccessibleTextRole) == (
        "Compte courant, Banque du Port. No data from 3 to 19 May 2026"
    )
    assert _inked(screen, place) > 0
    screen.show_first(FIRST)
    assert _inked(screen, place) == 0


def _inked(screen: OverviewScreen, row: int) -> int:
    """Return how many points of an account's name are painted in the colour of a warning."""
    table = screen.page.table
    place = table.visualRect(table.model().index(row, Column.ACCOUNT))
    image = table.viewport().grab(place).toImage()
    warning = screen.page.table.itemDelegate()._theme.colour("warning").rgb()  # type: ignore[attr-defined]
    return sum(image.pixel(x, y) == warning for x in range(image.width()) for y in range(image.height()))
