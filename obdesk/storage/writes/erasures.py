"""Writing which links the aggregator still has to erase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.storage.columns import to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.storage.tx import Tx


def ask(tx: Tx, connection_id: ConnectionId, now: datetime) -> bool:
    """Keep that a link is to be erased at its provider; tell whether the link is known.

    Belongs into the transaction that removes the link here, so that no crash comes between the two.
    """
    return bool(
        tx.execute(
            "INSERT INTO erasures(provider, provider_id, bank, asked_at, attempts, not_before) "
            "SELECT provider, provider_id, bank, ?1, 0, ?1 FROM connections "
            "WHERE id = ?2 AND removed_at IS NULL ON CONFLICT DO NOTHING",
            (to_ms(now), connection_id),
        )
    )


def done(tx: Tx, erasure_id: int) -> None:
    """Forget a wish that came true."""
    tx.execute("DELETE FROM erasures WHERE id = ?", (erasure_id,))


def postpone(tx: Tx, erasure_id: int, not_before: datetime) -> None:
    """Count a try, and keep when the next one comes should it fail."""
    tx.execute(
        "UPDATE erasures SET attempts = attempts + 1, not_before = ? WHERE id = ?",
        (to_ms(not_before), erasure_id),
    )


def wait(tx: Tx, erasure_id: int, not_before: datetime) -> None:
    """Keep when the next try comes, now that it is known what the last one met."""
    tx.update("erasures", erasure_id, {"not_before": to_ms(not_before)})
