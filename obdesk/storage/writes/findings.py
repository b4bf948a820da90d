"""Writing what a sync found about whole accounts: shown, never silent, dropped once it is no longer so."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from obdesk.domain import findings as kinds
from obdesk.domain.ids import ConnectionId
from obdesk.storage.columns import to_ms, to_ms_or_none

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from obdesk.storage.queries.findings import Suspect
    from obdesk.storage.tx import Tx


class Finding(Enum):
    """What is found about accounts; the values are stored."""

    SAME_ACCOUNT_TWICE = kinds.TWICE
    """Two live links list one IBAN; both are kept."""
    MANY_ROWS_MISSING = kinds.MANY_MISSING
    """Most rows of an account were missing from one complete answer; they are kept until one confirms it."""
    SUCCESSOR = kinds.SUCCESSOR
    """One account went and one of its kind came in the same answer; they may be one."""
    CURRENCY_CHANGED = kinds.CURRENCY_CHANGED
    """An account's currency is another one now; balances observed before are not comparable."""


def accounts_told(tx: Tx, connection_id: ConnectionId) -> frozenset[int]:
    """Return the accounts of which one complete answer said already that most rows are gone."""
    rows = tx.rows(
        "SELECT account_id FROM problems WHERE connection_id = ? AND kind = ?",
        (connection_id, Finding.MANY_ROWS_MISSING.value),
    )
    return frozenset(row[0] for row in rows)


def keep(
    tx: Tx, connection_id: ConnectionId, finding: Finding, found: Mapping[int, str], now: datetime
) -> list[int]:
    """Keep one kind of finding, its detail by account id; return the ids of new ones."""
    new: list[int] = []
    for account_id, detail in found.items():
        made = tx.value(
            "INSERT OR IGNORE INTO problems(connection_id, account_id, seen_at, kind, subject, detail) "
            "VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
            (connection_id, account_id, to_ms(now), finding.value, f"account {account_id}", detail),
        )
        if made is not None:
            new.append(int(made))
    return new


def settle(tx: Tx, problem_id: int, at: datetime | None) -> ConnectionId | None:
    """Keep that the person looked at a finding and it is right so, or (None) that it is open again.

    It stays settled while it is found again. Return its link; None where there is no such finding.
    """
    rows = tx.rows("SELECT connection_id FROM problems WHERE id = ?", (problem_id,))
    if not rows:
        return None
    tx.update("problems", problem_id, {"settled_at": to_ms_or_none(at)})
    return ConnectionId(rows[0][0])


def restate(
    tx: Tx, connection_id: ConnectionId, finding: Finding, account_id: int, detail: str, now: datetime
) -> None:
    """Keep a finding about an account as news, whatever was said or settled of it before."""
    tx.execute(
        "INSERT INTO problems(connection_id, account_id, seen_at, kind, subject, detail) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT(connection_id, kind, subject) DO UPDATE SET "
        "seen_at = excluded.seen_at, detail = excluded.detail, settled_at = NULL",
        (connection_id, account_id, to_ms(now), finding.value, f"account {account_id}", detail),
    )


def forget(tx: Tx, finding: Finding, account_ids: Sequence[int]) -> None:
    """Drop a finding about some accounts: what it told of was taken back."""
    tx.executemany(
        "DELETE FROM problems WHERE kind = ? AND account_id = ?",
        [(finding.value, account_id) for account_id in account_ids],
    )


def replace(
    tx: Tx, connection_id: ConnectionId, finding: Finding, found: Mapping[int, str], now: datetime
) -> list[int]:
    """Keep exactly these findings of one kind; return the ids of those that came or went."""
    stored = tx.rows(
        "SELECT id, account_id FROM problems WHERE connection_id = ? AND kind = ?",
        (connection_id, finding.value),
    )
    solved = [row[0] for row in stored if row[1] not in found]
    for problem_id in solved:
        tx.execute("DELETE FROM problems WHERE id = ?", (problem_id,))
    return solved + keep(tx, connection_id, finding, found, now)


def keep_successions(
    tx: Tx, connection_id: ConnectionId, came: Mapping[int, int], now: datetime
) -> list[int]:
    """Keep which account may continue one that went, and drop what is no longer so; return what changed.

    It is no longer so once the one that went is back, or the newcomer is gone. A newcomer that was perhaps
    continued itself still says where the first one's history goes on.
    """
    kind = Finding.SUCCESSOR.value
    stored = tx.rows(
        "SELECT account_id, detail FROM problems WHERE connection_id = ? AND kind = ?", (connection_id, kind)
    )
    told = {row[0]: kinds.account_named(row[1]) for row in stored} | dict(came)
    here = {row[0] for row in tx.rows("SELECT id FROM accounts WHERE state <> 'gone'")} if told else set()
    while stale := [
        went for went, newcomer in told.items() if went in here or newcomer not in here | told.keys()
    ]:
        for went in stale:
            del told[went]
    found = {went: kinds.account_text(newcomer) for went, newcomer in told.items()}
    return replace(tx, connection_id, Finding.SUCCESSOR, found, now)


def keep_suspects(
    tx: Tx, connection_id: ConnectionId, suspects: Sequence[Suspect], now: datetime
) -> list[int]:
    """Keep exactly these suspicions about a link's rows; return the ids of those that came or went."""
    stored = {
        (row[1], row[2]): int(row[0])
        for row in tx.rows(
            f"SELECT id, kind, subject FROM problems WHERE connection_id = ? AND kind IN "
            f"({','.join('?' * len(kinds.SUSPECTED))})",
            (connection_id, *kinds.SUSPECTED),
        )
    }
    wanted = {(each.kind, each.subject): each for each in suspects}
    solved = [problem_id for key, problem_id in stored.items() if key not in wanted]
    tx.executemany("DELETE FROM problems WHERE id = ?", [(each,) for each in solved])
    return solved + [
        tx.insert(
            "problems",
            {
                "connection_id": connection_id,
                "account_id": each.account_id,
                "seen_at": to_ms(now),
                "kind": each.kind,
                "subject": each.subject,
                "detail": "",
            },
        )
        for key, each in wanted.items()
        if key not in stored
    ]
