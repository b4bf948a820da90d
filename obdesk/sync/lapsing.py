"""Pending rows that nobody will ever book: those of accounts that are no longer at the bank."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from obdesk.storage.writes import accounts, transactions
from obdesk.sync.matching import PENDING_DAYS_MAX

if TYPE_CHECKING:
    from obdesk.domain.ledger import KnownTransaction
    from obdesk.storage.tx import Tx
    from obdesk.sync.matching import Scope
    from obdesk.sync.reconcile.plan import Plan


def lapsed(tx: Tx, scope: Scope, plan: Plan) -> list[KnownTransaction]:
    """Return the pending rows of gone accounts that go as well: no answer speaks of them any more.

    They stay for as long as a bank may take to book them, because an account can be gone from one list only.
    """
    if not scope.full:
        return []
    gone = accounts.gone(tx, scope.connection_id)
    day = (scope.asked_at - timedelta(days=PENDING_DAYS_MAX)).date().isoformat()
    decided = {row.id for row in plan.removed} | {
        row.id for row, _ in [*plan.changed, *plan.booked, *plan.moved]
    }
    return [row for row in transactions.pending_of(tx, gone) if row.booked_on < day and row.id not in decided]
