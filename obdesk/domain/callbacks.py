"""What the last redirect of a linking page says, once it is checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class CallbackKind(Enum):
    """How a visit to the linking pages ended."""

    DONE = "done"
    """The person came to the end. For a renewal the connection must be read to know the outcome."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"
    FOREIGN = "foreign"
    """It does not answer our request: nothing of it may be used."""


@dataclass(frozen=True, slots=True)
class Callback:
    """The last redirect of the linking pages, checked."""

    kind: CallbackKind
    connection_ids: tuple[str, ...] = ()
    error: str = ""
    """The page's own word for the failure, for the details fold."""
    error_description: str = field(default="", repr=False)
    """Technical text, not meant for a person."""
