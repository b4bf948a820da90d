"""The JSON that programs read: stable keys, money as decimal text, instants in UTC (docs/guide.md)."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from obdesk.domain.conditions import Condition, explain, heals_alone, needs_you

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from obdesk.domain.conditions import Explanation
    from obdesk.domain.entities import Account, Connection, Run, RunCounts
    from obdesk.domain.erasures import PendingErasure
    from obdesk.domain.money import Money
    from obdesk.domain.records import TransactionRecord
    from obdesk.domain.syncing import SyncOutcome

Document = dict[str, Any]


def instant_text(instant: datetime | None) -> str | None:
    """Return an instant in UTC to the second, as `2026-03-17T08:30:00Z`."""
    return None if instant is None else instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def amount_text(money: Money | None) -> str | None:
    """Return an amount as a plain decimal number in text."""
    return None if money is None else money.text()


def error_of(explanation: Explanation, next_try: datetime | None) -> Document:
    """Return what is the matter: cause, side, remedy, and when we try again where that may mend it."""
    return {
        "condition": explanation.condition.value,
        "title": explanation.title,
        "cause": explanation.cause,
        "side": explanation.side.value,
        "heals_alone": explanation.heals_alone,
        "next_step": explanation.next_step,
        "action": explanation.action.value,
        "next_run_at": instant_text(next_try),
    }


def account_document(account: Account) -> Document:
    """Return an account with its balance and both clocks."""
    known = account.balance or account.coming
    return {
        "id": account.id,
        "connection_id": account.connection_id,
        "bank": account.bank,
        "name": account.name,
        "kind": account.kind.value,
        "state": account.state.value,
        "iban": account.iban,
        "number": account.number,
        "balance": amount_text(account.balance),
        "coming": amount_text(account.coming),
        "currency": None if known is None else known.currency.code,
        "in_net_worth": account.in_net_worth,
        "important": account.important,
        "asked_at": instant_text(account.freshness.asked_at),
        "data_as_of": instant_text(account.freshness.data_as_of),
        "freshness": account.freshness.state.value,
    }


def status_document(account: Account, connection: Connection | None) -> Document:
    """Return an account with what is the matter with it, or null where nothing is."""
    return account_document(account) | {"error": _error(account.condition, account.bank, connection)}


def connection_document(connection: Connection) -> Document:
    """Return a link with its state, its consent and its last syncs."""
    return {
        "id": connection.id,
        "bank": connection.bank,
        "provider": connection.provider,
        "provider_id": connection.provider_id,
        "condition": connection.condition.value,
        "needs_you": needs_you(connection.condition),
        "paused": connection.paused,
        "accounts": connection.account_count,
        "asked_at": instant_text(connection.freshness.asked_at),
        "data_as_of": instant_text(connection.freshness.data_as_of),
        "freshness": connection.freshness.state.value,
        "consent_expires_at": instant_text(connection.consent_expires_at),
        "next_run_at": instant_text(connection.next_run_at),
        "budget": {
            "left": connection.budget.left,
            "of": connection.budget.of,
            "resets_at": instant_text(connection.budget.resets_at),
        },
        "error": _error(connection.condition, connection.bank, connection),
        "missing_days": None
        if connection.missing_days is None
        else [day.isoformat() for day in connection.missing_days],
        "last_runs": [run_document(run) for run in connection.last_runs],
    }


def pending_deletion_document(erasure: PendingErasure) -> Document:
    """Return a link that was removed here and that the aggregator still has to erase."""
    return {
        "bank": erasure.bank,
        "provider": erasure.provider,
        "provider_id": erasure.provider_id,
        "asked_at": instant_text(erasure.asked_at),
        "attempts": erasure.attempts,
        "next_try_at": instant_text(erasure.next_try_at),
    }


def _error(condition: Condition, bank: str, connection: Connection | None) -> Document | None:
    if condition is Condition.OK:
        return None
    next_try = connection.next_run_at if connection is not None and heals_alone(condition) else None
    found = explain(condition, bank, next_try=next_try, when=instant_text(next_try) or "")
    return error_of(found, next_try)


def run_document(run: Run) -> Document:
    """Return one past sync of one link."""
    return {
        "id": run.id,
        "trigger": run.trigger.value,
        "started_at": instant_text(run.started_at),
        "result": run.result.value,
        "condition": run.condition.value,
        **_counts(run.counts),
        "requests": run.requests,
        "duration_s": round(run.duration_s, 3),
    }


def transaction_document(record: TransactionRecord) -> Document:
    """Return a transaction."""
    row = record.row
    return {
        "id": row.id,
        "account_id": row.account_id,
        "account_iban": record.iban,
        "state": row.state.value,
        "date": row.booked_on.isoformat(),
        "amount": amount_text(row.amount),
        "currency": record.currency,
        "label": row.label,
        "payee": row.payee,
        "category": row.category,
        "note": record.note,
        "provider_ids": list(record.provider_ids),
    }


def sync_document(
    ended: Sequence[tuple[SyncOutcome, Connection | None]], outcome: str, duration_s: float
) -> Document:
    """Return how a sync ended: totals first, then each link as the sync left it."""
    outcomes = [each for each, _ in ended]
    return {
        "outcome": outcome,
        **{
            name: sum(_counts(each.counts)[name] for each in outcomes)
            for name in ("new", "updated", "removed", "unchanged", "problems")
        },
        "requests": sum(each.requests for each in outcomes),
        "duration_s": round(duration_s, 3),
        "connections": [_outcome_document(each, link) for each, link in ended],
    }


def _outcome_document(outcome: SyncOutcome, connection: Connection | None) -> Document:
    return {
        "connection_id": outcome.connection_id,
        "bank": outcome.bank,
        "outcome": outcome.result.value,
        **_counts(outcome.counts),
        "requests": outcome.requests,
        "started_at": instant_text(outcome.started_at),
        "duration_s": round(outcome.duration_s, 3),
        "error": _error(outcome.condition, outcome.bank, connection),
        "detail": outcome.detail,
    }


def _counts(counts: RunCounts) -> dict[str, int]:
    return {
        "new": counts.new,
        "updated": counts.updated,
        "removed": counts.removed,
        "unchanged": counts.unchanged,
        "problems": counts.problems,
    }
