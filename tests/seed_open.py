"""Opening a seeded profile with nothing but what the program itself imports for a first paint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.app.bootstrap import OpenProfile
from obdesk.app.profile import profile_of
from obdesk.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

# The digest of "a key for tests", written out: computing it would load a library of its own.
KEY = bytes.fromhex("aae24849842d7082b66f57ce8270bd04da2c39ffb97df22803c270983032c4e5")


def opened(folder: Path) -> OpenProfile:
    """Open the profile that `tests.seed.seeded_profile` made."""
    profile = profile_of(folder, "seeded")
    return OpenProfile(profile, Store.open(profile.database, KEY), None)
