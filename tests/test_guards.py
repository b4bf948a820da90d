"""The guards themselves: each is shown to fail a test that deserves it."""

from __future__ import annotations

import json
import logging
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.arch.tree import pyproject
from tests.guards import LogWatch, NetworkGuard, NetworkTouchedError, is_local

if TYPE_CHECKING:
    from tests.fakes import FrozenClock
    from tests.guards import ExpectsLog

pytest_plugins = ["pytester"]

_log = logging.getLogger(__name__)

# In a child run only the guards are wanted: no random order, no Qt.
_CHILD = ("-p", "tests.guards", "-p", "no:randomly", "-p", "no:pytest-qt", "-p", "no:cacheprovider")


@pytest.fixture(autouse=True)
def _child_finds_the_guards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))


def _outcomes(pytester: pytest.Pytester, source: str) -> dict[str, int]:
    pytester.makepyfile(source)
    return pytester.runpytest_subprocess(*_CHILD).parseoutcomes()


def test_an_unannounced_warning_in_the_log_fails_the_test(pytester: pytest.Pytester) -> None:
    outcomes = _outcomes(
        pytester,
        """
        import logging
        def test_it():
            logging.getLogger("anything").warning("odd")
        """,
    )

    assert outcomes == {"passed": 1, "errors": 1}


def test_an_announced_warning_that_never_comes_fails_the_test(pytester: pytest.Pytester) -> None:
    outcomes = _outcomes(pytester, "def test_it(expects_log): expects_log('odd')")

    assert outcomes == {"passed": 1, "errors": 1}


def test_an_announced_warning_passes(expects_log: ExpectsLog) -> None:
    expects_log("something .* happened")

    _log.warning("something odd happened")


@pytest.mark.parametrize(
    "statement",
    [
        "from PySide6.QtCore import qWarning; qWarning('odd')",
        "import warnings; warnings.warn('odd')",
        "import threading; thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()",
    ],
)
def test_a_warning_of_qt_or_python_or_an_error_in_a_thread_fails_the_test(
    pytester: pytest.Pytester, statement: str
) -> None:
    settings = pyproject()["tool"]["pytest"]["ini_options"]
    kept = ("filterwarnings", "qt_api", "qt_log_level_fail", "qt_log_ignore")
    lines = [f"{name} = {json.dumps(settings[name])}" for name in kept]
    pytester.makepyprojecttoml("\n".join(["[tool.pytest.ini_options]", *lines]))
    pytester.makepyfile(f"def test_it(): {statement}")

    outcomes = pytester.runpytest_subprocess("-p", "tests.guards", "-p", "no:randomly").parseoutcomes()

    assert outcomes == {"failed": 1}


def test_an_info_record_is_nobodys_business(log_watch: LogWatch) -> None:
    _log.info("all is well")

    assert log_watch.complaints() == []


def test_reaching_out_fails_the_test_even_if_the_error_is_swallowed(pytester: pytest.Pytester) -> None:
    outcomes = _outcomes(
        pytester,
        """
        import contextlib, socket
        def test_it():
            with contextlib.suppress(Exception):
                socket.create_connection(("192.0.2.1", 80), timeout=0.1)
        """,
    )

    assert outcomes == {"passed": 1, "errors": 1}


@pytest.mark.parametrize("name", ["example.org", "bank.example", b"example.org"])
def test_a_look_up_of_a_real_name_is_refused(name: str | bytes) -> None:
    with pytest.raises(NetworkTouchedError):
        NetworkGuard().hear("socket.getaddrinfo", (name, 443, 0, 0, 0))


def test_a_name_that_cannot_exist_answers_as_it_would() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("bank.invalid", 443)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "bank.localhost", ""])
def test_loopback_is_allowed(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize("host", ["192.168.1.1", "10.0.0.1", "8.8.8.8", "2001:db8::1", "localhost.example"])
def test_any_other_address_is_not(host: str) -> None:
    assert not is_local(host)


def test_a_connection_on_loopback_works() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            client.sendall(b"x")
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(1) == b"x"


def test_the_home_is_not_the_persons() -> None:
    assert Path.home().name.startswith("obdesk-tests-")
    assert os.environ["DBUS_SESSION_BUS_ADDRESS"] == "disabled:"


def test_the_clock_moves_only_when_told(clock: FrozenClock) -> None:
    before, before_s = clock.now(), clock.monotonic_s()
    assert clock.now() == before

    clock.advance(90)
    clock.suspend(10)

    assert (clock.now() - before).total_seconds() == 100
    assert clock.monotonic_s() - before_s == 90
