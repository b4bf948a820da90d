"""What the world tells its listeners: the events that become webhooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from obdesk.simulator.world.entities import Account, Connection, User


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a user, a connection or an account.

    `rows` holds, by account id, the slots of the rows that a sync added.
    """

    name: str
    user: User
    connection: Connection | None = None
    account: Account | None = None
    rows: dict[int, list[int]] = field(default_factory=dict)
