"""A sync that is wanted: one line of the durable queue in which every trigger ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.entities import Trigger
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.syncing import SyncKind


class Priority(Enum):
    """Who goes first; the values are what is stored, the smallest first."""

    PERSON = 0
    """Somebody looks at the screen and waits."""
    WEBHOOK = 1
    """The provider says that there is something new."""
    GOING_STALE = 2
    """What is shown is about to be older than it should be, or an important account is in it."""
    REST = 3


@dataclass(frozen=True, slots=True)
class Job:
    """One wish to sync one connection; before it is put it has no id."""

    connection_id: ConnectionId
    trigger: Trigger
    priority: Priority
    kind: SyncKind
    asks_bank: bool
    """The bank itself is asked for news before the provider's copy is read."""
    attended: bool
    """A person is there and waits; only then may the bank want something of them."""
    not_before: datetime
    put_at: datetime
    attempts: int = 0
    """How often in a row it was tried and has to be tried again."""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that has not begun, with what decides about its turn."""

    job: Job
    important: bool
    """The person marked an account of this connection as important."""
    asked_at: datetime | None
    """When the connection was last read to the end."""
    live: bool
    """Neither paused nor removed nor gone at the provider."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """How much is wanted and under way at the moment."""

    depth: int
    """Jobs that wait, those that wait for their time among them."""
    oldest_at: datetime | None
    """When the one that waits longest was put."""
    running: int
