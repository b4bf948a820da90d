"""What every command finds in its context: the place and the front ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import typer

    from obdesk.cli.frontends import FrontEnds, Place


@dataclass(frozen=True, slots=True)
class Given:
    """The global options and the way to the window."""

    place: Place
    front_ends: FrontEnds


def given(context: typer.Context) -> Given:
    """Return what the command was given."""
    return cast("Given", context.find_root().obj)
