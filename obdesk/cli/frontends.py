"""What the command line is given from outside: where the data is, and the window it must not know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obdesk.app.profile import DEFAULT_NAME, profile_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from obdesk.app.profile import Profile


@dataclass(frozen=True, slots=True)
class Place:
    """The data that a command works on: `--data-dir` and `--profile`."""

    data_dir: Path | None = None
    profile: str = DEFAULT_NAME

    def resolved(self) -> Profile:
        """Return the profile; a name that cannot be a folder raises AppError."""
        return profile_of(self.data_dir, self.profile)


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How the demo runs."""

    headless: bool = False
    """Make the whole journey without a person."""
    screenshots: Path | None = None
    keep: Path | None = None
    """Where the demo's own profile is kept; None: it vanishes afterwards."""


@dataclass(frozen=True, slots=True)
class FrontEnds:
    """The two ways into the window; each returns an exit code."""

    open_window: Callable[[Place], int]
    run_demo: Callable[[DemoOptions], int]
