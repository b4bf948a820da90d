"""A month of syncing written down as it happens, with one of each trouble: what scores are counted from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from obdesk.domain.commits import ChangeLine, Subject, What
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunCounts, RunResult, SyncKind, Trigger
from obdesk.domain.ids import ConnectionId
from obdesk.domain.syncing import SyncOutcome
from obdesk.storage.columns import to_ms
from obdesk.storage.writes import commits, connections, runs
from obdesk.sync.saving import save
from tests.seed import NOW, USD, answer_of, fill, remote_account, remote_connection

if TYPE_CHECKING:
    from obdesk.storage.store import Store
    from obdesk.storage.tx import Tx

PORT, NORDIC = ConnectionId(1), ConnectionId(2)


def happened(store: Store, now: datetime = NOW) -> None:
    """Fill an open store with two banks, 40 rows and the traces of their syncs."""
    fill(store, 40)
    store.write_now(lambda tx: _second_bank(tx, now))
    store.write_now(lambda tx: _traces(tx, now))


def _second_bank(tx: Tx, now: datetime) -> None:
    remote = remote_connection("312", "Nordic One", condition=Condition.BANK_DOWN, color="#B5562F", now=now)
    link = connections.adopt(tx, "powens", remote, now)
    account = remote_account(1901, "Checking USD", connection="312", currency=USD, now=now)
    save(tx, answer_of(link, [account], [], remote=remote, asked_at=now - timedelta(hours=10)))


def ended(
    tx: Tx,
    link: ConnectionId,
    at: datetime,
    result: RunResult = RunResult.UNCHANGED,
    condition: Condition = Condition.OK,
    **more: object,
) -> int:
    """Write down a run that ended at an instant, and return its number."""
    outcome = {
        "connection_id": link,
        "bank": "",
        "trigger": Trigger.SCHEDULE,
        "result": result,
        "condition": condition,
        "counts": RunCounts(),
        "requests": 3,
        "started_at": at - timedelta(seconds=1),
        "duration_s": 0.6,
    }
    return runs.add_run(tx, SyncOutcome(**(outcome | more)), at)  # type: ignore[arg-type] # values by name


def _traces(tx: Tx, now: datetime) -> None:
    hour = timedelta(hours=1)
    ended(tx, PORT, now - 40 * 24 * hour, RunResult.BROKEN, Condition.BAD_ANSWER)  # too long ago to count
    ended(tx, PORT, now - 26 * hour, counts=RunCounts(unchanged=412), kind=SyncKind.RECONCILE, duration_s=1.9)
    ended(tx, NORDIC, now - 10 * hour, RunResult.UPDATED, counts=RunCounts(new=2), asked_bank=True)
    ended(tx, NORDIC, now - 4 * hour, RunResult.RETRY_LATER, Condition.BANK_DOWN, duration_s=30.0)
    ended(
        tx, NORDIC, now - 2 * hour, RunResult.RETRY_LATER, Condition.BANK_DOWN,
        trigger=Trigger.RETRY, duration_s=30.0, attempt=2, detail="websiteUnavailable",
    )  # fmt: skip
    newest = ended(
        tx, PORT, now - timedelta(minutes=2), RunResult.UPDATED, trigger=Trigger.WEBHOOK, asked_bank=True,
        counts=RunCounts(new=14, updated=3, removed=1, unchanged=412, problems=1), requests=5,
    )  # fmt: skip
    _changes(tx, newest)
    for link, asked in ((PORT, timedelta(minutes=2)), (NORDIC, 10 * hour)):
        tx.execute("UPDATE connections SET asked_at = ? WHERE id = ?", (to_ms(now - asked), link))
    tx.execute("UPDATE connections SET failures = 2, retry_at = ? WHERE id = 2", (to_ms(now + 2 * hour),))
    for link, at, attended in (
        (PORT, now - 30 * hour, False), (PORT, now - 2 * hour, False), (PORT, now - hour, True),
        (NORDIC, now - 23 * hour, False), (NORDIC, now - 10 * hour, False), (NORDIC, now - 4 * hour, False),
    ):  # fmt: skip
        tx.insert("bank_calls", {"connection_id": link, "at": to_ms(at), "attended": attended})
    minute = to_ms(now) // 60_000
    for back, calls in ((0, 5), (30, 7), (90, 100)):
        tx.execute("INSERT INTO host_calls VALUES ('api.example', ?, ?)", (minute - back, calls))
    _breakers(tx, now)
    _jobs(tx, now)
    _matters(tx, now)
    for days in (45, 12, 3):
        tx.insert("events", {"at": to_ms(now - timedelta(days=days)), "kind": "token_renewed", "detail": ""})


def _changes(tx: Tx, run_id: int) -> None:
    """Write down what the newest run changed: three new rows, and one line of each sort."""
    row, account = Subject.TRANSACTION, Subject.ACCOUNT
    lines = [
        ChangeLine(row, 4, What.BOOKED, "pending", "1", "0"),
        ChangeLine(row, 4, What.BOOKED, "booked_on", "2026-11-25", "2026-11-23"),
        ChangeLine(row, 4, What.BOOKED, "provider_updated", "a", "b"),
        ChangeLine(row, 5, What.CHANGED, "amount_minor", "-4000", "-4600"),
        ChangeLine(row, 6, What.REMOVED, "deleted", "0", "1"),
        ChangeLine(row, 7, What.RESTORED, "deleted", "1", "0"),
        ChangeLine(row, 8, What.RENUMBERED, "provider_id", "10", "11"),
        ChangeLine(row, 9, What.CHANGED, "label", "A", ""),
        ChangeLine(account, 1, What.CHANGED, "name", "Compte", "Compte courant"),
        ChangeLine(account, 3, What.ADDED, "", None, None),
        ChangeLine(Subject.BALANCE, 1, What.CHANGED, "2026-11-24", "150000@1", "152040@2"),
        ChangeLine(Subject.CONNECTION, PORT, What.CHANGED, "condition", "bank_down", "ok"),
        ChangeLine(Subject.CONNECTION, PORT, What.CHANGED, "consent_expires_at", "1", "2"),
    ]
    commits.keep_lines(tx, run_id, lines)
    tx.execute("UPDATE runs SET added_from = 1, added_to = 3 WHERE id = ?", (run_id,))


def _breakers(tx: Tx, now: datetime) -> None:
    for subject, state in ((f"connection:{NORDIC}", "open"), ("host:api.example", "closed")):
        is_open = state == "open"
        tx.execute(
            "INSERT INTO breakers VALUES (?, ?, ?, ?, 'bank_down', ?, ?)",
            (
                subject, state, 5 if is_open else 0, int(is_open),
                to_ms(now - timedelta(hours=2)) if is_open else None,
                to_ms(now + timedelta(minutes=30)) if is_open else None,
            ),
        )  # fmt: skip


def _jobs(tx: Tx, now: datetime) -> None:
    told = {"priority": 3, "asks_bank": False, "attended": False, "kind": "delta"}
    begun = {"put_at": to_ms(now - timedelta(seconds=40)), "not_before": to_ms(now - timedelta(seconds=40))}
    later = {"put_at": to_ms(now - timedelta(hours=2)), "not_before": to_ms(now + timedelta(hours=2))}
    tx.insert("jobs", {**told, **later, "connection_id": NORDIC, "trigger": "retry", "attempts": 2})
    tx.insert(
        "jobs",
        {
            **told, **begun, "connection_id": PORT, "trigger": "webhook", "attempts": 0,
            "begun_at": to_ms(now - timedelta(seconds=5)),
        },
    )  # fmt: skip


def _matters(tx: Tx, now: datetime) -> None:
    at = to_ms(now - timedelta(minutes=2))
    tx.insert(
        "problems",
        {
            "connection_id": PORT,
            "account_id": 1,
            "seen_at": at,
            "kind": "amount",
            "subject": "77",
            "detail": "",
        },
    )
    first, second = (tx.value("SELECT id FROM transactions LIMIT 1 OFFSET ?", (n,)) for n in (0, 1))
    pair = {
        "account_id": 1,
        "kept_id": first,
        "other_id": second,
        "score": 61,
        "why": "amount",
        "state": "open",
    }
    tx.insert("suggestions", {**pair, "made_at": at})
    proofs = ((1, None, None), (2, "2026-11-19", -4_600), (3, None, None))
    for account, day, gap in proofs:
        tx.execute("INSERT INTO proofs VALUES (?, ?, 20, ?, ?, '[]')", (account, at, day, gap))
    hole = {
        "account_id": 4,
        "from_day": "2026-07-02",
        "to_day": "2026-08-24",
        "found_at": at,
        "state": "open",
    }
    tx.insert("holes", hole)
    tx.insert("holes", {**hole, "from_day": "2026-01-01", "to_day": "2026-01-09", "closed_at": at})
