"""Writing connections: adopting them, what the provider says of them, pausing and removing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.conditions import Condition, needs_you
from obdesk.domain.ids import ConnectionId
from obdesk.storage.columns import instant_or_none, to_ms, to_ms_or_none
from obdesk.storage.writes import jobs
from obdesk.storage.writes.transactions import forget_account

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.remote import RemoteConnection
    from obdesk.storage.tx import Tx


def adopt(tx: Tx, provider: str, remote: RemoteConnection, now: datetime) -> ConnectionId:
    """Keep a link that the provider lists and we did not know; a known one is brought up to date."""
    known = tx.value(
        "SELECT id FROM connections WHERE provider = ? AND provider_id = ?", (provider, remote.provider_id)
    )
    if known is not None:
        describe(tx, ConnectionId(known), remote)
        tx.update("connections", known, {"removed_at": None, "failures": 0, "retry_at": None})
        return ConnectionId(known)
    first = {
        "provider": provider,
        "provider_id": remote.provider_id,
        "linked_at": to_ms(now),
        "paused": False,
        "failures": 0,
    }
    return ConnectionId(tx.insert("connections", first | _told(remote)))


def describe(tx: Tx, connection_id: ConnectionId, remote: RemoteConnection) -> bool:
    """Keep what the provider says of a known link; tell whether that is news."""
    told = _told(remote)
    (stored,) = tx.records("SELECT * FROM connections WHERE id = ?", (connection_id,))
    if all(stored[name] == value for name, value in told.items()):
        return False
    tx.update("connections", connection_id, told)
    return True


def _told(remote: RemoteConnection) -> dict[str, object]:
    return {
        "connector_id": remote.connector_id,
        "bank": remote.bank,
        "color": remote.color,
        "condition": remote.condition.value,
        "provider_state": remote.provider_state,
        "bank_message": remote.bank_message,
        "active": remote.active,
        "created_at": to_ms_or_none(remote.created_at),
        "data_as_of": to_ms_or_none(remote.data_as_of),
        "consent_expires_at": to_ms_or_none(remote.consent_expires_at),
        "provider_next_try_at": to_ms_or_none(remote.next_try_at),
    }


def finish(
    tx: Tx, connection_id: ConnectionId, *, asked_at: datetime, cursor: str | None, full: bool
) -> None:
    """Keep the moment of asking and the cursor (None: the one there is), with the rows in one transaction."""
    values: dict[str, object] = {"asked_at": to_ms(asked_at), "failures": 0, "retry_at": None}
    if cursor is not None:
        values["cursor"] = cursor
    if full:
        values["full_sync_at"] = to_ms(asked_at)
    tx.update("connections", connection_id, values)


def fail(
    tx: Tx,
    connection_id: ConnectionId,
    condition: Condition,
    retry_at: datetime | None,
    *,
    keep_needs: bool,
    asked: bool = True,
) -> None:
    """Keep why a sync brought nothing, and when it is tried again; one that asked nobody is no failure.

    With `keep_needs`, a link that waits for its person goes on waiting: a fault that heals alone must not
    hide the cause and the button.
    """
    told = Condition(tx.value("SELECT condition FROM connections WHERE id = ?", (connection_id,)))
    kept = told if keep_needs and needs_you(told) else condition
    tx.execute(
        "UPDATE connections SET condition = ?, failures = max(failures + ?, 1), retry_at = ? WHERE id = ?",
        (kept.value, asked, to_ms_or_none(retry_at), connection_id),
    )


def waiting(tx: Tx, provider: str) -> list[ConnectionId]:
    """Return the links of a provider that failed and are tried again by themselves."""
    rows = tx.rows(
        "SELECT id, condition FROM connections WHERE provider = ? AND removed_at IS NULL AND failures > 0 "
        "AND retry_at IS NOT NULL",
        (provider,),
    )
    return [ConnectionId(found) for found, condition in rows if not needs_you(Condition(condition))]


def come_back(tx: Tx, connection_id: ConnectionId, turn: datetime) -> None:
    """Keep that the provider answers again and when it is this link's turn."""
    values = {"condition": Condition.COMING_BACK.value, "retry_at": to_ms(turn)}
    tx.update("connections", connection_id, values)


def put_off(tx: Tx, connection_id: ConnectionId, until: datetime) -> None:
    """Let a link be asked by itself no sooner than at an instant."""
    tx.update("connections", connection_id, {"retry_at": to_ms(until)})


def forgive(tx: Tx) -> None:
    """Forget what failed before, so that every link is asked again: something about the access changed."""
    tx.execute("UPDATE connections SET failures = 0, retry_at = NULL WHERE failures > 0")
    jobs.forgive(tx)
    tx.execute("DELETE FROM breakers")


def pause(tx: Tx, connection_id: ConnectionId, *, paused: bool) -> bool:
    """Stop or resume background syncs; tell whether the link exists."""
    return bool(tx.update("connections", connection_id, {"paused": paused}))


def close(tx: Tx, connection_id: ConnectionId, now: datetime) -> None:
    """Keep the history of a link that the person ended; its accounts are closed."""
    tx.update("connections", connection_id, {"removed_at": to_ms(now)})
    _close_accounts(tx, connection_id, now)
    tx.execute("DELETE FROM page_digests WHERE connection_id = ?", (connection_id,))


def erase(tx: Tx, connection_id: ConnectionId) -> None:
    """Erase a link with all its accounts, transactions and edits."""
    for (account_id,) in tx.rows("SELECT id FROM accounts WHERE connection_id = ?", (connection_id,)):
        forget_account(tx, account_id)
    tx.execute("DELETE FROM connections WHERE id = ?", (connection_id,))
    tx.execute("DELETE FROM breakers WHERE subject = 'connection:' || ?", (connection_id,))


def full_read_at(tx: Tx, connection_id: ConnectionId) -> datetime | None:
    """Return when everything was read last, or None."""
    return instant_or_none(tx.value("SELECT full_sync_at FROM connections WHERE id = ?", (connection_id,)))


def is_live(tx: Tx, connection_id: ConnectionId) -> bool:
    """Tell whether a link is known and not removed by the person."""
    return bool(
        tx.value("SELECT count(*) FROM connections WHERE id = ? AND removed_at IS NULL", (connection_id,))
    )


def mark_gone(tx: Tx, connection_id: ConnectionId, now: datetime) -> None:
    """Keep that the provider no longer lists a link; its history stays, its accounts count no more.

    Should it be listed again, its first answer says which of them are.
    """
    tx.update("connections", connection_id, {"condition": Condition.GONE.value})
    _close_accounts(tx, connection_id, now)


def _close_accounts(tx: Tx, connection_id: ConnectionId, now: datetime) -> None:
    tx.execute(
        "UPDATE accounts SET state = 'gone', gone_at = ? WHERE connection_id = ? AND state <> 'gone'",
        (to_ms(now), connection_id),
    )
