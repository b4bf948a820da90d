"""A simulated aggregator as a child process: what the demo talks to, over real HTTP on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from obdesk.domain.errors import Action, AppError
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

START_S_MAX = 30.0
STOP_S_MAX = 5.0


class SimulatorDidNotStartError(AppError):
    """The child process gave no address."""


@dataclass(frozen=True, slots=True)
class SimulatedBanks:
    """Where a running simulator is reached, in the terms of `obdesk configure powens`."""

    api_url: str
    webview_url: str
    domain: str
    client_id: str
    client_secret: str = field(repr=False)
    control_url: str


@contextmanager
def simulated_banks(arguments: Sequence[str] = ()) -> Iterator[SimulatedBanks]:
    """Run a simulator for the time of the block; it ends with it, however that ends."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "obdesk.simulator", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _addresses(process)
    finally:
        end(process)


def _addresses(process: subprocess.Popen[bytes]) -> SimulatedBanks:
    """Return what the first line says, which is one JSON object; the rest is of no interest."""
    try:
        told = json.loads(first_line(process))
        return SimulatedBanks(**{name: told[name] for name in SimulatedBanks.__dataclass_fields__})
    except (ValueError, KeyError, TypeError) as error:
        raise SimulatorDidNotStartError(
            title=tr("The demo's banks did not start"),
            cause=tr("The simulator ended before it said where it is."),
            next_step=tr("Nothing of yours was touched. Try again."),
            action=Action.RETRY,
        ) from error


def first_line(process: subprocess.Popen[bytes]) -> bytes:
    """Return what a child says first; nothing where it ends before, as it does when it takes too long."""
    assert process.stdout is not None
    patience = threading.Timer(START_S_MAX, process.kill)
    patience.daemon = True
    patience.start()
    try:
        return process.stdout.readline()
    finally:
        patience.cancel()


def end(process: subprocess.Popen[bytes]) -> None:
    """End a child, in order if it lets itself be asked."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S_MAX)
    if process.returncode is None:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
