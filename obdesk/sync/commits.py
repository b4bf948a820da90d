"""What a sync changed, as lines of a commit: pure functions of what was known and what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.commits import ChangeLine, Subject, What, observed_text
from obdesk.domain.ledger import FACT_NAMES, facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from obdesk.domain.ledger import KnownTransaction
    from obdesk.domain.remote import RemoteTransaction

Record = dict[str, object]
"""A stored row by the names of its columns."""
Observed = tuple[int, int]
"""An observed balance in minor units, and when it was observed (milliseconds since 1970)."""
CONNECTION_FIELDS = ("bank", "condition", "active", "consent_expires_at")
"""What of a link is worth a line; its clocks move with every answer."""


def transaction_lines(
    changed: Iterable[tuple[KnownTransaction, RemoteTransaction]],
    removed: Iterable[KnownTransaction],
    stamps: Mapping[int, str],
) -> list[ChangeLine]:
    """Return the lines of rows that became what the bank says now, and of rows that are gone.

    `stamps` holds, by row id, the provider's word on a deletion where it gave one. With these lines
    alone every row can be made what it was.
    """
    lines = [line for stored, remote in changed for line in _changed(stored, remote)]
    for stored in removed:
        lines += _lines(
            Subject.TRANSACTION,
            stored.id,
            What.REMOVED,
            {"deleted": False, "provider_updated": stored.updated},
            {"deleted": True, "provider_updated": stamps.get(stored.id, "")},
        )
    return lines


def _changed(stored: KnownTransaction, remote: RemoteTransaction) -> Iterator[ChangeLine]:
    before: Record = dict(zip(FACT_NAMES, stored.facts, strict=True))
    after: Record = dict(zip(FACT_NAMES, facts_of(remote), strict=True))
    before |= {
        "provider_id": stored.provider_id, "provider_updated": stored.updated, "deleted": stored.deleted,
    }  # fmt: skip
    after |= {"provider_id": remote.provider_id, "provider_updated": remote.updated, "deleted": False}
    return _lines(Subject.TRANSACTION, stored.id, _what(stored, remote), before, after)


def _what(stored: KnownTransaction, remote: RemoteTransaction) -> What:
    if stored.deleted:
        return What.RESTORED
    if stored.pending and not remote.pending:
        return What.BOOKED
    return What.CHANGED if stored.provider_id == remote.provider_id else What.RENUMBERED


def account_lines(before: Mapping[int, Record], after: Mapping[int, Record]) -> list[ChangeLine]:
    """Return the lines of a link's accounts; an account of which only the clock moved has none."""
    lines: list[ChangeLine] = []
    for account_id, now in after.items():
        was = before.get(account_id)
        if was is None:
            lines.append(ChangeLine(Subject.ACCOUNT, account_id, What.ADDED, "", None, None))
            continue
        moved = {name for name, value in now.items() if was[name] != value}
        if moved - {"data_as_of"}:
            what = _what_of_account(was, now)
            lines += _lines(
                Subject.ACCOUNT,
                account_id,
                what,
                {name: was[name] for name in sorted(moved)},
                {name: now[name] for name in sorted(moved)},
            )
    return lines


def _what_of_account(was: Record, now: Record) -> What:
    if was["state"] != now["state"]:
        if now["state"] == "gone":
            return What.REMOVED
        if was["state"] == "gone":
            return What.RESTORED
    return What.CHANGED if was["provider_id"] == now["provider_id"] else What.RENUMBERED


def balance_lines(
    before: Mapping[tuple[int, str, str], Observed], after: Mapping[tuple[int, str, str], Observed]
) -> list[ChangeLine]:
    """Return the lines of balances, which come by account, currency and day."""
    lines: list[ChangeLine] = []
    for (account_id, currency, day), now in after.items():
        was = before.get((account_id, currency, day))
        if was != now:
            old = None if was is None else observed_text(*was)
            what = What.ADDED if was is None else What.CHANGED
            lines.append(ChangeLine(Subject.BALANCE, account_id, what, day, old, observed_text(*now)))
    return lines


def connection_lines(connection_id: int, before: Record, after: Record) -> list[ChangeLine]:
    """Return the lines of a link's own state."""
    return list(
        _lines(
            Subject.CONNECTION,
            connection_id,
            What.CHANGED,
            {name: before[name] for name in CONNECTION_FIELDS},
            {name: after[name] for name in CONNECTION_FIELDS},
        )
    )


def _lines(
    subject: Subject, subject_id: int, what: What, before: Record, after: Record
) -> Iterator[ChangeLine]:
    for field, old in before.items():
        if old != after[field]:
            yield ChangeLine(subject, subject_id, what, field, text_of(old), text_of(after[field]))


def text_of(value: object) -> str | None:
    """Return a column's value as a line keeps it."""
    if value is None:
        return None
    return str(int(value)) if isinstance(value, bool) else str(value)
