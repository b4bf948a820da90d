"""Connections for tests that care about their condition only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.entities import Connection
from obdesk.domain.freshness import Freshness, FreshnessState

if TYPE_CHECKING:
    from obdesk.domain.conditions import Condition
    from obdesk.domain.ids import ConnectionId


def a_connection(identity: ConnectionId, condition: Condition, bank: str = "Banque du Port") -> Connection:
    """Give a connection in some condition."""
    return Connection(
        id=identity,
        provider="powens",
        provider_id=str(identity),
        bank=bank,
        color="2a6fbb",
        condition=condition,
        provider_state="",
        bank_message="",
        paused=False,
        created_at=None,
        consent_expires_at=None,
        next_run_at=None,
        freshness=Freshness(None, None, FreshnessState.UNKNOWN),
        account_count=1,
    )
