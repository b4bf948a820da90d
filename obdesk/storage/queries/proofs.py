"""Balance proofs: what they are made from, and how they stand."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from obdesk.domain.entities import AccountKind
from obdesk.domain.ids import AccountId, ConnectionId
from obdesk.domain.money import Currency, Money
from obdesk.domain.proofs import (
    NEAR_DAYS,
    AccountProof,
    Candidate,
    Cause,
    NearRow,
    Observed,
    ProofState,
    Verdict,
    applies,
    candidates,
    verdict,
)
from obdesk.storage.columns import instant, instant_or_none

if TYPE_CHECKING:
    from obdesk.storage.engine import Connection

_LIVE = "account_id = ?1 AND pending = 0 AND deleted_at IS NULL"
_PROOFS = """
SELECT a.id, a.connection_id, coalesce(nullif(e.name, ''), a.name), c.bank, a.kind, p.checked_at,
       p.days_proved, p.first_bad_day, p.gap_minor, a.currency, a.exponent, p.causes
FROM accounts a JOIN connections c ON c.id = a.connection_id
LEFT JOIN account_edits e ON e.account_id = a.id LEFT JOIN proofs p ON p.account_id = a.id
WHERE c.removed_at IS NULL AND a.state = 'active' AND (?1 IS NULL OR a.id = ?1)
ORDER BY c.bank COLLATE NOCASE, c.id, a.id
"""


def proofs(connection: Connection, account_id: AccountId | None = None) -> tuple[AccountProof, ...]:
    """Return how the proof of each live account stands, by bank."""
    return tuple(_proof(row) for row in connection.execute(_PROOFS, (account_id,)))


def _proof(row: tuple[Any, ...]) -> AccountProof:
    return AccountProof(
        account_id=AccountId(row[0]),
        connection_id=ConnectionId(row[1]),
        account_name=row[2],
        bank=row[3],
        state=_state(AccountKind(row[4]), row),
        checked_at=instant_or_none(row[5]),
        days_proved=row[6] or 0,
        first_bad_day=None if row[7] is None else date.fromisoformat(row[7]),
        gap=None if row[8] is None else Money(row[8], Currency(row[9], row[10])),
        candidates=causes_of(row[11] or "[]"),
    )


def _state(kind: AccountKind, row: tuple[Any, ...]) -> ProofState:
    if not applies(kind):
        return ProofState.NOT_APPLICABLE
    if row[7] is not None:
        return ProofState.BROKEN
    return ProofState.PROVED if row[6] else ProofState.TOO_FEW


def causes_text(found: tuple[Candidate, ...]) -> str:
    """Return candidates as the column keeps them."""
    return json.dumps([[each.cause.value, *each.rows] for each in found])


def causes_of(text: str) -> tuple[Candidate, ...]:
    """Return candidates from the column."""
    return tuple(Candidate(Cause(cause), tuple(rows)) for cause, *rows in json.loads(text))


def prove(connection: Connection, of: ConnectionId) -> dict[AccountId, tuple[Verdict, tuple[Candidate, ...]]]:
    """Prove the accounts of a link whose balance is the sum of their rows and was observed at least once."""
    accounts = connection.execute(
        "SELECT id, kind FROM accounts WHERE connection_id = ? AND state = 'active'", (of,)
    ).fetchall()
    found: dict[AccountId, tuple[Verdict, tuple[Candidate, ...]]] = {}
    for account_id, kind in accounts:
        observed = _observed(connection, account_id) if applies(AccountKind(kind)) else []
        if observed:
            found[AccountId(account_id)] = _prove(connection, account_id, observed)
    return found


def _observed(connection: Connection, account_id: int) -> list[Observed]:
    """Return the observed balances, of the days since the account's currency was last another one."""
    changed = connection.execute(
        "SELECT max(seen_at) FROM problems WHERE account_id = ? AND kind = 'currency_changed'", (account_id,)
    ).fetchone()[0]
    since = "" if changed is None else instant(changed).date().isoformat()
    rows = connection.execute(
        "SELECT b.day, b.balance_minor FROM balances b JOIN accounts a ON a.id = b.account_id "
        "AND a.currency = b.currency WHERE a.id = ? AND b.day >= ? ORDER BY b.day",
        (account_id, since),
    )
    return [Observed(*row) for row in rows]


def _prove(
    connection: Connection, account_id: int, observed: list[Observed]
) -> tuple[Verdict, tuple[Candidate, ...]]:
    first = observed[0].day
    booked = dict(
        connection.execute(
            f"SELECT booked_on, sum(amount_minor) FROM transactions WHERE {_LIVE} AND booked_on > ?2 "
            "GROUP BY booked_on",
            (account_id, first),
        ).fetchall()
    )
    late = dict(
        connection.execute(
            "SELECT b.day, sum(t.amount_minor) FROM accounts a JOIN balances b ON b.account_id = a.id "
            "AND b.currency = a.currency JOIN transactions t ON t.account_id = ?1 "
            "AND t.pending = 0 AND t.deleted_at IS NULL AND t.booked_on = b.day "
            "AND t.first_seen_at > b.observed_at WHERE a.id = ?1 AND b.day >= ?2 GROUP BY b.day",
            (account_id, first),
        ).fetchall()
    )
    found = verdict(observed, booked, late)
    if found.first_bad_day is None:
        return found, ()
    return found, candidates(found, _near(connection, account_id, found), _holes(connection, account_id))


def _near(connection: Connection, account_id: int, found: Verdict) -> list[NearRow]:
    assert found.first_bad_day is not None
    near = timedelta(days=NEAR_DAYS)
    first = (date.fromisoformat(found.since_day) - near).isoformat()
    last = (date.fromisoformat(found.first_bad_day) + near).isoformat()
    rows = connection.execute(
        "SELECT id, booked_on, amount_minor, pending FROM transactions WHERE account_id = ?1 "
        "AND deleted_at IS NULL AND amount_minor IS NOT NULL "
        "AND (pending = 1 OR (pending = 0 AND booked_on BETWEEN ?2 AND ?3)) ORDER BY booked_on, id",
        (account_id, first, last),
    )
    return [NearRow(row[0], row[1], row[2], bool(row[3])) for row in rows]


def _holes(connection: Connection, account_id: int) -> list[tuple[str, str]]:
    rows = connection.execute(
        "SELECT from_day, to_day FROM holes WHERE account_id = ? AND closed_at IS NULL", (account_id,)
    )
    return [(row[0], row[1]) for row in rows]
