"""The ports that the aggregator knows: a computer has one set of them, and several tests at once want it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from filelock import FileLock


def the_ports() -> FileLock:
    """Return the lock to be held by who needs a port, or needs them taken; one process may hold it twice."""
    return FileLock(Path(tempfile.gettempdir()) / "obdesk-tests-ports.lock", is_singleton=True)
