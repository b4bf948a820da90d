"""Reading which links the aggregator still has to erase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.erasures import PendingErasure
from obdesk.storage.columns import instant

if TYPE_CHECKING:
    from obdesk.storage.engine import Connection


def pending(connection: Connection) -> tuple[PendingErasure, ...]:
    """Return all of them, the oldest wish first."""
    rows = connection.execute(
        "SELECT id, provider, provider_id, bank, asked_at, attempts, not_before FROM erasures ORDER BY id"
    )
    return tuple(
        PendingErasure(row[0], row[1], row[2], row[3], instant(row[4]), row[5], instant(row[6]))
        for row in rows
    )
