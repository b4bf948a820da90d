"""The window with a keyring that is locked, gone or changed: it explains, and deletes nothing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.e2e.aggregator import BANK

if TYPE_CHECKING:
    from obdesk.simulator.server import Simulator
    from tests.e2e.stage import Stage, Window

pytestmark = pytest.mark.timeout(120)
OURS_ALONE = {"window.ini", "window.ini.lock"}
"""Where the window was on the screen is no data."""
AGAIN = "try again|Try again"


def prints(stage: Stage) -> dict[str, str]:
    """Return a fingerprint of every file of the profile."""
    return {
        str(file.relative_to(stage.data)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in stage.data.rglob("*")
        if file.is_file() and file.name not in OURS_ALONE
    }


def explains(window: Window, title: str) -> None:
    """Wait for the page: what is the matter, that nothing is lost, and at least one way out."""
    person = window.person
    person.sees(title, "label")
    person.sees("Nothing was deleted or changed")
    assert person.finds(AGAIN, "push button")
    assert person.finds("Quit", "push button")
    assert person.finds(BANK) is None


def test_a_locked_keyring_is_explained_and_opens_once_unlocked(stage: Stage, simulator: Simulator) -> None:
    stage.set_up(simulator)
    stage.link(BANK)
    before = prints(stage)
    stage.keyring.lock()
    with stage.window() as window:
        explains(window, "The keyring is locked")
        window.person.chooses(AGAIN)
        explains(window, "The keyring is locked")
        assert prints(stage) == before
        stage.keyring.unlock()
        window.person.chooses(AGAIN)
        window.person.sees(BANK)
        window.quits()


def test_a_changed_entry_is_explained_and_opens_once_it_is_right(stage: Stage, simulator: Simulator) -> None:
    stage.set_up(simulator)
    stage.link(BANK)
    before = prints(stage)
    kept = stage.keyring.secrets()
    stage.keyring.overwrite(dict.fromkeys(kept, b"00" * 32))
    with stage.window() as window:
        explains(window, "The key in the keyring does not fit")
        assert prints(stage) == before
        stage.keyring.overwrite(kept)
        window.person.chooses(AGAIN)
        window.person.sees(BANK)
        window.quits()


def test_a_missing_keyring_is_explained_and_can_be_left(stage: Stage, simulator: Simulator) -> None:
    stage.set_up(simulator)
    before = prints(stage)
    stage.keyring.stop()
    with stage.window() as window:
        explains(window, "keyring")
        window.person.chooses(AGAIN)
        explains(window, "keyring")
        window.person.chooses("^Quit$")
        assert window.ends() == 0, window.said()
    assert prints(stage) == before
