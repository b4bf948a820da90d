"""The ways into a profile: its recorded one, or for a new profile the best that this computer offers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from obdesk.secrets.errors import KeyringMissing
from obdesk.secrets.keyrings import open_keyring
from obdesk.secrets.passphrases import PASSPHRASE_FILE_VARIABLE, find_passphrase
from obdesk.secrets.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.app.profile import Profile
    from obdesk.secrets.vault import OpenedVault


def create_or_unlock(profile: Profile, ask_passphrase: Callable[[], str] | None) -> OpenedVault:
    """Open a profile's vault, or make one where neither key nor data exist."""
    vault = Vault(profile.folder)
    if vault.describe().set_up or profile.exists:
        return vault.unlock(ask=ask_passphrase)
    if os.environ.get(PASSPHRASE_FILE_VARIABLE):
        return vault.create(find_passphrase(os.environ, ask_passphrase))
    try:
        keyring = open_keyring(None)
    except KeyringMissing:
        if ask_passphrase is None:
            raise
        return vault.create(find_passphrase(os.environ, ask_passphrase))
    return vault.create(keyring)
