"""Writing breakers: who is well has no row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.conditions import Condition
from obdesk.domain.limits import Breaker, BreakerState
from obdesk.storage.columns import to_ms_or_none
from obdesk.storage.queries.limits import BREAKER, breaker_of

if TYPE_CHECKING:
    from obdesk.storage.tx import Tx


def breaker(tx: Tx, subject: str) -> Breaker:
    """Return the breaker of a subject; a closed one where nothing is known against it."""
    found = tx.rows(f"{BREAKER} WHERE subject = ?", (subject,))
    if found:
        return breaker_of(found[0])
    return Breaker(subject, BreakerState.CLOSED, 0, 0, Condition.OK, None, None)


def keep(tx: Tx, now: Breaker) -> None:
    """Keep how a breaker stands; one with nothing against it is forgotten."""
    if now.state is BreakerState.CLOSED and now.failures == 0:
        tx.execute("DELETE FROM breakers WHERE subject = ?", (now.subject,))
        return
    tx.execute(
        "INSERT OR REPLACE INTO breakers(subject, state, failures, trips, reason, opened_at, probe_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            now.subject,
            now.state.value,
            now.failures,
            now.trips,
            now.reason.value,
            to_ms_or_none(now.since),
            to_ms_or_none(now.probe_at),
        ),
    )
