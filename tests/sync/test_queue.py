"""The queue's rules: wishes fold into one, a person goes first, nobody is asked sooner than they said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.entities import Trigger
from obdesk.domain.ids import ConnectionId
from obdesk.domain.jobs import Job, Priority, Waiting
from obdesk.domain.syncing import SyncKind
from obdesk.sync import queue
from tests.fakes import SOME_MORNING

LINK = ConnectionId(1)
SECOND = timedelta(seconds=1)


def a_job(trigger: Trigger = Trigger.SCHEDULE, **other: object) -> Job:
    known: dict[str, object] = {
        "connection_id": LINK,
        "trigger": trigger,
        "priority": queue.priority_of(trigger, SOME_MORNING, SOME_MORNING),
        "kind": SyncKind.DELTA,
        "asks_bank": False,
        "attended": trigger is Trigger.PERSON,
        "not_before": SOME_MORNING,
        "put_at": SOME_MORNING,
    }
    return Job(**(known | other))  # type: ignore[arg-type]


def moments() -> st.SearchStrategy[timedelta]:
    return st.integers(-86_400, 86_400).map(lambda seconds: timedelta(seconds=seconds))


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    trigger = draw(st.sampled_from(Trigger))
    return a_job(
        trigger,
        kind=draw(st.sampled_from(SyncKind)),
        asks_bank=draw(st.booleans()),
        not_before=SOME_MORNING + draw(moments()),
        put_at=SOME_MORNING + draw(moments()),
        attempts=draw(st.integers(0, 9)),
    )


@given(jobs(), jobs())
def test_the_one_job_of_two_does_what_both_wanted(first: Job, second: Job) -> None:
    one = queue.folded(first, second)
    for each in (first, second):
        assert queue.covers(one, replace(each, trigger=Trigger.SCHEDULE))
        assert one.priority.value <= each.priority.value
        assert one.attended or not each.attended
        assert one.attempts >= each.attempts
        assert one.put_at <= each.put_at


@given(jobs(), jobs(), jobs())
def test_the_order_in_which_wishes_come_is_of_no_importance(first: Job, second: Job, third: Job) -> None:
    def wanted(*wishes: Job) -> tuple[object, ...]:
        one = wishes[0]
        for wish in wishes[1:]:
            one = queue.folded(one, wish)
        return one.priority, one.kind, one.asks_bank, one.attended, one.attempts, one.put_at

    assert wanted(first, second, third) == wanted(third, first, second) == wanted(second, third, first)
    assert queue.folded(first, second).not_before == queue.folded(second, first).not_before


@given(jobs())
def test_the_same_wish_again_changes_nothing(job: Job) -> None:
    assert queue.folded(job, job) == job


@given(jobs())
def test_F22_a_thousand_hints_are_one_job(job: Job) -> None:
    hint = a_job(Trigger.WEBHOOK)
    once = queue.folded(job, hint)
    many = once
    for _ in range(1_000):
        many = queue.folded(many, hint)
    assert many == once


def test_a_person_waits_for_no_backoff_and_everybody_else_does() -> None:
    later = SOME_MORNING + timedelta(hours=1)
    waiting = a_job(Trigger.RETRY, not_before=later, attempts=3)
    assert queue.folded(waiting, a_job(Trigger.PERSON)).not_before == SOME_MORNING
    for trigger in (Trigger.SCHEDULE, Trigger.START, Trigger.WEBHOOK):
        assert queue.folded(waiting, a_job(trigger)).not_before == later
        assert queue.folded(a_job(trigger), waiting).not_before == later
    assert queue.folded(replace(waiting, attempts=0), a_job(Trigger.WEBHOOK)).not_before == SOME_MORNING


def test_the_trigger_is_that_of_the_more_urgent_one() -> None:
    assert queue.folded(a_job(Trigger.SCHEDULE), a_job(Trigger.WEBHOOK)).trigger is Trigger.WEBHOOK
    assert queue.folded(a_job(Trigger.PERSON), a_job(Trigger.WEBHOOK)).trigger is Trigger.PERSON
    assert queue.folded(a_job(Trigger.START), a_job(Trigger.SCHEDULE)).trigger is Trigger.START


def test_a_hint_is_not_answered_by_what_began_before_it() -> None:
    running = a_job(Trigger.PERSON, kind=SyncKind.RECONCILE, asks_bank=True)
    assert not queue.covers(running, a_job(Trigger.WEBHOOK))
    assert queue.covers(running, a_job(Trigger.PERSON, asks_bank=True))
    assert not queue.covers(a_job(), a_job(Trigger.PERSON, asks_bank=True))
    assert not queue.covers(a_job(), a_job(kind=SyncKind.FULL))


@pytest.mark.parametrize(
    ("trigger", "asked_h_ago", "priority"),
    [
        (Trigger.PERSON, 1, Priority.PERSON),
        (Trigger.LINK, None, Priority.PERSON),
        (Trigger.WEBHOOK, 1, Priority.WEBHOOK),
        (Trigger.SCHEDULE, 1, Priority.REST),
        (Trigger.SCHEDULE, 4, Priority.GOING_STALE),
        (Trigger.START, None, Priority.GOING_STALE),
        (Trigger.RETRY, -1, Priority.GOING_STALE),
    ],
)
def test_who_goes_before_whom(trigger: Trigger, asked_h_ago: int | None, priority: Priority) -> None:
    asked_at = None if asked_h_ago is None else SOME_MORNING - timedelta(hours=asked_h_ago)
    assert queue.priority_of(trigger, asked_at, SOME_MORNING) is priority


@pytest.mark.parametrize("trigger", list(Trigger))
def test_every_trigger_has_its_priority(trigger: Trigger) -> None:
    assert queue.priority_of(trigger, None, SOME_MORNING) in Priority


def test_the_next_one_is_the_most_urgent_then_the_important_then_the_oldest() -> None:
    def waiting(number: int, priority: Priority, *, important: bool = False, age_s: int = 0) -> Waiting:
        job = a_job(id=number, priority=priority, put_at=SOME_MORNING - age_s * SECOND)
        return Waiting(job, important=important, asked_at=None, live=True)

    order = [
        waiting(9, Priority.PERSON),
        waiting(8, Priority.WEBHOOK),
        waiting(7, Priority.REST, important=True, age_s=9),
        waiting(6, Priority.GOING_STALE, important=True),
        waiting(5, Priority.GOING_STALE, age_s=9),
        waiting(4, Priority.GOING_STALE),
        waiting(3, Priority.REST, age_s=99),
        waiting(2, Priority.REST),
    ]
    left = sorted(order, key=lambda each: each.job.id)
    taken = []
    while (job := queue.next_of(left)) is not None:
        taken.append(job.id)
        left = [each for each in left if each.job.id != job.id]
    assert taken == [each.job.id for each in order]


def test_F53_a_date_from_a_clock_that_was_wrong_keeps_nobody_waiting() -> None:
    hour = timedelta(hours=1)
    assert queue.is_ready(a_job(), SOME_MORNING)
    assert not queue.is_ready(a_job(not_before=SOME_MORNING + SECOND), SOME_MORNING)
    assert not queue.is_ready(a_job(not_before=SOME_MORNING + 24 * hour), SOME_MORNING)
    assert queue.is_ready(a_job(not_before=SOME_MORNING.replace(year=2099)), SOME_MORNING)


@given(jobs())
def test_what_nobody_waits_for_any_more_never_bothers_a_bank_or_its_person(job: Job) -> None:
    alone = queue.left_alone(job, SOME_MORNING)
    assert not alone.asks_bank
    assert not alone.attended
    assert alone.trigger is Trigger.RETRY
    assert alone.kind is job.kind
    assert alone.attempts == job.attempts
    if not job.attempts:
        assert queue.is_ready(alone, SOME_MORNING)


def test_the_next_try_comes_at_its_time_and_counts() -> None:
    at = SOME_MORNING + timedelta(minutes=7)
    retry = queue.again(a_job(Trigger.PERSON, asks_bank=True, attempts=2), at, SOME_MORNING)
    assert (retry.not_before, retry.attempts, retry.attended, retry.asks_bank) == (at, 3, False, False)


def test_a_job_left_alone_goes_last_and_waits_no_longer_than_it_was_told_to() -> None:
    later = SOME_MORNING + timedelta(hours=1)
    wanted = a_job(Trigger.PERSON, asks_bank=True, not_before=later, put_at=SOME_MORNING - SECOND, id=7)
    plain = a_job(Trigger.RETRY, put_at=SOME_MORNING - SECOND, id=7)
    assert queue.left_alone(wanted, SOME_MORNING) == plain
    tried = replace(wanted, attempts=1)
    assert queue.left_alone(tried, SOME_MORNING) == replace(plain, attempts=1, not_before=later)


def test_the_first_retry_is_put_when_the_try_failed() -> None:
    at = SOME_MORNING + timedelta(minutes=7)
    retry = queue.again(a_job(Trigger.PERSON, put_at=SOME_MORNING - SECOND), at, SOME_MORNING)
    assert retry == a_job(Trigger.RETRY, not_before=at, put_at=SOME_MORNING, attempts=1)


def test_an_important_account_lowers_no_hint_and_no_person() -> None:
    def waiting(number: int, priority: Priority, *, important: bool) -> Waiting:
        return Waiting(a_job(id=number, priority=priority), important=important, asked_at=None, live=True)

    for priority in (Priority.PERSON, Priority.WEBHOOK):
        plain, important = (waiting(n, priority, important=n == 2) for n in (1, 2))
        first = queue.next_of([plain, important])
        assert first is not None
        assert first.id == 2


def test_F53_the_moments_at_which_a_date_begins_and_ceases_to_count() -> None:
    far = SOME_MORNING + timedelta(hours=25)
    assert not queue.is_ready(a_job(not_before=far), SOME_MORNING)
    assert queue.is_ready(a_job(not_before=far + SECOND), SOME_MORNING)
    assert queue.priority_of(Trigger.START, SOME_MORNING, SOME_MORNING) is Priority.REST
    soon = SOME_MORNING - timedelta(hours=4) + SECOND
    assert queue.priority_of(Trigger.START, soon, SOME_MORNING) is Priority.REST
