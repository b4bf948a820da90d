"""Times without a zone, and the cursor that no guess of the zone can lead astray."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.providers.powens.times import cursor_after, day_of, instant_of, stamp_of

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 17, 8, 30, tzinfo=UTC)


def cursor(newest: str, previous: str | None = None) -> str | None:
    """Return the cursor as of a morning in March."""
    return cursor_after(newest, previous, now=NOW, zone=PARIS)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-14 05:11:58", datetime(2026, 1, 14, 4, 11, 58, tzinfo=UTC)),
        ("2026-07-14 05:11:58", datetime(2026, 7, 14, 3, 11, 58, tzinfo=UTC)),
        ("2026-07-14T05:11:58.5", datetime(2026, 7, 14, 3, 11, 58, 500_000, tzinfo=UTC)),
        ("2026-07-14T05:11:58Z", datetime(2026, 7, 14, 5, 11, 58, tzinfo=UTC)),
        ("2026-07-14 05:11:58+05:30", datetime(2026, 7, 13, 23, 41, 58, tzinfo=UTC)),
        # The repeated hour: the earlier reading, so that nothing looks fresher than it is.
        ("2026-10-25 02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        # The hour that does not exist.
        ("2026-03-29 02:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("0001-01-01 00:00:00", None),
        ("9999-12-31 23:59:59-12:00", None),
        ("2026-07-14", None),
        ("2026-13-14 05:11:58", None),
        ("yesterday at five o'clock", None),
        ("", None),
        (None, None),
    ],
)
def test_times_become_instants(text: str | None, instant: datetime | None) -> None:
    assert instant_of(text, PARIS) == instant


def test_F54_a_cursor_stays_26_hours_behind_the_newest_stamp() -> None:
    assert cursor("2026-03-16 05:11:58") == "2026-03-15 03:11:58"


def test_a_cursor_never_moves_backwards() -> None:
    assert cursor("2026-03-10 00:00:00", "2026-03-14 00:00:00") == "2026-03-14 00:00:00"
    assert cursor("2026-03-16 05:11:58", "2026-03-14 00:00:00") == "2026-03-15 03:11:58"


@pytest.mark.parametrize("odd", ["", "garbage", "2026-99-99 00:00:00", "2026-03-16", "0001-01-01 10:00:00"])
def test_an_odd_stamp_moves_nothing(odd: str) -> None:
    assert cursor(odd) is None
    assert cursor(odd, "2026-03-14 00:00:00") == "2026-03-14 00:00:00"


def test_an_odd_cursor_is_replaced() -> None:
    assert cursor("2026-03-16 05:11:58", "garbage") == "2026-03-15 03:11:58"


def test_a_stamp_from_the_future_counts_as_now() -> None:
    assert cursor("9999-12-31 23:59:59") == "2026-03-16 07:30:00"
    # A server whose clock lies far east of Paris may be ahead that much.
    assert cursor("2026-03-17 22:00:00") == "2026-03-16 20:00:00"


def test_stamps_in_other_forms_give_cursors_in_the_servers_form() -> None:
    assert cursor("2026-03-16T04:11:58.123Z") == "2026-03-15 03:11:58"


@given(
    newest=st.datetimes(datetime(2000, 1, 1), datetime(2026, 3, 17)),  # noqa: DTZ001 - as the server writes
    zone=st.sampled_from(["Etc/GMT+12", "Etc/GMT-14", "UTC", "Europe/Paris", "America/New_York"]),
    meant=st.sampled_from(["Etc/GMT+12", "Etc/GMT-14", "UTC", "Europe/Paris", "America/New_York"]),
)
def test_F54_no_row_is_lost_whichever_zone_we_guess_and_whichever_is_meant(
    newest: datetime, zone: str, meant: str
) -> None:
    text = newest.isoformat(" ", "seconds")
    found = cursor_after(text, None, now=NOW, zone=ZoneInfo(zone))

    # A row written at the same instant, stamped by a clock of any other zone, is still after the cursor.
    assert found is not None
    instant = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(meant))
    elsewhere = min(
        instant.astimezone(ZoneInfo(other)).replace(tzinfo=None)
        for other in ("Etc/GMT+12", "Etc/GMT-14", meant)
    )
    assert datetime.fromisoformat(found) <= elsewhere


@given(stamps=st.lists(st.text() | st.datetimes().map(str), max_size=6))
def test_no_stamp_raises_and_cursors_only_grow(stamps: list[str]) -> None:
    previous: str | None = None
    for stamp in stamps:
        found = cursor(stamp, previous)
        assert previous is None or (found is not None and found >= previous)
        previous = found


@given(st.text() | st.dates().map(str))
def test_days_are_canonical_or_nothing(text: str) -> None:
    day = day_of(text)

    assert day is None or (len(day) == 10 and day == text[:10])


def test_stamps_without_a_zone_are_kept_as_they_are() -> None:
    assert stamp_of("2026-10-25 02:30:00", PARIS) == "2026-10-25 02:30:00"
    assert stamp_of("9999-12-31 23:59:59+00:00", PARIS) == ""
