"""First sync, no-change resync and fifty new rows, each against raw SQLCipher in the same run."""

from __future__ import annotations

import statistics
from functools import partial
from typing import TYPE_CHECKING, Any

from obdesk.storage.writes import transactions
from tests.benchmarks.figures import Figure
from tests.benchmarks.ledger import (
    adopt,
    bodies,
    folder,
    open_store,
    raw_rows,
    rows_of,
    seconds,
    sync_bytes,
)

if TYPE_CHECKING:
    from pathlib import Path

    from obdesk.domain.remote import RemoteTransaction
    from obdesk.storage.store import Store
    from obdesk.storage.tx import Tx

NEW_ROWS = 50
ROUNDS = 11
_COLUMNS = (
    "pending", "booked_on", "done_on", "value_on", "amount_minor", "label", "payee", "kind", "category",
    "card", "counterparty", "counterparty_account", "original_minor", "original_currency",
    "original_exponent",
)  # fmt: skip
_UPSERT = (
    f"{transactions.INSERT} ON CONFLICT(account_id, provider_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
    + " WHERE "
    + " OR ".join(f"{name} IS NOT excluded.{name}" for name in _COLUMNS)
)


def run(rows: int) -> list[Figure]:
    """Return the figures at `rows` transactions; small ledgers are measured several times."""
    made = rows_of(rows)
    ready = raw_rows(made)
    answer = bodies(made)
    with folder() as where:
        rounds = max(1, min(5, 200_000 // rows))
        timed = [_raw_insert(where, ready, f"raw{n}") for n in range(rounds)]
        raw, limit_s = timed[0][0], min(taken_s for _, taken_s in timed)
        raw_resync_s = seconds(lambda: raw.bulk_now(lambda tx: _raw(tx).executemany(_UPSERT, ready)))
        first_s = min(_first(where, answer, f"real{n}") for n in range(rounds))
        store = open_store(where, "real0")
        before = _bytes_of(store.path)
        resync_s = seconds(lambda: sync_bytes(store, answer))
        written = _bytes_of(store.path) != before
        small_s, raw_small_s = _fifty_new(store, made)
        for opened in [store, *(each for each, _ in timed)]:
            opened.close()
    return [
        Figure(
            "first sync",
            rows / first_s,
            "rows/s",
            rows / limit_s,
            "raw executemany",
            0.35,
            higher_is_better=True,
        ),
        Figure(
            "no-change resync",
            rows / resync_s,
            "rows/s",
            rows / raw_resync_s,
            "raw upsert",
            3,
            higher_is_better=True,
        ),
        Figure("files changed by a no-change resync", float(written), "", None, "", 0),
        Figure("50 new rows", small_s * 1000, "ms", raw_small_s * 1000, "raw upsert, same file", 2),
    ]


def _first(where: Path, answer: list[bytes], name: str) -> float:
    """Sync an answer into a new store, from bytes to commit."""
    store = open_store(where, name)
    adopt(store)
    taken_s = seconds(lambda: sync_bytes(store, answer))
    store.close()
    return taken_s


def _raw_insert(where: Path, ready: list[tuple[Any, ...]], name: str) -> tuple[Store, float]:
    """Insert into the same tables without a search index: the limit of a first sync."""
    raw = open_store(where, name)
    adopt(raw)
    return raw, seconds(lambda: raw.bulk_now(lambda tx: _raw(tx).executemany(transactions.INSERT, ready)))


def _raw(tx: Tx) -> Any:
    return tx.connection


def _bytes_of(path: Path) -> list[tuple[str, int, int]]:
    """Return size and time of the database and its log: equal means that not one byte was written."""
    found = [file for file in (path, path.with_name(path.name + "-wal")) if file.exists()]
    return [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in found]


def _fifty_new(store: Store, made: list[RemoteTransaction]) -> tuple[float, float]:
    """Return the medians of a delta of 50 rows, ours from bytes and raw into the same file, in turn."""
    ours: list[float] = []
    theirs: list[float] = []
    for turn in range(ROUNDS):
        answer = bodies(_fresh(made, 90_000_000 + turn * NEW_ROWS))
        ours.append(seconds(partial(sync_bytes, store, answer, series="delta")))
        first_id = 500_000_000 + turn * 1_000
        ready = [
            (first_id + n, *row[1:])
            for n, row in enumerate(raw_rows(_fresh(made, 95_000_000 + turn * NEW_ROWS)))
        ]
        theirs.append(seconds(partial(store.write_now, partial(_raw_delta, ready=ready))))
    return statistics.median(ours), statistics.median(theirs)


def _fresh(made: list[RemoteTransaction], first_provider_id: int) -> list[RemoteTransaction]:
    """Return 50 rows of today that nobody has seen, under any id."""
    return [
        row._replace(
            provider_id=first_provider_id + n,
            booked_on="2026-11-24",
            pending=False,
            amount_minor=-first_provider_id - n,
        )
        for n, row in enumerate(made[:NEW_ROWS])
    ]


def _raw_delta(tx: Tx, ready: list[tuple[Any, ...]]) -> None:
    _raw(tx).executemany(_UPSERT, ready)
    _raw(tx).executemany(transactions.INDEX, [(row[0], row[-4]) for row in ready])
