"""Scrolling a large list: what one frame takes, beside a table of Qt's own that shows constant text."""

from __future__ import annotations

import random
from statistics import median
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QTableView

from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.window import Bench, Frames, with_screen

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, STEPS = 3, 160
"""Rounds alternate with the floor's; their medians count, so that a busy moment of the machine does not."""
_NOTHING = QModelIndex()


class _Constant(QAbstractTableModel):
    """The cheapest model there can be: the floor of Qt's item views."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NOTHING) -> int:
        return 0 if parent.isValid() else self._rows

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _NOTHING) -> int:
        return 0 if parent.isValid() else 5

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> str | None:
        del index
        return "constant" if role == 0 else None


def run(rows: int) -> list[Figure]:
    """Measure wheel steps, page jumps and leaps over the whole list."""
    figures: list[Figure] = []

    async def story(bench: Bench) -> None:
        table = bench.screen.table
        floor_table = _floor(rows, table)
        frames, floor_frames = Frames(table), Frames(floor_table)
        ours, floor = [], []
        for _ in range(ROUNDS):
            ours.append(await _measured(bench, table, frames))
            floor.append(await _measured(bench, floor_table, floor_frames))
        floor_table.hide()
        figures.extend(_figures(ours, floor))
        figures.append(await _leaps(bench))

    with_screen(rows, story)
    return figures


def _floor(rows: int, like: QTableView) -> QTableView:
    table = QTableView()
    model = _Constant(rows)
    model.setParent(table)
    table.setModel(model)
    table.verticalHeader().setDefaultSectionSize(like.rowHeight(0) or 38)
    table.verticalHeader().hide()
    table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.resize(like.size())
    for column in range(5):
        table.setColumnWidth(column, like.width() // 5 - 4)
    table.show()
    return table


async def _measured(bench: Bench, table: QTableView, frames: Frames) -> dict[str, list[float]]:
    table.window().raise_()
    table.setFocus()
    table.verticalScrollBar().setValue(0)
    table.setCurrentIndex(table.model().index(0, 0))
    await bench.settled()
    wheel = [await frames.after(lambda: _turn_wheel(bench, table)) for _ in range(STEPS)]
    table.verticalScrollBar().setValue(0)
    table.setCurrentIndex(table.model().index(0, 0))
    await bench.settled()
    pages = [await frames.after(_key(table)) for _ in range(STEPS)]
    return {"wheel": wheel, "page": pages}


def _turn_wheel(bench: Bench, table: QTableView) -> None:
    middle = QPointF(table.viewport().rect().center())
    event = QWheelEvent(
        middle, table.viewport().mapToGlobal(middle), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    bench.app.sendEvent(table.viewport(), event)


def _key(table: QTableView) -> Callable[[], None]:
    return lambda: QTest.keyClick(table, Qt.Key.Key_PageDown)


def _figures(ours: list[dict[str, list[float]]], floor: list[dict[str, list[float]]]) -> list[Figure]:
    made = []
    for kind, absolute_ms in (("wheel", 8.0), ("page", 17.0)):
        made.append(Figure(f"{kind} p99", _typical(ours, kind, 0.99), "ms", None, "", absolute_ms))
        for share in (0.5, 0.99):
            mine, least = _typical(ours, kind, share), _typical(floor, kind, share)
            name = f"{kind} p{share * 100:.0f} beside the floor"
            made.append(Figure(name, mine, "ms", least, "constant QTableView", 2.0))
    return made


def _typical(rounds: list[dict[str, list[float]]], kind: str, share: float) -> float:
    return median(percentile(each[kind], share) for each in rounds)


async def _leaps(bench: Bench) -> Figure:
    """Leap anywhere; the figure is the time until the rows themselves are there, not their placeholders."""
    table, model = bench.screen.table, bench.screen.model
    bar, chance = table.verticalScrollBar(), random.Random(11)  # noqa: S311 - places to look at
    frames, took = Frames(table), []
    for _ in range(60):
        total = await frames.after(lambda: bar.setValue(chance.randrange(max(1, bar.maximum()))))
        first, last = table.layout_now.rows(bar.value())
        if any(model.line(row) is None for row in range(first, last + 1)):
            total += await frames.after(lambda: None)
        took.append(total)
    return Figure("leap to rows p99", percentile(took, 0.99), "ms", None, "", 100.0)
