"""What closing the window means, what a notification brings up, and that the tray follows the banks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from obdesk.app.bus import Bus
from obdesk.app.events import ActionNeeded
from obdesk.domain.conditions import Condition
from obdesk.domain.errors import Action
from obdesk.domain.ids import ConnectionId
from obdesk.gui.changes import Changes
from obdesk.gui.notify.attend import Attendance
from obdesk.gui.tray import Tray, TrayState
from tests.domain.connections import a_connection

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from obdesk.app.interface import Commands, Reads
    from obdesk.gui.theme.theme import Theme

BANK = ConnectionId(7)


class Window:
    """Keeps what was asked of it."""

    def __init__(self) -> None:
        self.keep_running: Callable[[], bool] = lambda: False
        self.asked: list[object] = []

    def isMinimized(self) -> bool:
        return False

    def showNormal(self) -> None:
        self.asked.append("normal")

    def show(self) -> None:
        self.asked.append("show")

    def raise_(self) -> None:
        pass

    def activateWindow(self) -> None:
        pass

    def open_section(self, key: str) -> None:
        self.asked.append(key)

    def refresh(self, connections: Sequence[ConnectionId] | None = None) -> None:
        self.asked.append(("refresh", connections))

    def act(self, action: Action, connection_id: ConnectionId | None = None) -> None:
        self.asked.append((action, connection_id))

    def toast(self, text: str) -> None:
        self.asked.append(text)


class Settings:
    """The settings as both front doors see them."""

    def __init__(self) -> None:
        self.values = {"sync.paused": "off", "tray.explained": "off"}

    def setting_now(self, key: str) -> str:
        return self.values[key]

    async def set_setting(self, key: str, value: str) -> None:
        self.values[key] = value


def run(_name: str, coro: Coroutine[Any, Any, None], /) -> None:
    with pytest.raises(StopIteration):
        coro.send(None)


class Room:
    def __init__(self, theme: Theme) -> None:
        self.window, self.settings, self.bus, self.changes = Window(), Settings(), Bus(), Changes()
        self.changes.follow(self.bus)
        self.attendance = self.attend(theme)

    def state(self) -> TrayState:
        return self.attendance.tray.state

    def attend(self, theme: Theme) -> Attendance:
        reads, commands = cast("Reads", self.settings), cast("Commands", self.settings)
        known = [a_connection(BANK, Condition.OK, "Alpina")]
        return Attendance(self.window, theme, self.bus, reads, commands, run, self.changes, known)


@pytest.fixture
def room(theme: Theme) -> Iterator[Room]:
    made = Room(theme)
    yield made
    made.attendance.close()
    made.changes.close()


@pytest.fixture
def _a_tray_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tray, "available", property(lambda _self: True))


def test_without_a_tray_closing_quits(room: Room) -> None:
    assert not room.window.keep_running()
    assert room.attendance.farewell is None


@pytest.mark.usefixtures("_a_tray_is_there")
def test_with_a_tray_closing_keeps_it_running_and_explains_itself_once(room: Room, theme: Theme) -> None:
    assert room.window.keep_running()
    assert room.attendance.farewell is not None
    assert room.attendance.farewell.isVisible()
    assert room.settings.values["tray.explained"] == "on"
    room.attendance.close()
    later = room.attend(theme)
    assert room.window.keep_running()
    assert later.farewell is None
    later.close()


@pytest.mark.usefixtures("_a_tray_is_there")
def test_the_explanation_offers_to_quit_instead(room: Room) -> None:
    quits: list[bool] = []
    room.attendance.quitWanted.connect(lambda: quits.append(True))
    room.window.keep_running()
    assert room.attendance.farewell is not None
    room.attendance.farewell.leave.click()
    assert quits == [True]


def test_a_button_of_a_notification_brings_up_the_window_and_does_it(room: Room) -> None:
    room.attendance.bring_up(Action.RENEW, BANK)
    room.attendance.bring_up(Action.NONE, BANK)
    assert room.window.asked == ["show", (Action.RENEW, BANK), "show", "connections"]


def test_the_menu_pauses_for_good_and_the_icon_says_so(room: Room) -> None:
    room.attendance.tray.lines["pause"].trigger()
    assert room.settings.values["sync.paused"] == "on"
    assert room.state() is TrayState.PAUSED
    room.attendance.tray.lines["pause"].trigger()
    assert room.settings.values["sync.paused"] == "off"
    assert room.state() is TrayState.OK


def test_where_nothing_else_can_show_it_the_window_says_what_the_bus_tells(room: Room) -> None:
    for _ in range(2):
        room.bus.publish(ActionNeeded(BANK, Condition.NEEDS_SCA))
    assert room.window.asked == ["Alpina asks you to confirm access"]
