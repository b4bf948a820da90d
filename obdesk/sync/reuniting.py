"""An account that was kept twice is made one, once the evidence says so.

A bank that is linked again before its first link ends, or an account that tells its IBAN later, comes as an
account of its own. When the first one is gone and the evidence fits, the second takes its place: rows that
are one become one, the person's words stay, and the history goes on.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from obdesk.domain.remote import RemoteTransaction
from obdesk.storage.writes import accounts, holes, joins, suggestions, transactions
from obdesk.sync.covering import day_of
from obdesk.sync.holes import hole_of
from obdesk.sync.reconcile.accounts import reunions
from obdesk.sync.reconcile.passes import reconcile
from obdesk.sync.reconcile.plan import Lessons, Stored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.ledger import KnownTransaction
    from obdesk.domain.remote import RemoteAccount
    from obdesk.storage.tx import Tx
    from obdesk.sync.reconcile.plan import Plan

    Came = tuple[int, RemoteTransaction]


def reunite(tx: Tx, connection_id: ConnectionId, listed: Sequence[RemoteAccount], now: datetime) -> list[int]:
    """Make one of each listed account and the one that it continues; return what is left of both."""
    if not accounts.any_gone(tx):
        return []
    found = reunions(accounts.recognisable(tx, connection_id), listed)
    for kept_id, other_id in found:
        _join(tx, kept_id, other_id, now)
    return [kept_id for kept_id, _ in found]


def _join(tx: Tx, kept_id: int, other_id: int, now: datetime) -> None:
    theirs = transactions.all_of(tx, other_id)
    came = [(kept_id, _remote(row)) for row in theirs if not row.deleted]
    plan = reconcile(came, _stored(tx, kept_id, came), complete=True)
    transactions.change_rows(tx, [*plan.changed, *plan.booked, *plan.moved], now)
    joins.move_rows(tx, kept_id, other_id, _same(tx, kept_id, theirs), now)
    _suggest(tx, kept_id, plan, {row.provider_id: row.id for row in theirs}, now)
    _watch(tx, kept_id, other_id, came, now)
    joins.move_account(tx, kept_id, other_id, now)


def _watch(tx: Tx, kept_id: int, other_id: int, came: Sequence[Came], now: datetime) -> None:
    """Find the days between the one account's last answer and what the other one's rows begin with."""
    stood = accounts.records(tx, (kept_id, other_id))
    covered, as_of = (day_of(stood[each]["data_as_of"]) for each in (kept_id, other_id))
    if covered is not None and as_of is not None:
        days = [date.fromisoformat(row.booked_on) for _, row in came if not row.pending]
        hole = hole_of(covered, as_of, days)
        if hole is not None and days:
            holes.open_hole(tx, kept_id, hole, now)


def _remote(row: KnownTransaction) -> RemoteTransaction:
    return RemoteTransaction._make((row.provider_id, 0, *row.facts, row.deleted, row.updated))


def _stored(tx: Tx, kept_id: int, came: Sequence[Came]) -> Stored:
    """Return the kept account's rows of the days that the other one covers; none of them goes for it."""
    ids = [row.provider_id for _, row in came]
    oldest = min((row.booked_on for _, row in came if not row.pending), default="9999")
    known = {(kept_id, row.provider_id): row for row in transactions.known(tx, kept_id, ids)}
    there = {row.id for row in known.values()}
    missing = [row_id for row_id in transactions.booked_since(tx, kept_id, oldest) if row_id not in there]
    return Stored(
        known=known,
        pending=tuple(transactions.pending_of(tx, [kept_id])),
        missing=tuple(transactions.by_ids(tx, missing)),
        deleted=tuple(row for row in transactions.worded(tx, [kept_id]) if row.deleted),
        lessons=Lessons(*suggestions.lessons(tx, [kept_id])),
        renumbered=frozenset({kept_id}),
    )


def _same(tx: Tx, kept_id: int, theirs: Sequence[KnownTransaction]) -> list[tuple[int, int]]:
    """Return which rows both accounts have under one id now (row, row that stays); a live one stays."""
    by_id = {row.provider_id: row for row in theirs}
    pairs = [(by_id[row.provider_id], row) for row in transactions.known(tx, kept_id, list(by_id))]
    return [
        (mine.id, other.id) if mine.deleted and not other.deleted else (other.id, mine.id)
        for other, mine in pairs
    ]


def _suggest(tx: Tx, kept_id: int, plan: Plan, row_ids: dict[int, int], now: datetime) -> None:
    for unsure in plan.unsure:
        came = row_ids[unsure.remote.provider_id]
        suggestions.suggest(tx, kept_id, unsure.stored.id, came, unsure.likeness, now)
