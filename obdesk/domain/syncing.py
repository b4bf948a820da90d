"""What a sync tells while it runs and when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.conditions import Condition
    from obdesk.domain.entities import RunCounts, RunResult, Trigger
    from obdesk.domain.ids import ConnectionId


class Step(Enum):
    """The steps of a sync that a person may watch, in order."""

    ASKING_BANK = "asking_bank"
    READING_CONNECTION = "reading_connection"
    READING_ACCOUNTS = "reading_accounts"
    READING_TRANSACTIONS = "reading_transactions"
    SAVING = "saving"


class SyncKind(Enum):
    """How much a sync reads."""

    DELTA = "delta"
    """What changed since the cursor, with overlap."""
    FULL = "full"
    """All the history the consent allows."""
    RECONCILE = "reconcile"
    """All of it, compared row by row with what is kept, with a report."""


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """How a sync ended, for the JSON of the command line as for the window."""

    connection_id: ConnectionId
    bank: str
    trigger: Trigger
    result: RunResult
    condition: Condition
    counts: RunCounts
    requests: int
    started_at: datetime
    duration_s: float
    detail: str = ""
    kind: SyncKind = SyncKind.DELTA
    attempt: int = 1
    asked_bank: bool = False
