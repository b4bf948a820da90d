"""Garbage is collected by the interface's thread and no other."""

from __future__ import annotations

import gc
import linecache
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from obdesk.gui.garbage import Collector, collect_due

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Knot:
    """Something that only the collector can end, and that says in which thread it did."""

    def __init__(self, ended: list[int]) -> None:
        self.itself = self
        self._ended = ended

    def __del__(self) -> None:
        self._ended.append(threading.get_ident())


def fill(knots: int, ended: list[int]) -> None:
    for _ in range(knots):
        Knot(ended)


def test_what_another_thread_leaves_behind_is_collected_here(qtbot: QtBot) -> None:
    del qtbot
    ended: list[int] = []
    parent = QObject()
    collector = Collector(parent)
    other = threading.Thread(target=fill, args=(5_000, ended))
    other.start()
    other.join()
    assert ended == [], "another thread collected"

    collect_due()

    assert set(ended) == {threading.get_ident()}
    collector.close()
    assert gc.isenabled()


def test_nothing_is_collected_while_rows_are_saved(qtbot: QtBot) -> None:
    del qtbot
    ended: list[int] = []
    saving = [True]
    parent = QObject()
    collector = Collector(parent, lambda: saving[0])
    fill(5_000, ended)
    collector.collect_unless_busy()
    assert ended == []

    saving[0] = False
    collector.collect_unless_busy()

    assert ended
    collector.close()


def test_the_texts_of_modules_are_not_kept(qtbot: QtBot) -> None:
    del qtbot
    linecache.getlines(__file__)
    parent = QObject()
    collector = Collector(parent)
    collector.collect_unless_busy()
    collector.close()
    assert linecache.cache == {}
