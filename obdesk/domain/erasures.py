"""Links that were removed here and that the aggregator still has to erase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class PendingErasure:
    """One such link: the wish outlives failures, restarts and days without a network."""

    id: int
    provider: str
    provider_id: str
    bank: str
    asked_at: datetime
    attempts: int
    next_try_at: datetime
