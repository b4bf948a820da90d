"""The transactions list under the keyboard and the mouse: moving, selecting, editing, copying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.errors import AppError
from obdesk.gui.format import MINUS
from tests.gui.transactions_desk import CONTROL, PLAIN, ROWS, SHIFT, Desk, press

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


Key = Qt.Key
EDITED = ChangeSet.of(Kind.EDITS, [1])
SYNCED = ChangeSet.many(Kind.TRANSACTIONS)


def test_arrows_j_and_k_move_and_shift_extends(desk: Desk) -> None:
    press(desk, Key.Key_Home, Key.Key_J, Key.Key_Down, Key.Key_K)
    assert desk.selected() == [1]

    press(desk, Key.Key_J, Key.Key_J, modifier=SHIFT)
    assert desk.selected() == [1, 2, 3]

    press(desk, Key.Key_Down, modifier=SHIFT)
    assert desk.selected() == [1, 2, 3, 4]


def test_home_end_and_pages_reach_every_part_of_the_list(desk: Desk) -> None:
    press(desk, Key.Key_End)
    assert desk.selected() == [ROWS - 1]
    assert desk.table.visualRect(desk.model.index(ROWS - 1, 0)).bottom() <= desk.table.viewport().height()

    press(desk, Key.Key_Home, Key.Key_PageDown)
    page = desk.selected()[0]
    assert page > 5
    press(desk, Key.Key_PageUp)
    assert desk.selected() == [0]


def test_shift_and_ctrl_clicks_select_as_everywhere(desk: Desk, qtbot: QtBot) -> None:
    def click(at: int, modifier: Qt.KeyboardModifier = PLAIN) -> None:
        place = desk.table.visualRect(desk.model.index(at, 1)).center()
        qtbot.mouseClick(desk.table.viewport(), Qt.MouseButton.LeftButton, modifier, place)

    click(2)
    click(6, SHIFT)
    assert desk.selected() == [2, 3, 4, 5, 6]
    click(4, CONTROL)
    assert desk.selected() == [2, 3, 5, 6]
    click(9)
    assert desk.selected() == [9]


def test_shift_click_far_below_selects_all_between(desk: Desk, qtbot: QtBot) -> None:
    desk.table.choose(3)
    desk.table.verticalScrollBar().setValue(200 * desk.table.layout_now.row_h)
    desk.settle()
    place = desk.table.visualRect(desk.model.index(205, 1)).center()
    qtbot.mouseClick(desk.table.viewport(), Qt.MouseButton.LeftButton, SHIFT, place)

    assert desk.selected() == list(range(3, 206))


def test_a_click_on_a_days_heading_selects_nothing_new(desk: Desk, qtbot: QtBot) -> None:
    desk.table.choose(1)
    qtbot.mouseClick(desk.table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(60, 5))

    assert not desk.table.indexAt(QPoint(60, 5)).isValid()
    assert desk.selected() in ([], [1])


def test_the_selection_is_summed_in_the_status_bar(desk: Desk) -> None:
    press(desk, Key.Key_Home)
    press(desk, Key.Key_J, Key.Key_J, modifier=SHIFT)
    amounts = [line.money for line in (desk.model.line(n) for n in range(3)) if line]
    total = sum(money.amount_minor for money in amounts if money)

    assert desk.status[-1].startswith("3 selected · ")
    assert str(abs(total))[-2:] in desk.status[-1]


def test_ctrl_a_uses_the_sums_of_the_whole_filter(desk: Desk) -> None:
    desk.screen.search("boulangerie")
    desk.settle()
    found = desk.screen.bar._found.text()
    desk.table.setFocus()
    press(desk, Key.Key_A, modifier=CONTROL)

    count, _, sums = found.partition(" found · ")
    assert desk.status[-1].startswith(f"{count} selected · {sums}")


def test_space_shows_and_hides_the_inspector(desk: Desk) -> None:
    was_open = desk.screen.inspector.isVisible()
    press(desk, Key.Key_Space)
    assert desk.screen.inspector.isVisible() is not was_open
    press(desk, Key.Key_Space)
    assert desk.screen.inspector.isVisible() is was_open
    assert desk.table.hasFocus()


def test_in_a_narrow_window_the_inspector_lies_over_the_list_and_goes_with_escape(desk: Desk) -> None:
    desk.screen.set_narrow(narrow=True)
    desk.screen.widget.resize(640, 560)
    press(desk, Key.Key_Home, Key.Key_Space)
    inspector = desk.screen.inspector

    assert inspector.isVisible()
    assert inspector.geometry().right() == desk.screen.widget.rect().right()
    assert desk.table.isVisible()
    press(desk, Key.Key_Escape)
    assert not inspector.isVisible()
    desk.screen.set_narrow(narrow=False)
    assert inspector.isVisible()


def test_enter_and_n_write_a_note_which_escape_gives_up(desk: Desk, qtbot: QtBot) -> None:
    press(desk, Key.Key_Home, Key.Key_Return)
    note = desk.screen.inspector._note
    assert note.hasFocus()
    qtbot.keyClicks(note, "for the trip")
    qtbot.keyClick(note, Key.Key_Escape)
    desk.settle()
    assert desk.table.hasFocus()
    assert note.text() == ""

    press(desk, Key.Key_N)
    qtbot.keyClicks(note, "for the trip")
    qtbot.keyClick(note, Key.Key_Return)
    desk.settle()
    desk.screen.touched(EDITED)
    desk.settle()
    desk.paint(QGuiApplication.instance())  # type: ignore[arg-type]

    line = desk.model.line(0)
    assert line is not None
    assert line.has_note
    assert desk.table.hasFocus()
    assert note.text() == "for the trip"


def test_c_sets_the_category_of_all_that_is_selected_and_ctrl_z_takes_it_back(
    desk: Desk, qtbot: QtBot
) -> None:
    press(desk, Key.Key_Home)
    press(desk, Key.Key_J, modifier=SHIFT)
    press(desk, Key.Key_C)
    category = desk.screen.inspector._category
    assert category.hasFocus()
    qtbot.keyClicks(category, "Holidays")
    qtbot.keyClick(category, Key.Key_Return)
    desk.settle()

    def categories() -> list[str]:
        desk.screen.touched(EDITED)
        desk.settle()
        desk.paint(QGuiApplication.instance())  # type: ignore[arg-type]
        return [line.category if line else "?" for line in map(desk.model.line, range(3))]

    assert categories() == ["Holidays", "Holidays", ""]
    desk.screen.doing.edits.undo()
    desk.settle()
    assert categories() == ["", "", ""]
    desk.screen.doing.edits.redo()
    desk.settle()
    assert categories() == ["Holidays", "Holidays", ""]
    assert desk.selected() == [0, 1]


def test_leaving_a_field_keeps_what_was_typed_for_the_row_it_was_typed_for(desk: Desk, qtbot: QtBot) -> None:
    press(desk, Key.Key_Home, Key.Key_N)
    qtbot.keyClicks(desk.screen.inspector._note, "mine")
    first, third = desk.model.ids[0], desk.model.ids[2]
    desk.table.choose(2)
    desk.settle()
    assert desk.screen.inspector._note.text() == "mine"
    desk.table.setFocus()
    desk.settle()

    notes: list[str] = []

    async def read() -> None:
        for identity in (first, third):
            detail = await desk.reads.transaction(identity)  # type: ignore[arg-type]
            notes.append(detail.note if detail else "?")

    desk.run(read())
    assert notes == ["mine", ""]


def test_an_edit_that_fails_says_why_and_what_next(desk: Desk, qtbot: QtBot) -> None:
    desk.commands.refuses = AppError(title="The disk is full", cause="", next_step="Free some space.")
    press(desk, Key.Key_Home, Key.Key_N)
    qtbot.keyClicks(desk.screen.inspector._note, "x")
    qtbot.keyClick(desk.screen.inspector._note, Key.Key_Return)
    desk.settle()

    assert desk.screen.inspector._trouble.text() == "The disk is full. Free some space."
    assert desk.screen.inspector._note.text() == "x"
    assert not desk.screen.doing.edits.undoable


def test_copying_gives_the_readers_numbers_or_the_machines(desk: Desk) -> None:
    press(desk, Key.Key_Home)
    press(desk, Key.Key_J, modifier=SHIFT)
    desk.screen.doing.copy(for_machines=False)
    desk.settle()
    for_people = QGuiApplication.clipboard().text()
    desk.screen.doing.copy(for_machines=True)
    desk.settle()
    for_machines = QGuiApplication.clipboard().text()

    lines = [desk.model.line(n) for n in range(2)]
    assert for_machines.splitlines() == [line.money.text() for line in lines if line and line.money]
    assert for_people == for_machines.replace("-", MINUS)
    assert desk.window.said == ["2 amounts copied"] * 2


def test_the_category_field_offers_those_in_use(desk: Desk) -> None:
    desk.screen.inspector.set_categories(("Groceries", "Leisure"))
    press(desk, Key.Key_Home, Key.Key_C)
    completer = desk.screen.inspector._category.completer()
    popup = completer.popup()

    assert popup is not None
    assert popup.isVisible()
    assert completer.completionCount() == 2
    popup.hide()


def test_letters_typed_into_a_field_stay_letters(desk: Desk, qtbot: QtBot) -> None:
    press(desk, Key.Key_Home, Key.Key_N)
    note = desk.screen.inspector._note
    qtbot.keyClicks(note, "cjkn ")

    assert note.text() == "cjkn "
    assert desk.selected() == [0]
