"""What is written to the SQLite store: each function is one operation, inside a commit of the writer's."""

# ruff: noqa: S608 - statements are put together from our own constants; every value is bound

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

import msgspec

from obdesk.relay.protocol import RETENTION_S
from obdesk.relay.server.keys import new_id
from obdesk.relay.server.store import LIVE_US, MAILBOX_MAX, BrokerStep, Kept

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from obdesk.relay.server.store import Broker, Device, Mail, Source

PURGED_AT_ONCE: Final = 2_000
"""So much is purged in one commit: a delivery must not wait long for it."""
_DIRTY_SLOT: Final = b""
RETENTION_US: Final = RETENTION_S * 1_000_000


def renew_epoch(db: sqlite3.Connection) -> str:
    """Begin a new life."""
    epoch = new_id()
    db.execute("UPDATE life SET epoch = ?", (epoch,))
    return epoch


def add_source(db: sqlite3.Connection, source: Source, capability_hash: bytes) -> None:
    """Keep a source."""
    db.execute(
        "INSERT OR REPLACE INTO source VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?)",
        (
            source.id,
            source.name,
            source.kind.value,
            msgspec.msgpack.encode(source.secrets),
            source.gzip.value,
            source.bearer_seen_at_us,
            source.delivered_at_us,
            capability_hash,
        ),
    )


def remove_source(db: sqlite3.Connection, source_id: str, now_us: int) -> bool:
    """Delete a source and leave its tombstone."""
    done = db.execute(
        "UPDATE source SET removed_at_us = ?, name = '', secrets = ?, bearer_seen_at_us = NULL,"
        " delivered_at_us = NULL WHERE id = ? AND removed_at_us IS NULL",
        (now_us, msgspec.msgpack.encode(()), source_id),
    )
    if done.rowcount == 0:
        return False
    db.execute(
        "DELETE FROM hint WHERE device_id IN (SELECT id FROM device WHERE source_id = ?)", (source_id,)
    )
    db.execute("INSERT OR IGNORE INTO removed SELECT id FROM device WHERE source_id = ?", (source_id,))
    db.execute("DELETE FROM device WHERE source_id = ?", (source_id,))
    db.execute("DELETE FROM code WHERE source_id = ?", (source_id,))
    return True


def saw_bearer(db: sqlite3.Connection, source_id: str, now_us: int) -> None:
    """Keep that a live token came."""
    db.execute(
        "UPDATE source SET bearer_seen_at_us = max(coalesce(bearer_seen_at_us, 0), ?)"
        " WHERE id = ? AND removed_at_us IS NULL",
        (now_us, source_id),
    )


def add_code(db: sqlite3.Connection, code_hash: bytes, source_id: str, expires_at_us: int) -> None:
    """Keep a one-time code."""
    db.execute(
        "INSERT OR REPLACE INTO code (hash, source_id, expires_at_us) VALUES (?, ?, ?)",
        (code_hash, source_id, expires_at_us),
    )


def spend_code(
    db: sqlite3.Connection, code_hash: bytes, device: Device, token_hash: bytes, now_us: int
) -> str | None:
    """Make a device by a code, or give the one it made before a new token."""
    found = "SELECT device_id, public_key FROM code WHERE hash = ? AND source_id = ? AND expires_at_us > ?"
    row = db.execute(found, (code_hash, device.source_id, now_us)).fetchone()
    if row is None:
        return None
    made, public_key = row
    if made is None:
        spent = "UPDATE code SET device_id = ?, public_key = ? WHERE hash = ?"
        db.execute(spent, (device.id, device.public_key, code_hash))
        add_device(db, device, token_hash)
        return device.id
    if public_key != device.public_key:
        return None
    if not db.execute("UPDATE device SET token = ? WHERE id = ?", (token_hash, made)).rowcount:
        return None  # it was removed meanwhile
    if device.route is not None:
        set_route(db, made, device.route)
    return str(made)


def add_device(db: sqlite3.Connection, device: Device, token_hash: bytes) -> None:
    """Keep a device; its numbers go on, and so does what was asked of the broker for it."""
    db.execute("DELETE FROM hint WHERE device_id = ?", (device.id,))
    db.execute(
        "INSERT INTO device (id, source_id, public_key, route, token, broker) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET source_id = excluded.source_id, public_key = excluded.public_key,"
        " route = excluded.route, token = excluded.token, pulled_at_us = NULL, seat = NULL",
        (
            device.id,
            device.source_id,
            device.public_key,
            device.route,
            token_hash,
            BrokerStep.NONE.value,
        ),
    )


