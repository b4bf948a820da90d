"""Connections with their state, consent and last runs; runs and problems of the data."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from obdesk.domain.conditions import Condition, freshness_of, needs_you
from obdesk.domain.consent import Ending
from obdesk.domain.entities import Connection as Link
from obdesk.domain.entities import DataProblem, Run, RunCounts, RunResult, SyncKind, Trigger
from obdesk.domain.findings import ABOUT_KEPT
from obdesk.domain.freshness import FreshnessState
from obdesk.domain.ids import AccountId, ConnectionId, RunId
from obdesk.storage.columns import instant, instant_or_none, to_ms
from obdesk.storage.queries.accounts import freshness
from obdesk.storage.queries.limits import budget

if TYPE_CHECKING:
    from obdesk.storage.engine import Connection

RUNS_SHOWN = 12

_CONNECTIONS = """
SELECT c.id, c.provider, c.provider_id, c.bank, c.color, c.condition, c.provider_state, c.bank_message,
       c.paused, c.created_at, c.consent_expires_at, c.asked_at, c.data_as_of, c.retry_at,
       c.failures > 0 AND c.retry_at IS NULL,
       (SELECT count(*) FROM accounts a WHERE a.connection_id = c.id AND a.state = 'active'),
       (SELECT min(h.from_day) || ' ' || max(h.to_day) FROM holes h JOIN accounts a ON a.id = h.account_id
        WHERE a.connection_id = c.id AND h.closed_at IS NULL)
