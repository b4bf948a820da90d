"""The transactions screen as a person uses it: search, filters, syncs meanwhile, and what it says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtWidgets import QPushButton, QToolButton

from obdesk.app import i18n
from obdesk.domain import texts
from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.entities import TransactionState
from obdesk.domain.filters import Sort, TransactionFilter
from obdesk.domain.ids import AccountId
from obdesk.gui.transactions.present import Column
from tests.gui.household import ENGLISH, FRENCH
from tests.gui.transactions_desk import ROWS, SHIFT, Desk, ledger, press, put
from tests.gui.walkers import clipped, nameless, rich
from tests.seed import made_rows, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from obdesk.gui.theme.theme import Theme
    from obdesk.storage.store import Store

Key = Qt.Key
EDITED = ChangeSet.of(Kind.EDITS, [1])
SYNCED = ChangeSet.many(Kind.TRANSACTIONS)


def test_the_first_rows_come_at_once_and_the_rest_follows(
    filled: Store, tmp_path: Path, theme: Theme, qtbot: QtBot
) -> None:
    with Desk(theme, filled, tmp_path) as desk:
        qtbot.addWidget(desk.screen.widget)
        desk.screen.shown()
        desk.run(desk._drain())
        first = desk.model.rowCount()
        desk.settle()

        assert first == 60
        assert desk.model.rowCount() == ROWS
        assert desk.screen.bar._found.text() == f"{ROWS} transactions"


def test_search_narrows_as_it_is_typed_and_names_what_it_found(desk: Desk) -> None:
    for typed in ("b", "bo", "bou", "boulangerie amount:>20"):
        desk.screen.search(typed)
    desk.settle()

    lines = [desk.model.line(n) for n in range(min(20, desk.model.rowCount()))]
    assert lines
    assert all(line and "BOULANGERIE" in line.label for line in lines)
    assert all(line and line.money and abs(line.money.amount_minor) >= 2_000 for line in lines)
    assert "found" in desk.screen.bar._found.text()
    assert "filter: amount from 20, “boulangerie”" in desk.status[-1]


def test_a_stale_answer_is_never_shown(desk: Desk) -> None:
    shown: list[str] = []
    desk.screen.feed.answered.connect(lambda: shown.append(desk.screen.feed.wanted.text))

    async def story() -> None:
        desk.reads.gate, desk.reads.reached = asyncio.Event(), asyncio.Event()
        desk.screen.search("cart")
        await desk.reads.reached.wait()
        desk.screen.search("carte")
        desk.screen.search("uber")
        desk.reads.gate.set()
        await desk._drain()

    desk.reads.pages = 0
    desk.run(story())
    desk.settle()

    assert shown == ["uber"]
    assert desk.reads.pages == 2
    assert all("UBER" in text.upper() for text in desk.texts(0, 5))


def test_ids_of_an_older_question_do_not_replace_the_newer_rows(desk: Desk) -> None:
    desk.screen.search("carte")
    desk.run(desk._drain())
    desk.screen.feed._complete()
    desk.screen.search("sncf")
    desk.settle()

    assert desk.model.rowCount() == desk.screen.chosen.totals.count  # type: ignore[union-attr]
    assert all("SNCF" in text for text in desk.texts(0, desk.model.rowCount() - 1))


def test_an_unknown_word_offers_to_clear_the_filter(desk: Desk, qtbot: QtBot) -> None:
    desk.screen.search("zqxj")
    desk.settle()
    empty = desk.screen.view.empty

    assert empty is not None
    assert "Nothing in this filter" in empty.accessibleName()
    button = empty.findChild(QPushButton)
    assert isinstance(button, QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    desk.settle()
    assert desk.model.rowCount() == ROWS
    assert desk.screen.view.empty is None
    assert desk.window.searched == [""]
    assert not desk.screen.bar._clear.isVisible()


def test_a_quick_look_that_found_nothing_does_not_say_so_before_all_was_read(desk: Desk) -> None:
    desk.screen.search("zqxj")
    desk.run(desk._drain())
    early = desk.screen.view.empty
    desk.settle()

    assert early is None
    assert desk.screen.view.empty is not None


def test_a_chip_takes_its_part_of_the_filter_away_and_keeps_the_words(desk: Desk, qtbot: QtBot) -> None:
    desk.screen.search("carte amount:>20 date:2026-11")
    desk.settle()
    narrow = desk.model.rowCount()
    chips = [each for each in desk.screen.bar.findChildren(QToolButton) if each.property("kind") == "chip"]
    amount = next(chip for chip in chips if "amount" in chip.text())
    qtbot.mouseClick(amount, Qt.MouseButton.LeftButton)
    desk.settle()

    assert desk.model.rowCount() > narrow
    assert desk.screen.wanted.text == "carte"
    assert desk.screen.wanted.amount_at_least is None
    assert desk.screen.wanted.date_from is not None
    assert desk.window.searched == ["carte"]


def test_the_panel_narrows_at_once(desk: Desk) -> None:
    panel = desk.screen.bar.panel
    panel._state.setCurrentIndex(2)
    desk.settle()

    assert desk.screen.wanted.state is TransactionState.PENDING
    assert desk.model.rowCount() == 4
    panel._low.setText("5,50")
    panel._low.textEdited.emit("5,50")
    desk.settle()
    assert str(desk.screen.wanted.amount_at_least) == "5.50"
    desk.screen.clear_filter()
    desk.settle()
    assert panel._state.currentIndex() == 0
    assert panel._low.text() == ""


def test_one_account_needs_no_account_column(desk: Desk) -> None:
    assert not desk.table.isColumnHidden(Column.ACCOUNT)

    desk.screen.show_accounts(frozenset({AccountId(1)}))
    desk.settle()

    assert desk.table.isColumnHidden(Column.ACCOUNT)
    assert 0 < desk.model.rowCount() < ROWS


def test_an_account_can_be_the_first_thing_that_is_asked_for(
    filled: Store, tmp_path: Path, theme: Theme, qtbot: QtBot
) -> None:
    with Desk(theme, filled, tmp_path) as desk:
        qtbot.addWidget(desk.screen.widget)
        desk.screen.show_accounts(frozenset({AccountId(2)}))
        desk.screen.shown()
        desk.settle()

        assert desk.status[-1] == "filter: Livret A"


def test_a_click_on_a_heading_sorts_and_days_give_way(desk: Desk, qtbot: QtBot) -> None:
    header = desk.table.header
    place = QPoint(header.sectionViewportPosition(Column.AMOUNT) + 20, 8)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    desk.settle()
    desk.paint(QGuiApplication.instance())  # type: ignore[arg-type]
    sums = [line.money.amount_minor for line in map(desk.model.line, range(10)) if line and line.money]

    assert (desk.screen.wanted.sort, desk.screen.wanted.descending) == (Sort.AMOUNT, True)
    assert sums == sorted(sums, reverse=True)
    assert desk.table.layout_now.band_h == 0


def test_columns_and_sort_are_kept_for_the_next_time(
    desk: Desk, filled: Store, tmp_path: Path, theme: Theme, qtbot: QtBot
) -> None:
    desk.table.header.resizeSection(Column.CATEGORY, 211)
    desk.table.header.moveSection(3, 2)
    desk.screen._sort(Sort.CATEGORY, False)
    desk.table.header.show_sort(Sort.CATEGORY, descending=False)
    desk.screen.view.set_inspector_open(wanted=False)
    desk.screen.save()
    desk.settle()
    with Desk(theme, filled, tmp_path) as again:
        again.open(qtbot)

        assert again.table.header.sectionSize(Column.CATEGORY) == 211
        assert again.table.header.visualIndex(Column.ACCOUNT) == 2
        assert (again.screen.wanted.sort, again.screen.wanted.descending) == (Sort.CATEGORY, False)
        assert not again.screen.view.inspector_open


def test_spoilt_settings_do_no_harm(filled: Store, tmp_path: Path, theme: Theme, qtbot: QtBot) -> None:
    spoilt = QSettings(str(tmp_path / "desk.ini"), QSettings.Format.IniFormat)
    spoilt.setValue("transactions/header", "nonsense")
    spoilt.setValue("transactions/splitter", 7)
    spoilt.sync()
    with Desk(theme, filled, tmp_path) as desk:
        desk.open(qtbot)

        assert desk.screen.wanted == TransactionFilter()
        assert desk.texts(0, 3)


def test_the_inspector_gives_both_clocks_and_the_banks_words(desk: Desk) -> None:
    press(desk, Key.Key_Home)
    inspector = desk.screen.inspector

    assert inspector._age.text().startswith("Bank data as of today 12:31 · asked ")
    shown = {name.text(): text.text() for name, text in inspector._bank._rows if name.isVisibleTo(inspector)}
    assert shown["Card"] == "1111"
    assert shown["Ids"].startswith("1000")
    assert inspector._pending.isVisible()
    press(desk, Key.Key_J, modifier=SHIFT)
    assert inspector._above.text() == "2 selected"
    assert inspector._age.text().startswith("Bank data as of")


def test_after_a_sync_the_view_stays_where_it_was(desk: Desk, filled: Store) -> None:
    desk.table.verticalScrollBar().setValue(100 * desk.table.layout_now.row_h + 11)
    desk.settle()
    top = desk.model.ids[desk.table.layout_now.anchor(desk.table.verticalScrollBar().value())[0]]
    desk.table.choose(103)
    desk.settle()
    chosen = desk.model.ids[103]
    put(
        filled, [*made_rows(ROWS), *(row(9_000_000 + n, on="2026-11-24", label=f"NEW {n}") for n in range(7))]
    )
    desk.screen.touched(SYNCED)
    desk.settle()

    assert desk.model.rowCount() == ROWS + 7
    assert desk.model.ids[desk.table.layout_now.anchor(desk.table.verticalScrollBar().value())[0]] == top
    assert [desk.model.ids[at] for at in desk.selected()] == [chosen]
    assert desk.model.ids[desk.table.currentIndex().row()] == chosen


def test_a_pending_row_that_is_booked_keeps_its_selection(desk: Desk, filled: Store) -> None:
    desk.table.choose(2)
    desk.settle()
    chosen = desk.model.ids[2]
    rows = list(made_rows(ROWS))
    put(
        filled,
        [rows[0]._replace(pending=False, booked_on="2026-11-10", updated="2026-11-25 08:00:00"), *rows[1:]],
    )
    desk.screen.touched(SYNCED)
    desk.settle()

    assert desk.model.row_of(chosen) > 20
    assert [desk.model.ids[at] for at in desk.selected()] == [chosen]


def test_at_the_very_top_new_rows_are_seen(desk: Desk, filled: Store) -> None:
    put(
        filled,
        [
            *made_rows(ROWS),
            row(9_000_000, on="2026-12-24", label="BRAND NEW", payee="BRAND NEW", pending=True),
        ],
    )
    desk.screen.touched(SYNCED)
    desk.settle()
    desk.paint(QGuiApplication.instance())  # type: ignore[arg-type]

    assert desk.texts(0, 0) == ["BRAND NEW"]
    assert desk.table.verticalScrollBar().value() == 0


def test_hidden_amounts_are_hidden_everywhere(desk: Desk) -> None:
    press(desk, Key.Key_Home)
    desk.screen.set_private(private=True)
    press(desk, Key.Key_J, modifier=SHIFT)

    assert "€" not in desk.status[-1]
    assert "€" not in desk.screen.inspector._amount.text()
    assert "€" not in desk.screen.bar._found.text()
    assert "€" not in str(desk.model.data(desk.model.index(0, Column.AMOUNT)))


@pytest.mark.parametrize("hostile", ["<h1>BIG</h1>", "A\0B", "שלום \u202eabc", "&amp;", "x" * 5_000])
def test_hostile_labels_are_drawn_as_plain_text(
    hostile: str, tmp_path: Path, theme: Theme, qtbot: QtBot
) -> None:
    rows = [row(1, label=hostile, payee=hostile), row(2, label="CALM", payee="CALM")]
    with ledger(tmp_path, lambda made: put(made, rows)) as store, Desk(theme, store, tmp_path) as desk:
        desk.open(qtbot)
        press(desk, Key.Key_Home)
        desk.paint(QGuiApplication.instance())  # type: ignore[arg-type]
        heights = {desk.table.visualRect(desk.model.index(n, 0)).height() for n in range(2)}

        assert heights == {desk.table.layout_now.row_h}
        assert rich(desk.screen.widget) == []
        if hostile.startswith("<"):
            assert hostile in desk.texts(0, 1)


def test_rows_on_their_way_are_drawn_as_bars_and_never_left_blank(desk: Desk) -> None:
    desk.table.verticalScrollBar().setValue(320 * desk.table.layout_now.row_h)
    desk.model._lines.clear()
    desk.model._asked.clear()
    waiting = desk.table.viewport().grab().toImage()
    row_y = desk.table.visualRect(desk.model.index(322, 0)).center().y()
    desk.settle()
    there = desk.table.viewport().grab().toImage()
    surface = desk.table._theme.colour("surface").rgb()

    drawn = {waiting.pixel(x, row_y) for x in range(0, waiting.width(), 3)}
    assert drawn - {surface}
    assert waiting != there


def test_before_the_first_answer_the_places_of_rows_are_drawn(
    filled: Store, tmp_path: Path, theme: Theme, qtbot: QtBot
) -> None:
    with Desk(theme, filled, tmp_path) as desk:
        qtbot.addWidget(desk.screen.widget)
        desk.screen.widget.resize(1100, 700)
        desk.screen.widget.show()
        picture = desk.table.viewport().grab().toImage()

        colours = {picture.pixel(60, y) for y in range(picture.height())}
        assert theme.colour("line").rgb() in colours
        assert len(colours) > 1


def test_readers_hear_each_cell_as_text(desk: Desk) -> None:
    press(desk, Key.Key_Home)
    table = QAccessible.queryAccessibleInterface(desk.table)

    assert table.role() is QAccessible.Role.Table
    assert table.text(QAccessible.Text.Name) == "Transactions"
    focused = table.focusChild()
    assert focused.text(QAccessible.Text.Name).startswith("Pending, ")


def test_everything_that_takes_the_focus_has_a_name(desk: Desk) -> None:
    press(desk, Key.Key_Home)

    assert nameless(desk.screen.widget) == []
    assert nameless(desk.screen.bar.panel) == []


@pytest.fixture(params=["en", "fr"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    i18n.use_language(request.param)
    yield request.param
    texts.install("en", {})


def test_no_text_is_cut_off_in_either_language(
    language: str, filled: Store, tmp_path: Path, theme: Theme, qtbot: QtBot
) -> None:
    with Desk(theme, filled, tmp_path, FRENCH if language == "fr" else ENGLISH) as desk:
        desk.open(qtbot)
        press(desk, Key.Key_Home)
        desk.screen.search("carte amount:>20")
        desk.settle()
        desk.screen.bar.open_panel()
        qtbot.waitUntil(desk.screen.bar.panel.isVisible)
        qtbot.wait(20)  # labels take their new room with the next turn of the loop

        assert clipped(desk.screen.widget) == []
        assert clipped(desk.screen.bar.panel) == []
        assert desk.screen.title == {"en": "Transactions", "fr": "Opérations"}[language]
        desk.screen.bar.panel.hide()


def test_an_empty_ledger_offers_to_link_a_bank(tmp_path: Path, theme: Theme, qtbot: QtBot) -> None:
    with ledger(tmp_path, lambda _store: None) as store, Desk(theme, store, tmp_path) as desk:
        desk.open(qtbot)
        empty = desk.screen.view.empty

        assert empty is not None
        assert "Link a bank" in empty.accessibleName()
        button = empty.findChild(QPushButton)
        assert isinstance(button, QPushButton)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert desk.window.linked == 1
