"""Writing accounts and the balances observed on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.entities import AccountState
from obdesk.domain.ledger import KnownAccount
from obdesk.storage.columns import to_ms, to_ms_or_none

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from obdesk.domain.ids import AccountId, ConnectionId
    from obdesk.domain.remote import RemoteAccount
    from obdesk.storage.tx import Tx


def known(tx: Tx, connection_id: ConnectionId) -> dict[int, KnownAccount]:
    """Return the stored accounts of one link by the provider's id."""
    rows = tx.rows(
        "SELECT id, provider_id, exponent, NOT EXISTS "
        "(SELECT 1 FROM transactions t WHERE t.account_id = a.id) AS empty "
        "FROM accounts a WHERE connection_id = ?",
        (connection_id,),
    )
    return {row[1]: KnownAccount(row[0], row[1], row[2], bool(row[3])) for row in rows}


def save(
    tx: Tx, connection_id: ConnectionId, remotes: Sequence[RemoteAccount], asked_at: datetime
) -> tuple[set[int], set[int]]:
    """Keep what the provider says of a link's accounts; return the ids changed and with new balances.

    An account that the provider no longer lists is gone: kept with its history, no longer counted.
    """
    stored = {
        row["provider_id"]: row
        for row in tx.records("SELECT * FROM accounts WHERE connection_id = ?", (connection_id,))
    }
    changed: set[int] = set()
    observed: dict[int, tuple[int, datetime]] = {}
    for remote in remotes:
        told = _told(remote)
        row = stored.pop(remote.provider_id, None)
        if row is None:
            account_id = _add(tx, connection_id, remote, told, asked_at)
            changed.add(account_id)
        else:
            account_id = row["id"]
            if any(row[name] != value for name, value in told.items()):
                tx.update("accounts", account_id, told)
                changed.add(account_id)
        if remote.balance_minor is not None:
            observed[account_id] = (remote.balance_minor, remote.data_as_of or asked_at)
    for row in stored.values():
        if row["state"] != AccountState.GONE.value:
            tx.update("accounts", row["id"], {"state": AccountState.GONE.value, "gone_at": to_ms(asked_at)})
            changed.add(row["id"])
    return changed, _observe(tx, observed)


def _add(
    tx: Tx, connection_id: ConnectionId, remote: RemoteAccount, told: dict[str, object], now: datetime
) -> int:
    first = {"connection_id": connection_id, "provider_id": remote.provider_id, "first_seen_at": to_ms(now)}
    return tx.insert("accounts", first | told)


def _told(remote: RemoteAccount) -> dict[str, object]:
    told: dict[str, object] = {
        "parent_provider_id": remote.parent_provider_id,
        "name": remote.name,
        "kind": remote.kind.value,
        "state": remote.state.value,
        "iban": remote.iban,
        "number": remote.number,
        "currency": remote.currency.code,
        "exponent": remote.currency.exponent,
        "coming_minor": remote.coming_minor,
        "condition": remote.condition.value,
    }
    if remote.balance_minor is not None:
        # A balance and its date only ever move together: no figure may look newer than it is.
        told["balance_minor"] = remote.balance_minor
        told["data_as_of"] = to_ms_or_none(remote.data_as_of)
    if remote.state is not AccountState.GONE:
        told["gone_at"] = None
    return told


def _observe(tx: Tx, observed: dict[int, tuple[int, datetime]]) -> set[int]:
    """Keep each balance under the day it is true for; return the accounts for which that is news."""
    days = {account_id: as_of.date().isoformat() for account_id, (_, as_of) in observed.items()}
    pairs = [value for pair in days.items() for value in pair]
    before = (
        {
            row[0]: (row[1], row[2])
            for row in tx.rows(
                "SELECT account_id, balance_minor, observed_at FROM balances "
                f"WHERE (account_id, day) IN (VALUES {','.join(['(?, ?)'] * len(days))})",
                tuple(pairs),
            )
        }
        if days
        else {}
    )
    news: set[int] = set()
    for account_id, (balance_minor, as_of) in observed.items():
        balance_before, observed_before = before.get(account_id, (None, 0))
        if balance_before == balance_minor or observed_before > to_ms(as_of):
            continue
        tx.execute(
            "INSERT INTO balances(account_id, day, balance_minor, observed_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT(account_id, day) DO UPDATE SET balance_minor = excluded.balance_minor, "
            "observed_at = excluded.observed_at",
            (account_id, days[account_id], balance_minor, to_ms(as_of)),
        )
        news.add(account_id)
    return news


def rename(tx: Tx, account_id: AccountId, name: str) -> bool:
    """Keep the person's own name of an account; tell whether the account exists."""
    return _edit(tx, account_id, "name", name)


def set_in_net_worth(tx: Tx, account_id: AccountId, *, included: bool) -> bool:
    """Count an account in net worth, or not; tell whether the account exists."""
    return _edit(tx, account_id, "in_net_worth", included)


def set_important(tx: Tx, account_id: AccountId, *, important: bool) -> bool:
    """Let the account's bank be read before others, or not; tell whether the account exists."""
    return _edit(tx, account_id, "important", important)


def _edit(tx: Tx, account_id: AccountId, column: str, value: object) -> bool:
    if tx.value("SELECT 1 FROM accounts WHERE id = ?", (account_id,)) is None:
        return False
    tx.execute(
        "INSERT OR IGNORE INTO account_edits(account_id, name, in_net_worth, important) "
        "VALUES (?, '', NULL, 0)",
        (account_id,),
    )
    tx.execute(f"UPDATE account_edits SET {column} = ? WHERE account_id = ?", (value, account_id))
    return True
