"""Search as you type: from the key to the first rows on the screen, over a real encrypted file."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest

from obdesk.domain.filters import parse_search
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.window import FRAME_TIMEOUT_S, Bench, Frames, with_screen

if TYPE_CHECKING:
    from collections.abc import Iterable

WORDS = (
    "carte", "boulangerie", "uber *trip", "sas exemple 12", "zqxj", "amount:>20 monoprix",
    "date:2026-11 carte", "café", "e", "fn", "virement inconnu",
)  # fmt: skip
FAST_S, SLOW_S = 0.09, 0.32
"""Two typists: the next key comes before the sums are asked for, or while they are read."""


def run(rows: int) -> list[Figure]:
    """Type words letter by letter, then take them away again."""
    took: dict[str, list[float]] = {"fast": [], "slow": []}

    async def story(bench: Bench) -> None:
        frames = Frames(bench.screen.table)
        bench.search.setFocus()
        took["fast"] = await _type(bench, frames, WORDS, FAST_S)
        took["slow"] = await _type(bench, frames, WORDS[:6], SLOW_S)

    with_screen(rows, story)
    keys = took["fast"] + took["slow"]
    return [
        Figure("key to rows p50", percentile(keys, 0.5), "ms", None, "", 16.0),
        Figure("key to rows p99", percentile(keys, 0.99), "ms", None, "", 50.0),
        Figure("key to rows p99, while sums are read", percentile(took["slow"], 0.99), "ms", None, "", 50.0),
    ]


async def _type(bench: Bench, frames: Frames, words: Iterable[str], pause_s: float) -> list[float]:
    took = []
    for word in words:
        for letter in word:
            took.append(await _press(bench, frames, letter))
            await asyncio.sleep(pause_s)
        for _ in word:
            took.append(await _press(bench, frames, None))
            await asyncio.sleep(pause_s / 3)
        await bench.settled()
    return [each for each in took if each > 0]


def _type_letter(bench: Bench, letter: str) -> None:
    """Send a letter as a keyboard does; QTest knows only those of ASCII."""
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        event = QKeyEvent(kind, Qt.Key.Key_unknown, Qt.KeyboardModifier.NoModifier, letter)
        bench.app.sendEvent(bench.search, event)


async def _press(bench: Bench, frames: Frames, letter: str | None) -> float:
    """Press one key and return the milliseconds until its answer was painted; 0 when it asks nothing new."""
    answered, answered_at_s = asyncio.Event(), 0.0

    def heard() -> None:
        nonlocal answered_at_s
        answered_at_s = time.perf_counter()
        answered.set()

    before = bench.screen.wanted
    joined = bench.screen.feed.answered.connect(heard)
    begin = time.perf_counter()
    if letter is None:
        QTest.keyClick(bench.search, Qt.Key.Key_Backspace)
    else:
        _type_letter(bench, letter)
    await asyncio.sleep(0)
    same = parse_search(bench.search.text()).text == before.text
    try:
        await asyncio.wait_for(answered.wait(), 0.05 if same else FRAME_TIMEOUT_S)
        await frames.painted_after(answered_at_s)
    except TimeoutError:
        if same:
            return 0
        raise
    finally:
        bench.screen.feed.answered.disconnect(joined)
    return (frames.at_s - begin) * 1000
