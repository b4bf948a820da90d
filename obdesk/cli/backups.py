"""`obdesk backups` and `obdesk restore`: the copies of the data, and going back to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from obdesk.app.backups import kept
from obdesk.app.clock import SystemClock
from obdesk.app.i18n import decimal_text
from obdesk.app.restoring import restore as put_back
from obdesk.cli.context import given
from obdesk.cli.documents import Document, instant_text
from obdesk.cli.output import Column, cleaned, print_json, print_table, say
from obdesk.cli.session import WHO, passphrase_asker
from obdesk.cli.words import local_time
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from obdesk.app.backups import Kept
    from obdesk.app.profile import Profile


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("backups", help=tr("List the copies of your data."))(backups)
    app.command("restore", help=tr("Go back to a copy of your data."))(restore)


def backups(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))] = False,
) -> None:
    """List the copies; needs no key, so that it works where the data does not open."""
    found = kept(given(context).place.resolved())
    if as_json:
        print_json({"backups": [_document(each) for each in found]})
    elif not found:
        say(tr("There is no copy yet. The window makes one a day while it is open."))
    else:
        print_table(
            [Column(tr("Name")), Column(tr("Made at")), Column(tr("Size"), right=True)],
            [
                [
                    each.path.name,
                    local_time(each.made_at),
                    tr("{n} MB", n=decimal_text(each.size_bytes / 1_000_000, places=1)),
                ]
                for each in found
            ],
        )


def last_document(profile: Profile) -> Document | None:
    """Return the copy made last, for `obdesk status --json`."""
    found = kept(profile)
    return _document(found[0]) if found else None


def _document(copy: Kept) -> Document:
    return {
        "name": copy.path.name,
        "made_at": instant_text(copy.made_at),
        "day": copy.backup.day.isoformat(),
        "size_bytes": copy.size_bytes,
    }


def restore(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help=tr("The copy's name, as obdesk backups lists it."))
    ],
) -> None:
    """Put a copy in the place of the data."""
    profile = given(context).place.resolved()
    aside = put_back(profile, name, passphrase_asker(profile), SystemClock(), WHO)
    say(tr("Your data is that of {name}.", name=name))
    if aside.exists():
        say(tr("What was there before is kept: {file}", file=cleaned(str(aside))))
    say(tr("Read your banks again with: obdesk sync"))
