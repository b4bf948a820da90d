"""Rows that were kept and look wrong: twice the same, impossible dates, amounts that were not converted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from obdesk.domain.findings import DATES_APART, DUPLICATE, IMPOSSIBLE_DATE, NOT_CONVERTED

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.storage.engine import Connection

LOOKED_AT = timedelta(days=90)
"""How far back rows are looked at: what was not found in three months is old news."""
AHEAD = timedelta(days=366)
APART_DAYS = 730
PER_KIND_MAX = 50
_FIRST_DAY = "1970-01-01"
_ROWS = "FROM transactions WHERE account_id = ?1 AND pending = 0 AND deleted_at IS NULL"


class Suspect(NamedTuple):
    """Something that looks wrong about rows of an account."""

    account_id: int
    kind: str
    subject: str
    """The rows by our own ids, never their content."""


def suspects(
    connection: Connection, of: ConnectionId, proved: Collection[int], now: datetime
) -> list[Suspect]:
    """Return what looks wrong in the accounts of a link.

    In `proved` accounts the balance shows that no row is there twice: identical rows are two operations.
    """
    found: list[Suspect] = []
    accounts = connection.execute(
        "SELECT id, currency, exponent FROM accounts WHERE connection_id = ? AND state = 'active'", (of,)
    ).fetchall()
    for account_id, currency, exponent in accounts:
        if account_id not in proved:
            found += _twice(connection, account_id, now)
        found += _impossible(connection, account_id, now)
        found += _recent(
            connection,
            account_id,
            DATES_APART,
            f"abs(julianday(coalesce(value_on, booked_on)) - julianday(booked_on)) > {APART_DAYS} "
            f"OR abs(julianday(coalesce(done_on, booked_on)) - julianday(booked_on)) > {APART_DAYS}",
            (account_id, _since(now)),
        )
        found += _recent(
            connection,
            account_id,
            NOT_CONVERTED,
            "original_currency NOT IN ('', ?3) AND original_minor = amount_minor AND original_exponent = ?4",
            (account_id, _since(now), currency, exponent),
        )
    return found


def _since(now: datetime) -> str:
    return (now - LOOKED_AT).date().isoformat()


def _twice(connection: Connection, account_id: int, now: datetime) -> list[Suspect]:
    rows = connection.execute(
        f"SELECT min(id), max(id) {_ROWS} AND booked_on >= ?2 "
        "GROUP BY booked_on, amount_minor, search_text "
        f"HAVING count(*) > 1 AND min(first_seen_at) <> max(first_seen_at) ORDER BY 1 LIMIT {PER_KIND_MAX}",
        (account_id, _since(now)),
    )
    return [Suspect(account_id, DUPLICATE, f"transactions {row[0]} {row[1]}") for row in rows]


def _impossible(connection: Connection, account_id: int, now: datetime) -> list[Suspect]:
    ahead = (now + AHEAD).date().isoformat()
    rows = connection.execute(
        f"SELECT id {_ROWS} AND booked_on < ?2 UNION ALL SELECT id {_ROWS} AND booked_on > ?3 "
        f"ORDER BY 1 LIMIT {PER_KIND_MAX}",
        (account_id, _FIRST_DAY, ahead),
    )
    return [Suspect(account_id, IMPOSSIBLE_DATE, f"transaction {row[0]}") for row in rows]


def _recent(
    connection: Connection, account_id: int, kind: str, condition: str, values: tuple[object, ...]
) -> list[Suspect]:
    rows = connection.execute(
        f"SELECT id {_ROWS} AND booked_on >= ?2 AND ({condition}) ORDER BY id LIMIT {PER_KIND_MAX}", values
    )
    return [Suspect(account_id, kind, f"transaction {row[0]}") for row in rows]
