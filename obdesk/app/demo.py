"""The demo's own profile: apart from anything real, opened by a passphrase nobody has to know."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from obdesk.app.bootstrap import opened_with
from obdesk.app.profile import profile_of
from obdesk.domain.errors import Action, AppError
from obdesk.domain.texts import tr
from obdesk.secrets.kdf import FLOOR_COST
from obdesk.secrets.passphrases import Passphrase
from obdesk.secrets.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from obdesk.app.bootstrap import App, OpenProfile
    from obdesk.app.demo_relay import DemoRelay
    from obdesk.app.profile import Profile
    from obdesk.app.simulated import SimulatedBanks

NAME = "demo"


class DemoExistsError(AppError):
    """The folder already holds a demo whose banks are gone."""


def demo_profile(folder: Path) -> Profile:
    """Return the demo's profile below a folder."""
    return profile_of(folder, NAME, demo=True)


def passphrase_file(folder: Path) -> Path:
    """Return where the passphrase of a kept demo is, for the command line."""
    return folder / "passphrase"


def open_demo(folder: Path) -> OpenProfile:
    """Make a demo profile and open it. Its passphrase lies beside it: everything in it is invented."""
    profile = demo_profile(folder)
    if profile.exists:
        raise DemoExistsError(
            title=tr("This folder already holds a demo"),
            cause=tr("Its invented banks ended with the demo that made them."),
            next_step=tr("Nothing was changed. Choose an empty folder."),
            action=Action.CHOOSE_ANOTHER_FILE,
        )
    profile.prepare()
    words = secrets.token_urlsafe(16)
    kept = passphrase_file(folder)
    kept.touch(mode=0o600)
    kept.write_text(words + "\n", encoding="utf-8")
    # Made-up data needs no costly key derivation; the demo should open at once.
    return opened_with(profile, Vault(profile.folder, cost=FLOOR_COST).create(Passphrase(words)))


async def use_banks(app: App, banks: SimulatedBanks) -> None:
    """Set the profile up for the simulator, as `obdesk configure powens` would."""
    await app.commands.configure_powens(
        api_url=banks.api_url,
        webview_url=banks.webview_url,
        domain=banks.domain,
        client_id=banks.client_id,
        client_secret=banks.client_secret,
    )


async def use_relay(app: App, relay: DemoRelay) -> None:
    """Pair the demo with its relay, as `obdesk configure relay` would."""
    await app.commands.pair_relay(relay.url, relay.code)
