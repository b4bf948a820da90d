"""What a relay hands over becomes wishes in the queue: hints in, nothing of them into the ledger.

A hint says that something happened to a link and never what. So a forged, repeated, late or lost one can
neither add nor change a row; a relay that lies can cause some reads, and their number is bounded
(`policy.hinted_at`, `policy.look_at`). Whatever is taken in moves in one transaction with the cursor; the
relay hears of it afterwards, and hands over again what it heard nothing about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from obdesk.domain.entities import SyncKind, Trigger
from obdesk.domain.jobs import Job, Priority
from obdesk.storage.queries import connections
from obdesk.storage.queries import mailbox as reads
from obdesk.storage.queries.connections import Standing
from obdesk.storage.writes import jobs
from obdesk.storage.writes import mailbox as writes
from obdesk.sync import door, policy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obdesk.domain.ids import ConnectionId
    from obdesk.relay.protocol import Entry, Hint, Page
    from obdesk.storage.tx import Tx

PARKED_FOR = timedelta(hours=3)
"""How long a link that nobody knows is looked for; the schedule finds what appears later."""
ID_LENGTH_MAX = 64
_EARLIEST_US, _LATEST_US = (
    int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 for year in (2000, 2200)
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a page."""

    is_news: bool = False
    """There is something to follow, at once or when it may be."""
    is_dirty: bool = False
    """Anything may have changed, so every link is hinted at."""
    unreadable: int = 0


def take_in(tx: Tx, page: Page, private_key: bytes, now: datetime) -> Taken:
    """Turn a page into wishes and keep up to where the mailbox was read; all of it or nothing."""
    # With it comes the library that opens seals: only who has a relay needs it.
    from obdesk.relay.protocol import DIRTY

    hints, unreadable = _opened(page.entries, private_key)
    before = reads.cursor(tx.connection)
    if before is None:  # the relay was given up meanwhile
        return Taken()
    is_dirty = (
        unreadable > 0
        or _epoch(before) != _epoch(page.cursor)
        or any(hint.event == DIRTY or hint.connection is None for hint in hints)
    )
    _follow(tx, hints, now, is_dirty=is_dirty)
    writes.count(tx, len(page.entries), unreadable)
    writes.move(tx, page.cursor)
    writes.told(tx, page.peers, instant_of(page.bearer_seen_at_us), instant_of(page.delivered_at_us), now)
    writes.sit(tx, page.seat, now)
    return Taken(is_dirty or bool(hints), is_dirty, unreadable)


def begin_anew(tx: Tx, cursor: str, now: datetime) -> None:
    """Keep that the relay had forgotten this computer and knows it again: anything may have been missed."""
    if reads.cursor(tx.connection) is not None:
        writes.move(tx, cursor)
        _follow(tx, (), now, is_dirty=True)


def follow_parked(tx: Tx, now: datetime) -> bool:
    """Hint at links that have become known since a hint came for them; tell whether there were any."""
    known = connections.standings(tx.connection)
    found = [
        each for each in reads.parked(tx.connection) if each in known and known[each][1] is not Standing.GONE
    ]
    for each in found:
        link, standing = known[each]
        if standing is Standing.LISTED:
            _put(tx, link, now)
    writes.unpark(tx, found)
    writes.unpark_before(tx, now - PARKED_FOR)
    return bool(found)


def instant_of(microseconds: int | None) -> datetime | None:
    """Return an instant that a relay tells, None for none and for one that no clock shows."""
    if microseconds is None or not _EARLIEST_US <= microseconds < _LATEST_US:
        return None
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)


def _opened(entries: Iterable[Entry], private_key: bytes) -> tuple[list[Hint], int]:
    """Return the hints that can be read, and how many cannot: those count as "anything may have changed"."""
    from obdesk.relay.protocol import BadHintError, from_text, opened

    hints: list[Hint] = []
    unreadable = 0
    for entry in entries:
        try:
            hints.append(opened(private_key, from_text(entry.sealed)))
        except (BadHintError, ValueError):
            unreadable += 1
    return hints, unreadable


def _epoch(cursor: str) -> str | None:
    from obdesk.relay.protocol import Cursor

    parsed = Cursor.parse(cursor)
    return None if parsed is None else parsed.epoch


def _follow(tx: Tx, hints: Iterable[Hint], now: datetime, *, is_dirty: bool) -> None:
    known = connections.standings(tx.connection)
    hinted: set[ConnectionId] = set()
    unknown: set[str] = set()
    for hint in hints:
        if hint.connection is None or len(hint.connection) > ID_LENGTH_MAX:
            continue
        link, standing = known.get(hint.connection, (None, Standing.GONE))
        if standing is Standing.GONE or link is None:
            unknown.add(hint.connection)
        elif standing is Standing.LISTED:
            hinted.add(link)
    if is_dirty:
        hinted.update(connections.live_ids(tx.connection))
    for each in sorted(hinted):
        _put(tx, each, now)
    if unknown:
        writes.park(tx, sorted(unknown), now)


def _put(tx: Tx, link: ConnectionId, now: datetime) -> None:
    not_before = policy.hinted_at(reads.hinted_reads(tx.connection, link, now), now)
    waiting = jobs.waiting_of(tx, link)
    if waiting is not None and now < not_before and waiting.not_before <= not_before:
        # What waits comes sooner and reads the same. As one with it the hint would pass for its cause.
        return
    door.put(
        tx,
        Job(
            link,
            Trigger.WEBHOOK,
            Priority.WEBHOOK,
            SyncKind.DELTA,
            asks_bank=False,
            attended=False,
            not_before=not_before,
            put_at=now,
        ),
    )
