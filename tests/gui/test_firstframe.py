"""The first frame: the figures of the real screens, in their places, before anything heavy is imported."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QRect, QSettings, QSize

from obdesk.app.profile import profile_of
from obdesk.gui import standing
from obdesk.gui.desk import Desk
from obdesk.gui.overview.view import OverviewScreen
from obdesk.gui.run import run
from obdesk.gui.shell.firstframe import HIDDEN, FirstFrame
from obdesk.gui.standing import Piece
from obdesk.gui.theme.theme import Mode
from obdesk.gui.transactions.screen import TransactionsScreen
from tests.fakes import FrozenClock
from tests.gui.theme_fixtures import undress
from tests.seed import NOW, reopened, seeded_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from PySide6.QtGui import QColor, QImage
    from PySide6.QtWidgets import QApplication

    from obdesk.app.bootstrap import App
    from obdesk.domain.glance import Glance

ROWS = 300
SIZE = QSize(1180, 760)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    seeded_profile(tmp_path, ROWS).close()
    _settings(tmp_path).setValue("window/size", SIZE)
    return tmp_path


@pytest.fixture(autouse=True)
def _left_alone(qapp: QApplication) -> Iterator[None]:
    yield
    undress(qapp)


def _settings(folder: Path) -> QSettings:
    ini = profile_of(folder, "seeded").folder / "window.ini"
    return QSettings(str(ini), QSettings.Format.IniFormat)


def _visit(folder: Path, section: str, look: Callable[[Desk], None]) -> None:
    """Open the real window on a section, look at it and leave it."""

    async def told(_app: App, desk: Desk) -> None:
        try:
            desk.window.resize(SIZE)
            desk.window.open_section(section)
            for _turn in range(1_000):
                await asyncio.sleep(0.01)
                screen = desk.window.current_screen()
                if not isinstance(screen, TransactionsScreen) or screen.feed.complete:
                    break
            look(desk)
        finally:
            desk.window.quit_wanted.emit()

    profile = profile_of(folder, "seeded")
    assert run(profile, opener=lambda: reopened(folder), clock=FrozenClock(NOW), story=told) == 0
    _settings(folder).remove("window/geometry")  # without a screen it would be cut to one that is not there


class First:
    """A first frame as it was shown."""

    def __init__(self, folder: Path, app: QApplication) -> None:
        opened = reopened(folder)
        glanced: Future[Glance] = Future()
        glanced.set_result(opened.glance())
        opened.close()
        self.desk = Desk(app, profile_of(folder, "seeded"), FrozenClock(NOW))
        self.desk.first_paint(glanced, 1.0)
        frame = self.desk.window.centralWidget()
        self.texts: list[str] = []
        self.amounts: list[str] = []
        if isinstance(frame, FirstFrame):
            self.texts = [each.text for each in frame.drawn if each.kind == "text"]
            self.amounts = [each.text for each in frame.drawn if each.kind == "amount"]
        self.image: QImage = self.desk.window.grab().toImage()
        self.desk.close()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_accounts_balances_and_newest_rows_are_those_of_the_list(
    folder: Path, qapp: QApplication, language: str
) -> None:
    _settings(folder).setValue("window/language", language)
    seen: dict[str, list[str]] = {}

    def look(desk: Desk) -> None:
        accounts = desk.window.sidebar.model.group(0).rows
        screen = desk.window.current_screen()
        assert isinstance(screen, TransactionsScreen)
        lines = [screen.model.line(row) for row in range(12)]
        seen["names"] = [account.name for account in accounts]
        seen["balances"] = [account.balance for account in accounts]
        seen["amounts"] = [line.amount for line in lines if line is not None]
        seen["payees"] = [line.payee for line in lines if line is not None]
        seen["sections"] = [screen.model.presenter.section(line) for line in lines if line is not None]
        seen["dates"] = [line.date for line in lines if line is not None]

    _visit(folder, "transactions", look)
    first = First(folder, qapp)

    assert first.amounts[:3] == seen["balances"]
    assert first.amounts[3 : 3 + len(seen["amounts"])] == seen["amounts"]
    for kind in ("names", "payees", "sections", "dates"):
        assert set(seen[kind]) <= set(first.texts), kind


def test_the_overview_begins_with_net_worth_and_its_date(folder: Path, qapp: QApplication) -> None:
    seen: list[str] = []

    def look(desk: Desk) -> None:
        screen = desk.window.current_screen()
        assert isinstance(screen, OverviewScreen)
        seen.extend([screen.page.worth.total.text(), screen.page.worth.as_of.whole])

    _visit(folder, "overview", look)
    first = First(folder, qapp)

    assert seen[0] in first.amounts
    assert any(text and seen[1].startswith(text) for text in first.texts)


def test_a_private_window_shows_no_figure_from_its_first_frame_on(folder: Path, qapp: QApplication) -> None:
    _visit(folder, "transactions", lambda desk: desk.window.actions_.privacy.setChecked(True))

    assert set(First(folder, qapp).amounts) == {HIDDEN}


def _most(image: QImage, place: QRect) -> QColor:
    return image.pixelColor(place.x() + 4, place.y() + place.height() // 2)


@pytest.mark.parametrize("mode", [Mode.LIGHT, Mode.DARK])
def test_grounds_and_places_are_those_of_the_window(folder: Path, qapp: QApplication, mode: Mode) -> None:
    _settings(folder).setValue("window/theme", mode.value)
    seen: dict[str, QImage] = {}
    _visit(folder, "transactions", lambda desk: seen.update(image=desk.window.grab().toImage()))
    first = First(folder, qapp)

    assert first.image.size() == seen["image"].size()
    for piece in standing.read(str(_settings(folder).value("window/standing"))):
        if piece.kind in {"ground", "list"}:
            place = QRect(piece.x, piece.y, piece.width, piece.height)
            if piece.width > 1 and piece.height > 1:
                assert _most(first.image, place) == _most(seen["image"], place), piece


@pytest.mark.parametrize("kept", ["", "ground 0 0 10", "ground a b c d side", "|||", "list 1 2 3 4"])
def test_places_that_cannot_be_read_leave_the_first_frame_to_the_window(
    folder: Path, qapp: QApplication, kept: str
) -> None:
    _settings(folder).setValue("window/standing", kept)
    first = First(folder, qapp)

    assert not first.texts
    assert not first.amounts


def test_places_are_written_and_read_back() -> None:
    pieces = (Piece("account", 1, 2, 3, 4, "7"), Piece("list", 0, 0, 9, 9, "60:28"))

    assert standing.read(standing.written(pieces)) == pieces


def test_what_is_written_down_holds_no_word_of_the_ledger(folder: Path, qapp: QApplication) -> None:
    del qapp
    _visit(folder, "transactions", lambda _desk: None)
    kept = str(_settings(folder).value("window/standing"))

    assert kept
    for word in ("Compte", "Livret", "Banque", "MONOPRIX", "1520", "1 520"):
        assert word not in kept


_IMPORTS = """
import json, sys
from pathlib import Path
from obdesk.app.profile import profile_of
from obdesk.gui import run
from tests.seed_open import opened
folder = Path(sys.argv[1])
def painted(desk):
    drawn = [each.text for each in desk.window.centralWidget().drawn]
    print(json.dumps({"modules": sorted(sys.modules), "drawn": drawn}), flush=True)
    sys.exit(0)
run.run(profile_of(folder, "seeded"), opener=lambda: opened(folder), painted=painted)
"""

NOT_YET = (
    "alembic", "apscheduler", "asyncio", "httpx", "keyring", "msgspec", "platformdirs", "pydantic", "qasync",
    "qtawesome", "sqlalchemy", "ssl", "typer", "PySide6.QtNetwork", "PySide6.QtWebEngineCore", "decimal",
    "obdesk.domain.entities", "obdesk.gui.icons", "obdesk.gui.shell.frame", "obdesk.gui.widgets.chart",
)  # fmt: skip


def test_nothing_heavy_is_imported_before_the_first_paint(folder: Path, qapp: QApplication) -> None:
    del qapp
    _visit(folder, "transactions", lambda _desk: None)
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTS, str(folder)], capture_output=True, text=True, timeout=60, check=True
    )
    told = json.loads(done.stdout.splitlines()[-1])

    assert {"Compte courant", "Livret A", "Compte joint"} <= set(told["drawn"])
    assert [name for name in NOT_YET if name in told["modules"]] == []
