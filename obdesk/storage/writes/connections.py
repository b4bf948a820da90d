"""Writing connections: adopting them, what the provider says of them, pausing and removing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from obdesk.domain.conditions import Condition
from obdesk.domain.ids import ConnectionId
from obdesk.storage.columns import to_ms, to_ms_or_none
from obdesk.storage.tables import Accounts, Connections, PageDigests
from obdesk.storage.writes.transactions import forget_account

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection as Tx

    from obdesk.domain.remote import RemoteConnection

_table: Any = Connections.__table__  # type: ignore[attr-defined]


def adopt(tx: Tx, provider: str, remote: RemoteConnection, now: datetime) -> ConnectionId:
    """Keep a link that the provider lists and we did not know; a known one is brought up to date."""
    known = tx.execute(
        select(_table.c.id).where(_table.c.provider == provider, _table.c.provider_id == remote.provider_id)
    ).scalar()
    if known is not None:
        describe(tx, ConnectionId(known), remote)
        tx.execute(update(_table).where(_table.c.id == known).values(removed_at=None))
        return ConnectionId(known)
    made = tx.execute(
        _table.insert().values(
            provider=provider,
            provider_id=remote.provider_id,
            linked_at=to_ms(now),
            paused=False,
            asked_at=None,
            cursor=None,
            full_sync_at=None,
            failures=0,
            retry_at=None,
            removed_at=None,
            **_told(remote),
        )
    )
    assert made.inserted_primary_key is not None
    return ConnectionId(made.inserted_primary_key[0])


def describe(tx: Tx, connection_id: ConnectionId, remote: RemoteConnection) -> bool:
    """Keep what the provider says of a known link; tell whether that is news."""
    told = _told(remote)
    row = tx.exec_driver_sql("SELECT * FROM connections WHERE id = ?", (connection_id,)).one()
    if all(getattr(row, name) == value for name, value in told.items()):
        return False
    tx.execute(update(_table).where(_table.c.id == connection_id).values(**told))
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
    tx.execute(update(_table).where(_table.c.id == connection_id).values(**values))


def fail(tx: Tx, connection_id: ConnectionId, condition: Condition, retry_at: datetime | None) -> None:
    """Keep why a sync brought nothing, and when it is tried again."""
    tx.execute(
        update(_table)
        .where(_table.c.id == connection_id)
        .values(condition=condition.value, failures=_table.c.failures + 1, retry_at=to_ms_or_none(retry_at))
    )


def forgive(tx: Tx) -> None:
    """Forget what failed before, so that every link is asked again: something about the access changed."""
    tx.execute(update(_table).where(_table.c.failures > 0).values(failures=0, retry_at=None))


def pause(tx: Tx, connection_id: ConnectionId, *, paused: bool) -> bool:
    """Stop or resume background syncs; tell whether the link exists."""
    done = tx.execute(update(_table).where(_table.c.id == connection_id).values(paused=paused))
    return bool(done.rowcount)


def close(tx: Tx, connection_id: ConnectionId, now: datetime) -> None:
    """Keep the history of a link that has ended; its accounts are closed."""
    tx.execute(update(_table).where(_table.c.id == connection_id).values(removed_at=to_ms(now)))
    accounts: Any = Accounts.__table__  # type: ignore[attr-defined]
    tx.execute(
        update(accounts)
        .where(accounts.c.connection_id == connection_id)
        .values(state="gone", gone_at=to_ms(now))
    )
    digests: Any = PageDigests.__table__  # type: ignore[attr-defined]
    tx.execute(delete(digests).where(digests.c.connection_id == connection_id))


def erase(tx: Tx, connection_id: ConnectionId) -> None:
    """Erase a link with all its accounts, transactions and edits."""
    accounts: Any = Accounts.__table__  # type: ignore[attr-defined]
    found = tx.execute(select(accounts.c.id).where(accounts.c.connection_id == connection_id)).scalars().all()
    for account_id in found:
        forget_account(tx, account_id)
    tx.execute(delete(_table).where(_table.c.id == connection_id))


def is_live(tx: Tx, connection_id: ConnectionId) -> bool:
    """Tell whether a link is known and not removed by the person."""
    live = tx.exec_driver_sql(
        "SELECT count(*) FROM connections WHERE id = ? AND removed_at IS NULL", (connection_id,)
    )
    return bool(live.scalar())


def mark_gone(tx: Tx, connection_id: ConnectionId) -> None:
    """Keep that the provider no longer lists a link; its history stays."""
    tx.execute(update(_table).where(_table.c.id == connection_id).values(condition=Condition.GONE.value))
