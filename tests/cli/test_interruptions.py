"""Ctrl+C, a request to end, and a reader that goes away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.ports import the_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and pipes of POSIX")


@pytest.fixture(autouse=True)
def _in_front() -> Iterator[None]:
    """Let Ctrl+C reach the children, which a shell takes from whatever it runs behind itself."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [
        (signal.SIGINT, 130, "Interrupted. Nothing was left half done."),
        (signal.SIGTERM, 143, None),
    ],
)
def test_a_command_that_waits_ends_at_once_and_cleanly(
    linked: CommandLine, number: signal.Signals, code: int, told: str | None
) -> None:
    with the_ports(), linked.child("link", "--open-url-only") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        _, err = process.communicate(timeout=20)

    assert process.returncode == code
    assert "Traceback" not in err
    assert told is None or err.splitlines()[-1] == told
    assert linked("sync").code == 0, "the profile is free again"


_DROPS = """
import signal, sys, threading
from obdesk.cli.frontends import FrontEnds
from obdesk.cli.main import main
class Going:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)
def work(place):
    Going()
    for _ in range(200):
        threading.Event().wait(0.05)
    return 0
sys.exit(main([], FrontEnds(open_window=work, run_demo=None)))
"""


def test_F37_a_request_to_end_that_python_drops_is_heard_soon_after() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _DROPS], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 143, ended.stderr


_TIDIES_UP = """
import sys, threading
import obdesk.cli.main as cli
from obdesk.cli.frontends import FrontEnds
import signal
cli.AGAIN_S = 0.2
def work(place):
    try:
        signal.raise_signal(signal.SIGTERM)
    finally:
        try:
            raise OSError("a file that is in use")
        except OSError:
            threading.Event().wait(1.0)
        print("all in order", flush=True)
    return 0
sys.exit(cli.main([], FrontEnds(open_window=work, run_demo=None)))
"""


def test_F37_who_is_ending_already_is_not_disturbed_by_asking_again() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _TIDIES_UP], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (143, "all in order\n"), ended.stderr


@pytest.mark.parametrize(
    "command", [("transactions", "--json", "--limit", "5000"), ("export", "csv", "--out", "-")]
)
def test_a_reader_that_goes_away_is_no_error(linked: CommandLine, command: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    with linked.child(*command, stdout=writing) as process:
        os.close(reading)
        os.close(writing)
        _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (141, "")


def test_nothing_asks_a_person_who_is_not_there(linked: CommandLine) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "OBDESK_PASSPHRASE_FILE"}
    with linked.child("accounts", env=environ, stdin=subprocess.DEVNULL) as process:
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (1, "")
    assert err.splitlines()[0] == "A passphrase is needed"
