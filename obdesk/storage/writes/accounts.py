"""Writing accounts and the balances observed on them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from obdesk.domain.entities import AccountKind, AccountState
from obdesk.domain.ledger import KnownAccount, StoredAccount
from obdesk.domain.money import NO_CURRENCY, Currency, rescaled
from obdesk.storage.columns import to_ms, to_ms_or_none
from obdesk.storage.writes import findings
from obdesk.storage.writes.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from obdesk.domain.ids import AccountId, ConnectionId
    from obdesk.domain.remote import RemoteAccount
    from obdesk.storage.tx import Tx


class Observation(NamedTuple):
    """A balance as it was told: in minor units of a currency, true at a moment."""

    balance_minor: int
    currency: str
    as_of: datetime

    @property
    def day(self) -> str:
        """Return the day it is kept under, as ISO text."""
        return self.as_of.date().isoformat()


def known(tx: Tx, connection_id: ConnectionId) -> dict[int, KnownAccount]:
    """Return the stored accounts of one link by the provider's ids, those of before included."""
    rows = tx.rows(
        "SELECT a.id, a.provider_id, a.exponent, NOT EXISTS "
        "(SELECT 1 FROM transactions t WHERE t.account_id = a.id) AS empty, a.state = 'active' "
        "FROM accounts a WHERE connection_id = ?",
        (connection_id,),
    )
    found = {row[1]: KnownAccount(row[0], row[1], row[2], bool(row[3]), active=bool(row[4])) for row in rows}
    by_id = {account.id: account for account in found.values()}
    former = tx.rows(
        "SELECT provider_id, account_id FROM account_aliases WHERE connection_id = ?", (connection_id,)
    )
    for provider_id, account_id in former:
        if account_id in by_id and provider_id not in found:
            found[provider_id] = replace(by_id[account_id], provider_id=provider_id, former=True)
    return found


def gone(tx: Tx, connection_id: ConnectionId) -> list[int]:
    """Return the accounts of a link that are no longer at the bank."""
    rows = tx.rows("SELECT id FROM accounts WHERE connection_id = ? AND state = 'gone'", (connection_id,))
    return [row[0] for row in rows]


def any_gone(tx: Tx) -> bool:
    """Tell whether the person has accounts that a bank no longer lists."""
    return bool(tx.value("SELECT EXISTS (SELECT 1 FROM accounts WHERE state = 'gone')"))


def recognisable(tx: Tx, connection_id: ConnectionId) -> list[StoredAccount]:
    """Return all accounts of the person as far as they can be recognised under other ids."""
    rows = tx.rows(
        "SELECT a.id, a.provider_id, a.kind, a.iban, a.number, a.currency, "
        # A living link goes on telling of its accounts, of those that are gone as well.
        "CASE WHEN c.id = mine.id THEN a.state = 'gone' "
        "ELSE c.condition = 'gone' OR c.removed_at IS NOT NULL END, "
        "c.id = mine.id, c.provider = mine.provider AND c.connector_id = mine.connector_id "
        "FROM accounts a JOIN connections c ON c.id = a.connection_id JOIN connections mine ON mine.id = ?",
        (connection_id,),
    )
    return [
        StoredAccount(row[0], row[1], AccountKind(row[2]), *row[3:6], *(bool(each) for each in row[6:]))
        for row in rows
    ]


def rename_ids(tx: Tx, connection_id: ConnectionId, renamed: Mapping[int, int], now: datetime) -> None:
    """Let stored accounts go by other ids, here (our account id by the provider's new one)."""
    for provider_id, account_id in renamed.items():
        tx.execute(
            "INSERT OR REPLACE INTO account_aliases(account_id, connection_id, provider_id, seen_at) "
            "SELECT id, connection_id, provider_id, ? FROM accounts WHERE id = ?",
            (to_ms(now), account_id),
        )
        tx.execute(
            "DELETE FROM account_aliases WHERE connection_id = ? AND provider_id = ?",
            (connection_id, provider_id),
        )
        tx.update("accounts", account_id, {"connection_id": connection_id, "provider_id": provider_id})


def records(tx: Tx, account_ids: Iterable[int]) -> dict[int, dict[str, object]]:
    """Return accounts as they stand, by our ids."""
    return {
        account_id: dict(row)
        for account_id in account_ids
        for row in tx.records("SELECT * FROM accounts WHERE id = ?", (account_id,))
    }


