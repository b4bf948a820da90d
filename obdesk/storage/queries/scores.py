"""Counting what syncing wrote down: runs, calls, breakers, proofs, holes, the queue."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunCounts, RunResult, SyncKind, Trigger
from obdesk.domain.ids import AccountId, ConnectionId
from obdesk.domain.limits import WINDOW, budget_of
from obdesk.domain.proofs import ProofState
from obdesk.domain.scores import (
    COUNTED,
    CallsScore,
    ConnectionScore,
    Finding,
    OpenHole,
    ProofScore,
    QueuedJob,
    Scores,
    Tally,
)
from obdesk.storage.columns import instant, instant_or_none, to_ms
from obdesk.storage.queries.limits import CALLS, breakers, calls_of
from obdesk.storage.queries.mailbox import sharing
from obdesk.storage.queries.proofs import proofs
from obdesk.storage.queries.suggestions import OPEN_PAIRS

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.storage.engine import Connection

_NAME = "coalesce(nullif(e.name, ''), a.name)"
_ANSWERED = "('updated', 'unchanged')"
_FAILED = "('action_needed', 'retry_later', 'broken')"

_LINKS = f"""
SELECT c.id, c.bank, c.failures, c.condition, c.paused,
       (SELECT max(ended_at) FROM runs r WHERE r.connection_id = c.id),
       (SELECT max(ended_at) FROM runs r WHERE r.connection_id = c.id AND r.result IN {_ANSWERED})
FROM connections c WHERE c.removed_at IS NULL ORDER BY c.bank COLLATE NOCASE, c.id
"""
_TALLIES = """
SELECT connection_id, count(*), sum(new), sum(updated), sum(removed), sum(unchanged), sum(problems),
       sum(requests), sum(duration_ms), max(duration_ms)
