"""The ways a person can open a profile that did not open by itself, and opening it by one of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from obdesk.app.bootstrap import open_profile, opened_with
from obdesk.app.interface import WayIn
from obdesk.secrets.errors import KeyringProblem, VaultProblem
from obdesk.secrets.keyfile import SlotKind
from obdesk.secrets.keyfile_errors import DatabaseWithoutKey, KeyFileDamaged
from obdesk.secrets.passphrases import Passphrase
from obdesk.secrets.vault import TokenHome, Vault

if TYPE_CHECKING:
    from obdesk.app.bootstrap import OpenProfile
    from obdesk.app.profile import Profile
    from obdesk.domain.errors import ObdeskError

log = logging.getLogger(__name__)


def ways_into(profile: Profile) -> tuple[WayIn, ...]:
    """Return the ways that make sense for a profile, by its key file; nothing is opened."""
    description = Vault(profile.folder).describe()
    if not description.set_up:
        # Nothing was made yet: without a keyring a passphrase of the person's own protects the data. A
        # database without its key file is never written over.
        return (WayIn.TRY_AGAIN,) if profile.exists else (WayIn.NEW_PASSPHRASE, WayIn.TRY_AGAIN)
    kinds = {slot.kind for slot in description.slots}
    ways = []
    if SlotKind.PASSPHRASE in kinds:
        ways.append(WayIn.PASSPHRASE)
    if SlotKind.KEYRING in kinds or not ways:
        ways.append(WayIn.TRY_AGAIN)
    if SlotKind.RECOVERY in kinds:
        ways.append(WayIn.RECOVERY_CODE)
    return tuple(ways)


def ways_out(profile: Profile, error: ObdeskError) -> tuple[WayIn, ...]:
    """Return what can be done about an error of opening: other keys help only where the key is the matter."""
    if isinstance(error, DatabaseWithoutKey | KeyFileDamaged) and error.previous_usable:
        return (WayIn.PREVIOUS_KEY_FILE, WayIn.TRY_AGAIN)
    return ways_into(profile) if isinstance(error, VaultProblem) else (WayIn.TRY_AGAIN,)


def open_by(profile: Profile, way: WayIn, secret: str = "") -> OpenProfile:
    """Open a profile by a way. Blocks: never in the interface's thread; after an AppError all is as before.

    After the recovery code the key is put into the keyring again where that works, so that the next start
    needs no code.
    """
    match way:
        case WayIn.TRY_AGAIN:
            return open_profile(profile)
        case WayIn.PASSPHRASE:
            vault = Vault(profile.folder)
            return opened_with(profile, vault.unlock_with_passphrase(Passphrase(secret)))
        case WayIn.NEW_PASSPHRASE:
            profile.prepare()
            return opened_with(profile, Vault(profile.folder).create(Passphrase(secret)))
        case WayIn.RECOVERY_CODE:
            return _recover(profile, secret)
        case WayIn.PREVIOUS_KEY_FILE:
            Vault(profile.folder).restore_previous()
            return open_profile(profile)


def _recover(profile: Profile, code: str) -> OpenProfile:
    vault = Vault(profile.folder)
    opened = vault.unlock_with_recovery(code)
    if opened.token_home is TokenHome.KEYRING and opened.tokens is None:
        try:
            opened = vault.rewrap_keyring(opened)
        except KeyringProblem as problem:
            log.info("the key stays out of the keyring: %s", type(problem).__name__)
    return opened_with(profile, opened)
