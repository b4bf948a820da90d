"""Keeping the days that no answer covers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from obdesk.storage.columns import to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.storage.tx import Tx


def open_holes(tx: Tx, connection_id: ConnectionId) -> list[tuple[int, int, date, date]]:
    """Return the open holes of a link: id, account, first and last day."""
    rows = tx.rows(
        "SELECT h.id, h.account_id, h.from_day, h.to_day FROM accounts a JOIN holes h ON h.account_id = a.id "
        "WHERE a.connection_id = ? AND h.closed_at IS NULL",
        (connection_id,),
    )
    return [(row[0], row[1], date.fromisoformat(row[2]), date.fromisoformat(row[3])) for row in rows]


def days_of(tx: Tx, account_id: int, added: tuple[int, int] | None) -> list[date]:
    """Return the days of booked rows of an account among the rows that came new."""
    if added is None:
        return []
    rows = tx.rows(
        # The plus keeps the range of ids the way in: by account, all its rows would be gone through.
        "SELECT DISTINCT booked_on FROM transactions WHERE id BETWEEN ? AND ? AND +account_id = ? "
        "AND pending = 0",
        (*added, account_id),
    )
    return [date.fromisoformat(row[0]) for row in rows]


def open_hole(tx: Tx, account_id: int, days: tuple[date, date], now: datetime) -> None:
    """Keep a hole; one that was closed before is open again, but for one the person settled."""
    tx.execute(
        "INSERT INTO holes(account_id, from_day, to_day, found_at, state, closed_at) "
        "VALUES (?, ?, ?, ?, 'open', NULL) ON CONFLICT(account_id, from_day, to_day) DO UPDATE SET "
        "state = 'open', closed_at = NULL WHERE state <> 'settled'",
        (account_id, days[0].isoformat(), days[1].isoformat(), to_ms(now)),
    )


def settle(tx: Tx, account_id: int, days: tuple[date, date], now: datetime) -> bool:
    """Close a hole in which nothing is missing, as the person says; tell whether there is one."""
    found = tx.value(
        "SELECT id FROM holes WHERE account_id = ? AND from_day = ? AND to_day = ? AND closed_at IS NULL",
        (account_id, days[0].isoformat(), days[1].isoformat()),
    )
    if found is not None:
        close_hole(tx, int(found), "settled", now)
    return found is not None


def shorten(tx: Tx, hole_id: int, last: date) -> None:
    """Keep that the end of a hole was covered."""
    tx.execute("UPDATE OR REPLACE holes SET to_day = ? WHERE id = ?", (last.isoformat(), hole_id))


def close_hole(tx: Tx, hole_id: int, state: str, now: datetime) -> None:
    """Keep that a hole is no longer one: `covered` by an answer, `proved` empty by balances, or `settled`."""
    tx.update("holes", hole_id, {"state": state, "closed_at": to_ms(now)})
