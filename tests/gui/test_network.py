"""The network as the kernel and NetworkManager tell of it, and as Qt does elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from obdesk.gui.network.by_linux import LinuxNetwork
from obdesk.gui.network.by_qt import QtNetwork
from obdesk.gui.surroundings import network_of
from tests.daemons.desktop import MISSING, private_bus
from tests.seed import seeded_profile

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the tables of Linux")

HEAD = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
BY_GATEWAY = "wlan0 00000000 0101A8C0 0003 0 0 600 00000000 0 0 0\n"
NEXT_DOOR = "wlan0 0001A8C0 00000000 0001 0 0 600 00FFFFFF 0 0 0\n"
TUNNEL = "ppp0 00000000 00000000 0001 0 0 0 00000000 0 0 0\n"
REFUSED = "lo 00000000 00000000 0201 0 0 0 00000000 0 0 0\n"
ANY, NONE = "0" * 32, "00"
BY_GATEWAY_6 = f"{ANY} {NONE} {ANY} {NONE} fe800000000000000000000000000001 00000400 3 0 00000003 wlan0\n"
REFUSED_6 = f"{ANY} {NONE} {ANY} {NONE} {ANY} ffffffff 1 0 00200200 lo\n"


def network(folder: Path, four: str | None, six: str | None = None) -> LinuxNetwork:
    for name, text in (("route", four), ("ipv6_route", six)):
        if text is not None:
            (folder / name).write_text(text, encoding="ascii")
    return LinuxNetwork(folder)


@pytest.mark.parametrize(
    ("four", "six", "online"),
    [
        (HEAD + NEXT_DOOR + BY_GATEWAY, None, True),
        (HEAD + TUNNEL, None, True),
        (HEAD, BY_GATEWAY_6 + REFUSED_6, True),
        (HEAD + NEXT_DOOR, REFUSED_6, False),
        (HEAD + REFUSED, "", False),
        (HEAD + "something the kernel says since yesterday\n", "and here\n", False),
        (None, None, None),
    ],
    ids=["gateway", "tunnel", "only IPv6", "only neighbours", "refused", "unreadable", "no tables"],
)
def test_F55_a_network_is_a_route_that_leads_on(
    tmp_path: Path, four: str | None, six: str | None, *, online: bool | None
) -> None:
    assert network(tmp_path, four, six).online() is online


# A datagram's socket that is connected sends nothing: the kernel only looks for a route.
_FINDS_A_ROUTE = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
    try:
        line.connect(("192.0.2.1", 9))
        print(True)
    except OSError:
        print(False)
"""


@on_linux
def test_F55_the_tables_of_this_machine_say_what_its_kernel_does() -> None:
    done = subprocess.run([sys.executable, "-c", _FINDS_A_ROUTE], capture_output=True, text=True, check=True)
    assert str(LinuxNetwork().online()) == done.stdout.strip()


# In a network of its own: a device comes up and gets an address, which brings routes.
_ROUTES_COME = """
import socket, struct, sys
from fcntl import ioctl
from PySide6.QtCore import QCoreApplication, QTimer
from obdesk.gui.network.by_linux import LinuxNetwork
app = QCoreApplication([])
told, heard = LinuxNetwork(), []
told.listen(lambda: (heard.append(told.online()), app.quit()))
def come():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        ioctl(line, 0x8914, struct.pack("16sH14x", b"lo", 0x1))
        ioctl(line, 0x8916, struct.pack("16sHH4s8x", b"lo", socket.AF_INET, 0, bytes([10, 9, 8, 7])))
QTimer.singleShot(0, come)
QTimer.singleShot(20_000, app.quit)
app.exec()
told.close()
told.close()
print(heard)
"""


@on_linux
def test_F55_the_kernels_word_on_routes_is_heard() -> None:
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("no network of one's own here")
    done = subprocess.run(
        [*alone, sys.executable, "-c", _ROUTES_COME], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[False]\n"


@on_linux
@pytest.mark.skipif(MISSING, reason="no dbus-daemon on this system")
@pytest.mark.parametrize(
    ("said", "costs"), [(0, None), (1, True), (2, False), (3, True), (4, False), (77, None)]
)
def test_F55_what_costs_money_is_what_networkmanager_says_or_guesses(
    monkeypatch: pytest.MonkeyPatch, said: int, *, costs: bool | None
) -> None:
    with private_bus() as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        assert LinuxNetwork().metered() is None, "nobody there has such a name"
        with subprocess.Popen(
            [sys.executable, "-m", "tests.daemons.networkmanager", str(said)], stdout=subprocess.PIPE
        ) as manager:
            assert manager.stdout is not None
            assert manager.stdout.readline() == b"ready\n"
            try:
                assert LinuxNetwork().metered() is costs
            finally:
                manager.terminate()


def test_without_a_system_bus_it_is_not_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nobody")
    assert LinuxNetwork().metered() is None


def test_other_systems_are_asked_by_qt(qtbot: QtBot) -> None:
    del qtbot
    told = network_of("darwin")
    assert isinstance(told, QtNetwork)
    assert told.online() in {True, False, None}
    assert told.metered() in {True, False, None}
    told.listen(lambda: None)
    told.close()
    told.close()


_A_WHOLE_WINDOW = """
import sys
from pathlib import Path
from obdesk.app.profile import profile_of
from obdesk.gui.run import run
from tests.seed import reopened
folder = Path(sys.argv[1])
async def story(app, desk):
    print("PySide6.QtNetwork" in sys.modules, flush=True)
    desk.window.quit_wanted.emit()
sys.exit(run(profile_of(folder, "seeded"), opener=lambda: reopened(folder), story=story))
"""


@on_linux
def test_the_window_does_without_qts_network_library(tmp_path: Path) -> None:
    seeded_profile(tmp_path, 20).close()
    done = subprocess.run(
        [sys.executable, "-c", _A_WHOLE_WINDOW, str(tmp_path)], stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout == "False\n"
