"""Processes that a benchmark starts and measures from outside: an empty widget, and the window itself.

Nothing is imported above that a child does not need: its imports are part of what is measured.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from obdesk.gui.desk import Desk

SIZE = (1180, 760)
SETTLED_S = 3.0
JUMPS = 60
TURNS_MAX = 200


def bare() -> None:
    """Show an empty widget: what any PySide6 program costs."""
    from PySide6.QtWidgets import QApplication, QWidget

    app = QApplication([])
    widget = QWidget()
    widget.resize(*SIZE)
    widget.show()
    app.processEvents()
    _tell()
    del widget


def window(folder: str) -> None:
    """Show the window on a seeded profile up to its first paint."""
    from pathlib import Path

    from obdesk.app.profile import profile_of
    from obdesk.gui import run
    from tests.seed_open import opened

    where = Path(folder)

    def painted(desk: Desk) -> None:
        assert getattr(desk.window.centralWidget(), "drawn", None), "there was no first frame"
        _tell()

    run.run(profile_of(where, "seeded"), opener=lambda: opened(where), painted=painted)


def visit(folder: str, section: str) -> None:
    """Open the whole window on a section and leave it, as a person did before the next start."""
    import asyncio
    from pathlib import Path
    from typing import Any

    from obdesk.app.profile import profile_of
    from obdesk.gui import run
    from tests.seed_open import opened

    where = Path(folder)

    async def story(_app: Any, desk: Any) -> None:
        desk.window.resize(*SIZE)
        desk.window.open_section(section)
        await asyncio.sleep(1.0)
        desk.window.quit_wanted.emit()

    run.run(profile_of(where, "seeded"), opener=lambda: opened(where), story=story)


def bare_memory() -> None:
    """Show an empty widget and say how much memory that takes."""
    from PySide6.QtWidgets import QApplication, QWidget

    app = QApplication([])
    widget = QWidget()
    widget.resize(*SIZE)
    widget.show()
    app.processEvents()
    _tell_memory("bare")
    del widget


def window_memory(folder: str) -> None:
    """Open the whole window on the list, scroll through it, search once, and say what that takes."""
    import asyncio
    from pathlib import Path
    from typing import Any

    from obdesk.app.profile import profile_of
    from obdesk.gui import run
    from tests.seed_open import opened

    where = Path(folder)

    async def whole(screen: Any) -> None:
        await asyncio.sleep(0.1)
        for _turn in range(TURNS_MAX):
            if screen.feed.complete:
                return
            await asyncio.sleep(0.1)
        raise TimeoutError

    async def story(_app: Any, desk: Any) -> None:
        window = desk.window
        window.resize(*SIZE)
        await asyncio.sleep(SETTLED_S)
        _tell_memory("started")
        window.open_section("transactions")
        screen = window.current_screen()
        await whole(screen)
        bar = screen.table.verticalScrollBar()
        for step in range(JUMPS):
            bar.setValue(bar.maximum() * ((step * 37) % JUMPS) // JUMPS)
            await asyncio.sleep(0.02)
        _tell_memory("scrolled")
        window.toolbar.search.setText("carrefour")
        window.toolbar.search.searched.emit("carrefour")
        await whole(screen)
        await asyncio.sleep(SETTLED_S)
        _tell_memory("searched")
        window.quit_wanted.emit()

    run.run(profile_of(where, "seeded"), opener=lambda: opened(where), story=story)


def _tell_memory(when: str) -> None:
    """Say how much memory this process holds: resident, its share of it, and what is its alone."""
    import json

    from tests.benchmarks.memory import held

    sys.stdout.write(json.dumps({"when": when, **held()._asdict()}) + "\n")
    sys.stdout.flush()


def _tell() -> None:
    """Say when it was painted, by the machine's clock, and end at once."""
    import time

    sys.stdout.write(f"{time.perf_counter()}\n")
    sys.stdout.flush()
    os._exit(0)


@contextmanager
def compiled() -> Iterator[Mapping[str, str]]:
    """Yield an environment in which children find their modules compiled, as an installed program does."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="obdesk-bench-pyc-") as cache:
        environ = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPYCACHEPREFIX": cache}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        yield environ


def main(name: str, *arguments: str) -> None:
    """Be one of the children."""
    match name:
        case "bare":
            bare()
        case "window":
            window(*arguments)
        case "visit":
            visit(*arguments)
        case "bare-memory":
            bare_memory()
        case "window-memory":
            window_memory(*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
