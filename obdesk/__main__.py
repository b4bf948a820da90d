"""The way in: `obdesk` opens the window, `obdesk relay` is a server, anything else is the command line's.

The window's fast path imports neither Typer nor its helpers, which cost as much as the first paint. This
is the only module that knows both front ends; the command line is handed the window as two callables.
Nothing of a desktop is imported for the relay, and what is not installed is named with its extra.

Exit codes: 0 done, 1 failed, 2 not understood, 4 a sync that did not reach every bank, 130 Ctrl+C, 141 a
reader that went away, 143 ended by the system (`obdesk.cli.exits`).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from obdesk.cli.exits import ExitCode
from obdesk.cli.frontends import DemoOptions, FrontEnds, Place
from obdesk.domain.errors import ObdeskError

if TYPE_CHECKING:
    from collections.abc import Sequence

_RELAY = "relay"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run obdesk with `arguments` (those of the process when None); return the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    is_relay = given[:1] == [_RELAY]
    try:
        return _relay(given[1:]) if is_relay else _desktop(given)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in {"", "obdesk"}:
            raise
        return _not_installed("relay" if is_relay else "desktop", missing)


def _not_installed(extra: str, missing: str) -> int:
    """Say which part of obdesk is not installed; neither part can be asked for its language here."""
    sys.stderr.write(
        f"This part of obdesk is not installed\n{missing} is missing.\n"
        f'Install it with: pip install "obdesk[{extra}]"\n'
    )
    return ExitCode.FAILED


def _relay(given: Sequence[str]) -> int:
    from obdesk.relay.server.commands import main as run_relay

    return run_relay(given)


def _desktop(given: Sequence[str]) -> int:
    place = window_only(given)
    if place is not None:
        return _window_alone(place)
    from obdesk.cli.main import main as run_command

    return run_command(given, FrontEnds(open_window=_open_window, run_demo=_run_demo))


def window_only(arguments: Sequence[str]) -> Place | None:
    """Return the place when the arguments ask for the window and nothing else, None otherwise.

    What is not understood here is left to the command line, which explains it.
    """
    values: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name not in {"--data-dir", "--profile"}:
            return None
        found = value if equals else next(rest, "")
        if not found or found.startswith("-"):
            return None
        values[name] = found
    place = Place()
    return Place(
        data_dir=Path(values["--data-dir"]) if "--data-dir" in values else place.data_dir,
        profile=values.get("--profile", place.profile),
    )


def _window_alone(place: Place) -> int:
    """Open the window without the command line, which explains errors in all other cases."""
    try:
        return _open_window(place)
    except ObdeskError as error:
        from obdesk.cli.output import tell_error

        tell_error(error)
        return ExitCode.FAILED


def _open_window(place: Place) -> int:
    from obdesk.gui.run import open_window

    return open_window(place.data_dir, place.profile)


def _run_demo(options: DemoOptions) -> int:
    from obdesk.gui.demo import run_demo

    return run_demo(headless=options.headless, screenshots=options.screenshots, keep=options.keep)


if __name__ == "__main__":
    sys.exit(main())
