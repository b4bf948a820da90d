"""What the application tells its front ends: a closed set of events that carry ids, never rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.conditions import Condition
    from obdesk.domain.entities import Trigger
    from obdesk.domain.errors import ObdeskError
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.syncing import Step, SyncOutcome


@dataclass(frozen=True, slots=True)
class Changed:
    """A commit changed something; who shows it reads again."""

    changes: ChangeSet


@dataclass(frozen=True, slots=True)
class SyncStarted:
    """A sync of one connection began."""

    connection_id: ConnectionId
    trigger: Trigger
    at: datetime


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """A sync reached a step; `done` and `total` count rows where they are known."""

    connection_id: ConnectionId
    step: Step
    done: int = 0
    total: int | None = None


@dataclass(frozen=True, slots=True)
class SyncEnded:
    """A sync of one connection ended."""

    outcome: SyncOutcome


@dataclass(frozen=True, slots=True)
class ActionNeeded:
    """A connection began to need its person."""

    connection_id: ConnectionId
    condition: Condition


@dataclass(frozen=True, slots=True)
class ConsentEnds:
    """A bank's consent has few days left, or none."""

    connection_id: ConnectionId
    bank: str
    days_left: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about the whole program went wrong."""

    error: ObdeskError


Event = Changed | SyncStarted | SyncProgress | SyncEnded | ActionNeeded | ConsentEnds | Problem
