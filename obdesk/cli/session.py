"""Opening a profile for one command, and closing it again whatever happens."""

from __future__ import annotations

import asyncio
import getpass
import sys
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from obdesk.app.bootstrap import App, open_profile
from obdesk.app.clock import SystemClock
from obdesk.app.reads import StoreReads
from obdesk.cli.output import tell
from obdesk.domain.errors import Action, AppError
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from obdesk.app.bootstrap import OpenProfile
    from obdesk.app.profile import Profile
    from obdesk.cli.frontends import Place

T = TypeVar("T")
WHO = "the command line"
"""What a second process is told about who syncs."""


class NoDataYetError(AppError):
    """The profile was never used."""


def run_reading(place: Place, work: Callable[[StoreReads], Awaitable[T]]) -> T:
    """Run `work` with the reads of an existing profile; nothing is made or changed."""
    opened = _open(place, make=False)

    async def main() -> T:
        return await work(StoreReads(opened.store, SystemClock()))

    with closing(opened):
        return asyncio.run(main())


def run_app(place: Place, work: Callable[[App], Awaitable[T]], *, make: bool = False) -> T:
    """Run `work` with the whole application; `make` makes the profile where there is none."""
    opened = _open(place, make=make)

    async def main() -> T:
        async with App(opened, who=WHO) as app:  # closes what was opened
            return await work(app)

    return asyncio.run(main())


def _open(place: Place, *, make: bool) -> OpenProfile:
    profile = place.resolved()
    if not make and not (profile.folder.is_dir() and any(profile.folder.iterdir())):
        raise _no_data_yet(profile)
    return open_profile(profile, ask_passphrase=passphrase_asker(profile))


def passphrase_asker(profile: Profile) -> Callable[[], str] | None:
    """Return what asks the person for the passphrase, or None where nobody is there to answer."""
    if not sys.stdin.isatty():
        return None
    return _ask if profile.exists else _ask_new


def _ask() -> str:
    return getpass.getpass(tr("Passphrase: "), stream=sys.stderr)


def _ask_new() -> str:
    while True:
        tell(tr("No keyring was found: a passphrase will protect your data."))
        first = getpass.getpass(tr("New passphrase: "), stream=sys.stderr)
        if first == getpass.getpass(tr("The same again: "), stream=sys.stderr):
            return first
        tell(tr("These were not the same."))


def _no_data_yet(profile: Profile) -> NoDataYetError:
    return NoDataYetError(
        title=tr("There is nothing here yet"),
        cause=tr(
            "The profile “{name}” has never been used in {folder}.", name=profile.name, folder=profile.folder
        ),
        next_step=tr("Set up Powens first, then link a bank; or look around with: obdesk demo."),
        action=Action.CONFIGURE_PROVIDER,
    )
