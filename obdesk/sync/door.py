"""The one door of the queue: jobs are put, taken and put back here, each in one transaction.

Whoever holds the profile's sync lock owns every job that has begun. A process that gets the lock
therefore knows that what has begun belongs to nobody any more, and puts it back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from obdesk.storage.queries import jobs as reads
from obdesk.storage.writes import jobs
from obdesk.sync import queue

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.jobs import Job
    from obdesk.storage.tx import Tx


def put(tx: Tx, wish: Job) -> None:
    """Put a wish; it becomes one with what waits already. Raises LookupError without its connection."""
    waiting = jobs.waiting_of(tx, wish.connection_id)
    job = wish if waiting is None else queue.folded(waiting, wish)
    if job != waiting:  # a thousand hints write once
        jobs.keep(tx, job)


def take(tx: Tx, among: Collection[ConnectionId], now: datetime) -> Job | None:
    """Begin the job whose turn it is among some connections; None when nothing of theirs waits."""
    busy = {job.connection_id for job in jobs.begun(tx)}
    wanted = set(among) - busy
    job = queue.next_of([each for each in reads.waiting(tx.connection) if each.job.connection_id in wanted])
    if job is not None:
        jobs.begin(tx, job, now)
    return job


def end(tx: Tx, job: Job, retry: Job | None = None) -> None:
    """Forget a job that ended, and put its next try where there is one; twice is as good as once."""
    jobs.end(tx, job.connection_id)
    if retry is not None and _exists(tx, retry.connection_id):
        put(tx, replace(retry, id=0))


def put_back(tx: Tx, job: Job) -> None:
    """Let a job that has begun wait again as it is given; one that was ended meanwhile stays ended."""
    if any(each.id == job.id for each in jobs.begun(tx, job.connection_id)):
        waiting = jobs.waiting_of(tx, job.connection_id)
        if waiting is not None:
            jobs.forget(tx, waiting)
        jobs.keep(tx, job if waiting is None else queue.folded(job, waiting))


def recover(tx: Tx, now: datetime) -> int:
    """Put back what a dead process had begun, and let nobody wait for its person; return how many."""
    dead = jobs.begun(tx)
    for job in dead:
        put_back(tx, queue.left_alone(job, now))
    for job in jobs.attended(tx):
        jobs.keep(tx, queue.left_alone(job, now))
    return len(dead)


def _exists(tx: Tx, connection_id: ConnectionId) -> bool:
    return tx.value("SELECT 1 FROM connections WHERE id = ?", (connection_id,)) is not None
