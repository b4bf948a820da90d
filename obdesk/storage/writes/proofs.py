"""Keeping balance proofs: the last one of each account, and when it broke or came out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.storage.columns import to_ms
from obdesk.storage.queries.proofs import causes_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from obdesk.domain.ids import AccountId, ConnectionId
    from obdesk.domain.proofs import Candidate, Verdict
    from obdesk.storage.tx import Tx


def keep(
    tx: Tx,
    connection_id: ConnectionId,
    found: Mapping[AccountId, tuple[Verdict, tuple[Candidate, ...]]],
    now: datetime,
) -> ChangeSet:
    """Keep the proofs of a link's accounts; return those that differ from the last ones."""
    stored = {
        row[0]: row[1:]
        for row in tx.rows(
            "SELECT a.id, p.days_proved, p.first_bad_day, p.gap_minor, p.causes FROM accounts a "
            "LEFT JOIN proofs p ON p.account_id = a.id WHERE a.connection_id = ?",
            (connection_id,),
        )
    }
    changed: list[int] = []
    for account_id, (verdict, candidates) in found.items():
        bad = verdict.first_bad_day
        told = (verdict.days_proved, bad, None if bad is None else verdict.gap_minor, causes_text(candidates))
        if account_id not in stored or stored[account_id] == told:
            continue  # erased meanwhile, or nothing new
        changed.append(account_id)
        tx.execute(
            "INSERT INTO proofs(account_id, checked_at, days_proved, first_bad_day, gap_minor, causes) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT(account_id) DO UPDATE SET "
            "checked_at = excluded.checked_at, "
            "days_proved = excluded.days_proved, first_bad_day = excluded.first_bad_day, "
            "gap_minor = excluded.gap_minor, causes = excluded.causes",
            (account_id, to_ms(now), *told),
        )
        was_bad = stored[account_id][1]
        if (was_bad is None) != (bad is None):
            kind = "proof_mended" if bad is None else "proof_broken"
            tx.insert(
                "events",
                {"at": to_ms(now), "connection_id": connection_id, "kind": kind, "detail": str(account_id)},
            )
    gone = [
        row[0]
        for row in tx.rows(
            "SELECT p.account_id FROM proofs p JOIN accounts a ON a.id = p.account_id "
            "WHERE a.connection_id = ?",
            (connection_id,),
        )
        if row[0] not in found
    ]
    tx.executemany("DELETE FROM proofs WHERE account_id = ?", [(each,) for each in gone])
    return ChangeSet.of(Kind.BALANCES, [*changed, *gone])
