"""The lazy list over a real file: always the filter's rows in their order, whatever came before."""

from __future__ import annotations

import asyncio
from array import array
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt

from obdesk.app.reads import StoreReads
from obdesk.domain.entities import TransactionState
from obdesk.domain.filters import Sort, TransactionFilter
from obdesk.domain.ids import TransactionId
from obdesk.gui.transactions.feed import Feed
from obdesk.gui.transactions.model import HIDDEN_AMOUNT, KEPT_MAX, WINDOW, TransactionsModel
from obdesk.gui.transactions.present import Column, Presenter
from tests.fakes import FrozenClock
from tests.gui.household import ENGLISH
from tests.gui.test_transactions_present import TODAY, made
from tests.gui.transactions_desk import ledger, put
from tests.seed import NOW, made_rows, row

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path
    from typing import Any

    from pytestqt.modeltest import ModelTester

    from obdesk.domain.entities import TransactionRow
    from obdesk.storage.store import Store
    from tests.gui.transactions_desk import Desk

ROWS = 1_500
WORDS = ("", "carte", "boulangerie", "sas", "zqx", "ca", "amount")
SHIFT = 2_000_000


class List:
    """A model with its feed over a store; `settle` carries out all its reading."""

    def __init__(self, store: Store) -> None:
        self.model = TransactionsModel(Presenter(ENGLISH, TODAY))
        self.reads = StoreReads(store, FrozenClock(NOW))
        self._started: list[Coroutine[Any, Any, None]] = []
        self.feed = Feed(
            self.model, self.reads, lambda _name, coro: self._started.append(coro), TransactionFilter()
        )

    async def settle(self) -> None:
        while self._started or self.feed._quiet.isActive():
            if self.feed._quiet.isActive():
                self.feed._quiet.stop()
                self.feed._complete()
            started, self._started = self._started, []
            self._started.clear()
            await asyncio.gather(*started)

    async def look(self, first: int, last: int) -> None:
        self.model.ensure(first, min(last, self.model.rowCount() - 1))
        await self.settle()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with ledger(tmp_path_factory.mktemp("list"), lambda made: put(made, list(made_rows(ROWS)))) as opened:
        yield opened


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made_runner:
        yield made_runner


looks = st.tuples(st.just("look"), st.integers(0, ROWS), st.integers(1, 60))
questions = st.tuples(st.just("ask"), st.sampled_from(WORDS), st.sampled_from(Sort))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(looks | questions | st.tuples(st.just("reread"), st.none(), st.none()), min_size=1, max_size=8)
)
def test_what_is_seen_equals_the_filters_rows_in_order(
    qapp: object, store: Store, runner: asyncio.Runner, steps: list[tuple[str, Any, Any]]
) -> None:
    del qapp

    async def story() -> None:
        shown = List(store)
        wanted = TransactionFilter()
        shown.feed.ask(wanted)
        await shown.settle()
        for kind, one, other in steps:
            if kind == "ask":
                wanted = TransactionFilter(text=one, sort=other)
                shown.feed.ask(wanted)
                await shown.settle()
            elif kind == "reread":
                shown.feed.reread()
                await shown.settle()
            count = shown.model.rowCount()
            first = min(one, max(0, count - 1)) if kind == "look" else 0
            last = min(first + (other if kind == "look" else 30), count) - 1
            await shown.look(first, last)
            truth = await shown.reads.transaction_page(wanted, offset=0, limit=ROWS)
            assert list(shown.model.ids) == [each.id for each in truth]
            assert [shown.model.line(at) for at in range(first, last + 1)] == [
                shown.model.presenter.line(each) for each in truth[first : last + 1]
            ]

    runner.run(story())


def test_the_model_keeps_the_rules_of_qt(qtmodeltester: ModelTester, qapp: object) -> None:
    del qapp
    model = TransactionsModel(Presenter(ENGLISH, TODAY))
    qtmodeltester.check(model)
    model.show_rows([_row(n) for n in range(60)])
    model.take_ids(array("q", range(900)))
    model.take_ids(array("q", [*range(500, 520), *range(10, 900), 7]))
    qtmodeltester.check(model)


def _row(number: int) -> TransactionRow:
    return replace(made(), id=TransactionId(number))


@given(st.lists(st.integers(0, 40), unique=True), st.lists(st.integers(0, 40), unique=True))
def test_a_list_becomes_any_other_by_taking_away_and_putting_in(old: list[int], new: list[int]) -> None:
    model = TransactionsModel(Presenter(ENGLISH, TODAY))
    model.show_rows([_row(n) for n in old])
    seen = list(old)

    def removed(_parent: QModelIndex, first: int, last: int) -> None:
        del seen[first : last + 1]

    def inserted(_parent: QModelIndex, first: int, last: int) -> None:
        seen[first:first] = list(model.ids[first : last + 1])

    model.rowsRemoved.connect(removed)
    model.rowsInserted.connect(inserted)
    model.take_ids(array("q", new))

    assert list(model.ids) == new
    assert seen == new


