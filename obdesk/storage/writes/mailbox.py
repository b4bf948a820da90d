"""Writing how far the relay's mailbox was read, how the relay is, and which hints wait for their link."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from obdesk.domain.limits import SEAT_HELD, SEATS
from obdesk.domain.mailbox import MailboxState, Trouble, peers_believed
from obdesk.storage.columns import to_ms, to_ms_or_none
from obdesk.storage.queries.connections import setting
from obdesk.storage.queries.mailbox import LOOKED
from obdesk.storage.writes.edits import set_setting
from obdesk.storage.writes.events import add_event

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from obdesk.storage.tx import Tx

_MENDED = "relay.mended"
"""The setting that says which relay saw a token last that was replaced then, and when it saw it."""
PARKED_MAX = 32
"""More unknown links at a time are not remembered: a relay can invent any number."""


def begin(tx: Tx, cursor: str, now: datetime, url: str = "") -> None:
    """Keep that a relay was set up, and from where its mailbox is read; nothing of an earlier one stays.

    But of the same one, that the token was replaced which it has seen and tells of still.
    """
    forget(tx)
    mended_url, _, mended_ms = (setting(tx.connection, _MENDED) or "").rpartition(" ")
    tx.insert(
        "mailbox",
        {
            "cursor": cursor,
            "bearer_mended_at": int(mended_ms) if url and url == mended_url else None,
            "state": MailboxState.NEW.value,
            "since": to_ms(now),
            "peers": 1,
            "hints": 0,
            "unreadable": 0,
        },
    )


def forget(tx: Tx) -> None:
    """Keep that there is no relay."""
    tx.execute("DELETE FROM mailbox")
    tx.execute("DELETE FROM parked_hints")


def move(tx: Tx, cursor: str) -> None:
    """Keep up to where the mailbox was read."""
    tx.execute("UPDATE mailbox SET cursor = ?", (cursor,))


def count(tx: Tx, hints: int, unreadable: int) -> None:
    """Count hints that came, and those that could not be opened."""
    tx.execute("UPDATE mailbox SET hints = hints + ?, unreadable = unreadable + ?", (hints, unreadable))


def told(
    tx: Tx, peers: int, bearer_seen_at: datetime | None, delivered_at: datetime | None, now: datetime
) -> None:
    """Keep what a good answer says of the relay, and that it came."""
    note(tx, MailboxState.CONNECTED, None, now)
    tx.execute(
        "UPDATE mailbox SET peers = ?, bearer_at = ?, delivered_at = ?, pulled_at = ?",
        (peers_believed(peers), to_ms_or_none(bearer_seen_at), to_ms_or_none(delivered_at), to_ms(now)),
    )


def sit(tx: Tx, seat: int | None, now: datetime) -> None:
    """Keep which seat this computer has among those of its person, for long enough to have a turn."""
    if seat is None or not 0 <= seat < SEATS:
        return
    tx.execute(
        "UPDATE mailbox SET seat = ?1, seat_at = ?2 "
        "WHERE seat IS NOT ?1 AND (seat_at IS NULL OR abs(?2 - seat_at) >= ?3)",
        (seat, to_ms(now), SEAT_HELD // timedelta(milliseconds=1)),
    )


def note(tx: Tx, state: MailboxState, trouble: Trouble | None, now: datetime) -> bool:
    """Keep how it stands with the relay; tell whether that is news. The date is that of the change."""
    found = tx.rows("SELECT state FROM mailbox")
    if not found:
        return False
    trouble_told = None if trouble is None else trouble.value
    if found[0][0] == state.value:
        return bool(tx.execute("UPDATE mailbox SET trouble = ?1 WHERE trouble IS NOT ?1", (trouble_told,)))
    tx.execute(
        "UPDATE mailbox SET state = ?, trouble = ?, since = ?", (state.value, trouble_told, to_ms(now))
    )
    return True


def mend_bearer(tx: Tx, url: str = "") -> None:
    """Keep that the token was replaced that the relay last saw, also where it is set up anew."""
    tx.execute("UPDATE mailbox SET bearer_mended_at = bearer_at")
    for (mended_ms,) in tx.rows("SELECT bearer_mended_at FROM mailbox WHERE bearer_mended_at IS NOT NULL"):
        set_setting(tx, _MENDED, f"{url} {mended_ms}")


def park(tx: Tx, provider_ids: Collection[str], now: datetime) -> None:
    """Remember links that hints came for; the oldest give way to the newest."""
    tx.executemany(
        "INSERT INTO parked_hints(provider_id, put_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(each, to_ms(now)) for each in provider_ids],
    )
    tx.execute(
        "DELETE FROM parked_hints WHERE provider_id NOT IN "
        "(SELECT provider_id FROM parked_hints ORDER BY put_at DESC, provider_id LIMIT ?)",
        (PARKED_MAX,),
    )


def unpark(tx: Tx, provider_ids: Collection[str]) -> None:
    """Forget some of them: their links are known by now."""
    tx.executemany("DELETE FROM parked_hints WHERE provider_id = ?", [(each,) for each in provider_ids])


def unpark_before(tx: Tx, moment: datetime) -> None:
    """Forget those of long ago: what there is of them the schedule finds."""
    tx.execute("DELETE FROM parked_hints WHERE put_at < ?", (to_ms(moment),))


def looked(tx: Tx, now: datetime) -> None:
    """Keep that the list of links is asked for because of a hint."""
    add_event(tx, now, LOOKED, None)
