"""The tray and the notifications against a real message bus, notification daemon and tray host."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.errors import Action
from obdesk.domain.ids import ConnectionId
from obdesk.domain.notices import Notice, NoticeKind
from obdesk.gui.notify.chain import PresenterChain, tamed
from obdesk.gui.notify.freedesktop import FreedesktopNotifications
from obdesk.gui.notify.simple import InWindow, TrayMessages
from obdesk.gui.theme.tokens import DARK, LIGHT
from obdesk.gui.tray import Tray, TrayState, tray_icon, tray_state
from tests.daemons.desktop import MISSING, desktop, private_bus, virtual_screen
from tests.domain.connections import a_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from tests.daemons.notifications import Asker

pytestmark = pytest.mark.timeout(60)
needs_bus = pytest.mark.skipif(MISSING, reason="no dbus-daemon on this system")
BANK, OTHER = ConnectionId(7), ConnectionId(8)
Heard = list[tuple[Action, ConnectionId | None]]


def notice(
    kind: NoticeKind = NoticeKind.ACTION_NEEDED,
    title: str = "Alpina asks you to confirm access",
    body: str = "The bank wants to know it is still you.",
    action: Action = Action.RENEW,
    bank: ConnectionId | None = BANK,
) -> Notice:
    return Notice(kind, title, body, action, bank)


# What the icon says


@pytest.mark.parametrize(
    ("conditions", "running", "paused", "state"),
    [
        ([], 0, False, TrayState.OK),
        ([Condition.OK, Condition.OFFLINE], 0, False, TrayState.OK),
        ([Condition.OK], 1, False, TrayState.SYNCING),
        ([Condition.OK], 0, True, TrayState.PAUSED),
        ([Condition.BANK_DOWN], 0, False, TrayState.ERROR),
        ([Condition.BANK_DOWN], 1, False, TrayState.SYNCING),
        ([Condition.BANK_DOWN, Condition.NEEDS_SCA], 1, True, TrayState.NEEDS_YOU),
    ],
)
def test_the_icon_says_the_worst_news(
    conditions: list[Condition],
    running: int,
    paused: bool,  # noqa: FBT001 - a table
    state: TrayState,
) -> None:
    connections = [a_connection(ConnectionId(n), condition) for n, condition in enumerate(conditions)]
    found, sentence = tray_state(connections, running, paused=paused)
    assert found is state
    assert sentence.startswith("obdesk")


def test_each_state_has_a_shape_of_its_own(qapp: QApplication) -> None:
    del qapp
    shapes = set()
    for state in TrayState:
        image = tray_icon(state, LIGHT, template=True).pixmap(32, 32).toImage()
        shapes.add(tuple(image.pixelColor(x, y).alpha() > 127 for x in range(32) for y in range(32)))
    assert len(shapes) == len(TrayState)


def test_the_icon_follows_the_scheme(qapp: QApplication) -> None:
    del qapp
    light, dark = (tray_icon(TrayState.OK, tokens).pixmap(32, 32).toImage() for tokens in (LIGHT, DARK))
    assert light != dark


def test_the_menu_opens_refreshes_pauses_and_quits(qapp: QApplication) -> None:
    del qapp
    tray, heard = Tray(LIGHT), list[object]()
    tray.openWanted.connect(lambda: heard.append("open"))
    tray.refreshWanted.connect(lambda: heard.append("refresh"))
    tray.pauseWanted.connect(heard.append)
    tray.quitWanted.connect(lambda: heard.append("quit"))
    for name in ("open", "refresh", "pause", "quit"):
        tray.lines[name].trigger()
    tray.show_paused(paused=True)
    assert tray.lines["pause"].text() == "Resume syncing"
    tray.lines["pause"].trigger()
    assert heard == ["open", "refresh", True, "quit", False]


# Which way a notice is shown


def test_without_bus_and_tray_the_window_says_it(qapp: QApplication) -> None:
    del qapp
    said: list[str] = []
    heard: Heard = []
    tray = Tray(LIGHT)
    tray.show()
    chain = PresenterChain(
        [
            FreedesktopNotifications(lambda *what: heard.append(what)),
            TrayMessages(tray.icon, lambda *what: heard.append(what)),
            InWindow(said.append),
        ]
    )
    assert not tray.available, "the offscreen platform has no tray"
    chain.show(notice())
    assert chain.last_used == "window"
    assert said == ["Alpina asks you to confirm access"]


@needs_bus
def test_a_bus_without_a_daemon_falls_through(qapp: QApplication) -> None:
    del qapp
    with private_bus():
        assert not FreedesktopNotifications(lambda *_what: None).show(notice())


@pytest.fixture
def daemon() -> Iterator[Asker]:
    with desktop() as asker:
        yield asker


@pytest.fixture
def heard() -> Heard:
    return []


@pytest.fixture
def notifications(qapp: QApplication, daemon: Asker, heard: Heard) -> Iterator[FreedesktopNotifications]:
    del qapp, daemon
    made = FreedesktopNotifications(lambda *what: heard.append(what))
    yield made
    made.close()


@needs_bus
def test_a_notification_carries_its_words_and_buttons(
    daemon: Asker, notifications: FreedesktopNotifications
) -> None:
    assert notifications.show(notice(body="Tom & <b>Jerry</b>"))
    (shown,) = daemon.shown()
    assert shown["title"] == "Alpina asks you to confirm access"
    assert shown["body"] == "Tom &amp; &lt;b&gt;Jerry&lt;/b&gt;", "a bank's words are never mark-up"
    assert shown["actions"] == ["default", "Open obdesk", "renew", "Renew access"]
    assert shown["hints"] == {"urgency": 1, "desktop-entry": "obdesk"}


@needs_bus
@pytest.mark.parametrize(("word", "action"), [("renew", Action.RENEW), ("default", Action.NONE)])
def test_a_pressed_button_is_heard(
    word: str,
    action: Action,
    daemon: Asker,
    notifications: FreedesktopNotifications,
    heard: Heard,
    qtbot: QtBot,
) -> None:
    notifications.show(notice())
    daemon.press(daemon.shown()[0]["number"], word)
    qtbot.waitUntil(lambda: bool(heard), timeout=5_000)
    assert heard == [(action, BANK)]


@needs_bus
def test_a_recovery_replaces_the_trouble_of_the_same_bank_and_of_no_other(
    daemon: Asker, notifications: FreedesktopNotifications
) -> None:
    notifications.show(notice())
    notifications.show(notice(title="Nordic", bank=OTHER))
    notifications.show(notice(NoticeKind.RECOVERED, "Alpina is up to date again", action=Action.NONE))
    assert [shown["title"] for shown in daemon.shown()] == ["Alpina is up to date again", "Nordic"]
    assert daemon.count() == 3


@needs_bus
def test_a_press_on_somebody_else_s_notification_is_not_ours(
    daemon: Asker, notifications: FreedesktopNotifications, heard: Heard, qtbot: QtBot
) -> None:
    notifications.show(notice())
    daemon.press(999, "renew")
    daemon.press(daemon.shown()[0]["number"], "default")
    qtbot.waitUntil(lambda: bool(heard), timeout=5_000)
    assert heard == [(Action.NONE, BANK)]


def test_control_and_direction_marks_are_taken_out() -> None:
    assert tamed("A\u202eknab\x07\nline\u2066") == "A knab line "
    assert len(tamed("x" * 5_000)) == 400


# A real tray: Qt talks to a tray host only on a real platform, so this runs on a virtual screen


@contextmanager
def story(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with virtual_screen() as display:
        environ = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "NO_AT_BRIDGE": "1"}
        command = [sys.executable, "-m", "tests.gui.tray_story", *arguments]
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
            yield process
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def menu_of(daemon: Asker, item: str) -> dict[str, int]:
    """Return the texts of a tray icon's menu with their numbers, as the desktop sees them."""
    interface = "com.canonical.dbusmenu"
    body = daemon.send(item, "/MenuBar", interface, "GetLayout", "iias", 0, -1, [])
    children: list[Any] = body[1][2]
    return {
        entry[1][1]["label"][1].replace("_", ""): entry[1][0] for entry in children if "label" in entry[1][1]
    }


