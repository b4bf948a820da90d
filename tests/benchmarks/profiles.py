"""A seeded profile for the benchmarks that open the whole window; made once for all of them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.seed import fill
from tests.seed_open import opened


@cache
def seeded(rows: int) -> Path:
    """Return a folder with a profile of `rows` transactions; it goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="obdesk-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "seeded").mkdir(mode=0o700)
    profile = opened(folder)
    try:
        fill(profile.store, rows)
    finally:
        profile.close()
    return folder
