"""Without a screen: an error in three lines, and nothing is left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from obdesk.gui import display
from obdesk.gui.display import NoDisplayError, require_display

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
WHAT_TO_DO = (
    "Start obdesk from a graphical desktop, use the command line (obdesk --help), "
    "or run: obdesk demo --headless."
)
SCREEN = ("DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "QT_QPA_PLATFORM")


@pytest.fixture
def sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(display, "X_SOCKETS", str(tmp_path))
    return tmp_path


@pytest.fixture
def x_server(sockets: Path) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(sockets / "X7"))
        server.listen()
        yield


@linux_only
@pytest.mark.usefixtures("x_server")
@pytest.mark.parametrize("name", [":7", ":7.0", "unix:7"])
def test_a_display_that_answers_is_one(name: str) -> None:
    require_display({"DISPLAY": name})


@linux_only
@pytest.mark.usefixtures("x_server")
def test_a_dead_wayland_beside_a_living_x_is_no_matter(sockets: Path) -> None:
    require_display({"DISPLAY": ":7", "WAYLAND_DISPLAY": "gone", "XDG_RUNTIME_DIR": str(sockets)})


@linux_only
def test_a_wayland_display_that_answers_is_one(sockets: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(sockets / "wayland-0"))
        server.listen()

        require_display({"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(sockets)})


@linux_only
@pytest.mark.usefixtures("sockets")
@pytest.mark.parametrize(
    ("environ", "cause"),
    [
        ({}, "Neither DISPLAY nor WAYLAND_DISPLAY is set."),
        ({"QT_QPA_PLATFORM": "xcb"}, "Neither DISPLAY nor WAYLAND_DISPLAY is set."),
        ({"DISPLAY": ":7"}, "Nothing answers at the display :7."),
        ({"WAYLAND_DISPLAY": "wayland-9", "XDG_RUNTIME_DIR": "/nowhere"},
         "Nothing answers at the display wayland-9."),
    ],
)  # fmt: skip
def test_no_display_is_told_with_its_cause(environ: dict[str, str], cause: str) -> None:
    with pytest.raises(NoDisplayError) as caught:
        require_display({**environ, "LANG": "C"})

    assert caught.value.cause == cause


@pytest.mark.usefixtures("sockets")
@pytest.mark.parametrize("environ", [{"QT_QPA_PLATFORM": "offscreen"}, {"DISPLAY": "elsewhere:10.0"}])
def test_what_only_qt_can_tell_is_left_to_it(environ: dict[str, str]) -> None:
    require_display(environ)


def test_other_systems_have_a_display_of_their_own() -> None:
    require_display({}, platform="darwin")


@linux_only
@pytest.mark.parametrize("arguments", [(), ("demo",)])
def test_the_window_without_a_screen_says_so_and_leaves_nothing(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in SCREEN}
    data, temporary = tmp_path / "data", tmp_path / "tmp"
    temporary.mkdir()
    environ = {**kept, "LC_ALL": "C.UTF-8", "TMPDIR": str(temporary)}
    ended = subprocess.run(
        [sys.executable, "-m", "obdesk", "--data-dir", str(data), *arguments],
        check=False, env=environ, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.splitlines() == [
        "There is no screen to open a window on",
        "Neither DISPLAY nor WAYLAND_DISPLAY is set.",
        WHAT_TO_DO,
    ]
    assert not data.exists()
    assert list(temporary.iterdir()) == []