@needs_bus
def test_a_real_tray_host_shows_the_icon_and_its_menu_works(daemon: Asker) -> None:
    with story() as process:
        assert line(process) == "available True"
        assert line(process) == "shown by freedesktop"
        (item,) = daemon.tray()
        where = (item["name"], "/StatusNotifierItem", "org.freedesktop.DBus.Properties", "Get")
        tip = daemon.call(*where, "org.kde.StatusNotifierItem", "ToolTip")[0][1]
        assert "obdesk: 1 bank needs you" in tip
        pictures = daemon.call(*where, "org.kde.StatusNotifierItem", "IconPixmap")[0][1]
        assert {width for width, _, _ in pictures} >= {22, 32}
        lines = menu_of(daemon, item["name"])
        assert list(lines) == ["Open obdesk", "Refresh now", "Pause syncing", "Quit"]
        event = (item["name"], "/MenuBar", "com.canonical.dbusmenu", "Event", "isvu")
        for name, answer in (("Refresh now", "refresh"), ("Pause syncing", "pause True")):
            daemon.send(*event, lines[name], "clicked", ("s", ""), 0)
            assert line(process) == answer
        (shown,) = daemon.shown()
        assert shown["title"] == "Alpina Bank asks you to confirm access"
        assert daemon.count() == 1, "told once although it was published three times"
        daemon.press(shown["number"], "renew")
        assert line(process) == "act renew 7"
        daemon.send(*event, lines["Quit"], "clicked", ("s", ""), 0)
        assert line(process) == "quit"
        assert process.wait(10) == 0


@needs_bus
def test_the_tray_s_own_messages_work_where_ours_do_not(daemon: Asker) -> None:
    with story("--no-dbus") as process:
        assert line(process) == "available True"
        assert line(process) == "shown by tray"
        for _ in range(100):
            if daemon.count():
                break
        (shown,) = daemon.shown()
        assert shown["title"] == "Alpina Bank asks you to confirm access"
