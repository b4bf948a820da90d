"""How the domain's values are kept in SQLite columns.

Instants are integers (milliseconds since 1970, UTC), calendar dates are ISO text, money is an integer
count of minor units beside its currency. No column is ever a float.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(instant: datetime) -> int:
    """Return an aware instant as milliseconds since 1970."""
    return (instant - _EPOCH) // _MILLISECOND


def to_ms_or_none(instant: datetime | None) -> int | None:
    """Return an optional instant as milliseconds since 1970."""
    return None if instant is None else to_ms(instant)


def instant(ms: int) -> datetime:
    """Return milliseconds since 1970 as an aware UTC instant."""
    return _EPOCH + timedelta(milliseconds=ms)


def instant_or_none(ms: int | None) -> datetime | None:
    """Return optional milliseconds since 1970 as an instant."""
    return None if ms is None else instant(ms)


def day_or_none(text: str | None) -> date | None:
    """Return optional ISO text as a calendar date."""
    return None if text is None else date.fromisoformat(text)
