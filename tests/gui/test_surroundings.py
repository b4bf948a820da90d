"""What the machine tells of its network and its batteries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.gui.surroundings import QtSurroundings

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


def supply(power: Path, name: str, **told: str) -> None:
    (power / name).mkdir()
    for key, value in told.items():
        (power / name / key).write_text(f"{value}\n")


@pytest.fixture
def around(qtbot: QtBot, tmp_path: Path) -> QtSurroundings:
    del qtbot
    return QtSurroundings(tmp_path)


def test_it_answers_or_says_that_it_does_not_know(around: QtSurroundings) -> None:
    assert around.online() in {True, False, None}
    assert around.metered() in {True, False, None}
    around.listen(lambda: None)


def test_a_machine_without_batteries_spares_nothing(around: QtSurroundings, tmp_path: Path) -> None:
    assert around.battery_percent() is None
    supply(tmp_path, "AC", type="Mains", online="1")
    assert around.battery_percent() is None


def test_only_a_battery_that_is_used_up_counts(around: QtSurroundings, tmp_path: Path) -> None:
    supply(tmp_path, "BAT0", type="Battery", status="Charging", capacity="9")
    assert around.battery_percent() is None
    supply(tmp_path, "BAT1", type="Battery", status="Discharging", capacity="34")
    supply(tmp_path, "hidpp_battery_0", type="Battery", status="Discharging", capacity="5", scope="Device")
    supply(tmp_path, "BAT2", type="Battery", status="Discharging", capacity="unknown")
    assert around.battery_percent() == 34


def test_a_system_without_such_files_is_not_asked_again(qtbot: QtBot, tmp_path: Path) -> None:
    del qtbot
    assert QtSurroundings(tmp_path / "nowhere").battery_percent() is None
