"""A person is told of trouble once, of what they must do once, of the end of it once, of nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.conditions import Condition, needs_you
from obdesk.domain.entities import RunCounts, RunResult, Trigger
from obdesk.domain.errors import Action, AppError
from obdesk.domain.ids import ConnectionId
from obdesk.domain.notices import (
    Notice,
    NoticeKind,
    Told,
    after_condition,
    after_problem,
    after_sync,
    told_at_start,
)
from obdesk.domain.syncing import SyncOutcome
from tests.domain.connections import a_connection
from tests.fakes import SOME_MORNING as MORNING

BANK = ConnectionId(1)
OTHER = ConnectionId(2)


def told_of(*steps: Condition | tuple[ConnectionId, Condition]) -> list[Notice | None]:
    """Walk through conditions and collect what is told at each."""
    told, seen = Told(), []
    for step in steps:
        where, condition = step if isinstance(step, tuple) else (BANK, step)
        told, notice = after_condition(told, where, f"Bank {where}", condition)
        seen.append(notice)
    return seen


def kinds_of(*steps: Condition | tuple[ConnectionId, Condition]) -> list[NoticeKind | None]:
    return [None if notice is None else notice.kind for notice in told_of(*steps)]


def test_nothing_new_is_never_told() -> None:
    assert kinds_of(*[Condition.OK] * 5) == [None] * 5


def test_a_failing_bank_is_told_once_and_its_recovery_once() -> None:
    assert kinds_of(
        Condition.BANK_DOWN, Condition.BANK_DOWN, Condition.BANK_DOWN, Condition.OK, Condition.OK
    ) == [NoticeKind.SYNC_ERROR, None, None, NoticeKind.RECOVERED, None]


def test_something_to_do_is_told_once_and_carries_its_button() -> None:
    first, second = told_of(Condition.NEEDS_SCA, Condition.NEEDS_SCA)
    assert first is not None
    assert (first.kind, first.action, first.connection_id) == (
        NoticeKind.ACTION_NEEDED,
        Action.RENEW,
        BANK,
    )
    assert "Bank 1" in first.title
    assert second is None


def test_a_failing_bank_that_fails_another_way_is_not_news_but_something_to_do_is() -> None:
    assert kinds_of(Condition.BANK_DOWN, Condition.BAD_ANSWER, Condition.WRONG_PASSWORD) == [
        NoticeKind.SYNC_ERROR,
        None,
        NoticeKind.ACTION_NEEDED,
    ]


def test_something_to_do_is_not_told_again_after_an_outage_in_between() -> None:
    assert kinds_of(Condition.NEEDS_SCA, Condition.BANK_DOWN, Condition.NEEDS_SCA) == [
        NoticeKind.ACTION_NEEDED,
        None,
        None,
    ]


@pytest.mark.parametrize("passing", [Condition.OFFLINE, Condition.PROVIDER_BUSY, Condition.VALIDATING])
def test_what_passes_by_itself_is_left_to_the_status_line(passing: Condition) -> None:
    assert kinds_of(passing, Condition.OK) == [None, None]


def test_an_aggregator_that_is_down_is_told_once_for_all_banks() -> None:
    down = Condition.PROVIDER_DOWN
    notices = told_of((BANK, down), (OTHER, down), (BANK, Condition.OK), (OTHER, Condition.OK))
    assert [notice and notice.kind for notice in notices] == [
        NoticeKind.SYNC_ERROR,
        None,
        NoticeKind.RECOVERED,
        None,
    ]


def test_banks_are_told_of_apart() -> None:
    assert kinds_of((BANK, Condition.BANK_DOWN), (OTHER, Condition.BANK_DOWN), (OTHER, Condition.OK)) == [
        NoticeKind.SYNC_ERROR,
        NoticeKind.SYNC_ERROR,
        NoticeKind.RECOVERED,
    ]


def test_a_restart_does_not_tell_again_but_tells_the_recovery() -> None:
    told = told_at_start([a_connection(BANK, Condition.NEEDS_SCA), a_connection(OTHER, Condition.OK)])
    told, again = after_condition(told, BANK, "Bank", Condition.NEEDS_SCA)
    _, well = after_condition(told, BANK, "Bank", Condition.OK)
    assert again is None
    assert well is not None
    assert well.kind is NoticeKind.RECOVERED


def test_a_cancelled_sync_tells_nothing() -> None:
    outcome = SyncOutcome(
        BANK,
        "Bank",
        Trigger.PERSON,
        RunResult.CANCELLED,
        Condition.BANK_DOWN,
        RunCounts(),
        0,
        datetime(2026, 3, 1, tzinfo=UTC),
        0.1,
    )
    assert after_sync(Told(), outcome) == (Told(), None)


def test_a_problem_of_the_whole_program_is_told_once_until_things_go_well() -> None:
    error = AppError(title="The disk is full", cause="No space.", next_step="Free some.")
    told, first = after_problem(Told(), error)
    told, second = after_problem(told, error)
    told, _ = after_condition(told, BANK, "Bank", Condition.OK)
    _, third = after_problem(told, error)
    assert first is not None
    assert first.title == "The disk is full"
    assert second is None
    assert third is not None


@given(st.lists(st.tuples(st.sampled_from([BANK, OTHER]), st.sampled_from(Condition)), max_size=40))
def test_over_any_history_each_trouble_is_told_at_most_once_between_two_recoveries(
    history: list[tuple[ConnectionId, Condition]],
) -> None:
    told = Told()
    since_well: dict[ConnectionId, list[str]] = {BANK: [], OTHER: []}
    for where, condition in history:
        told, notice = after_condition(told, where, "Bank", condition)
        if condition is Condition.OK:
            since_well = {**since_well, where: []}
        if notice is None:
            continue
        assert not re.search(r"\d", notice.title + notice.body), "no amount, no code"
        if notice.kind is NoticeKind.ACTION_NEEDED:
            assert needs_you(condition)
        if notice.connection_id is not None and notice.kind is not NoticeKind.RECOVERED:
            assert notice.title not in since_well[where], "told twice"
            since_well[where].append(notice.title)


@given(st.lists(st.sampled_from(Condition), max_size=40))
def test_a_recovery_is_told_exactly_when_a_trouble_was(history: list[Condition]) -> None:
    open_trouble = False
    for condition, notice in zip(history, told_of(*history), strict=True):
        if notice is not None and notice.kind is not NoticeKind.RECOVERED:
            open_trouble = True
        elif condition is Condition.OK:
            assert (notice is not None) == open_trouble
            open_trouble = False


def test_F02_an_aggregator_that_comes_and_goes_is_told_of_once_a_day() -> None:
    told, shown = Told(), []
    at = MORNING
    for hour in range(72):
        condition = Condition.PROVIDER_DOWN if hour % 2 == 0 else Condition.OK
        told, notice = after_condition(told, BANK, "Banque du Port", condition, at + timedelta(hours=hour))
        shown += [notice] if notice else []
    kinds = [notice.kind for notice in shown]
    assert kinds.count(NoticeKind.SYNC_ERROR) == 3
    assert kinds.count(NoticeKind.RECOVERED) == 3


def test_F02_an_aggregator_that_stays_down_is_told_of_once_a_day() -> None:
    told, count = Told(), 0
    for hour in range(72):
        at = MORNING + timedelta(hours=hour)
        told, notice = after_condition(told, BANK, "Banque du Port", Condition.PROVIDER_DOWN, at)
        count += notice is not None
    assert count == 3
