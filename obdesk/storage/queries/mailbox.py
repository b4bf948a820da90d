"""How far the relay's mailbox was read, how the relay is, and what its hints are still waiting for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from obdesk.domain.limits import ALONE, Sharing
from obdesk.domain.mailbox import MailboxState, MailboxStatus, Trouble, peers_believed, state_now
from obdesk.storage.columns import instant, instant_or_none, to_ms, to_ms_or_none

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.storage.engine import Connection

LOOKED = "links_looked_for"
"""The kind of event that the list of links was asked for because of a hint."""
DAY = timedelta(days=1)


class Noted(NamedTuple):
    """What is noted of a relay that answers."""

    is_connected: bool
    peers: int
    bearer_ms: int | None
    delivered_ms: int | None

    @classmethod
    def of(cls, peers: int, bearer_at: datetime | None, delivered_at: datetime | None) -> Noted:
        """Return what is noted of a good answer."""
        return cls(True, peers_believed(peers), to_ms_or_none(bearer_at), to_ms_or_none(delivered_at))


def noted(connection: Connection) -> Noted | None:
    """Return what is noted of the relay, None where none is set up."""
    row = connection.execute("SELECT state, peers, bearer_at, delivered_at FROM mailbox").fetchone()
    return None if row is None else Noted(row[0] == MailboxState.CONNECTED.value, row[1], row[2], row[3])


def cursor(connection: Connection) -> str | None:
    """Return up to where the mailbox was read, None where no relay is set up."""
    row = connection.execute("SELECT cursor FROM mailbox").fetchone()
    return None if row is None else str(row[0])


def sharing(connection: Connection) -> Sharing:
    """Return with how many computers this one shares what banks may be asked.

    It stays so while the relay is not reached: the others read on, and each has a share at any number.
    """
    row = connection.execute("SELECT peers, coalesce(seat, 0) FROM mailbox").fetchone()
    return ALONE if row is None else Sharing(*row)


def parked(connection: Connection) -> tuple[str, ...]:
    """Return the provider's ids of links that hints came for and that nobody here knows, oldest first."""
    return tuple(row[0] for row in connection.execute("SELECT provider_id FROM parked_hints ORDER BY put_at"))


def looks(connection: Connection, now: datetime) -> list[datetime]:
    """Return when, within a day, the list of links was asked for because of a hint; oldest first."""
    rows = connection.execute(
        "SELECT at FROM events WHERE kind = ? AND at > ? ORDER BY id", (LOOKED, to_ms(now - DAY))
    )
    return [instant(row[0]) for row in rows]


def hinted_reads(connection: Connection, of: ConnectionId, now: datetime) -> list[datetime]:
    """Return when, within a day, a link was read because of a hint, and is being read; oldest first."""
    rows = connection.execute(
        "SELECT started_at FROM runs WHERE connection_id = ?1 AND trigger = 'webhook' AND started_at > ?2 "
        "UNION ALL SELECT begun_at FROM jobs WHERE connection_id = ?1 AND trigger = 'webhook' "
        "AND begun_at > ?2 ORDER BY 1",
        (of, to_ms(now - DAY)),
    )
    return [instant(row[0]) for row in rows]


def status(connection: Connection, host: str, now: datetime, *, paused: bool) -> MailboxStatus | None:
    """Return how the relay is, None where none is set up."""
    row = connection.execute(
        "SELECT state, trouble, since, pulled_at, delivered_at, peers, hints, unreadable, "
        "CASE WHEN bearer_at > coalesce(bearer_mended_at, 0) THEN bearer_at END, "
        "(SELECT count(*) FROM jobs WHERE trigger = 'webhook' AND begun_at IS NULL), "
        "(SELECT count(*) FROM parked_hints) FROM mailbox"
    ).fetchone()
    if row is None:
        return None
    pulled_at = instant_or_none(row[3])
    return MailboxStatus(
        host=host,
        state=state_now(MailboxState(row[0]), pulled_at, now, paused=paused),
        since=instant(row[2]),
        trouble=None if row[1] is None else Trouble(row[1]),
        pulled_at=pulled_at,
        delivered_at=instant_or_none(row[4]),
        peers=row[5],
        hints=row[6],
        unreadable=row[7],
        bearer_seen_at=instant_or_none(row[8]),
        waiting=row[9],
        parked=row[10],
    )
