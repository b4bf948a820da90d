"""Opening a seeded profile with nothing but what the program itself imports for a first paint."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from obdesk.app.bootstrap import OpenProfile
from obdesk.app.profile import profile_of
from obdesk.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

KEY = hashlib.sha256(b"a key for tests").digest()


def opened(folder: Path) -> OpenProfile:
    """Open the profile that `tests.seed.seeded_profile` made."""
    profile = profile_of(folder, "seeded")
    return OpenProfile(profile, Store.open(profile.database, KEY), None)
