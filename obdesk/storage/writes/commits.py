"""Writing syncs as commits: what stood before, the lines, and taking a whole sync back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from obdesk.domain.changes import IDS_MAX, ChangeSet, Kind
from obdesk.domain.commits import ChangeLine, Subject, What, WhyNot, observed_of
from obdesk.domain.ledger import FACT_NAMES
from obdesk.storage.columns import to_ms
from obdesk.storage.queries import commits
from obdesk.storage.writes import findings
from obdesk.storage.writes.findings import Finding
from obdesk.storage.writes.transactions import reindex, searched

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId, RunId
    from obdesk.storage.tx import Tx, Value

_UNTOLD = frozenset({"id", "connection_id", "first_seen_at"})
_TRANSACTION_FIELDS = frozenset({*FACT_NAMES, "provider_updated"})
_HISTORY_FIELDS = frozenset({"pending", "booked_on", "amount_minor", "label", "deleted"})
_HISTORY = (
    "INSERT INTO transaction_history(transaction_id, at, who, field, old, new) VALUES (?, ?, 'you', ?, ?, ?)"
)
_OF_ITS_CURRENCY = "currency = (SELECT currency FROM accounts WHERE id = ?1)"


class NotRevertibleError(Exception):
    """A sync cannot be taken back."""

    def __init__(self, reason: WhyNot) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Stood(NamedTuple):
    """What stood in the ledger besides transactions, before or after a write."""

    connection: dict[str, object]
    accounts: dict[int, dict[str, object]]
    balances: dict[tuple[int, str, str], tuple[int, int]]
    """Amount and moment by account, currency and day."""


def stood(tx: Tx, connection_id: ConnectionId, days: Iterable[str]) -> Stood:
    """Return a link, its accounts, and their balances on some days."""
    (connection,) = tx.records("SELECT * FROM connections WHERE id = ?", (connection_id,))
    accounts = tx.records("SELECT * FROM accounts WHERE connection_id = ?", (connection_id,))
    wanted = sorted(set(days))
    balances = tx.rows(
        "SELECT b.account_id, b.currency, b.day, b.balance_minor, b.observed_at FROM accounts a "
        "JOIN balances b ON b.account_id = a.id "
        f"WHERE a.connection_id = ? AND b.day IN ({','.join('?' * len(wanted))})",
        (connection_id, *wanted),
    )
    return Stood(
        connection,
        {
            int(each["id"]): {name: value for name, value in each.items() if name not in _UNTOLD}
            for each in accounts
        },
        {(row[0], row[1], row[2]): (row[3], row[4]) for row in balances},
    )


def keep_lines(tx: Tx, run_id: int, lines: Sequence[ChangeLine]) -> None:
    """Keep what a sync did; the lines go when its record goes."""
    if lines:
        tx.executemany(
            "INSERT INTO run_changes(run_id, n, subject, subject_id, what, field, old, new) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (run_id, n, line.subject.value, line.subject_id, line.what.value, *line[3:])
                for n, line in enumerate(lines)
            ),
        )


def revert(tx: Tx, run_id: RunId, now: datetime) -> ChangeSet:
    """Take a whole sync back, and let the next one read everything again; the person's words stay.

    Where a field no longer says what the sync made of it, a later hand had it: it stays as it is.
    Raises LookupError for a sync that is not known and NotRevertibleError where it may not be.
    """
    reason = commits.why_not(tx.connection, run_id)
    if reason is not None:
        raise NotRevertibleError(reason)
    connection_id, added_from, added_to, cursor = tx.rows(
        "SELECT connection_id, added_from, added_to, cursor_before FROM runs WHERE id = ?", (run_id,)
    )[0]
    lines = commits.all_lines(tx.connection, run_id)
    now_ms = to_ms(now)
    added = None if added_from is None else (int(added_from), int(added_to))
    if added is not None:
        _take_back_rows(tx, added, now_ms)
    of_transactions = [line for line in lines if line.subject is Subject.TRANSACTION]
    rows = _restore_transactions(tx, of_transactions, added, now_ms)
    # Balances first: they are of the currency that the accounts still have.
    balances = _restore_balances(tx, [line for line in lines if line.subject is Subject.BALANCE])
    accounts = _restore_accounts(tx, [line for line in lines if line.subject is Subject.ACCOUNT], now_ms)
    tx.execute("UPDATE connections SET cursor = ?, full_sync_at = NULL WHERE id = ?", (cursor, connection_id))
    tx.execute("DELETE FROM page_digests WHERE connection_id = ?", (connection_id,))
    tx.update("runs", run_id, {"reverted_at": now_ms})
    tx.insert(
        "events",
        {"at": now_ms, "connection_id": connection_id, "kind": "run_reverted", "detail": str(run_id)},
    )
    change = ChangeSet.of(Kind.CONNECTIONS, [connection_id]).merge(ChangeSet.of(Kind.RUNS, [run_id]))
    change = change.merge(ChangeSet.of(Kind.ACCOUNTS, accounts)).merge(ChangeSet.of(Kind.BALANCES, balances))
    return change.merge(_touched(rows, added))


def _touched(rows: set[int], added: tuple[int, int] | None) -> ChangeSet:
    if added is None:
        return ChangeSet.of(Kind.TRANSACTIONS, rows)
    if added[1] - added[0] >= IDS_MAX:
        return ChangeSet.many(Kind.TRANSACTIONS)
    return ChangeSet.of(Kind.TRANSACTIONS, rows | set(range(added[0], added[1] + 1)))


def _take_back_rows(tx: Tx, added: tuple[int, int], now_ms: int) -> None:
    """Turn the rows that a sync brought into tombstones; without a stamp, any answer lifts them again."""
    tx.execute(
        "INSERT INTO transaction_history(transaction_id, at, who, field, old, new) "
        "SELECT id, ?, 'you', 'deleted', '', '1' FROM transactions "
        "WHERE id BETWEEN ? AND ? AND deleted_at IS NULL",
        (now_ms, *added),
    )
    tx.execute(
        "UPDATE transactions SET deleted_at = ?1, changed_at = ?1, provider_updated = '' "
        "WHERE id BETWEEN ?2 AND ?3 AND deleted_at IS NULL",
        (now_ms, *added),
    )


def _restore_transactions(
    tx: Tx, lines: Sequence[ChangeLine], added: tuple[int, int] | None, now_ms: int
) -> set[int]:
    ids = {line.subject_id for line in lines}
    for field in sorted(_TRANSACTION_FIELDS):
        _put_back(tx, "transactions", field, [line for line in lines if line.field == field])
    deleted = [line for line in lines if line.field == "deleted"]
    tx.executemany(
        # What was made one with another row is not shown by itself, whatever the bank said of it.
        "UPDATE transactions SET deleted_at = ?1 WHERE id = ?2 AND (deleted_at IS NULL) = ?3 "
        "AND provider_id > 0",
        [(None if line.old == "0" else now_ms, line.subject_id, line.new == "0") for line in deleted],
    )
    _return_numbers(tx, "transactions", [line for line in lines if line.field == "provider_id"], added)
    tx.executemany("UPDATE transactions SET changed_at = ? WHERE id = ?", [(now_ms, each) for each in ids])
    for row_id in {line.subject_id for line in lines if line.field in {"label", "payee"}}:
        (row,) = tx.rows("SELECT search_text, label, payee FROM transactions WHERE id = ?", (row_id,))
        after = searched(row[1], row[2])
        if reindex(tx, row_id, row[0], after):
            tx.update("transactions", row_id, {"search_text": after})
    tx.executemany(
        _HISTORY,
        [
            (
                line.subject_id,
                now_ms,
                line.field,
                *(_in_history(line, value) for value in (line.new, line.old)),
            )
            for line in lines
            if line.field in _HISTORY_FIELDS
        ],
    )
    return ids


def _in_history(line: ChangeLine, value: str | None) -> str:
    return "" if value is None or (line.field == "deleted" and value == "0") else value


def _put_back(tx: Tx, table: str, field: str, lines: Sequence[ChangeLine]) -> None:
    tx.executemany(
        f"UPDATE {table} SET {field} = ?1 WHERE id = ?2 AND {field} IS ?3",
        [(line.old, line.subject_id, line.new) for line in lines],
    )


def _return_numbers(
    tx: Tx, table: str, lines: Sequence[ChangeLine], added: tuple[int, int] | None = None
) -> None:
    """Give rows back the ids they had; no number is free while another row bears it, so all step aside."""
    aliases, owner = (
        ("transaction_aliases", "transaction_id")
        if table == "transactions"
        else ("account_aliases", "account_id")
    )
    # A row that goes by another id now, as one that was made one with another, keeps what it has.
    bearing = f"SELECT 1 FROM {table} WHERE id = ? AND provider_id IS ?"
    lines = [line for line in lines if tx.value(bearing, (line.subject_id, line.new))]
    tx.executemany(
        f"UPDATE {table} SET provider_id = -id WHERE id = ?", [(line.subject_id,) for line in lines]
    )
    if added is not None:
        tx.executemany(
            "UPDATE transactions SET provider_id = -id WHERE id BETWEEN ? AND ? AND provider_id IS ? "
            "AND account_id = (SELECT account_id FROM transactions WHERE id = ?)",
            [(*added, line.old, line.subject_id) for line in lines],
        )
    for value in ("old", "new"):  # what another row bears by now is not given back
        tx.executemany(
            f"UPDATE OR IGNORE {table} SET provider_id = ? WHERE id = ? AND provider_id = -id",
            [(getattr(line, value), line.subject_id) for line in lines],
        )
    tx.executemany(
        f"DELETE FROM {aliases} WHERE {owner} = ? AND provider_id IS ?",
        [(line.subject_id, line.old) for line in lines],
    )


def _restore_accounts(tx: Tx, lines: Sequence[ChangeLine], now_ms: int) -> set[int]:
    columns = {str(row[1]) for row in tx.rows("PRAGMA table_info(accounts)")} - _UNTOLD - {"provider_id"}
    for field in sorted(columns):
        _put_back(tx, "accounts", field, [line for line in lines if line.field == field])
    findings.forget(
        tx, Finding.CURRENCY_CHANGED, [line.subject_id for line in lines if line.field == "currency"]
    )
    _return_numbers(tx, "accounts", [line for line in lines if line.field == "provider_id"])
    tx.executemany(
        "UPDATE accounts SET state = 'gone', gone_at = ? WHERE id = ?",
        [(now_ms, line.subject_id) for line in lines if line.what is What.ADDED],
    )
    return {line.subject_id for line in lines}


def _restore_balances(tx: Tx, lines: Sequence[ChangeLine]) -> set[int]:
    for line in lines:
        assert line.new is not None  # a sync observes balances, it never drops one
        seen: tuple[Value, ...] = (line.subject_id, line.field, *observed_of(line.new))
        if line.old is None:
            tx.execute(
                "DELETE FROM balances WHERE account_id = ?1 AND day = ?2 AND balance_minor = ?3 "
                f"AND observed_at = ?4 AND {_OF_ITS_CURRENCY}",
                seen,
            )
        else:
            tx.execute(
                "UPDATE balances SET balance_minor = ?5, observed_at = ?6 WHERE account_id = ?1 AND day = ?2 "
                f"AND balance_minor = ?3 AND observed_at = ?4 AND {_OF_ITS_CURRENCY}",
                (*seen, *observed_of(line.old)),
            )
    return {line.subject_id for line in lines}
