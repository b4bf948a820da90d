"""A relay as an operator runs it: a process of its own, asked over real sockets."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from obdesk.relay.server import commands
from tests.relay.server.kit import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).parents[3]
PUBLIC_URL = "https://relay.example"
_WITH_H11 = (
    "import sys; from obdesk.relay.server import commands, serving; serving._has = lambda library: False;"
    " raise SystemExit(commands.main(sys.argv[1:]))"
)
"""A relay on a computer without the faster libraries."""


def surroundings(**more: str) -> dict[str, str]:
    """Return the environment of a relay's process, without any settings of the person's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OBDESK_RELAY_")}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def operate(store: str, *arguments: str, told: str = "") -> tuple[int, str, str]:
    """Run a command of the operator's on a store, in this process; return its exit code and what it said."""
    out, err, before = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.StringIO(told)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = commands.main([*arguments, "--store", store])
    finally:
        sys.stdin = before
    return code, out.getvalue(), err.getvalue()


def operated(store: str, *arguments: str, told: str = "") -> str:
    """Run a command that succeeds and return what it prints."""
    code, out, err = operate(store, *arguments, told=told)
    assert code == 0, err
    return out


def add_source(
    store: str, name: str = "home", kind: str = "--personal", *more: str, key_file: str | None = None
) -> dict[str, str]:
    """Make a source and return the path of each event."""
    flags = [name, kind, "--secret-stdin", "--public-url", PUBLIC_URL, *more]
    flags += [] if key_file is None else ["--key-file", key_file]
    lines = operated(store, "add-source", *flags, told=f"{SECRET}\n")
    return {line.rpartition("/")[2]: line.removeprefix(PUBLIC_URL) for line in lines.split()}


def pairing_code(store: str, name: str = "home") -> str:
    """Return a code for pairing."""
    return operated(store, "pair", "--source", name).strip()


@dataclass(frozen=True)
class Served:
    """A relay that is running."""

    process: subprocess.Popen[str]
    where: str
    log: Path

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.where.rpartition(":")[2])

    @property
    def pid(self) -> int:
        """The process."""
        return self.process.pid

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


@contextmanager
def serving(
    store: str, folder: Path, *flags: str, environ: Mapping[str, str] | None = None, h11: bool = False
) -> Iterator[Served]:
    """Run a relay on a free port until the block ends; it must end in order then."""
    log = folder / "relay.log"
    program = ["-c", _WITH_H11] if h11 else ["-m", "obdesk", "relay"]
    command = [sys.executable, "-P", *program, "serve", "--store", store, *flags]
    if "--listen" not in flags:
        command += ["--listen", "127.0.0.1:0"]
    with (
        log.open("a") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=surroundings(**(environ or {}))
        ) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Listening on "), log.read_text()
        try:
            yield Served(process, line.removeprefix("Listening on ").strip(), log)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0, log.read_text()


def until(served: Served, done: Callable[[], bool]) -> None:
    """Wait for something to become so, while the relay lives."""
    pause, give_up_s = threading.Event(), time.monotonic() + 90
    while not done():
        assert served.process.poll() is None, served.log.read_text()
        assert time.monotonic() < give_up_s, served.log.read_text()
        pause.wait(0.05)