def listed_twice(tx: Tx, connection_id: ConnectionId) -> list[tuple[int, int]]:
    """Return (account here, account elsewhere) with one IBAN and currency, both listed by live links."""
    rows = tx.rows(
        "SELECT a.id, b.id FROM accounts a JOIN accounts b ON b.iban = a.iban AND b.currency = a.currency "
        "AND b.connection_id <> a.connection_id JOIN connections c ON c.id = b.connection_id "
        "WHERE a.connection_id = ? AND a.iban <> '' AND a.state = 'active' AND b.state = 'active' "
        "AND c.removed_at IS NULL AND c.condition <> 'gone' ORDER BY a.id, b.id",
        (connection_id,),
    )
    return [(row[0], row[1]) for row in rows]


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
    observed: dict[int, Observation] = {}
    for came in remotes:
        row = stored.pop(came.provider_id, None)
        remote = came if row is None else _completed(came, row)
        told = _told(remote)
        if row is None:
            account_id = _add(tx, connection_id, remote, told, asked_at)
            changed.add(account_id)
        else:
            account_id = row["id"]
            if row["currency"] not in {remote.currency.code, NO_CURRENCY}:
                _change_currency(
                    tx, connection_id, account_id, (row["currency"], remote.currency.code), asked_at
                )
            if any(row[name] != value for name, value in told.items()):
                tx.update("accounts", account_id, told)
                changed.add(account_id)
        if remote.balance_minor is not None:
            observed[account_id] = Observation(
                remote.balance_minor, remote.currency.code, remote.data_as_of or asked_at
            )
    for row in stored.values():
        if row["state"] != AccountState.GONE.value:
            tx.update("accounts", row["id"], {"state": AccountState.GONE.value, "gone_at": to_ms(asked_at)})
            changed.add(row["id"])
    return changed, _observe(tx, observed)


def _completed(remote: RemoteAccount, row: dict[str, Any]) -> RemoteAccount:
    """Fill what an answer leaves out with what was told before: what is absent is no news.

    A disabled account may be listed by its name alone. Without its currency an amount was counted as if it
    had two decimals.
    """
    told: dict[str, Any] = {
        name: row[name] for name in ("name", "iban", "number") if row[name] and not getattr(remote, name)
    }
    if remote.kind is AccountKind.OTHER and row["kind"] != AccountKind.OTHER.value:
        told["kind"] = AccountKind(row["kind"])
    if remote.currency.code == NO_CURRENCY != row["currency"]:
        before, after = remote.currency.exponent, row["exponent"]
        told["currency"] = Currency(row["currency"], after)
        told["balance_minor"] = rescaled(remote.balance_minor, before, after)
        told["coming_minor"] = rescaled(remote.coming_minor, before, after)
    return replace(remote, **told) if told else remote


def _change_currency(
    tx: Tx, connection_id: ConnectionId, account_id: int, codes: tuple[str, str], now: datetime
) -> None:
    """Say that an account counts in another currency now; nothing is ever converted."""
    before, after = codes
    findings.restate(tx, connection_id, Finding.CURRENCY_CHANGED, account_id, f"{before} to {after}", now)


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


def _observe(tx: Tx, observed: dict[int, Observation]) -> set[int]:
    """Keep each balance under the day it is true for; return the accounts for which that is news."""
    keys = {each: (each, seen.currency, seen.day) for each, seen in observed.items()}
    before = (
        {
            row[0]: (row[1], row[2])
            for row in tx.rows(
                "SELECT account_id, balance_minor, observed_at FROM balances "
                f"WHERE (account_id, currency, day) IN (VALUES {','.join(['(?, ?, ?)'] * len(keys))})",
                tuple(value for key in keys.values() for value in key),
            )
        }
        if keys
        else {}
    )
    news: set[int] = set()
    for account_id, seen in observed.items():
        balance_before, observed_before = before.get(account_id, (None, 0))
        if balance_before == seen.balance_minor or observed_before > to_ms(seen.as_of):
            continue
        tx.execute(
            "INSERT INTO balances(account_id, currency, day, balance_minor, observed_at) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT(account_id, currency, day) DO UPDATE SET "
            "balance_minor = excluded.balance_minor, observed_at = excluded.observed_at",
            (*keys[account_id], seen.balance_minor, to_ms(seen.as_of)),
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
