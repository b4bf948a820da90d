"""What the system lacks is found and named, and a missing display is replaced."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bootstrapper import display, report, system


@pytest.mark.parametrize(
    ("manager", "line"),
    [
        ("apt-get", "sudo apt-get install libegl1 libasound2"),
        ("dnf", "sudo dnf install libglvnd-egl alsa-lib"),
        ("pacman", "sudo pacman -S libglvnd alsa-lib"),
        ("none", "with your package manager, install what provides: libEGL.so.1 libasound.so.2"),
    ],
)
def test_missing_libraries_are_answered_with_one_line_to_run(manager: str, line: str) -> None:
    needs = [need for need in system.LIBRARIES if need.name in {"libEGL.so.1", "libasound.so.2"}]

    assert system.install_line(needs, lambda name: name if name == manager else None) == line


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lacks libraries")
def test_a_missing_library_stops_and_a_missing_tool_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    absent_tool = system.Need("no-such-tool", ("tool",), "tool", "tool")
    absent_library = system.Need("libno-such.so.9", ("libno-such9",), "libno-such", "libno-such")
    monkeypatch.setattr(system, "may_install", lambda: False)
    monkeypatch.setattr(system, "TEST_TOOLS", (absent_tool,))

    system.ensure(system.Purpose.TEST)
    assert "no-such-tool" in capsys.readouterr().err

    monkeypatch.setattr(system, "LIBRARIES", (absent_library,))
    with pytest.raises(report.Problem, match="libraries") as caught:
        system.ensure(system.Purpose.RUN)
    assert "libno-such9" in caught.value.remedy or "libno-such" in caught.value.remedy


@pytest.mark.skipif(os.name != "posix", reason="a question that Debian's packages ask")
def test_a_package_that_is_installed_starts_no_service(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"

    with system.services_stay_off(policy):
        assert subprocess.run([policy, "redis-server", "start"], check=False).returncode == 101

    assert not policy.exists()


def test_the_machines_own_word_on_services_stays(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("its own")

    with system.services_stay_off(policy):
        pass

    assert policy.read_text() == "its own"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux file names")
def test_every_library_that_qt_links_to_is_on_the_list() -> None:
    if shutil.which("readelf") is None:
        pytest.skip("binutils is not installed")
    import PySide6

    folder = Path(PySide6.__file__).parent / "Qt"
    judged = [
        *(
            folder / "lib" / f"libQt6{name}.so.6"
            for name in ("WebEngineCore", "Widgets", "Charts", "Svg", "DBus")
        ),
        *(folder / "lib" / f"libQt6{name}.so.6" for name in ("Core", "Gui", "Network", "XcbQpa")),
        *(folder / "plugins" / "platforms" / f"{name}.so" for name in ("libqxcb", "libqoffscreen")),
    ]
    headers = subprocess.run(
        ["readelf", "-d", *map(str, judged)], capture_output=True, text=True, check=True, env={"LC_ALL": "C"}
    ).stdout
    needed = set(re.findall(r"\(NEEDED\)\s+Shared library: \[([^\]]+)\]", headers))
    from_libc = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libresolv.so.2"}
    # These come with a library of the list, in the same Debian package, or with the C++ runtime.
    companions = {"libstdc++.so.6", "libgcc_s.so.1", "libgthread-2.0.so.0", "libnssutil3.so", "libsmime3.so"}
    companions |= {"libbrotlicommon.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
    own = {name for name in needed if name.startswith(("libQt6", "libicu", "libshiboken", "libpyside"))}

    assert len(needed) > 30
    assert needed - own - from_libc - companions - {need.name for need in system.LIBRARIES} == set()


@pytest.mark.parametrize(
    ("variables", "on", "seen"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_a_display_is_found_where_there_is_one(variables: dict[str, str], on: str, *, seen: bool) -> None:
    assert display.has_display(variables, on) is seen


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_a_machine_without_a_display_gets_a_virtual_one(capsys: pytest.CaptureFixture[str]) -> None:
    with display.substitute() as variables:
        socket = Path("/tmp/.X11-unix") / f"X{variables['DISPLAY'].removeprefix(':')}"  # noqa: S108 - X11's place
        assert socket.exists()

    assert not socket.exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_without_xvfb_it_draws_off_screen_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with display.substitute() as variables:
        assert variables == {"QT_QPA_PLATFORM": "offscreen"}

    assert "off screen" in capsys.readouterr().err
