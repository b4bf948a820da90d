"""Writing what else happened, beside the syncs: for the Activity screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.storage.columns import to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.storage.tx import Tx

EVENTS_KEPT = 2_000


def add_event(tx: Tx, at: datetime, kind: str, connection_id: ConnectionId | None, detail: str = "") -> int:
    """Keep that something happened; the newest 2000 stay. `detail` holds codes, never data."""
    event = {"at": to_ms(at), "connection_id": connection_id, "kind": kind, "detail": detail}
    event_id = tx.insert("events", event)
    tx.execute("DELETE FROM events WHERE id <= ?", (event_id - EVENTS_KEPT,))
    return event_id
