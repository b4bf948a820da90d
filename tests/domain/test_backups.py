"""Which daily copies stay: a year of gaps and of clocks that jump, judged by what was really made."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.backups import DAYS_KEPT, WEEKS_KEPT, Backup, following, parsed, surplus

_FIRST = date(2026, 1, 1)
_GAPS = st.one_of(st.integers(1, 3), st.integers(1, 40))
_JUMPS = st.one_of(st.none(), st.none(), st.none(), st.dates(date(1970, 1, 1), date(2199, 1, 1)))


def _year(steps: list[tuple[int, date | None]]) -> tuple[list[Backup], set[Backup]]:
    """Make a copy at each step; return all that were ever made, in their order, and those that are left."""
    made: list[Backup] = []
    left: set[Backup] = set()
    true_day = _FIRST
    for gap, jumped in steps:
        true_day += timedelta(days=gap)
        new = following(left, jumped or true_day)
        made.append(new)
        left.add(new)
        left -= set(surplus(left))
    return made, left


@given(st.lists(st.tuples(_GAPS, st.none()), min_size=1, max_size=365))
def test_F64_a_year_with_gaps_leaves_seven_days_and_four_weeks(steps: list[tuple[int, date | None]]) -> None:
    made, left = _year(steps)
    last_of_week = {each.day.isocalendar()[:2]: each for each in made}
    assert left == {*made[-DAYS_KEPT:], *list(last_of_week.values())[-WEEKS_KEPT:]}
    assert len(left) <= DAYS_KEPT + WEEKS_KEPT


@given(st.lists(st.tuples(_GAPS, _JUMPS), min_size=1, max_size=120))
def test_F64_a_clock_that_jumps_deletes_only_what_is_one_too_many(
    steps: list[tuple[int, date | None]],
) -> None:
    made, left = _year(steps)
    assert made[-1] in left, "whatever day it says it is of"
    last_of_day = {each.day: each for each in made}
    newest = sorted(last_of_day.values(), key=lambda each: each.number)[-DAYS_KEPT:]
    assert set(newest) <= left
    assert len(left) >= min(len(last_of_day), DAYS_KEPT)
    assert len(left) <= DAYS_KEPT + WEEKS_KEPT


@given(st.lists(st.tuples(_GAPS, st.none()), min_size=30, max_size=90), st.dates(date(1970, 1, 1)))
def test_F64_one_wrong_day_costs_one_place_of_a_day_and_one_of_a_week(
    steps: list[tuple[int, date | None]], wrong: date
) -> None:
    _, right = _year(steps)
    _, jumped = _year([*steps, (1, wrong)])
    assert len(right - jumped) <= 2


@given(st.sets(st.builds(Backup, st.dates(), st.integers(0, 10**9 - 1)), max_size=60))
def test_F64_what_is_left_has_nothing_too_many(known: set[Backup]) -> None:
    left = known - set(surplus(known))
    assert surplus(left) == ()
    assert bool(left) is bool(known)


@given(st.builds(Backup, st.dates(), st.integers(0, 10**9 - 1)))
def test_a_name_says_what_it_is(backup: Backup) -> None:
    assert parsed(backup.name) == backup


def test_other_names_are_not_ours() -> None:
    others = (
        "ledger.db",
        "ledger.db.v1.bak",
        "ledger-2026-02-30-0001.db",
        "ledger-2026-02-03-1.db",
        "ledger-2026-02-03-00001.db",
        "ledger-2026-02-03-0001.db.part",
        "my-ledger-2026-02-03-0001.db",
        "ledger-2026-02-03-0001.db\n",
    )
    assert [each for each in others if parsed(each)] == []
