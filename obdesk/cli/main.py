"""The command line: its commands are listed here, each group lives in a module of its own."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from obdesk import __version__
from obdesk.app.i18n import use_language
from obdesk.app.profile import DEFAULT_NAME
from obdesk.app.unforeseen import guard_standard_error
from obdesk.cli import (
    accounts,
    backups,
    configuring,
    connections,
    examining,
    exporting,
    linking,
    merging,
    programs,
    proofs,
    runs,
    syncing,
    transactions,
)
from obdesk.cli.context import Given, given
from obdesk.cli.exits import ExitCode
from obdesk.cli.frontends import Place
from obdesk.cli.output import NobodyReadsError, cleaned, say, tell, tell_error
from obdesk.cli.phrases import mistake, speak
from obdesk.domain.errors import ObdeskError
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from obdesk.cli.frontends import FrontEnds

AGAIN_S = 1.0
"""Longer than most unwinding takes, and within what ending may take."""
_GROUPS = (
    programs,
    configuring,
    linking,
    connections,
    accounts,
    transactions,
    merging,
    syncing,
    runs,
    proofs,
    exporting,
    backups,
    examining,
)


def main(arguments: Sequence[str], front_ends: FrontEnds) -> int:
    """Run one command and return its exit code (`obdesk.cli.exits`)."""
    use_language("system")
    guard_standard_error()
    ending = _Ending()
    signal.signal(signal.SIGTERM, ending)
    try:
        code = _run(arguments, front_ends)
    except ObdeskError as error:
        tell_error(error)
        code = ExitCode.FAILED
    except NobodyReadsError:
        code = ExitCode.NOBODY_READS
    except (KeyboardInterrupt, _EndedError, typer.Abort):
        code = ExitCode.INTERRUPTED
    finally:
        ending.over()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if code != ExitCode.INTERRUPTED:
        return code
    if ending.asked:
        return ExitCode.TERMINATED
    tell(tr("Interrupted. Nothing was left half done."))
    return code


def _run(arguments: Sequence[str], front_ends: FrontEnds) -> int:
    command = typer.main.get_command(build(front_ends))
    speak(command)
    try:
        code = command.main(list(arguments), prog_name="obdesk", standalone_mode=False)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        asked = context.command_path if context is not None else "obdesk"
        tell(
            tr("The command was not understood"),
            cleaned(mistake(error.format_message())),
            tr("Nothing was done. See: {command}", command=f"{asked} --help"),
        )
        return ExitCode.USAGE
    return code if isinstance(code, int) else ExitCode.DONE


def build(front_ends: FrontEnds) -> typer.Typer:
    """Return the commands, with help in the language in use."""
    app = typer.Typer(
        help=tr("All your bank accounts in one place, on your own computer, with a date on every figure."),
        epilog=tr("Without a command, the window opens."),
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )

    @app.callback(invoke_without_command=True)
    def obdesk(
        context: typer.Context,
        *,
        data_dir: Annotated[
            Path | None, typer.Option("--data-dir", metavar="DIR", help=tr("Where the data is kept."))
        ] = None,
        profile: Annotated[
            str, typer.Option("--profile", metavar="NAME", help=tr("Which set of data to use."))
        ] = DEFAULT_NAME,
        version: Annotated[bool, typer.Option("--version", help=tr("Print the version."))] = False,
    ) -> None:
        context.obj = Given(Place(data_dir, profile), front_ends)
        if version:
            say(f"obdesk {__version__}")
            raise typer.Exit
        if context.invoked_subcommand is None:
            raise typer.Exit(front_ends.open_window(given(context).place))

    for group in _GROUPS:
        group.register(app)
    return app


class _EndedError(BaseException):
    """The system asks us to end; nothing on the way out may take it for a failure.

    It is no KeyboardInterrupt: Python remembers one that was raised in code it made from text, as dataclasses
    do while they are imported, and then ends by SIGINT whatever exit code it is given.
    """


class _Ending:
    """Ends the program on SIGTERM as Ctrl+C does, so that a half-written file goes and a lock is let go.

    Raising while a loop runs would raise inside whichever task happens to run; what handles Ctrl+C there ends
    the main one.
    """

    def __init__(self) -> None:
        self.asked = False
        self._again: threading.Timer | None = None
        self._is_again = False
        """Whether it is ourselves who ask."""

    def __call__(self, _number: int, frame: FrameType | None) -> None:
        self.asked = True
        is_again, self._is_again = self._is_again, False
        if is_again and _is_ending(sys.exc_info()[1]):
            return  # it was heard, and what is put in order on the way out takes longer
        as_ctrl_c = signal.getsignal(signal.SIGINT)
        # Without a loop; or ignored, as a shell does for what runs behind it.
        if as_ctrl_c is signal.default_int_handler or not callable(as_ctrl_c):
            self._ask_again()
            raise _EndedError
        as_ctrl_c(signal.SIGINT, frame)

    def _ask_again(self) -> None:
        """Be asked once more soon: Python drops what is raised in a finalizer, such as those of an import."""
        self._again = threading.Timer(AGAIN_S, self._ask)
        self._again.daemon = True
        self._again.start()

    def _ask(self) -> None:
        self._is_again = True
        signal.raise_signal(signal.SIGTERM)

    def over(self) -> None:
        """Ask no more."""
        if self._again is not None:
            self._again.cancel()


def _is_ending(handled: BaseException | None) -> bool:
    """Tell whether a request to end is among what is handled at the moment: the way out is being gone."""
    while handled is not None:
        if isinstance(handled, _EndedError):
            return True
        handled = handled.__context__
    return False
