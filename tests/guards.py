"""What every test is watched for: unexpected log warnings, the network, the real home.

A test that wants a warning announces it, and it must then come:

    def test_a_broken_page_is_reported(expects_log: ExpectsLog) -> None:
        expects_log("page 3 could not be read")
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


class ExpectsLog(Protocol):
    """Announce a log record of level WARNING or higher by a regular expression over its message."""

    def __call__(self, pattern: str) -> None:
        """Allow, and demand, a record whose message contains the pattern."""
        ...


class LogWatch(logging.Handler):
    """Collects what was logged at WARNING or above, against what was announced."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._records: list[str] = []
        self._patterns: list[str] = []

    def expect(self, pattern: str) -> None:
        """Announce a record."""
        self._patterns.append(pattern)

    def emit(self, record: logging.LogRecord) -> None:
        """Override logging.Handler.emit."""
        self._records.append(f"{record.levelname} {record.name}: {record.getMessage()}")

    def complaints(self) -> list[str]:
        """Say what came unannounced and what was announced but did not come."""
        unexpected = [
            f"unexpected log record: {record}"
            for record in self._records
            if not any(re.search(pattern, record) for pattern in self._patterns)
        ]
        absent = [
            f"announced but never logged: {pattern}"
            for pattern in self._patterns
            if not any(re.search(pattern, record) for record in self._records)
        ]
        return unexpected + absent


class NetworkTouchedError(RuntimeError):
    """A test tried to reach something other than this machine."""


class NetworkGuard:
    """Refuses every connection and look-up that would leave the machine.

    It listens to Python's own audit events, so it sees each socket of this process whoever made it;
    QtWebEngine's are its own and are pointed at loopback by the tests that use it.
    """

    def __init__(self) -> None:
        self.touched: list[str] = []

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Judge one audit event."""
        if event in {"socket.connect", "socket.sendto"}:
            self._judge_address(arguments[0], arguments[1])
        elif event == "socket.getaddrinfo":
            self._judge_name(arguments[0])

    def _judge_address(self, end: socket.socket, address: Any) -> None:
        if end.family in {socket.AF_INET, socket.AF_INET6} and not is_local(address[0]):
            self._refuse(f"a connection to {address[0]}")

    def _judge_name(self, name: object) -> None:
        host = name.decode() if isinstance(name, bytes) else name
        if not isinstance(host, str) or is_local(host):
            return
        if host.endswith(".invalid"):
            # Reserved for names that never resolve, so the true answer needs no network.
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        self._refuse(f"a look-up of {host}")

    def _refuse(self, what: str) -> None:
        self.touched.append(what)
        raise NetworkTouchedError(f"{what}; tests stay on loopback")


def is_local(host: str) -> bool:
    """Tell whether a host is this machine, without asking anybody."""
    name = host.partition("%")[0].lower()
    if name in {"", "localhost"} or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


_network = NetworkGuard()


def live_apart(folder: Path) -> None:
    """Point everything that leads to a person's own files, keyring and screen into a folder of the tests."""
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    for name, place in {
        "HOME": folder,
        "USERPROFILE": folder,
        "APPDATA": folder / "roaming",
        "LOCALAPPDATA": folder / "local",
        "XDG_CONFIG_HOME": folder / "config",
        "XDG_DATA_HOME": folder / "data",
        "XDG_STATE_HOME": folder / "state",
        "XDG_CACHE_HOME": folder / "cache",
        "XDG_RUNTIME_DIR": runtime,
    }.items():
        place.mkdir(exist_ok=True)
        os.environ[name] = str(place)
    # Tests that need a bus start their own; no test may find the person's keyring or notifications.
    os.environ["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    flags = "--disable-gpu"
    if os.name == "posix" and os.geteuid() == 0:
        flags += " --no-sandbox"  # Chromium refuses to run as root with it; tests only
    os.environ.setdefault("QTWEBENGINE_CHROMIUM_FLAGS", flags)
    # A zone that is never UTC shows where a local time was taken for one.
    os.environ["TZ"] = "Europe/Paris"
    os.environ["LC_ALL"] = "C.UTF-8"
    if hasattr(time, "tzset"):
        time.tzset()


def pytest_configure(config: pytest.Config) -> None:
    """Set the stage before the first test module is imported."""
    home = tempfile.TemporaryDirectory(prefix="obdesk-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(home.cleanup)
    live_apart(Path(home.name))
    sys.addaudithook(_network.hear)


@pytest.fixture(autouse=True)
def log_watch() -> Iterator[LogWatch]:
    watch = LogWatch()
    root = logging.getLogger()
    root.addHandler(watch)
    yield watch
    root.removeHandler(watch)
    if complaints := watch.complaints():
        pytest.fail("\n".join(complaints), pytrace=False)


@pytest.fixture
def expects_log(log_watch: LogWatch) -> ExpectsLog:
    """Announce log records that this test brings about."""
    return log_watch.expect


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    _network.touched.clear()
    yield
    if _network.touched:
        pytest.fail(f"the test left this machine: {', '.join(_network.touched)}", pytrace=False)
