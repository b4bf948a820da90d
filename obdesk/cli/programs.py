"""`obdesk demo`, `obdesk simulate` and `obdesk relay`: starting other parts of the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated, Any

import typer

from obdesk.cli.context import given
from obdesk.cli.frontends import DemoOptions
from obdesk.domain.texts import tr

# Processes of their own: the command line shares no code with them.
_SIMULATOR = ("obdesk.simulator",)
_RELAY = ("obdesk", "relay")
_OF_THEIR_OWN: dict[str, Any] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],  # --help is theirs
}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("demo", help=tr("Look around with invented banks."))(demo)
    app.command(
        "simulate",
        help=tr("Serve invented banks over HTTP, like Powens."),
        context_settings=_OF_THEIR_OWN,
    )(simulate)
    app.command(
        "relay",
        help=tr("Serve webhooks to desktops, or look after that."),
        context_settings=_OF_THEIR_OWN,
    )(relay)


def demo(
    context: typer.Context,
    *,
    headless: Annotated[
        bool, typer.Option("--headless", help=tr("Make the whole journey without a person, then end."))
    ] = False,
    screenshots: Annotated[
        Path | None,
        typer.Option("--screenshots", metavar="DIR", help=tr("Keep pictures of the screens here.")),
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help=tr("Keep the demo's data here."))
    ] = None,
) -> None:
    """Open the demo."""
    options = DemoOptions(headless=headless, screenshots=screenshots, keep=keep)
    raise typer.Exit(given(context).front_ends.run_demo(options))


def simulate(context: typer.Context) -> None:
    """Become the simulator."""
    _become(*_SIMULATOR, *context.args)


def relay(context: typer.Context) -> None:
    """Become the relay, where something stood before its name; otherwise nobody gets here."""
    _become(*_RELAY, *context.args)


def _become(*arguments: str) -> None:
    """Become another program, or wait for it where a process cannot become another."""
    command = [sys.executable, "-m", *arguments]
    if os.name == "posix":
        os.execv(sys.executable, command)  # noqa: S606 - our own interpreter, no shell
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - same
