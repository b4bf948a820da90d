"""What a person hears while they are not looking: a real notification daemon and a real tray host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.aggregator import BANK, Aggregator, refreshes
from tests.e2e.stage import Stage, raised_stage
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.simulator.server import Simulator
    from tests.daemons.notifications import Asker
    from tests.e2e.stage import Window

pytestmark = pytest.mark.timeout(120)
FAREWELL = "obdesk goes on in the background"
MENU = "com.canonical.dbusmenu"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Give a desktop with a tray and notifications."""
    with raised_stage(tmp_path, desktop=True) as stage:
        yield stage


def closes(stage: Stage, window: Window) -> None:
    """Close the window by its frame; what a busy window manager missed is pressed again."""
    for patience_s in (5.0, 10.0, 30.0):
        stage.screen.close_window("^obdesk$")
        try:
            until(
                "the window to close",
                lambda: window.person.finds("^obdesk$", "frame") is None,
                within_s=patience_s,
            )
        except AssertionError:
            continue
        return
    raise AssertionError("the window does not close")


def test_each_trouble_and_each_recovery_is_told_once(
    stage: Stage, simulator: Simulator, banks: Aggregator
) -> None:
    desk = stage.desktop
    assert desk is not None
    stage.set_up(simulator)
    stage.link(BANK)
    with stage.window() as window:
        person = window.person
        person.sees(BANK)

        def refresh() -> None:
            refreshes(stage, banks, lambda: person.presses("F5"))

        refresh()
        assert desk.count() == 0, "nothing new is no news"

        banks.is_in("SCARequired")
        refresh()
        (told,) = until("a notification", desk.shown)
        assert BANK in told["title"]
        assert told["actions"][:2] == ["default", "Open obdesk"]
        assert "renew" in told["actions"]
        assert "€" not in told["title"] + told["body"], "no amount on a locked screen"
        refresh()
        assert desk.count() == 1, "the same trouble again is no news"

        banks.is_in(None)
        refresh()
        until("word of the recovery", lambda: desk.count() == 2)
        assert "up to date again" in desk.shown()[-1]["title"]

        banks.is_in("websiteUnavailable")
        for _ in range(3):
            refresh()
        until("word of the trouble", lambda: desk.count() == 3)
        banks.is_in(None)
        refresh()
        until("word of the recovery", lambda: desk.count() == 4)
        assert desk.count() == 4
        window.quits()


def test_a_closed_window_goes_on_in_the_tray_and_comes_back(
    stage: Stage, simulator: Simulator, banks: Aggregator
) -> None:
    desk = stage.desktop
    assert desk is not None
    stage.set_up(simulator)
    stage.link(BANK)
    with stage.window() as window:
        person = window.person
        person.sees(BANK)
        item = until("an icon in the tray", desk.tray)[0]["name"]

        # Closed for the first time: it says once that it goes on.
        closes(stage, window)
        person.sees(FAREWELL)
        person.presses("Return")
        person.misses(FAREWELL)
        assert window.process.poll() is None

        # From the tray's menu it asks the banks, and what it hears it tells.
        banks.is_in("SCARequired")
        refreshes(stage, banks, lambda: choose(desk, item, "Refresh now"))
        (told,) = until("a notification", desk.shown)

        # The notification leads to the bank it is about.
        desk.press(told["number"], "default")
        person.sees("^obdesk$", "frame")
        person.sees(f"Renew access: {BANK}")

        # Closed again, nothing is explained any more; the menu ends the program.
        closes(stage, window)
        assert person.reader.things() == [], "the explanation comes once"
        assert window.process.poll() is None
        choose(desk, item, "Quit")
        assert window.ends() == 0, window.said()

    with stage.window() as window:
        window.person.sees(BANK)
        closes(stage, window)
        assert window.person.reader.things() == [], "nor after another start"
        assert window.process.poll() is None


def choose(desk: Asker, item: str, line: str) -> None:
    """Choose a line of the tray icon's menu, as a tray host does it."""
    icon = item if not item.startswith("/") else desk.tray()[0]["sender"]
    path = desk.call(icon, "/StatusNotifierItem", "org.freedesktop.DBus.Properties", "Get",
                     "org.kde.StatusNotifierItem", "Menu")[0][1]  # fmt: skip
    _, (_, _, lines) = desk.send(icon, path, MENU, "GetLayout", "iias", 0, -1, [])
    number = next(entry[1][0] for entry in lines if entry[1][1].get("label", ("s", ""))[1] == line)
    desk.send(icon, path, MENU, "Event", "isvu", number, "clicked", ("s", ""), 0)


def test_without_a_tray_a_closed_window_is_the_end(tmp_path: Path, simulator: Simulator) -> None:
    with raised_stage(tmp_path) as stage:
        stage.set_up(simulator)
        with stage.window() as window:
            window.person.sees("obdesk", "frame")
            closes(stage, window)
            assert window.ends() == 0, window.said()
