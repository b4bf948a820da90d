"""Outcomes and wishes for tests that do not care about more than whose they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunCounts, RunResult, SyncKind, Trigger
from obdesk.domain.jobs import Job, Priority
from obdesk.domain.syncing import SyncOutcome
from tests.seed import NOW

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId


def outcome_of(connection_id: ConnectionId, **other: Any) -> SyncOutcome:
    usual = SyncOutcome(
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
    return replace(usual, **other)


def hinted_at(link: ConnectionId, now: datetime) -> Job:
    """Return the wish that a hint about a link becomes."""
    return Job(
        link,
        Trigger.WEBHOOK,
        Priority.WEBHOOK,
        SyncKind.DELTA,
        asks_bank=False,
        attended=False,
        not_before=now,
        put_at=now,
    )
