"""Writing what a sync leaves behind besides rows: its record, page digests, problems of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.storage.columns import to_ms
from obdesk.storage.writes import jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.remote import RowProblem
    from obdesk.domain.syncing import SyncOutcome
    from obdesk.storage.tx import Tx

RUNS_KEPT = 500


def add_run(
    tx: Tx,
    outcome: SyncOutcome,
    ended_at: datetime,
    *,
    added: tuple[int, int] | None = None,
    cursor_before: str | None = None,
) -> int:
    """Keep the record of a sync, whose job ends with it; of each connection the newest 500 stay.

    `added` is the first and last id of the transactions that came new, `cursor_before` where the sync
    began to read: both are needed to take it back.
    """
    jobs.end(tx, outcome.connection_id)
    counts = outcome.counts
    told = {
        "connection_id": outcome.connection_id,
        "trigger": outcome.trigger.value,
        "kind": outcome.kind.value,
        "attempt": outcome.attempt,
        "asked_bank": outcome.asked_bank,
        "started_at": to_ms(outcome.started_at),
        "ended_at": to_ms(ended_at),
        "duration_ms": round(outcome.duration_s * 1000),
        "result": outcome.result.value,
        "condition": outcome.condition.value,
        "new": counts.new,
        "updated": counts.updated,
        "removed": counts.removed,
        "unchanged": counts.unchanged,
        "problems": counts.problems,
        "requests": outcome.requests,
        "detail": outcome.detail,
        "added_from": None if added is None else added[0],
        "added_to": None if added is None else added[1],
        "cursor_before": cursor_before,
    }
    run_id = tx.insert("runs", told)
    tx.execute(
        "DELETE FROM runs WHERE connection_id = ?1 AND id <= "
        "(SELECT id FROM runs WHERE connection_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        (outcome.connection_id, RUNS_KEPT),
    )
    return run_id


def digests(tx: Tx, connection_id: ConnectionId, series: str) -> dict[int, tuple[bytes, int]]:
    """Return digest and row count of each page of the last answer of one kind."""
    rows = tx.rows(
        "SELECT number, digest, rows FROM page_digests WHERE connection_id = ? AND series = ?",
        (connection_id, series),
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def keep_digests(
    tx: Tx, connection_id: ConnectionId, series: str, pages: Mapping[int, tuple[bytes, int]]
) -> None:
    """Keep the digests of this answer in place of the last one's."""
    tx.execute("DELETE FROM page_digests WHERE connection_id = ? AND series = ?", (connection_id, series))
    if pages:
        tx.executemany(
            "INSERT INTO page_digests(connection_id, series, number, digest, rows) VALUES (?, ?, ?, ?, ?)",
            [(connection_id, series, number, digest, rows) for number, (digest, rows) in pages.items()],
        )


def keep_problems(
    tx: Tx, connection_id: ConnectionId, found: Sequence[tuple[int | None, RowProblem]], now: datetime
) -> list[int]:
    """Keep problems of the data (account id, problem), each once; return the ids of new ones."""
    new: list[int] = []
    for account_id, problem in found:
        made = tx.value(
            "INSERT OR IGNORE INTO problems(connection_id, account_id, seen_at, kind, subject, detail) "
            "VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
            (connection_id, account_id, to_ms(now), problem.kind, problem.subject, problem.detail),
        )
        if made is not None:
            new.append(int(made))
    return new


def solve_problems(tx: Tx, connection_id: ConnectionId, is_solved: Callable[[str], bool]) -> list[int]:
    """Drop the problems whose subjects pass a test; return their ids."""
    stored = tx.rows("SELECT id, subject FROM problems WHERE connection_id = ?", (connection_id,))
    solved = [row[0] for row in stored if is_solved(row[1])]
    for problem_id in solved:
        tx.execute("DELETE FROM problems WHERE id = ?", (problem_id,))
    return solved
