"""`obdesk doctor`: what works on this computer and what does not."""

from __future__ import annotations

from typing import Annotated

import typer

from obdesk.app.doctor import Check, Health, examine
from obdesk.cli.context import given
from obdesk.cli.exits import ExitCode
from obdesk.cli.output import cleaned, print_json, say
from obdesk.cli.session import passphrase_asker
from obdesk.domain.texts import mark, tr

_WORDS = {
    Health.WORKS: mark("works"),
    Health.LIMITED: mark("limited"),
    Health.UNUSED: mark("not used"),
    Health.UNKNOWN: mark("unknown"),
    Health.BROKEN: mark("broken"),
}
_NAMES = {
    "key_file": mark("Key file"),
    "keyring": mark("Keyring"),
    "database": mark("Database"),
    "provider": mark("Provider"),
    "relay": mark("Relay"),
    "webview": mark("Embedded page"),
    "tray": mark("Tray"),
}


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("doctor", help=tr("Say what works here, and how to mend the rest."))(doctor)


def doctor(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))] = False,
) -> None:
    """Examine and tell; fails when a part is broken."""
    profile = given(context).place.resolved()
    checks = examine(profile, passphrase_asker(profile))
    if as_json:
        print_json({"checks": [_document(check) for check in checks]})
    else:
        for check in checks:
            _say(check)
    if any(check.health is Health.BROKEN for check in checks):
        raise typer.Exit(ExitCode.FAILED)


def _document(check: Check) -> dict[str, str]:
    return {
        "name": check.name,
        "state": check.health.value,
        "sentence": check.sentence,
        "what_to_do": check.what_to_do,
    }


def _say(check: Check) -> None:
    part, state = tr(_NAMES[check.name]), tr(_WORDS[check.health])
    say(tr("{part}: {state}. {sentence}", part=part, state=state, sentence=cleaned(check.sentence)))
    if check.what_to_do:
        say(f"  {cleaned(check.what_to_do)}")
