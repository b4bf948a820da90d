"""The commands of packaging/bootstrap.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from bootstrapper import display, environment, lock, system
from bootstrapper.environment import ROOT, Extent
from bootstrapper.report import Problem, say
from bootstrapper.system import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

USAGE = """\
Usage: python3 packaging/bootstrap.py COMMAND [ARGUMENTS...]

  demo    show obdesk with simulated banks; needs no account anywhere
  run     start obdesk, or give it a command: run accounts --json
  relay   start a relay for webhooks on a server, or give it a command: relay serve
  test    run the tests; arguments go to pytest
  bench   measure speed and size beside their targets: bench [NAME] [--rows N] [--json]
  simulate-years  live years of banks, faults and crashes: simulate-years [--years N] [--seed S] [--profile P]
  env     print the path of the environment's Python
  lock    write packaging/requirements*.txt anew (--upgrade, or --check to only compare)
  system  install what the system lacks, or say how: system run|test|ci

The first start makes an environment in .venv from locked packages; later ones find it ready.
"""

# -P keeps the folder one happens to stand in from hiding the installed packages.
_SAFE_PATH = "-P"

# One more than there are processors: a test that waits for a window needs none. More than four would wait
# for one another's windows and databases; `test -n 0` uses none but its own.
_PROCESSES = ("-n", str(min(4, (os.cpu_count() or 1) + 1)), "--dist", "loadgroup")


def _start(command: Sequence[str], variables: Mapping[str, str], folder: Path | None = None) -> int:
    """Become the program where the system can do that, so that signals reach it; else wait for it."""
    surroundings = {**os.environ, **variables}
    if os.name == "posix":
        if folder is not None:
            os.chdir(folder)
        sys.stderr.flush()
        os.execve(command[0], list(command), surroundings)  # noqa: S606 - no shell is the point
    return _wait_for(command, surroundings, folder)


def _wait_for(command: Sequence[str], surroundings: Mapping[str, str], folder: Path | None = None) -> int:
    """Run a program to its end; a request to stop is handed on, so that what was lent to it is taken back."""
    with subprocess.Popen(command, env=dict(surroundings), cwd=folder) as process:
        before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            while True:
                try:
                    code = process.wait()
                    return code if code >= 0 else 128 - code  # killed by a signal, said as a shell does
                except KeyboardInterrupt:
                    continue  # Ctrl-C reached the program as well; it decides how to end
        finally:
            signal.signal(signal.SIGTERM, before)


def _prepared(purpose: Purpose, extent: Extent) -> str:
    system.ensure(purpose)
    return str(environment.ensure(extent))


def _demo(arguments: Sequence[str]) -> int:
    python = _prepared(Purpose.RUN, Extent.RUN)
    command = [python, _SAFE_PATH, "-m", "obdesk", "demo", *arguments]
    variables: dict[str, str] = {}
    if display.is_root():
        say("running as root, where Chromium's sandbox cannot work: it is off for this demo only")
        variables["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
    if display.has_display(os.environ):
        return _start(command, variables)
    if "--headless" not in arguments:
        command.append("--headless")
    with display.substitute() as found:
        return _wait_for(command, {**os.environ, **variables, **found})


def _run(arguments: Sequence[str]) -> int:
    python = _prepared(Purpose.RUN, Extent.RUN)
    return _start([python, _SAFE_PATH, "-m", "obdesk", *arguments], {})


def _relay(arguments: Sequence[str]) -> int:
    # A server needs no library of the system's, and no package that draws.
    python = str(environment.ensure(Extent.RELAY))
    return _start([python, _SAFE_PATH, "-m", "obdesk", "relay", *arguments], {})


def _test(arguments: Sequence[str]) -> int:
    python = _prepared(Purpose.TEST, Extent.TEST)
    return _start([python, _SAFE_PATH, "-m", "pytest", *_PROCESSES, *arguments], {}, ROOT)


def _bench(arguments: Sequence[str]) -> int:
    python = _prepared(Purpose.TEST, Extent.TEST)
    return _start([python, _SAFE_PATH, "-m", "tests.benchmarks", *arguments], {})


def _simulate_years(arguments: Sequence[str]) -> int:
    python = _prepared(Purpose.TEST, Extent.TEST)
    return _start([python, _SAFE_PATH, "-m", "tests.flows.years", *arguments], {})


def _env(arguments: Sequence[str]) -> int:
    extent = Extent.TEST if "--test" in arguments else Extent.RUN
    sys.stdout.write(f"{environment.ensure(extent)}\n")
    return 0


def _lock(arguments: Sequence[str]) -> int:
    python = environment.ensure(Extent.TEST)
    if "--check" in arguments:
        lock.check(python)
    else:
        lock.write(python, arguments)
    return 0


def _system(arguments: Sequence[str]) -> int:
    system.ensure(Purpose(arguments[0]) if arguments else Purpose.RUN)
    return 0


COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "demo": _demo,
    "run": _run,
    "relay": _relay,
    "test": _test,
    "bench": _bench,
    "simulate-years": _simulate_years,
    "env": _env,
    "lock": _lock,
    "system": _system,
}


def _command(name: str) -> Callable[[Sequence[str]], int]:
    if name in COMMANDS:
        return COMMANDS[name]
    raise Problem(
        f"there is no command {name}",
        cause=f"the commands are {', '.join(COMMANDS)}.",
        remedy="python3 packaging/bootstrap.py --help",
    )


def main(arguments: Sequence[str]) -> int:
    """Run one command; the result is the exit code."""
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        sys.stdout.write(USAGE)
        return 0 if arguments else 2
    try:
        return _command(arguments[0])(arguments[1:])
    except Problem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nobdesk: interrupted; the next run takes it up from the start\n")
        return 130