FROM runs WHERE ended_at >= ? GROUP BY connection_id
"""
_JOBS = """
SELECT j.connection_id, c.bank, j.kind, j.trigger, j.put_at, j.not_before, j.attempts, j.begun_at IS NOT NULL
FROM jobs j JOIN connections c ON c.id = j.connection_id
ORDER BY j.begun_at IS NULL, max(j.not_before, j.put_at), j.id
"""
_HOLES = f"""
SELECT h.account_id, a.connection_id, {_NAME}, c.bank, h.from_day, h.to_day, h.found_at
FROM holes h JOIN accounts a ON a.id = h.account_id JOIN connections c ON c.id = a.connection_id
LEFT JOIN account_edits e ON e.account_id = a.id
WHERE h.closed_at IS NULL AND c.removed_at IS NULL ORDER BY c.bank COLLATE NOCASE, a.id, h.from_day
"""
_FINDINGS = """
SELECT p.connection_id, c.bank, p.kind, count(*), max(p.seen_at)
FROM problems p JOIN connections c ON c.id = p.connection_id
WHERE c.removed_at IS NULL AND p.settled_at IS NULL
GROUP BY p.connection_id, p.kind ORDER BY c.bank COLLATE NOCASE, p.connection_id, p.kind
"""
_SUGGESTIONS = (
    "SELECT connection_id, count(*) FROM accounts a JOIN "
    f"(SELECT s.account_id {OPEN_PAIRS}) open ON open.account_id = a.id GROUP BY connection_id"
)


def scores(connection: Connection, now: datetime) -> Scores:
    """Count everything as it is at one instant; runs and events of the last 30 days."""
    since = now - COUNTED
    proved, holes = _proofs(connection), _holes(connection)
    found_in_data = findings(connection)
    suggestions = {ConnectionId(row[0]): int(row[1]) for row in connection.execute(_SUGGESTIONS)}
    found = {each.subject: each for each in breakers(connection)}
    tallies = _tallies(connection, since)
    renewed = connection.execute(
        "SELECT count(*), max(at) FROM events WHERE kind = 'token_renewed' AND at >= ?", (to_ms(since),)
    ).fetchone()
    links = tuple(
        ConnectionScore(
            connection_id=(link := ConnectionId(row[0])),
            bank=row[1],
            condition=Condition(row[3]),
            paused=bool(row[4]),
            tally=tallies.get(link, Tally()),
            last_run_at=instant_or_none(row[5]),
            last_success_at=instant_or_none(row[6]),
            failures_in_a_row=row[2],
            breaker=found.get(f"connection:{link}"),
            calls=_calls(connection, link, now),
            data_problems=sum(each.many for each in found_in_data if each.connection_id == link),
            duplicates=suggestions.get(link, 0),
            proofs_broken=sum(each.connection_id == link for each in proved.broken),
            holes=sum(each.connection_id == link for each in holes),
        )
        for row in connection.execute(_LINKS).fetchall()
    )
    return Scores(
        as_of=now,
        since=since,
        connections=links,
        queue=_queue(connection),
        findings=found_in_data,
        proofs=proved,
        holes=holes,
        suggestions=suggestions,
        hosts={
            subject.removeprefix("host:"): each
            for subject, each in found.items()
            if not subject.startswith("connection:")
        },
        requests_last_minute=_requests(connection, now, timedelta(minutes=1)),
        requests_last_hour=_requests(connection, now, timedelta(hours=1)),
        token_renewals=renewed[0],
        token_renewed_at=instant_or_none(renewed[1]),
    )


def _tallies(connection: Connection, since: datetime) -> dict[ConnectionId, Tally]:
    results: dict[int, dict[RunResult, int]] = {}
    failures: dict[int, dict[Condition, int]] = {}
    ended = connection.execute(
        "SELECT connection_id, result, count(*) FROM runs WHERE ended_at >= ? GROUP BY 1, 2", (to_ms(since),)
    )
    for link, result, many in ended:
        results.setdefault(link, {})[RunResult(result)] = many
    failed = connection.execute(
        f"SELECT connection_id, condition, count(*) FROM runs WHERE ended_at >= ? AND result IN {_FAILED} "
        "GROUP BY 1, 2 ORDER BY 3 DESC, 2",
        (to_ms(since),),
    )
    for link, condition, many in failed:
        failures.setdefault(link, {})[Condition(condition)] = many
    return {
        ConnectionId(row[0]): Tally(
            runs=row[1],
            results=results.get(row[0], {}),
            failures=failures.get(row[0], {}),
            counts=RunCounts(row[2], row[3], row[4], row[5], row[6]),
            requests=row[7],
            duration_s=row[8] / 1000,
            duration_max_s=row[9] / 1000,
        )
        for row in connection.execute(_TALLIES, (to_ms(since),))
    }


def _calls(connection: Connection, link: ConnectionId, now: datetime) -> CallsScore:
    made = calls_of(connection.execute(CALLS, (link, to_ms(now - WINDOW))).fetchall())
    attended = sum(each.attended for each in made)
    return CallsScore(attended, len(made) - attended, budget_of(made, now, sharing(connection)))


def _queue(connection: Connection) -> tuple[QueuedJob, ...]:
    return tuple(
        QueuedJob(
            connection_id=ConnectionId(row[0]),
            bank=row[1],
            kind=SyncKind(row[2]),
            trigger=Trigger(row[3]),
            put_at=instant(row[4]),
            not_before=instant(row[5]),
            attempts=row[6],
            running=bool(row[7]),
        )
        for row in connection.execute(_JOBS)
    )


def _proofs(connection: Connection) -> ProofScore:
    found = proofs(connection)
    broken = tuple(each for each in found if each.state is ProofState.BROKEN)
    return ProofScore(len(broken) + sum(each.state is ProofState.PROVED for each in found), broken)


def _holes(connection: Connection) -> tuple[OpenHole, ...]:
    return tuple(_hole(row) for row in connection.execute(_HOLES))


def _hole(row: tuple[Any, ...]) -> OpenHole:
    return OpenHole(
        account_id=AccountId(row[0]),
        connection_id=ConnectionId(row[1]),
        account_name=row[2],
        bank=row[3],
        from_day=date.fromisoformat(row[4]),
        to_day=date.fromisoformat(row[5]),
        found_at=instant(row[6]),
    )


def findings(connection: Connection) -> tuple[Finding, ...]:
    """Return how many findings of each kind there are about each bank's data."""
    return tuple(
        Finding(ConnectionId(link), bank, kind, many, instant(seen_at))
        for link, bank, kind, many, seen_at in connection.execute(_FINDINGS)
    )


def _requests(connection: Connection, now: datetime, span: timedelta) -> int:
    """Return the requests of the minutes that lie in a span up to now, the running one included."""
    last = to_ms(now) // 60_000
    first = last - span // timedelta(minutes=1) + 1
    row = connection.execute(
        "SELECT coalesce(sum(calls), 0) FROM host_calls WHERE minute BETWEEN ? AND ?", (first, last)
    ).fetchone()
    return int(row[0])
