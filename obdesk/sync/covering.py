"""Watching, within the write of a sync, which days of each account an answer covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.entities import AccountKind
from obdesk.domain.proofs import applies
from obdesk.storage.columns import instant, to_ms
from obdesk.storage.writes import holes
from obdesk.sync.holes import away, hole_of, narrowed

if TYPE_CHECKING:
    from datetime import date, datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.storage.tx import Tx
    from obdesk.storage.writes.commits import Stood


def watch(
    tx: Tx,
    connection_id: ConnectionId,
    before: Stood,
    after: Stood,
    added: tuple[int, int] | None,
    now: datetime,
) -> list[int]:
    """Find new holes, and narrow or close those that the new rows cover; return the accounts concerned."""
    touched: list[int] = []
    for hole_id, account_id, first, last in holes.open_holes(tx, connection_id) if added else ():
        left = narrowed((first, last), holes.days_of(tx, account_id, added))
        if left is None:
            holes.close_hole(tx, hole_id, "covered", now)
        elif left[1] != last:
            holes.shorten(tx, hole_id, left[1])
        else:
            continue
        touched.append(account_id)
    for account_id, account in after.accounts.items():
        was = before.accounts.get(account_id)
        covered = None if was is None else _as_of(was, before.connection["asked_at"])
        as_of = _as_of(account, to_ms(now))  # that we asked is kept after this, at the end of the write
        if covered is None or as_of is None or account["state"] != "active" or not away(covered, as_of):
            continue
        came = holes.days_of(tx, account_id, added)
        hole = hole_of(covered, as_of, came)
        # Where balances prove nothing, an account without a row may just be quiet.
        if hole is not None and (came or applies(AccountKind(account["kind"]))):
            holes.open_hole(tx, account_id, hole, now)
            touched.append(account_id)
    return touched


def _as_of(account: dict[str, object], asked_at: object) -> date | None:
    """Return the day up to which an account was covered: the bank's own clock, or when we asked."""
    return day_of(account["data_as_of"] or asked_at)


def day_of(told: object) -> date | None:
    """Return the day of a stored moment, where there is one."""
    return instant(told).date() if isinstance(told, int) else None
