"""Outcomes for tests that do not care how the run went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunCounts, RunResult, Trigger
from obdesk.domain.syncing import SyncOutcome
from tests.seed import NOW

if TYPE_CHECKING:
    from obdesk.domain.ids import ConnectionId


def outcome_of(connection_id: ConnectionId) -> SyncOutcome:
    return SyncOutcome(
        connection_id,
        "Banque du Port",
        Trigger.PERSON,
        RunResult.UPDATED,
        Condition.OK,
        RunCounts(),
        1,
        NOW,
        0.5,
    )
