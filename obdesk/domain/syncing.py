"""What a sync tells while it runs and when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from obdesk.domain.entities import SyncKind

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.conditions import Condition
    from obdesk.domain.entities import RunCounts, RunResult, Trigger
    from obdesk.domain.ids import ConnectionId

__all__ = ["Step", "SyncKind", "SyncOutcome"]


class Step(Enum):
    """The steps of a sync that a person may watch, in order."""

    ASKING_BANK = "asking_bank"
    READING_CONNECTION = "reading_connection"
    READING_ACCOUNTS = "reading_accounts"
    READING_TRANSACTIONS = "reading_transactions"
    SAVING = "saving"


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
