"""What the machine tells of its batteries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.gui.surroundings import MachineSurroundings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def supply(power: Path, name: str, **told: str) -> None:
    (power / name).mkdir()
    for key, value in told.items():
        (power / name / key).write_text(f"{value}\n")


class Silent:
    """A network of which nothing is known."""

    def online(self) -> bool | None:
        return None

    def metered(self) -> bool | None:
        return None

    def listen(self, changed: Callable[[], object]) -> None:
        del changed

    def close(self) -> None:
        pass


@pytest.fixture
def around(tmp_path: Path) -> MachineSurroundings:
    return MachineSurroundings(Silent(), tmp_path)


def test_a_machine_without_batteries_spares_nothing(around: MachineSurroundings, tmp_path: Path) -> None:
    assert around.battery_percent() is None
    supply(tmp_path, "AC", type="Mains", online="1")
    assert around.battery_percent() is None


def test_only_a_battery_that_is_used_up_counts(around: MachineSurroundings, tmp_path: Path) -> None:
    supply(tmp_path, "BAT0", type="Battery", status="Charging", capacity="9")
    assert around.battery_percent() is None
    supply(tmp_path, "BAT1", type="Battery", status="Discharging", capacity="34")
    supply(tmp_path, "hidpp_battery_0", type="Battery", status="Discharging", capacity="5", scope="Device")
    supply(tmp_path, "BAT2", type="Battery", status="Discharging", capacity="unknown")
    assert around.battery_percent() == 34


def test_a_system_without_such_files_is_not_asked_again(tmp_path: Path) -> None:
    assert MachineSurroundings(Silent(), tmp_path / "nowhere").battery_percent() is None
