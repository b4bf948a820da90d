"""The window as a program over a real profile: first paint, unlocking, exporting, quitting in order."""

from __future__ import annotations

import asyncio
import csv
import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from obdesk.app.profile import profile_of
from obdesk.domain.errors import Action, AppError
from obdesk.gui.run import run
from obdesk.gui.shell.exporting import ExportDialog
from tests.fakes import FrozenClock
from tests.gui.theme_fixtures import undress
from tests.seed import NOW, reopened, seeded_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from obdesk.app.bootstrap import App, OpenProfile
    from obdesk.gui.changes import Spawn
    from obdesk.gui.desk import Desk
    from tests.guards import ExpectsLog

ROWS = 300
TURN_S = 0.01
TURNS_MAX = 1_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    seeded_profile(tmp_path, ROWS).close()
    return tmp_path


@pytest.fixture(autouse=True)
def _left_alone(qapp: QApplication) -> Iterator[None]:
    yield
    undress(qapp)


async def until(done: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    for _turn in range(TURNS_MAX):
        if done():
            return
        await asyncio.sleep(TURN_S)
    pytest.fail("it never came to be")


def _run(
    folder: Path, story: Callable[[App, Desk], object], opener: Callable[[], OpenProfile] | None = None
) -> int:
    async def told(app: App, desk: Desk) -> None:
        try:
            work = story(app, desk)
            assert asyncio.iscoroutine(work)
            await work
        finally:
            desk.window.quit_wanted.emit()

    profile = profile_of(folder, "seeded")
    return run(profile, opener=opener or (lambda: reopened(folder)), clock=FrozenClock(NOW), story=told)


def test_the_window_shows_what_is_stored_and_quits_in_order(folder: Path, qapp: QApplication) -> None:
    del qapp
    seen: dict[str, object] = {}

    async def story(_app: App, desk: Desk) -> None:
        model = desk.window.sidebar.model
        seen["accounts"] = [row.name for row in model.group(0).rows]
        seen["summary"] = desk.window.toolbar.summary_text()
        await until(lambda: not desk.window.sections.make_next())
        desk.window.open_section("transactions")
        await until(lambda: "300" in " ".join(label.text() for label in desk.window.findChildren(QLabel)))

    assert _run(folder, story) == 0
    assert seen["accounts"] == ["Compte courant", "Livret A", "Compte joint"]
    assert seen["summary"]
    again = reopened(folder)
    again.close()
    ini = profile_of(folder, "seeded").folder / "window.ini"
    assert "section=transactions" in ini.read_text()
    if os.name == "posix":
        assert stat.S_IMODE(ini.stat().st_mode) == 0o600


def test_what_happened_since_the_last_visit_is_counted_from_when_the_window_was_left(
    folder: Path, qapp: QApplication
) -> None:
    del qapp
    kept: list[str] = []

    async def nothing(_app: App, _desk: Desk) -> None:
        return None

    async def look(app: App, _desk: Desk) -> None:
        kept.append(await app.reads.setting("last_visit"))

    _run(folder, nothing)
    _run(folder, look)

    assert kept == [NOW.isoformat()]


def test_a_locked_profile_says_why_and_opens_when_tried_again(
    folder: Path, qapp: QApplication, qtbot: QtBot
) -> None:
    attempts: list[int] = []

    def opener() -> OpenProfile:
        attempts.append(1)
        if len(attempts) == 1:
            raise AppError(
                title="The keyring is locked",
                cause="It holds your key.",
                next_step="Unlock it, then try again.",
                action=Action.UNLOCK_KEYRING,
            )
        return reopened(folder)

    def press() -> None:
        buttons = [b for w in qapp.topLevelWidgets() for b in w.findChildren(QPushButton) if b.isVisible()]
        for button in buttons:
            if button.text() == "I have unlocked it, try again":
                texts = [lab.text() for lab in button.window().findChildren(QLabel) if lab.isVisible()]
                assert "The keyring is locked" in texts
                qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
                timer.stop()

    timer = QTimer(qapp, interval=20)
    timer.timeout.connect(press)
    timer.start()

    async def story(_app: App, _desk: Desk) -> None:
        return None

    assert _run(folder, story, opener) == 0
    assert len(attempts) == 2
    timer.deleteLater()


def test_exporting_from_the_window_writes_the_whole_file_and_says_so(
    folder: Path, tmp_path: Path, qapp: QApplication
) -> None:
    del qapp
    target = tmp_path / "out.csv"

    async def story(_app: App, desk: Desk) -> None:
        desk.window.actions_.export.trigger()
        dialog = desk.window.findChild(ExportDialog)
        assert isinstance(dialog, ExportDialog)
        assert not dialog.listed.isEnabled()
        dialog.write_to(str(target))
        await until(desk.window.toaster.isVisible)

    assert _run(folder, story) == 0
    with target.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file))) == ROWS + 1


def test_privacy_and_theme_come_back_with_the_next_start(folder: Path, qapp: QApplication) -> None:
    del qapp
    seen: list[tuple[bool, bool]] = []

    async def choose(_app: App, desk: Desk) -> None:
        from obdesk.gui.theme.theme import Mode

        desk.window.actions_.privacy.trigger()
        desk.window.actions_.modes[Mode.DARK].trigger()

    async def look(_app: App, desk: Desk) -> None:
        seen.append((desk.window.actions_.privacy.isChecked(), desk.theme.dark))

    _run(folder, choose)
    _run(folder, look)

    assert seen == [(True, True)]


def test_an_error_nobody_foresaw_is_told_in_the_window_and_logged_without_its_words(
    folder: Path, qapp: QApplication, expects_log: ExpectsLog
) -> None:
    del qapp
    expects_log("task screen failed: KeyError")
    expects_log("task service failed: KeyError")
    seen: list[tuple[str, str]] = []

    async def fails() -> None:
        raise KeyError("Camille Moreau")

    async def story(app: App, desk: Desk) -> None:
        banner = desk.window.banner
        assert desk.parts is not None
        spawns: list[tuple[str, Spawn]] = [("screen", desk.parts.spawn), ("service", app.work.spawn)]
        for name, spawn in spawns:
            banner.hide()
            spawn(name, fails())
            await until(banner.isVisible)
            seen.append(banner.texts())

    _run(folder, story)

    assert [title for title, _cause in seen] == ["Something went wrong inside obdesk"] * 2
    assert all("Nothing is lost" in cause and "Camille" not in cause for _title, cause in seen)
    (log,) = folder.rglob("obdesk.log")
    assert "tests.gui.test_run" in log.read_text()
    assert "Camille" not in log.read_text()


_STAY = """
import sys
from pathlib import Path
from obdesk.app.profile import profile_of
from obdesk.gui import run
from tests.seed_open import opened
folder = Path(sys.argv[1])
async def story(app, desk):
    print("ready", flush=True)
print("left", run.run(profile_of(folder, "seeded"), opener=lambda: opened(folder), story=story), flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="asks by a signal")
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_the_system_may_ask_to_quit_and_it_happens_in_order(folder: Path, asked: signal.Signals) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _STAY, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(asked)
        rest, errors = child.communicate(timeout=30)

    assert rest == "left 0\n", errors
    assert child.returncode == 0
    reopened(folder).close()
