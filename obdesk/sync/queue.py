"""The rules of the queue, pure: how wishes for one connection fold together, and whose turn it is.

Of each connection at most one job waits and at most one runs. A wish that comes while another waits
becomes one with it, so a thousand hints are one sync.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from obdesk.domain.entities import Trigger
from obdesk.domain.jobs import Priority

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from obdesk.domain.jobs import Job, Waiting

FRESH_TARGET = timedelta(hours=4)
"""No figure should be older than this while the program runs."""
NEVER_PLANNED = timedelta(hours=25)
"""Further ahead nothing is ever planned: a date beyond it was made before the clock was set back."""

_PRIORITIES = {
    Trigger.PERSON: Priority.PERSON,
    Trigger.LINK: Priority.PERSON,
    Trigger.WEBHOOK: Priority.WEBHOOK,
    Trigger.START: Priority.REST,
    Trigger.SCHEDULE: Priority.REST,
    Trigger.RETRY: Priority.REST,
}


def priority_of(trigger: Trigger, asked_at: datetime | None, now: datetime) -> Priority:
    """Return the priority of a wish: a person first, then hints, then what goes stale, then the rest."""
    priority = _PRIORITIES[trigger]
    is_stale = asked_at is None or not timedelta(0) <= now - asked_at < FRESH_TARGET
    return Priority.GOING_STALE if priority is Priority.REST and is_stale else priority


def folded(waiting: Job, wish: Job) -> Job:
    """Return the one job that does what both want, as urgently as the more urgent one.

    A person waits for no backoff. Anybody else does, because the one who asked us to come back later
    meant it; without a backoff the earlier of both dates holds.
    """
    both = (waiting, wish)
    backoffs = [job.not_before for job in both if job.attempts]
    if backoffs and all(job.priority is not Priority.PERSON for job in both):
        not_before = max(backoffs)
    else:
        not_before = min(job.not_before for job in both)
    first = wish if wish.priority.value < waiting.priority.value else waiting
    return replace(
        waiting,
        trigger=first.trigger,
        priority=first.priority,
        kind=waiting.kind.or_more(wish.kind),
        asks_bank=waiting.asks_bank or wish.asks_bank,
        attended=waiting.attended or wish.attended,
        not_before=not_before,
        put_at=min(waiting.put_at, wish.put_at),
        attempts=max(waiting.attempts, wish.attempts),
    )


def covers(running: Job, wish: Job) -> bool:
    """Tell whether a job under way answers a wish that comes meanwhile.

    A hint is never answered by what began before it: the news may be younger than what was read.
    """
    return (
        wish.trigger is not Trigger.WEBHOOK
        and running.kind.or_more(wish.kind) is running.kind
        and (running.asks_bank or not wish.asks_bank)
    )


def is_ready(job: Job, now: datetime) -> bool:
    """Tell whether the time of a waiting job has come."""
    return not now < job.not_before <= now + NEVER_PLANNED


def next_of(waiting: Sequence[Waiting]) -> Job | None:
    """Return the job whose turn it is: the most urgent one, among equals the one that waits longest."""
    return min(waiting, key=_turn).job if waiting else None


def _turn(waiting: Waiting) -> tuple[int, bool, datetime, int]:
    job = waiting.job
    is_raised = waiting.important and job.priority is Priority.REST
    priority = Priority.GOING_STALE if is_raised else job.priority
    return priority.value, not waiting.important, job.put_at, job.id


def left_alone(job: Job, now: datetime) -> Job:
    """Return a job whose person has left, or whose process died: a plain read that bothers nobody.

    The bank may have been asked already and must not ask somebody who is not there.
    """
    return replace(
        job,
        trigger=Trigger.RETRY,
        priority=Priority.REST,
        asks_bank=False,
        attended=False,
        not_before=min(job.not_before, now) if job.attempts == 0 else job.not_before,
    )


def again(job: Job, not_before: datetime, now: datetime) -> Job:
    """Return the next try of a job that failed and may heal alone."""
    alone = left_alone(job, now)
    return replace(alone, not_before=not_before, put_at=now, attempts=job.attempts + 1)
