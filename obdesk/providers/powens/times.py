"""Powens' times: `2026-01-14 05:11:58` without a zone, read leniently; and the cursor made of them.

Nobody documents the zone of these times; Paris is the best guess and a setting. Amounts of doubt are small
for what is shown, but a cursor must not depend on the guess: see OVERLAP.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo

OVERLAP = timedelta(hours=26)
"""How far a cursor stays behind the newest stamp seen.

Clocks on Earth lie between UTC-12 and UTC+14, 26 hours apart, so whichever zone the server means and
whichever it once meant, no row falls between two reads. It also covers the repeated hour in October, rows
of the very second of the cursor (the server compares with `after`) and rows committed late. Rows that come
twice cost a comparison; rows that never come cost the truth.
"""

_AHEAD_MAX = timedelta(hours=14)
_STAMP_LENGTH = len("2026-01-14 05:11:58")


def instant_of(text: str | None, zone: tzinfo) -> datetime | None:
    """Return a time as a UTC instant, or None when it is absent or nonsense.

    Of the two readings of the repeated hour in October the earlier is taken: data never looks fresher,
    nor a consent longer, than it is.
    """
    moment = _moment_of(text)
    if moment is None:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def stamp_of(text: str | None, zone: tzinfo) -> str:
    """Return an update stamp in the server's own form, so that stamps sort as text; empty for nonsense."""
    moment = _moment_of(text)
    if moment is None:
        return ""
    if moment.tzinfo:
        try:
            moment = moment.astimezone(zone)
        except (OverflowError, ValueError):
            return ""
    return moment.replace(tzinfo=None, microsecond=0).isoformat(" ")


def cursor_after(newest: str, previous: str | None, *, now: datetime, zone: tzinfo) -> str | None:
    """Return the cursor to send next: the newest stamp minus the overlap, never before `previous`.

    A stamp from the future (a wrong clock, a typing error) counts as now, or it would hide everything
    that comes before it; an unreadable one moves nothing.
    """
    stamp = _naive(newest, zone)
    if stamp is None:
        return previous
    here = now.astimezone(zone).replace(tzinfo=None, microsecond=0)
    if stamp > here + _AHEAD_MAX:
        stamp = here
    try:
        cursor = (stamp - OVERLAP).isoformat(" ")
    except OverflowError:
        return previous
    before = _naive(previous, zone)
    return previous if before is not None and cursor < before.isoformat(" ") else cursor


def day_of(text: str | None) -> str | None:
    """Return a calendar date as `YYYY-MM-DD`, also from a longer time, or None for nonsense."""
    if not text:
        return None
    day = text[:10] if text[10:11] in {"T", " "} else text
    try:
        # The comparison refuses the week dates and the short form that Python reads as well.
        return day if date.fromisoformat(day).isoformat() == day else None
    except ValueError:
        return None


def _naive(text: str | None, zone: tzinfo) -> datetime | None:
    stamp = stamp_of(text, zone)
    return datetime.fromisoformat(stamp) if stamp else None


def _moment_of(text: str | None) -> datetime | None:
    """Return a time as written: blank or `T`, with or without a fraction and an offset."""
    if not text or len(text) < _STAMP_LENGTH:
        return None
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None
