"""Two rows that may be one operation: the inspector says why, and the person answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.errors import Action, AppError
from obdesk.domain.filters import TransactionFilter
from obdesk.storage.queries import suggestions, transactions
from obdesk.storage.store import Store
from tests.gui.transactions_desk import Desk, put
from tests.seed import KEY, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from obdesk.gui.theme.theme import Theme

BEFORE = row(1, label="PAIEMENT CB LIBRAIRIE 1111", on="2026-11-20", amount_minor=-900)
AFTER = row(9, label="LIBRAIRIE DU PORT BREST SARL", on="2026-11-21", amount_minor=-900)
OLDEST = row(5, label="OLDEST", on="2026-11-01")


@pytest.fixture
def desk(theme: Theme, qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    """Show a list in which a row went and one came that may be it."""
    with Store.open(tmp_path / "ledger.db", KEY) as store:
        put(store, [BEFORE, OLDEST], accounts=1)
        put(store, [AFTER, OLDEST], accounts=1)
        (asked,) = store.read_now(suggestions.suggestions, None)
        assert (asked.kept.label, asked.other.label) == (BEFORE.label, AFTER.label)
        with Desk(theme, store, tmp_path) as shown:
            yield shown.open(qtbot)


def choose(desk: Desk, place: int) -> None:
    desk.table.choose(place)
    desk.settle()
    assert desk.selected() == [place]
    assert desk.screen.chosen.ids.tolist() == [desk.model.ids[place]]


def choose_the_newer(desk: Desk) -> None:
    """Choose the row of which one is asked whether it is another."""
    choose(desk, 0)
    assert desk.screen.twin.isVisibleTo(desk.screen.widget)


def listed(desk: Desk) -> list[str]:
    return [each.label for each in desk.store.read_now(transactions.page, TransactionFilter(), 0, 9)]


def press(desk: Desk, name: str) -> None:
    asides = (desk.screen.twin, desk.screen.joined)
    (found,) = (
        each
        for aside in asides
        for each in aside.findChildren(type(desk.screen.twin._one))
        if each.text() == name
    )
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)
    desk.settle()


def test_the_inspector_says_what_may_be_the_same_and_why(desk: Desk) -> None:
    choose_the_newer(desk)
    twin = desk.screen.twin
    assert "LIBRAIRIE" in twin._other.text()
    assert "20" in twin._other.text()
    assert "same amount" in twin._why.text()
    assert "of 100" in twin._why.text()


def test_an_amount_is_hidden_with_the_others(desk: Desk) -> None:
    choose_the_newer(desk)
    assert "9.00" in desk.screen.twin._other.text()
    desk.screen.set_private(private=True)
    assert "9.00" not in desk.screen.twin._other.text()


def test_a_row_without_a_twin_shows_none(desk: Desk) -> None:
    choose_the_newer(desk)
    choose(desk, len(listed(desk)) - 1)
    assert not desk.screen.twin.isVisibleTo(desk.screen.widget)


def test_one_answer_makes_them_one(desk: Desk) -> None:
    choose_the_newer(desk)
    press(desk, "It is one")
    assert len(listed(desk)) == 2
    assert desk.store.read_now(suggestions.suggestions, None) == ()
    assert not desk.screen.twin.isVisibleTo(desk.screen.widget)


def test_the_other_keeps_them_apart_and_asks_no_more(desk: Desk) -> None:
    before = listed(desk)
    choose_the_newer(desk)
    press(desk, "They are two")
    assert listed(desk) == before
    choose(desk, 1)
    choose(desk, 0)
    assert not desk.screen.twin.isVisibleTo(desk.screen.widget)


def no_room() -> AppError:
    return AppError(title="The disk is full", cause="", next_step="Make room.", action=Action.NONE)


def test_an_answer_that_cannot_be_kept_is_told_and_can_be_given_again(desk: Desk) -> None:
    desk.commands.refuses = no_room()
    choose_the_newer(desk)
    press(desk, "It is one")
    assert "The disk is full. Make room." in desk.screen.inspector._trouble.text()
    desk.commands.refuses = None
    press(desk, "It is one")
    assert len(listed(desk)) == 2


def make_one(desk: Desk) -> None:
    """Make the two one and choose the row that stands for both."""
    choose_the_newer(desk)
    press(desk, "It is one")
    desk.screen.touched(ChangeSet.many(Kind.TRANSACTIONS))
    desk.settle()
    choose(desk, 0)
    assert desk.screen.joined.isVisibleTo(desk.screen.widget)


def test_a_row_that_stands_for_two_says_so(desk: Desk) -> None:
    make_one(desk)
    joined = desk.screen.joined
    assert joined.accessibleName() == "Made of two"
    days = [line for line in joined._other.text().splitlines() if "2026" in line]
    assert days == ["20 Nov 2026 · −€9.00", "21 Nov 2026 · −€9.00"]
    assert joined._why.text() == "Made one on 24 Nov 2026."
    desk.screen.set_private(private=True)
    assert "9.00" not in joined._other.text()


def test_a_row_that_stands_for_itself_says_nothing_of_the_kind(desk: Desk) -> None:
    make_one(desk)
    choose(desk, 1)
    assert not desk.screen.joined.isVisibleTo(desk.screen.widget)


def test_what_was_made_one_is_two_again_with_one_button(desk: Desk) -> None:
    before = listed(desk)
    make_one(desk)
    press(desk, "Split again")
    assert listed(desk) == before
    assert not desk.screen.joined.isVisibleTo(desk.screen.widget)


def test_a_split_that_cannot_be_kept_is_told_and_can_be_asked_again(desk: Desk) -> None:
    make_one(desk)
    desk.commands.refuses = no_room()
    press(desk, "Split again")
    assert "The disk is full. Make room." in desk.screen.inspector._trouble.text()
    desk.commands.refuses = None
    press(desk, "Split again")
    assert len(listed(desk)) == 3 - 1
