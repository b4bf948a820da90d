"""Writing the queue: lines are put, begun, put back and ended; which ones is decided elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.storage.columns import to_ms
from obdesk.storage.queries.jobs import JOB, job_of

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.conditions import Condition
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.jobs import Job
    from obdesk.storage.tx import Tx


def waiting_of(tx: Tx, connection_id: ConnectionId) -> Job | None:
    """Return the job of a connection that has not begun."""
    rows = tx.rows(
        f"SELECT {JOB} FROM jobs j WHERE j.begun_at IS NULL AND j.connection_id = ?", (connection_id,)
    )
    return job_of(rows[0]) if rows else None


def begun(tx: Tx, connection_id: ConnectionId | None = None) -> list[Job]:
    """Return the jobs that have begun, of all connections or of one."""
    only = "" if connection_id is None else " AND j.connection_id = ?"
    values = () if connection_id is None else (connection_id,)
    rows = tx.rows(f"SELECT {JOB} FROM jobs j WHERE j.begun_at IS NOT NULL{only} ORDER BY j.id", values)
    return [job_of(row) for row in rows]


def attended(tx: Tx) -> list[Job]:
    """Return the waiting jobs for which a person waited."""
    return [
        job_of(row) for row in tx.rows(f"SELECT {JOB} FROM jobs j WHERE j.begun_at IS NULL AND j.attended")
    ]


def keep(tx: Tx, job: Job) -> int:
    """Keep a job as one that waits: a new one, or a known one as it is now; return its id.

    Raises LookupError when the connection does not exist.
    """
    values = {
        "trigger": job.trigger.value,
        "priority": job.priority.value,
        "kind": job.kind.value,
        "asks_bank": job.asks_bank,
        "attended": job.attended,
        "not_before": to_ms(job.not_before),
        "put_at": to_ms(job.put_at),
        "attempts": job.attempts,
        "begun_at": None,
    }
    if job.id:
        tx.update("jobs", job.id, values)
        return job.id
    if tx.value("SELECT 1 FROM connections WHERE id = ?", (job.connection_id,)) is None:
        raise LookupError(job.connection_id)
    return tx.insert("jobs", {"connection_id": job.connection_id, **values})


def begin(tx: Tx, job: Job, now: datetime) -> None:
    """Take a job out to be done; a second one of its connection cannot begin meanwhile."""
    tx.update("jobs", job.id, {"begun_at": to_ms(now)})


def end(tx: Tx, connection_id: ConnectionId) -> None:
    """Forget the running job of a connection, if there is one: its work is kept."""
    tx.execute("DELETE FROM jobs WHERE connection_id = ? AND begun_at IS NOT NULL", (connection_id,))


def drop(tx: Tx, connection_id: ConnectionId) -> None:
    """Forget what waits for a connection."""
    tx.execute("DELETE FROM jobs WHERE connection_id = ? AND begun_at IS NULL", (connection_id,))


def forget(tx: Tx, job: Job) -> None:
    """Forget one job."""
    tx.execute("DELETE FROM jobs WHERE id = ?", (job.id,))


def hasten(tx: Tx, condition: Condition, not_before: datetime) -> None:
    """Let the next try of every connection in a condition come earlier."""
    values = (to_ms(not_before), condition.value)
    tx.execute(
        "UPDATE jobs SET not_before = ?1 WHERE begun_at IS NULL AND not_before > ?1 AND connection_id IN "
        "(SELECT id FROM connections WHERE condition = ?2)",
        values,
    )
    tx.execute("UPDATE connections SET retry_at = ?1 WHERE condition = ?2 AND retry_at > ?1", values)


def forgive(tx: Tx) -> None:
    """Let no job wait because of what failed before."""
    tx.execute("UPDATE jobs SET attempts = 0, not_before = put_at WHERE begun_at IS NULL AND attempts > 0")
