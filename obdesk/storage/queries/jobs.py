"""The queue as it is: what waits, with what decides about its turn, and how much there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import Trigger
from obdesk.domain.ids import ConnectionId
from obdesk.domain.jobs import Job, Priority, QueueState, Waiting
from obdesk.domain.syncing import SyncKind
from obdesk.storage.columns import instant, instant_or_none

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.storage.engine import Connection

JOB = (
    "j.id, j.connection_id, j.trigger, j.priority, j.kind, j.asks_bank, j.attended, j.not_before, j.put_at, "
    "j.attempts"
)
_WAITING = f"""
SELECT {JOB}, c.asked_at, c.removed_at IS NULL AND NOT c.paused AND c.condition <> 'gone',
       EXISTS (SELECT 1 FROM accounts a JOIN account_edits e ON e.account_id = a.id
               WHERE a.connection_id = j.connection_id AND e.important)
FROM jobs j JOIN connections c ON c.id = j.connection_id WHERE j.begun_at IS NULL
"""


def waiting(connection: Connection) -> tuple[Waiting, ...]:
    """Return every job that has not begun."""
    return tuple(
        Waiting(job_of(row), important=bool(row[12]), asked_at=instant_or_none(row[10]), live=bool(row[11]))
        for row in connection.execute(_WAITING)
    )


def job_of(row: tuple[Any, ...]) -> Job:
    """Return the job that the columns of `JOB` hold."""
    return Job(
        connection_id=ConnectionId(row[1]),
        trigger=Trigger(row[2]),
        priority=Priority(row[3]),
        kind=SyncKind(row[4]),
        asks_bank=bool(row[5]),
        attended=bool(row[6]),
        not_before=instant(row[7]),
        put_at=instant(row[8]),
        attempts=row[9],
        id=row[0],
    )


def queue_state(connection: Connection) -> QueueState:
    """Return how much is wanted and under way."""
    depth, oldest_at, running = connection.execute(
        "SELECT count(*) FILTER (WHERE begun_at IS NULL), min(put_at) FILTER (WHERE begun_at IS NULL), "
        "count(begun_at) FROM jobs"
    ).fetchone()
    return QueueState(depth, instant_or_none(oldest_at), running)


def asked_at(connection: Connection) -> dict[ConnectionId, datetime | None]:
    """Return when each link was last read to the end."""
    rows = connection.execute("SELECT id, asked_at FROM connections")
    return {ConnectionId(row[0]): instant_or_none(row[1]) for row in rows}


def retry_at(connection: Connection, of: ConnectionId) -> datetime | None:
    """Return when a link that failed is tried again by itself; None where it is not, or is erased."""
    row = connection.execute("SELECT retry_at FROM connections WHERE id = ?", (of,)).fetchone()
    return None if row is None else instant_or_none(row[0])


def name_and_condition(connection: Connection, of: ConnectionId) -> tuple[str, Condition]:
    """Return what a link is called and how it is before a sync."""
    row = connection.execute("SELECT bank, condition FROM connections WHERE id = ?", (of,)).fetchone()
    if row is None:
        raise LookupError(of)
    return str(row[0]), Condition(row[1])
