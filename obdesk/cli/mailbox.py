"""`obdesk configure relay`, and what other commands say of the relay."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from obdesk.cli.context import given
from obdesk.cli.documents import Document, instant_text
from obdesk.cli.output import cleaned, say
from obdesk.cli.session import run_app
from obdesk.cli.words import local_time
from obdesk.domain.mailbox import sentences
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from obdesk.app.bootstrap import App
    from obdesk.app.interface import RelayPaired
    from obdesk.domain.mailbox import MailboxStatus

_CODE_LENGTH_MAX = 4_096


def relay(
    context: typer.Context,
    *,
    url: Annotated[
        str | None,
        typer.Option(
            "--url", metavar="URL", help=tr("Address of the relay, such as https://relay.example.org.")
        ),
    ] = None,
    code_stdin: Annotated[
        bool,
        typer.Option("--code-stdin", help=tr("Read the one-time code of its operator from standard input.")),
    ] = False,
    off: Annotated[
        bool, typer.Option("--off", help=tr("Do without a relay, and have it forget this computer."))
    ] = False,
    replace_token: Annotated[
        bool,
        typer.Option("--replace-token", help=tr("Revoke every token at the aggregator and use a new one.")),
    ] = False,
) -> None:
    """Have a relay keep webhooks for this computer, or say how it is."""
    if sum((url is not None, off, replace_token)) > 1:
        raise typer.BadParameter(tr("--url, --off and --replace-token do not go together"))
    place = given(context).place
    if off:
        _say_left(heard=run_app(place, lambda app: app.commands.leave_relay()))
    elif replace_token:
        run_app(place, lambda app: app.commands.replace_token())
        say(tr("The token was replaced. Whoever kept the old one can do nothing with it."))
    elif url is not None:
        code = _code(from_stdin=code_stdin)

        async def pair(app: App) -> RelayPaired:
            return await app.commands.pair_relay(url, code)

        _say_paired(run_app(place, pair, make=True))
    else:

        async def read(app: App) -> MailboxStatus | None:
            return await app.reads.relay()

        say_relay(run_app(place, read))


def _code(*, from_stdin: bool) -> str:
    """Return the code; it is never a command line argument, because other users could see those."""
    if from_stdin:
        code = sys.stdin.read(_CODE_LENGTH_MAX).strip()
        if not code:
            raise typer.BadParameter(tr("standard input held no code"))
        return code
    if not sys.stdin.isatty():
        raise typer.BadParameter(tr("the code is missing: add --code-stdin and hand it over there"))
    return getpass.getpass(tr("One-time code: "), stream=sys.stderr).strip()


def _say_paired(paired: RelayPaired) -> None:
    say(tr("{host} keeps webhooks for this computer from now on.", host=paired.host))
    say(tr("While the window is open, what your banks send is here within seconds."))
    if paired.is_shared:
        say(tr("It serves many people: it learns which user is yours once a bank is linked."))


def _say_left(*, heard: bool) -> None:
    say(tr("No relay is used any more. Your banks are checked by the schedule."))
    if not heard:
        say(tr("It could not be told: ask its operator to remove this computer."))


def relay_document(status: MailboxStatus | None) -> Document | None:
    """Return the keys of `relay` in `obdesk status --json`; they are stable (docs/guide.md)."""
    if status is None:
        return None
    return {
        "host": status.host,
        "state": status.state.value,
        "trouble": None if status.trouble is None else status.trouble.value,
        "since": instant_text(status.since),
        "last_pull_at": instant_text(status.pulled_at),
        "last_delivery_at": instant_text(status.delivered_at),
        "waiting": status.waiting,
        "unknown": status.parked,
        "hints": status.hints,
        "unreadable": status.unreadable,
        "computers": status.peers,
        "bearer_seen_at": instant_text(status.bearer_seen_at),
    }


def say_relay(status: MailboxStatus | None) -> None:
    """Say how the relay is, in a few lines for a person."""
    if status is None:
        say(tr("No relay is set up: your banks are checked by the schedule."))
        return
    first, *rest = sentences(status, local_time)
    say(tr("Relay {host}: {state}", host=cleaned(status.host), state=first))
    if status.delivered_at is not None:
        rest.append(tr("Last webhook: {when}.", when=local_time(status.delivered_at)))
    for line in rest:
        say(f"  {cleaned(line)}")
