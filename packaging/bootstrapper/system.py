"""The libraries and tools of the operating system: which are missing, and how to install them.

Only Linux lacks any: on macOS and Windows the Qt wheels bring everything. The libraries are those
that Qt's own files, QtWebEngine and the xcb plugin among them, link to and do not ship.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrapper.report import Problem, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Purpose(Enum):
    """What the machine is wanted for; each purpose includes those before it."""

    RUN = "run"
    TEST = "test"
    CI = "ci"


@dataclass(frozen=True, slots=True)
class Need:
    """One thing the system must offer.

    `name` is a library's soname or a program; the packages are named per family, and where Debian
    renamed one, the newer name comes first.
    """

    name: str
    apt: tuple[str, ...]
    dnf: str
    pacman: str


def _library(soname: str, apt: str, dnf: str, pacman: str) -> Need:
    return Need(soname, tuple(apt.split("|")), dnf, pacman)


LIBRARIES = (
    _library("libEGL.so.1", "libegl1", "libglvnd-egl", "libglvnd"),
    _library("libGL.so.1", "libgl1", "libglvnd-glx", "libglvnd"),
    _library("libX11-xcb.so.1", "libx11-xcb1", "libX11-xcb", "libx11"),
    _library("libX11.so.6", "libx11-6", "libX11", "libx11"),
    _library("libXcomposite.so.1", "libxcomposite1", "libXcomposite", "libxcomposite"),
    _library("libXdamage.so.1", "libxdamage1", "libXdamage", "libxdamage"),
    _library("libXext.so.6", "libxext6", "libXext", "libxext"),
    _library("libXfixes.so.3", "libxfixes3", "libXfixes", "libxfixes"),
    _library("libXrandr.so.2", "libxrandr2", "libXrandr", "libxrandr"),
    _library("libXtst.so.6", "libxtst6", "libXtst", "libxtst"),
    _library("libasound.so.2", "libasound2t64|libasound2", "alsa-lib", "alsa-lib"),
    _library("libbrotlidec.so.1", "libbrotli1", "libbrotli", "brotli"),
    _library("libdbus-1.so.3", "libdbus-1-3", "dbus-libs", "dbus"),
    _library("libexpat.so.1", "libexpat1", "expat", "expat"),
    _library("libfontconfig.so.1", "libfontconfig1", "fontconfig", "fontconfig"),
    _library("libfreetype.so.6", "libfreetype6", "freetype", "freetype2"),
    _library("libgbm.so.1", "libgbm1", "mesa-libgbm", "mesa"),
    _library("libglib-2.0.so.0", "libglib2.0-0t64|libglib2.0-0", "glib2", "glib2"),
    _library("libgssapi_krb5.so.2", "libgssapi-krb5-2", "krb5-libs", "krb5"),
    _library("libnspr4.so", "libnspr4", "nspr", "nspr"),
    _library("libnss3.so", "libnss3", "nss", "nss"),
    _library("libudev.so.1", "libudev1", "systemd-libs", "systemd-libs"),
    _library("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor"),
    _library("libxcb-dri3.so.0", "libxcb-dri3-0", "libxcb", "libxcb"),
    _library("libxcb-glx.so.0", "libxcb-glx0", "libxcb", "libxcb"),
    _library("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    _library("libxcb-image.so.0", "libxcb-image0", "xcb-util-image", "xcb-util-image"),
    _library("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    _library("libxcb-randr.so.0", "libxcb-randr0", "libxcb", "libxcb"),
    _library("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil"),
    _library("libxcb-render.so.0", "libxcb-render0", "libxcb", "libxcb"),
    _library("libxcb-shape.so.0", "libxcb-shape0", "libxcb", "libxcb"),
    _library("libxcb-shm.so.0", "libxcb-shm0", "libxcb", "libxcb"),
    _library("libxcb-sync.so.1", "libxcb-sync1", "libxcb", "libxcb"),
    _library("libxcb-util.so.1", "libxcb-util1", "xcb-util", "xcb-util"),
    _library("libxcb-xfixes.so.0", "libxcb-xfixes0", "libxcb", "libxcb"),
    _library("libxcb-xkb.so.1", "libxcb-xkb1", "libxcb", "libxcb"),
    _library("libxcb.so.1", "libxcb1", "libxcb", "libxcb"),
    _library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
    _library("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    _library("libxkbfile.so.1", "libxkbfile1", "libxkbfile", "libxkbfile"),
    _library("libz.so.1", "zlib1g", "zlib-ng-compat", "zlib"),
    _library("libzstd.so.1", "libzstd1", "libzstd", "zstd"),
)

A_FONT = Need("a font", ("fonts-dejavu-core",), "dejavu-sans-fonts", "ttf-dejavu")

TEST_TOOLS = (
    Need("Xvfb", ("xvfb",), "xorg-x11-server-Xvfb", "xorg-server-xvfb"),
    Need("dbus-daemon", ("dbus",), "dbus-daemon", "dbus"),
    Need("gnome-keyring-daemon", ("gnome-keyring",), "gnome-keyring", "gnome-keyring"),
    Need("openbox", ("openbox",), "openbox", "openbox"),
    Need("readelf", ("binutils",), "binutils", "binutils"),
    Need("openbox", ("openbox",), "openbox", "openbox"),
    Need("sqlite3", ("sqlite3",), "sqlite", "sqlite"),
    Need("strace", ("strace",), "strace", "strace"),
    Need("xdotool", ("xdotool",), "xdotool", "xdotool"),
)

# What a few tests alone need: a real spreadsheet of several hundred megabytes, and what stands around a
# relay. Only the continuous integration installs them; elsewhere those tests say why they were skipped.
CI_TOOLS = (
    Need("soffice", ("libreoffice-calc",), "libreoffice-calc", "libreoffice-fresh"),
    Need("amtool", ("prometheus-alertmanager",), "golang-github-prometheus-alertmanager", "alertmanager"),
    Need("caddy", ("caddy",), "caddy", "caddy"),
    Need("nginx", ("nginx",), "nginx", "nginx"),
    Need("promtool", ("prometheus",), "golang-github-prometheus", "prometheus"),
    Need("redis-server", ("redis-server",), "redis", "redis"),
    Need("systemd-analyze", ("systemd",), "systemd", "systemd"),
)

# Where Debian's packages ask whether they may start a service.
_POLICY = Path("/usr/sbin/policy-rc.d")

_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")


def _sonames_known_to_the_loader() -> frozenset[str]:
    """List the libraries in the loader's cache, or nothing where there is no such cache."""
    program = shutil.which("ldconfig") or "/sbin/ldconfig"
    try:
        listing = subprocess.run([program, "-p"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return frozenset()
    return frozenset(line.split(maxsplit=1)[0] for line in listing.splitlines() if "=>" in line)


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def _has_a_font() -> bool:
    folders = (Path(folder).expanduser() for folder in _FONT_FOLDERS)
    return any(
        name.endswith((".ttf", ".otf", ".ttc"))
        for folder in folders
        for _, _, names in os.walk(folder)
        for name in names
    )


def missing(purpose: Purpose) -> tuple[Need, ...]:
    """Tell what this machine lacks for a purpose; nothing on systems other than Linux."""
    if sys.platform != "linux":
        return ()
    known = _sonames_known_to_the_loader()
    absent = [need for need in LIBRARIES if need.name not in known and not _loads(need.name)]
    if not _has_a_font():
        absent.append(A_FONT)
    tools: tuple[Need, ...] = ()
    if purpose is not Purpose.RUN:
        tools += TEST_TOOLS
    if purpose is Purpose.CI:
        tools += CI_TOOLS
    return (*absent, *(tool for tool in tools if shutil.which(tool.name) is None))


def _unique(names: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(names))


def install_line(needs: Iterable[Need], which: Callable[[str], str | None] = shutil.which) -> str:
    """Give the one line that installs the needs with this machine's package manager."""
    needs = tuple(needs)
    if which("apt-get"):
        return f"sudo apt-get install {_unique(need.apt[-1] for need in needs)}"
    if which("dnf"):
        return f"sudo dnf install {_unique(need.dnf for need in needs)}"
    if which("pacman"):
        return f"sudo pacman -S {_unique(need.pacman for need in needs)}"
    return f"with your package manager, install what provides: {_unique(need.name for need in needs)}"


def may_install() -> bool:
    """Tell whether packages can be installed without asking anybody: root on a machine with apt."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _known_to_apt(package: str) -> bool:
    found = subprocess.run(
        ["apt-cache", "show", "--no-all-versions", package], capture_output=True, text=True, check=False
    )
    return found.returncode == 0 and "Package:" in found.stdout


@contextmanager
def services_stay_off(policy: Path = _POLICY) -> Iterator[None]:
    """Let no package start what it serves while the block runs: tests start what they need themselves."""
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n", "ascii")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


def apt_install(names: Iterable[tuple[str, ...]]) -> None:
    """Install Debian packages as root; of several names for one package, the first that exists."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    refresh = ["apt-get", "-q", "update"]
    # Without a network the packages may still be in apt's cache, so a failure here is not the end.
    subprocess.run(refresh, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    packages = _unique(
        next((name for name in alternatives if _known_to_apt(name)), alternatives[-1])
        for alternatives in names
    ).split()
    say(f"installing {len(packages)} Debian packages: {' '.join(packages)}")
    command = ["apt-get", "-q", "-y", "install", "--no-install-recommends", *packages]
    with services_stay_off():
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        last_lines = "; ".join((done.stdout + done.stderr).strip().splitlines()[-3:])
        raise Problem(
            "the system's packages could not be installed",
            cause=f"apt-get ended with {done.returncode}: {last_lines}",
            remedy=f"run it by hand and read what it says: apt-get install {' '.join(packages)}",
        )


def ensure(purpose: Purpose) -> None:
    """Install what the purpose needs, or say the line that does.

    Raises Problem when a library is missing that the window cannot start without. Missing test
    tools only cost the tests that use them, which then say so.
    """
    needs = missing(purpose)
    if not needs:
        return
    if may_install():
        apt_install(need.apt for need in needs)
        return
    if any(need in LIBRARIES for need in needs):
        raise Problem(
            "libraries that the window needs are missing",
            cause=f"this system lacks {_unique(need.name for need in needs)}.",
            remedy=install_line(needs),
        )
    say(f"missing: {', '.join(need.name for need in needs)}. To install: {install_line(needs)}")