FROM connections c WHERE c.removed_at IS NULL ORDER BY c.bank COLLATE NOCASE, c.id
"""

_RUN = (
    "SELECT id, connection_id, trigger, started_at, ended_at, result, condition, new, updated, removed, "
    "unchanged, problems, requests, duration_ms, kind, attempt, asked_bank, detail, reverted_at FROM runs"
)


def connections(connection: Connection, now: datetime, interval: timedelta) -> tuple[Link, ...]:
    """Return all links, those that need their person first; `interval` is the time between two checks."""
    found = [_link(connection, row, now, interval) for row in connection.execute(_CONNECTIONS).fetchall()]
    return tuple(sorted(found, key=_urgency))


def _urgency(link: Link) -> int:
    if needs_you(link.condition):
        return 0
    return 1 if freshness_of(link.condition) in {FreshnessState.DELAYED, FreshnessState.BROKEN} else 2


def _link(connection: Connection, row: tuple[Any, ...], now: datetime, interval: timedelta) -> Link:
    condition = Condition(row[5])
    asked_at, retry_at = instant_or_none(row[11]), instant_or_none(row[13])
    paused = bool(row[8])
    return Link(
        id=ConnectionId(row[0]),
        provider=row[1],
        provider_id=row[2],
        bank=row[3],
        color=row[4],
        condition=condition,
        provider_state=row[6],
        bank_message=row[7],
        paused=paused,
        created_at=instant_or_none(row[9]),
        consent_expires_at=instant_or_none(row[10]),
        next_run_at=next_run(asked_at, retry_at, interval, now, waits=paused or bool(row[14])),
        freshness=freshness(condition, asked_at, instant_or_none(row[12]), now, paused=paused),
        account_count=row[15],
        last_runs=runs(connection, ConnectionId(row[0]), RUNS_SHOWN),
        budget=budget(connection, ConnectionId(row[0]), now),
        missing_days=_days(row[16]),
    )


def _days(text: str | None) -> tuple[date, date] | None:
    if text is None:
        return None
    first, last = text.split()
    return date.fromisoformat(first), date.fromisoformat(last)


def next_run(
    asked_at: datetime | None,
    retry_at: datetime | None,
    interval: timedelta,
    now: datetime,
    *,
    waits: bool,
) -> datetime | None:
    """Return when a link is asked next by itself; None while it waits for its person."""
    if waits:
        return None
    if retry_at is not None:
        return retry_at
    if asked_at is None or asked_at > now:
        return now
    return asked_at + interval


def runs(connection: Connection, of: ConnectionId | None, limit: int) -> tuple[Run, ...]:
    """Return the last syncs, newest first."""
    if of is None:
        rows = connection.execute(f"{_RUN} ORDER BY id DESC LIMIT ?", (limit,))
    else:
        rows = connection.execute(f"{_RUN} WHERE connection_id = ? ORDER BY id DESC LIMIT ?", (of, limit))
    return tuple(_run(row) for row in rows)


def run(connection: Connection, run_id: RunId) -> Run | None:
    """Return one sync, or None when it is not known (any more)."""
    row = connection.execute(f"{_RUN} WHERE id = ?", (run_id,)).fetchone()
    return None if row is None else _run(row)


def _run(row: tuple[Any, ...]) -> Run:
    return Run(
        id=RunId(row[0]),
        connection_id=ConnectionId(row[1]),
        trigger=Trigger(row[2]),
        started_at=instant(row[3]),
        ended_at=instant(row[4]),
        result=RunResult(row[5]),
        condition=Condition(row[6]),
        counts=RunCounts(row[7], row[8], row[9], row[10], row[11]),
        requests=row[12],
        duration_s=row[13] / 1000,
        kind=SyncKind(row[14]),
        attempt=row[15],
        asked_bank=bool(row[16]),
        detail=row[17],
        reverted_at=instant_or_none(row[18]),
    )


def problems(connection: Connection, limit: int, *, settled: bool = False) -> tuple[DataProblem, ...]:
    """Return what is wrong in the data of links that were not removed, newest first.

    What the person settled is left out, or alone is told.

    Refused rows come last: there may be thousands, and what a person can decide about must be seen.
    """
    rows = connection.execute(
        "SELECT p.id, p.connection_id, p.account_id, p.seen_at, p.kind, p.subject, p.detail FROM problems p "
        "JOIN connections c ON c.id = p.connection_id WHERE c.removed_at IS NULL "
        f"AND p.settled_at IS {'NOT' if settled else ''} NULL "
        f"ORDER BY p.kind NOT IN ({','.join('?' * len(ABOUT_KEPT))}), p.id DESC LIMIT ?",
        (*ABOUT_KEPT, limit),
    )
    return tuple(
        DataProblem(
            id=row[0],
            connection_id=ConnectionId(row[1]),
            account_id=None if row[2] is None else AccountId(row[2]),
            seen_at=instant(row[3]),
            kind=row[4],
            subject=row[5],
            detail=row[6],
        )
        for row in rows
    )


def known_ids(connection: Connection, provider: str) -> dict[str, ConnectionId]:
    """Return the links of one provider by its id."""
    rows = connection.execute("SELECT provider_id, id FROM connections WHERE provider = ?", (provider,))
    return {provider_id: ConnectionId(found) for provider_id, found in rows}


class Standing(Enum):
    """Where a known link stands between the provider and the person."""

    LISTED = "listed"
    GONE = "gone"
    """The provider did not list it last time."""
    REMOVED = "removed"
    """The person removed it; a late list of the provider does not bring it back."""


def known_links(connection: Connection, provider: str) -> dict[str, tuple[ConnectionId, Standing]]:
    """Return the links of one provider by its id, each with its standing."""
    rows = connection.execute(
        "SELECT provider_id, id, CASE WHEN removed_at IS NOT NULL THEN 'removed' "
        "WHEN condition = 'gone' THEN 'gone' ELSE 'listed' END FROM connections WHERE provider = ?1 "
        # Erased here, not yet there: the provider goes on listing it.
        "UNION ALL SELECT provider_id, 0, 'removed' FROM erasures WHERE provider = ?1 AND provider_id NOT IN "
        "(SELECT provider_id FROM connections WHERE provider = ?1)",
        (provider,),
    )
    return {provider_id: (ConnectionId(found), Standing(standing)) for provider_id, found, standing in rows}


def standings(connection: Connection) -> dict[str, tuple[ConnectionId, Standing]]:
    """Return all links by their provider's id; where two providers share one, either: for hints only."""
    providers = connection.execute("SELECT provider FROM connections UNION SELECT provider FROM erasures")
    found: dict[str, tuple[ConnectionId, Standing]] = {}
    for (provider,) in providers.fetchall():
        found |= known_links(connection, provider)
    return found


