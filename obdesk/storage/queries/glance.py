"""The first look: two statements whose rows stay bare, so that nothing of the domain is imported for them.

The order of accounts and rows is that of `accounts` and of `transactions` without a filter; a test holds
the figures of both against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.glance import AccountGlance, Glance, RowGlance

if TYPE_CHECKING:
    from obdesk.storage.engine import Connection

_ACCOUNTS = """
SELECT a.id, a.connection_id, c.bank, c.color, coalesce(nullif(e.name, ''), a.name), a.balance_minor,
       a.currency, a.exponent,
       a.state = 'active' AND coalesce(e.in_net_worth, a.kind <> 'card' OR a.parent_provider_id IS NULL),
       c.asked_at, a.data_as_of
FROM accounts a
JOIN connections c ON c.id = a.connection_id
LEFT JOIN account_edits e ON e.account_id = a.id
ORDER BY c.bank COLLATE NOCASE, c.id, a.state = 'gone', a.state = 'disabled', a.id
"""
_NEWEST = """
SELECT t.pending, t.booked_on, t.payee, t.label, coalesce(e.category, t.category),
       coalesce(nullif(ae.name, ''), a.name), t.amount_minor, a.currency, a.exponent
FROM transactions t
JOIN accounts a ON a.id = t.account_id
LEFT JOIN account_edits ae ON ae.account_id = a.id
LEFT JOIN transaction_edits e ON e.transaction_id = t.id
WHERE t.deleted_at IS NULL
ORDER BY t.pending DESC, t.booked_on DESC, t.id DESC
LIMIT ?
"""


def glance(connection: Connection, rows_max: int) -> Glance:
    """Return all accounts and the newest rows."""
    return Glance(
        tuple(AccountGlance._make(row) for row in connection.execute(_ACCOUNTS)),
        tuple(RowGlance._make(row) for row in connection.execute(_NEWEST, (rows_max,))),
    )
