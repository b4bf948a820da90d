"""How often others may be asked: breakers that spare who does not answer, and a bank's daily budget."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from obdesk.domain.conditions import Condition

UNATTENDED_MAX = 4
"""Reads of a bank without its person in any 24 hours (RTS on SCA, article 36(5)(b))."""
KEPT_FOR_PERSON = 1
"""How many of them no schedule may take: a person who has just linked a bank must not find none left."""
WINDOW = timedelta(hours=24, minutes=10)
"""How long a read counts: a day, and what two clocks may differ by without being told apart."""


SEATS = 32
"""So many computers of one person have seats of their own."""
_AT_ONCE = 2
TURN = timedelta(hours=25)
"""How long a turn lasts: longer than a read counts, so that no day sees more than two turns."""
SEAT_HELD = (SEATS // _AT_ONCE + 1) * TURN
"""How long a seat is kept whatever a relay says: until its turn has come at least once."""


class BreakerState(Enum):
    """Whether somebody is asked: CLOSED yes, OPEN no, HALF_OPEN while one try is out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of somebody who failed: a host, or one connection at it."""

    subject: str
    state: BreakerState
    failures: int
    """In a row."""
    trips: int
    """How often in a row a try found it failing still: the wait grows with it."""
    reason: Condition
    since: datetime | None
    """The first of the failures in a row."""
    probe_at: datetime | None
    """When one try is made next; None while only the person can mend it, or while it is closed."""


class BankCall(NamedTuple):
    """One time a bank was asked, by the best clock there was."""

    at: datetime
    attended: bool


@dataclass(frozen=True, slots=True)
class Budget:
    """How often a bank may still be read without its person, and when the next read becomes free."""

    left: int
    of: int
    resets_at: datetime | None
    """None while nothing is used."""


FULL_BUDGET = Budget(UNATTENDED_MAX, UNATTENDED_MAX, None)


def recent_unattended(calls: list[BankCall], now: datetime) -> list[datetime]:
    """Return when the reads that still count were made, the oldest first.

    A read that seems to lie ahead was made before a clock was set back; it counts as well.
    """
    return sorted(call.at for call in calls if not call.attended and call.at > now - WINDOW)


class Sharing(NamedTuple):
    """How many computers look at the same user, and which of their seats this one has."""

    peers: int = 1
    seat: int = 0


ALONE = Sharing()


def share_of(most: int, sharing: Sharing, now: datetime) -> int:
    """Return how many of a day's reads one of some computers may make that share a user.

    They do not hear of each other's reads. Where there are more computers than reads, two have their turn at
    a time, by their seats. Whatever a relay says of their number, each seat's turn comes round: so it cannot
    keep a computer from reading for ever.
    """
    if sharing.peers <= UNATTENDED_MAX:
        return max(1, most // max(1, sharing.peers))
    return int(_turns_until(sharing.seat, now) == 0)


def _turns_until(seat: int, now: datetime) -> int:
    return (seat % SEATS // _AT_ONCE - _turn(now)) % (SEATS // _AT_ONCE)


def _turn(now: datetime) -> int:
    return int(now.timestamp() // TURN.total_seconds())


def budget_of(calls: list[BankCall], now: datetime, sharing: Sharing = ALONE) -> Budget:
    """Return what is left of this computer's share of the day's reads without the person."""
    used, most = recent_unattended(calls, now), share_of(UNATTENDED_MAX, sharing, now)
    resets_at = min(used[0], now) + WINDOW if used else None
    if not most:
        turn = _turn(now) + _turns_until(sharing.seat, now)
        resets_at = datetime.fromtimestamp(turn * TURN.total_seconds(), UTC)
    return Budget(max(0, most - len(used)), most, resets_at)