def test_rows_that_stay_keep_their_place_when_others_come_before_them() -> None:
    model = TransactionsModel(Presenter(ENGLISH, TODAY))
    model.show_rows([_row(n) for n in range(100, 160)])
    followed = QPersistentModelIndex(model.index(7, 0))
    model.take_ids(array("q", [*range(5), *range(100, 160), 900]))

    assert followed.row() == 12
    assert model.ids[followed.row()] == 107


def test_only_windows_around_the_screen_are_asked_for_and_each_once(qapp: object) -> None:
    del qapp
    model = TransactionsModel(Presenter(ENGLISH, TODAY))
    asked: list[array[int]] = []
    model.rows_missing.connect(asked.append)
    model.take_ids(array("q", range(1_000_000)))

    model.ensure(700_000, 700_020)
    model.ensure(700_001, 700_021)

    assert sum(len(ids) for ids in asked) <= 2 * WINDOW
    assert 700_000 in asked[0]
    assert len(asked) == len({ids[0] for ids in asked})


def test_a_dropped_request_can_be_made_again() -> None:
    model = TransactionsModel(Presenter(ENGLISH, TODAY))
    asked: list[array[int]] = []
    model.rows_missing.connect(asked.append)
    model.take_ids(array("q", range(2_000)))
    model.ensure(1_000, 1_020)
    model.give_up(asked[0])
    model.ensure(1_000, 1_020)

    assert asked[0] == asked[-1]
    assert len(asked) >= 2


def test_memory_is_bounded_however_far_one_scrolls() -> None:
    model = TransactionsModel(Presenter(ENGLISH, TODAY))
    model.take_ids(array("q", range(40_000)))
    for start in range(0, 40_000, WINDOW):
        model.put([_row(n) for n in range(start, min(start + WINDOW, 40_000))])

    assert len(model._lines) <= KEPT_MAX
    assert model.line(39_999) is not None
    assert model.line(0) is None


def test_cells_speak_and_amounts_can_be_hidden() -> None:
    model = TransactionsModel(Presenter(ENGLISH, TODAY))
    model.show_rows([made(payee="<b>A & B</b>")])
    amount, payee = model.index(0, Column.AMOUNT), model.index(0, Column.PAYEE)

    assert model.data(payee) == "<b>A & B</b>"
    assert "<b>" not in str(model.data(payee, int(Qt.ItemDataRole.ToolTipRole)))
    assert str(model.data(payee, int(Qt.ItemDataRole.AccessibleTextRole))).startswith("<b>A & B</b>, CARTE")
    assert "23.90" in str(model.data(amount))
    model.set_private(private=True)
    roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole)
    assert {model.data(amount, int(role)) for role in roles} == {HIDDEN_AMOUNT}


def test_days_begin_where_the_date_changes_and_pending_rows_stand_apart() -> None:
    model = TransactionsModel(Presenter(ENGLISH, TODAY))
    days = (date(2026, 11, 24), date(2026, 11, 23), date(2026, 11, 23), date(2026, 11, 20))
    rows = [made(on=day) for day in days]
    listed = [replace(each, id=_row(n).id) for n, each in enumerate(rows)]
    listed[0] = replace(listed[0], state=TransactionState.PENDING)
    model.show_rows(listed)
    model.take_ids(array("q", [0, 1, 2, 3, 99]))

    assert [model.starts(n) for n in range(5)] == [True, True, False, True, False]


def test_new_rows_come_in_without_disturbing_those_that_are_read(
    qapp: object, tmp_path: Path, runner: asyncio.Runner
) -> None:
    del qapp

    async def story(store: Store) -> None:
        shown = List(store)
        resets: list[bool] = []
        shown.feed.ask(TransactionFilter())
        await shown.settle()
        await shown.look(0, 20)
        shown.model.modelReset.connect(lambda: resets.append(True))
        before = list(shown.model.ids)
        put(store, [*made_rows(200), row(SHIFT, on="2026-11-24", payee="NEW", label="NEW ROW")])
        shown.feed.reread()
        await shown.settle()
        await shown.look(0, 20)
        assert not resets
        assert len(shown.model.ids) == len(before) + 1
        lines = [shown.model.line(n) for n in range(20)]
        assert "NEW" in [line.payee for line in lines if line]

    with ledger(tmp_path, lambda made_store: put(made_store, list(made_rows(200)))) as store:
        runner.run(story(store))


def test_a_row_far_down_is_selected_once_the_list_has_it(desk: Desk) -> None:
    far = TransactionId(desk.model.ids[-1])
    desk.screen.show_rows(TransactionFilter(), (far,))
    desk.settle()

    assert [desk.model.ids[place] for place in desk.selected()] == [far]
