"""What limits how often others are asked: breakers, the ledger of calls, and who waits for a turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from obdesk.domain.conditions import Condition
from obdesk.domain.ids import ConnectionId
from obdesk.domain.limits import WINDOW, BankCall, Breaker, BreakerState, Budget, budget_of
from obdesk.storage.columns import instant, instant_or_none, to_ms
from obdesk.storage.queries.mailbox import sharing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from obdesk.storage.engine import Connection

BREAKER = "SELECT subject, state, failures, trips, reason, opened_at, probe_at FROM breakers"
CALLS = "SELECT at, attended FROM bank_calls WHERE connection_id = ? AND at > ?"


class Limits(NamedTuple):
    """What stands between a sync and its first request."""

    breakers: dict[str, Breaker]
    """By subject; who is well has none."""
    condition: Condition
    retry_at: datetime | None


class Told(NamedTuple):
    """How a link stood when its provider was last asked about it."""

    provider_state: str
    data_as_of: datetime | None
    consent_expires_at: datetime | None


def limits(connection: Connection, of: ConnectionId, subjects: tuple[str, ...]) -> Limits:
    """Return what limits a sync of one link; raises LookupError when it is unknown."""
    row = connection.execute("SELECT condition, retry_at FROM connections WHERE id = ?", (of,)).fetchone()
    if row is None:
        raise LookupError(of)
    return Limits(breakers_of(connection, subjects), Condition(row[0]), instant_or_none(row[1]))


def told_of(connection: Connection, of: ConnectionId) -> Told:
    """Return how a link stood when it was last told of; raises LookupError when it is unknown."""
    row = connection.execute(
        "SELECT provider_state, data_as_of, consent_expires_at FROM connections WHERE id = ?", (of,)
    ).fetchone()
    if row is None:
        raise LookupError(of)
    return Told(row[0], instant_or_none(row[1]), instant_or_none(row[2]))


def breakers_of(connection: Connection, subjects: tuple[str, ...]) -> dict[str, Breaker]:
    """Return the breakers of some subjects; who is well has none."""
    marks = ",".join("?" * len(subjects))
    rows = connection.execute(f"{BREAKER} WHERE subject IN ({marks})", subjects).fetchall()
    return {row[0]: breaker_of(row) for row in rows}


def breakers(connection: Connection) -> tuple[Breaker, ...]:
    """Return everybody who failed lately or is not asked for a while."""
    rows = connection.execute(f"{BREAKER} ORDER BY subject").fetchall()
    return tuple(breaker_of(row) for row in rows)


def breaker_of(row: tuple[Any, ...]) -> Breaker:
    """Return a breaker from its row."""
    return Breaker(
        subject=row[0],
        state=BreakerState(row[1]),
        failures=row[2],
        trips=row[3],
        reason=Condition(row[4]),
        since=instant_or_none(row[5]),
        probe_at=instant_or_none(row[6]),
    )


def calls_of(rows: Iterable[tuple[Any, ...]]) -> list[BankCall]:
    """Return calls from their rows."""
    return [BankCall(instant(row[0]), bool(row[1])) for row in rows]


def budget(connection: Connection, of: ConnectionId, now: datetime) -> Budget:
    """Return how often a bank may still be read today without its person."""
    made = calls_of(connection.execute(CALLS, (of, to_ms(now - WINDOW))).fetchall())
    return budget_of(made, now, sharing(connection))


def budgets(connection: Connection, now: datetime) -> dict[ConnectionId, Budget]:
    """Return for each link how often its bank may still be read today without the person."""
    links = [row[0] for row in connection.execute("SELECT id FROM connections WHERE removed_at IS NULL")]
    return {ConnectionId(link): budget(connection, ConnectionId(link), now) for link in links}


def calls_this_minute(connection: Connection, host: str, minute: int) -> int:
    """Return how many requests a host got in a minute (counted from 1970) and the one before."""
    found = connection.execute(
        "SELECT coalesce(sum(calls), 0) FROM host_calls WHERE host = ? AND minute BETWEEN ? AND ?",
        (host, minute - 1, minute),
    ).fetchone()
    return int(found[0])


def was_told(connection: Connection, key: str) -> bool:
    """Tell whether the person got a notice already."""
    return connection.execute("SELECT 1 FROM told WHERE key = ?", (key,)).fetchone() is not None
