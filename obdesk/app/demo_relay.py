"""The demo's relay: a real one as a child process, set up as its operator would, on a free port of loopback.

It is set up while the window opens, so nothing waits for it but what needs it.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from obdesk.app.simulated import START_S_MAX, end, first_line
from obdesk.domain.errors import Action, AppError
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

_SOURCE = "demo"
_LISTENING = b"Listening on "


class RelayDidNotStartError(AppError):
    """The child process did not say where it listens, or an operator's command failed."""


@dataclass(frozen=True, slots=True)
class DemoRelay:
    """A relay that answers, and what its operator hands out."""

    url: str
    hooks: tuple[str, ...]
    """The addresses for webhooks, one for each event, whose name each ends with."""
    secret: str = field(repr=False)
    """With which those are signed."""
    code: str = field(repr=False)
    """With which one desktop becomes a device."""


@contextmanager
def demo_relay(folder: Path) -> Iterator[Future[DemoRelay]]:
    """Run a relay for the time of the block, its store in a folder; it is there once the future is.

    The future raises RelayDidNotStartError.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = f"sqlite:///{folder / 'relay.db'}"
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("OBDESK_RELAY_")}
    process = subprocess.Popen(  # noqa: S603 - our own program
        _command("serve", "--store", store, "--listen", "127.0.0.1:0"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=surroundings,
    )
    maker = ThreadPoolExecutor(1, thread_name_prefix="demo-relay")
    try:
        yield maker.submit(_set_up, process, store, surroundings)
    finally:
        end(process)
        maker.shutdown(wait=True, cancel_futures=True)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "obdesk", "relay", *arguments]


def _set_up(process: subprocess.Popen[bytes], store: str, surroundings: Mapping[str, str]) -> DemoRelay:
    url, secret = _address(process), secrets.token_urlsafe(24)
    source = ("add-source", _SOURCE, "--personal", "--secret-stdin", "--store", store, "--public-url", url)
    hooks = _operated(source, secret, surroundings)
    code = _operated(("pair", "--source", _SOURCE, "--store", store), "", surroundings)
    return DemoRelay(url, tuple(hooks.split()), secret, code.strip())


def _address(process: subprocess.Popen[bytes]) -> str:
    """Return where it listens, which its first line says."""
    line = first_line(process)
    if not line.startswith(_LISTENING):
        raise _did_not_start()
    return line.removeprefix(_LISTENING).decode().strip()


def _operated(arguments: Sequence[str], told: str, surroundings: Mapping[str, str]) -> str:
    """Run a command of the operator's and return what it prints."""
    try:
        run = subprocess.run(  # noqa: S603 - our own program
            _command(*arguments),
            input=f"{told}\n",
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=surroundings,
            timeout=START_S_MAX,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise _did_not_start() from error
    return run.stdout


def _did_not_start() -> RelayDidNotStartError:
    return RelayDidNotStartError(
        title=tr("The demo's relay did not start"),
        cause=tr("It ended before it said where it is."),
        next_step=tr("Nothing of yours was touched. Try again."),
        action=Action.RETRY,
    )
