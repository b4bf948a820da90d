"""A second start on the same data brings the first window to the front and ends."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obdesk.app.profile import Profile, profile_of
from obdesk.gui.run import run
from obdesk.gui.single import address_of, knocked
from tests.fakes import FrozenClock
from tests.gui.theme_fixtures import undress
from tests.seed import NOW, reopened, seeded_profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QApplication

    from obdesk.app.bootstrap import App
    from obdesk.gui.desk import Desk

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the door is a socket of POSIX")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="ob") as made:
        seeded_profile(Path(made), 20).close()
        yield Path(made)


def test_F43_a_second_start_shows_the_first_window_and_ends_well(folder: Path, qapp: QApplication) -> None:
    ended: list[subprocess.CompletedProcess[str]] = []

    async def story(_app: App, desk: Desk) -> None:
        desk.window.hide()
        command = [sys.executable, "-m", "obdesk", "--data-dir", str(folder), "--profile", "seeded"]
        ended.append(
            await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
        )
        assert desk.window.isVisible()
        desk.window.quit_wanted.emit()

    profile = profile_of(folder, "seeded")
    assert run(profile, opener=lambda: reopened(folder), clock=FrozenClock(NOW), story=story) == 0
    assert [(each.returncode, each.stdout, each.stderr) for each in ended] == [(0, "", "")]
    assert not knocked(profile), "who has left answers no more"
    place = address_of(profile)
    assert place is not None
    assert not place.exists()
    undress(qapp)


def test_F43_what_a_killed_window_left_does_not_answer() -> None:
    with tempfile.TemporaryDirectory(prefix="ob") as made:
        profile = Profile(Path(made), "left")
        place = address_of(profile)
        assert place is not None
        with socket.socket(socket.AF_UNIX) as line:
            line.bind(str(place))
        assert place.exists()
        assert not knocked(profile)


def test_F43_where_a_path_is_too_long_a_window_opens_as_ever(tmp_path: Path) -> None:
    assert address_of(Profile(tmp_path / ("x" * 120), "long")) is None
    assert not knocked(Profile(tmp_path / ("x" * 120), "long"))
