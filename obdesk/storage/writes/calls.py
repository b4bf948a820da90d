"""Writing the ledger of calls: each is kept before its request is sent, so that no crash forgets one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from obdesk.domain.limits import WINDOW, BankCall
from obdesk.storage.columns import to_ms
from obdesk.storage.queries.limits import CALLS, calls_of

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.storage.tx import Tx

KEPT = timedelta(days=90)
_MINUTES_KEPT = 24 * 60


def recent(tx: Tx, connection_id: ConnectionId, now: datetime) -> list[BankCall]:
    """Return the calls at a bank that may still count."""
    return calls_of(tx.rows(CALLS, (connection_id, to_ms(now - WINDOW))))


def spend(tx: Tx, connection_id: ConnectionId, now: datetime, *, attended: bool) -> None:
    """Keep that a bank is about to be asked.

    A call that lies ahead was made before a clock was set back; it was made by now at the latest.
    """
    tx.execute(
        "UPDATE bank_calls SET at = ?2 WHERE connection_id = ?1 AND at > ?2", (connection_id, to_ms(now))
    )
    tx.execute(
        "DELETE FROM bank_calls WHERE connection_id = ? AND at < ?", (connection_id, to_ms(now - KEPT))
    )
    tx.insert("bank_calls", {"connection_id": connection_id, "at": to_ms(now), "attended": attended})


def count_request(tx: Tx, host: str, minute: int) -> None:
    """Keep that a host is about to get a request in a minute counted from 1970; a day of minutes stays."""
    tx.execute(
        "INSERT INTO host_calls(host, minute, calls) VALUES (?, ?, 1) "
        "ON CONFLICT(host, minute) DO UPDATE SET calls = calls + 1",
        (host, minute),
    )
    tx.execute("DELETE FROM host_calls WHERE host = ? AND minute < ?", (host, minute - _MINUTES_KEPT))


def tell(tx: Tx, key: str, at: datetime) -> bool:
    """Keep that the person gets a notice; False when it was told already."""
    return bool(tx.execute("INSERT OR IGNORE INTO told(key, at) VALUES (?, ?)", (key, to_ms(at))))