def sync_state(connection: Connection, of: ConnectionId) -> tuple[str, str, str | None, datetime | None, int]:
    """Return what a sync starts from: provider id, bank, cursor, last full sync, failures in a row."""
    row = connection.execute(
        "SELECT provider_id, bank, cursor, full_sync_at, failures FROM connections WHERE id = ?", (of,)
    ).fetchone()
    if row is None:
        raise LookupError(of)
    return row[0], row[1], row[2], instant_or_none(row[3]), row[4]


def due(connection: Connection, now: datetime, interval: timedelta) -> tuple[ConnectionId, ...]:
    """Return the links whose time has come: by schedule, by retry, or because a clock was set back."""
    rows = connection.execute(
        "SELECT id FROM connections WHERE removed_at IS NULL AND NOT paused AND condition <> 'gone' AND "
        # A failure without a date for the next try waits for the person.
        # No wait is longer than a day: one that seems so is of a clock that was set back.
        "CASE WHEN retry_at IS NOT NULL THEN retry_at <= ?1 OR retry_at > ?1 + 90000000 "
        "WHEN failures > 0 THEN 0 "
        "ELSE asked_at IS NULL OR asked_at <= ?1 - ?2 OR asked_at > ?1 + 300000 END ORDER BY asked_at",
        (to_ms(now), interval // timedelta(milliseconds=1)),
    )
    return tuple(ConnectionId(row[0]) for row in rows)


def consents(connection: Connection) -> tuple[Ending, ...]:
    """Return the consents that have an end, of links that are there."""
    rows = connection.execute(
        "SELECT id, bank, consent_expires_at FROM connections WHERE removed_at IS NULL "
        "AND condition <> 'gone' AND consent_expires_at IS NOT NULL ORDER BY consent_expires_at, id"
    )
    return tuple(Ending(ConnectionId(row[0]), row[1], instant(row[2])) for row in rows)


def setting(connection: Connection, key: str) -> str | None:
    """Return a stored setting."""
    row = connection.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def token(connection: Connection, name: str) -> str | None:
    """Return a token of a profile without a keyring."""
    row = connection.execute("SELECT value FROM tokens WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def token_names(connection: Connection) -> tuple[str, ...]:
    """Return the names of the tokens of a profile without a keyring."""
    return tuple(row[0] for row in connection.execute("SELECT name FROM tokens ORDER BY name"))


def live_ids(connection: Connection) -> tuple[ConnectionId, ...]:
    """Return the links that are neither removed nor paused nor gone at the provider."""
    rows = connection.execute(
        "SELECT id FROM connections WHERE removed_at IS NULL AND NOT paused AND condition <> 'gone' "
        "ORDER BY id"
    )
    return tuple(ConnectionId(row[0]) for row in rows)


def condition_of(connection: Connection, of: ConnectionId) -> Condition:
    """Return the condition of a link."""
    row = connection.execute("SELECT condition FROM connections WHERE id = ?", (of,)).fetchone()
    if row is None:
        raise LookupError(of)
    return Condition(row[0])


def provider_id_of(connection: Connection, of: ConnectionId) -> str:
    """Return what the provider calls a link."""
    row = connection.execute("SELECT provider_id FROM connections WHERE id = ?", (of,)).fetchone()
    if row is None:
        raise LookupError(of)
    return str(row[0])


def data_version(connection: Connection) -> int:
    """Return a number that differs once any other connection has committed (SQLite's data_version)."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])
