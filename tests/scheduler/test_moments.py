"""When the schedule may ask: clocks, network, power and quiet hours."""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.entities import Trigger
from obdesk.domain.ids import ConnectionId
from obdesk.domain.jobs import Job, Priority, Waiting
from obdesk.domain.syncing import SyncKind
from obdesk.scheduler.moments import SLEPT_S, Moments, is_quiet, is_scarce, may_read
from tests.fakes import SOME_MORNING, FrozenClock

NIGHT = (time(22, 0), time(7, 0))


def moments() -> Moments:
    return Moments(random.Random(3))  # noqa: S311 - chance, not secrets


def ticked(asked: Moments, clock: FrozenClock) -> bool:
    return asked.tick(clock.now(), clock.monotonic_s())


def test_a_quiet_day_may_ask_at_each_tick(clock: FrozenClock) -> None:
    asked = moments()
    for _ in range(100):
        clock.advance(60)
        assert ticked(asked, clock)


@pytest.mark.parametrize("monotonic_stands_still", [True, False])
def test_F55_after_a_sleep_it_waits_a_moment(clock: FrozenClock, *, monotonic_stands_still: bool) -> None:
    asked = moments()
    assert ticked(asked, clock)
    (clock.suspend if monotonic_stands_still else clock.advance)(3_600)
    assert not ticked(asked, clock)
    clock.advance(29)
    assert not ticked(asked, clock)
    clock.advance(31)
    assert ticked(asked, clock)


def test_F55_it_counts_from_when_the_network_is_up(clock: FrozenClock) -> None:
    asked = moments()
    assert not asked.network(clock.monotonic_s(), online=False)
    for _ in range(30):
        clock.advance(60)
        assert not ticked(asked, clock)
    assert asked.network(clock.monotonic_s(), online=True)
    assert not asked.network(clock.monotonic_s(), online=True), "it comes back once"
    assert not ticked(asked, clock)
    clock.advance(60)
    assert ticked(asked, clock)


def test_a_network_nobody_knows_of_is_no_reason_to_wait(clock: FrozenClock) -> None:
    asked = moments()
    assert not asked.network(clock.monotonic_s(), online=None)
    assert ticked(asked, clock)


@given(st.lists(st.integers(-10_000_000, 10_000_000), max_size=20))
def test_F53_however_the_clock_is_set_it_may_ask_again_within_a_minute(jumps: list[int]) -> None:
    clock, asked = FrozenClock(), moments()
    for seconds in jumps:
        clock.set_wall(clock.now() + timedelta(seconds=seconds))
        assert ticked(asked, clock) or abs(seconds) > SLEPT_S
        clock.advance(60)
        assert ticked(asked, clock)


@pytest.mark.parametrize(
    ("local", "hours", "quiet"),
    [
        (time(23, 0), NIGHT, True),
        (time(6, 59), NIGHT, True),
        (time(7, 0), NIGHT, False),
        (time(12, 0), NIGHT, False),
        (time(22, 0), NIGHT, True),
        (time(12, 0), (time(11, 0), time(13, 0)), True),
        (time(13, 0), (time(11, 0), time(13, 0)), False),
        (time(12, 0), (time(12, 0), time(12, 0)), False),
        (time(12, 0), (None, time(13, 0)), False),
        (time(12, 0), (time(11, 0), None), False),
    ],
)
def test_quiet_hours_may_go_over_midnight(
    local: time, hours: tuple[time | None, time | None], *, quiet: bool
) -> None:
    assert is_quiet(local, *hours) is quiet


@pytest.mark.parametrize(
    ("metered", "battery_percent", "scarce"),
    [(None, None, False), (False, 20, False), (True, None, True), (None, 19, True), (False, None, False)],
)
def test_what_is_scarce(*, metered: bool | None, battery_percent: int | None, scarce: bool) -> None:
    assert is_scarce(metered=metered, battery_percent=battery_percent) is scarce


def waiting(priority: Priority, asked_at: datetime | None) -> Waiting:
    job = Job(
        ConnectionId(1),
        Trigger.SCHEDULE,
        priority,
        SyncKind.DELTA,
        asks_bank=False,
        attended=False,
        not_before=SOME_MORNING,
        put_at=SOME_MORNING,
    )
    return Waiting(job, important=False, asked_at=asked_at, live=True)


@pytest.mark.parametrize(
    ("priority", "asked_h_ago", "quiet", "scarce", "may"),
    [
        (Priority.PERSON, 1, True, True, True),
        (Priority.WEBHOOK, 1, True, False, False),
        (Priority.REST, 1, False, False, True),
        (Priority.REST, 23, False, True, False),
        (Priority.REST, 24, False, True, True),
        (Priority.REST, None, False, True, True),
        (Priority.REST, -1, False, True, True),
        (Priority.GOING_STALE, 48, True, False, False),
    ],
)
def test_what_may_be_read_now(
    priority: Priority, asked_h_ago: int | None, *, quiet: bool, scarce: bool, may: bool
) -> None:
    asked_at = None if asked_h_ago is None else SOME_MORNING - timedelta(hours=asked_h_ago)
    assert may_read(waiting(priority, asked_at), SOME_MORNING, quiet=quiet, scarce=scarce) is may
