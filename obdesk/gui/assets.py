"""Where the files that are not Python live: beside the source tree, or inside the installed package."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def _root() -> Path:
    package = Path(__file__).resolve().parent.parent
    installed = package / "_resources"
    return installed if installed.is_dir() else package.parent / "resources"


def asset(*parts: str) -> Path:
    """Return the path of a resource such as `asset("theme", "obdesk.qss")`."""
    return _root().joinpath(*parts)
