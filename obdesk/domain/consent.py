"""When the end of a consent is told: nobody else announces it, and by law it comes twice a year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId

WARNED_DAYS = (30, 14, 7, 3, 1, 0)
"""Days before the end at which the person is told, each once."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A consent with its end in sight."""

    connection_id: ConnectionId
    bank: str
    expires_at: datetime


def reached(expires_at: datetime, now: datetime) -> int | None:
    """Return the last of the warnings whose time has come, or None when the end is far."""
    return min((days for days in WARNED_DAYS if expires_at - now <= timedelta(days=days)), default=None)


def days_left(expires_at: datetime, now: datetime) -> int:
    """Return how many days are left, a begun one counted whole; 0 once it is over."""
    return max(0, -(-(expires_at - now) // timedelta(days=1)))


def keys(ending: Ending, warning: int) -> list[str]:
    """Return under what a warning is remembered, and with it those before it that came too late.

    A renewed consent has another end, so its warnings are its own.
    """
    end = f"{ending.expires_at:%Y-%m-%d}"
    passed = [days for days in WARNED_DAYS if days >= warning]
    return [f"consent:{ending.connection_id}:{end}:{days}" for days in sorted(passed)]