def set_route(db: sqlite3.Connection, device_id: str, route: bytes) -> None:
    """Keep whose a device is; among the others of that user it has no seat yet."""
    db.execute("UPDATE device SET route = ?, seat = NULL WHERE id = ?", (route, device_id))


def pulled(db: sqlite3.Connection, device_id: str, now_us: int) -> None:
    """Keep that a device asks, with a seat of its own."""
    others = (
        "SELECT other.seat FROM device JOIN device AS other ON other.source_id = device.source_id"
        " AND other.route IS device.route AND other.id <> device.id"
        " WHERE device.id = ? AND other.pulled_at_us > ?"
    )
    taken = {row[0] for row in db.execute(others, (device_id, now_us - LIVE_US))}
    free = next(seat for seat in count() if seat not in taken)
    for (seat,) in db.execute("SELECT seat FROM device WHERE id = ?", (device_id,)).fetchall():
        kept = free if seat is None or seat in taken else seat
        db.execute("UPDATE device SET pulled_at_us = ?, seat = ? WHERE id = ?", (now_us, kept, device_id))


def remove_device(db: sqlite3.Connection, device_id: str) -> bool:
    """Delete a device and its hints."""
    db.execute("DELETE FROM hint WHERE device_id = ?", (device_id,))
    if not db.execute("DELETE FROM device WHERE id = ?", (device_id,)).rowcount:
        return False
    db.execute("INSERT OR IGNORE INTO removed VALUES (?)", (device_id,))
    return True


def deliver(
    db: sqlite3.Connection, source_id: str, payload: bytes | None, mails: Sequence[Mail], now_us: int
) -> Kept:
    """Keep the hints of one delivery."""
    if payload is not None:
        done = db.execute(
            "INSERT INTO payload VALUES (?, ?) ON CONFLICT (digest) DO NOTHING", (payload, now_us)
        )
        if done.rowcount == 0:
            return Kept.DUPLICATE
    db.execute(
        "UPDATE source SET delivered_at_us = max(coalesce(delivered_at_us, 0), ?)"
        " WHERE id = ? AND removed_at_us IS NULL",
        (now_us, source_id),
    )
    for mail in mails:
        _put(db, source_id, mail, now_us)
    return Kept.STORED


def _put(db: sqlite3.Connection, source_id: str, mail: Mail, now_us: int) -> None:
    numbered = "UPDATE device SET head = max(head + 1, ?) WHERE id = ? AND source_id = ? RETURNING head"
    rows = db.execute(numbered, (now_us, mail.device_id, source_id)).fetchall()
    if not rows:
        return
    seq = rows[0][0]
    put = "INSERT OR REPLACE INTO hint (device_id, slot, seq, received_at_us, sealed) VALUES (?, ?, ?, ?, ?)"
    db.execute(put, (mail.device_id, mail.slot, seq, now_us, mail.sealed))
    waiting = db.execute("SELECT count(*) FROM hint WHERE device_id = ?", (mail.device_id,)).fetchone()[0]
    if waiting > MAILBOX_MAX:
        db.execute("DELETE FROM hint WHERE device_id = ?", (mail.device_id,))
        db.execute(put, (mail.device_id, _DIRTY_SLOT, seq, now_us, mail.dirty))


def acknowledge(db: sqlite3.Connection, device_id: str, upto: int) -> None:
    """Delete what waits up to a number."""
    db.execute("DELETE FROM hint WHERE device_id = ? AND seq <= ?", (device_id, upto))


def set_broker(db: sqlite3.Connection, device_id: str, was: BrokerStep, now: Broker) -> bool:
    """Keep how far the broker has come."""
    done = db.execute(
        "UPDATE device SET broker = ?, broker_user = ? WHERE id = ? AND broker = ?",
        (now.step.value, now.user, device_id, was.value),
    )
    return done.rowcount > 0


def purge(db: sqlite3.Connection, now_us: int) -> int:
    """Delete what is too old, at most PURGED_AT_ONCE of a kind; return how much that was.

    That a live token was seen is told for as long.
    """
    old_us = now_us - RETENTION_US
    seen = "UPDATE source SET bearer_seen_at_us = NULL WHERE bearer_seen_at_us <= ?"
    return db.execute(seen, (old_us,)).rowcount + sum(
        db.execute(
            f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {time} <= ? LIMIT ?)",
            (until_us, PURGED_AT_ONCE),
        ).rowcount
        for table, key, time, until_us in (
            ("hint", "device_id, slot", "received_at_us", old_us),
            ("payload", "digest", "received_at_us", old_us),
            ("code", "hash", "expires_at_us", now_us),
            ("source", "id", "removed_at_us", old_us),
        )
    )
