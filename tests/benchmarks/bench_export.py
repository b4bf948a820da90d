"""CSV export of an encrypted file beside the sqlite3 shell writing the same columns from a plain one.

Where there is no sqlite3 shell, Python's own `csv.writer` over a plain file is the limit; it takes about
2.4 times as long as the shell, and the target says so.
"""

from __future__ import annotations

import asyncio
import csv
import json
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obdesk.app.export import export_csv
from obdesk.domain.exports import CsvOptions
from obdesk.domain.filters import TransactionFilter
from obdesk.storage.engine import connect
from obdesk.storage.store import Store
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.ledger import folder, seconds
from tests.seed import KEY, fill

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 3
WRITER_OVER_SHELL = 2.4
_TICK_S = 0.001

_SELECT = """
SELECT t.id, a.id AS account_id, a.name, a.iban, c.bank, iif(t.pending, 'pending', 'booked'), t.booked_on,
       t.done_on, t.value_on, printf('%.2f', t.amount_minor / 100.0), a.currency,
       iif(t.original_minor IS NULL, '', printf('%.2f', t.original_minor / 100.0)), t.original_currency,
       t.payee, t.label, coalesce(e.category, t.category), coalesce(e.note, ''), t.counterparty, c.provider,
       t.provider_id, strftime('%Y-%m-%dT%H:%M:%SZ', a.data_as_of / 1000, 'unixepoch')
FROM transactions t JOIN accounts a ON a.id = t.account_id JOIN connections c ON c.id = a.connection_id
LEFT JOIN transaction_edits e ON e.transaction_id = t.id
WHERE t.deleted_at IS NULL ORDER BY t.pending DESC, t.booked_on DESC, t.id DESC
"""


def run(rows: int) -> list[Figure]:
    """Return time, memory and what an interface would feel; the better of some rounds each."""
    with folder() as where:
        store = Store.open(where / "ledger.db", KEY)
        fill(store, rows)
        store.close()
        plain = _plain_copy(where)
        limit_name, target, limit = _limit(plain, where / "limit.csv")
        limits, ours = [], []
        for _ in range(ROUNDS):
            limits.append(seconds(limit))
            ours.append(_in_child(where / "ledger.db", where / "ours.csv"))
    best = min(each["seconds"] for each in ours)
    return [
        Figure("CSV of the whole ledger", best, "s", min(limits), limit_name, target),
        Figure("memory taken", max(each["grown_mib"] for each in ours), "MiB", None, "", 96.0),
        Figure("event loop late, p99", min(each["late_ms"] for each in ours), "ms", None, "", 5.0),
    ]


def _plain_copy(where: Path) -> Path:
    """Write the same rows into a file without encryption."""
    plain = where / "plain.db"
    connection = connect(where / "ledger.db", KEY)
    connection.execute("ATTACH DATABASE ? AS plain KEY ''", (str(plain),))
    connection.execute("SELECT sqlcipher_export('plain')")
    connection.close()
    return plain


def _limit(plain: Path, out: Path) -> tuple[str, float, Callable[[], object]]:
    shell = shutil.which("sqlite3")
    if shell is None:
        return "csv.writer, plain file", 1.3 / WRITER_OVER_SHELL, lambda: _with_csv_writer(plain, out)
    return "sqlite3 -csv, plain file", 1.3, lambda: _with_shell(shell, plain, out)


def _with_shell(shell: str, plain: Path, out: Path) -> None:
    with out.open("wb") as file:
        subprocess.run([shell, "-readonly", "-csv", "-header", str(plain), _SELECT], stdout=file, check=True)


def _with_csv_writer(plain: Path, out: Path) -> None:
    connection = sqlite3.connect(plain)
    with out.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(connection.execute(_SELECT))
    connection.close()


def _in_child(database: Path, out: Path) -> dict[str, float]:
    """Export in a process of its own, whose memory nobody else fills."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_export", str(database), str(out)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def _measured(database: Path, out: Path) -> dict[str, float]:
    """Export everything; return the time, the memory it took, and how late the loop was."""

    def reader() -> Any:
        return connect(database, KEY, read_only=True)

    async def written(done: asyncio.Event) -> None:
        await export_csv(reader, out, TransactionFilter(), CsvOptions())
        done.set()

    async def watched() -> list[float]:
        done = asyncio.Event()
        return (await asyncio.gather(_lateness(done), written(done)))[0]

    before_mib = _peak_mib()
    begin = time.perf_counter()
    late = asyncio.run(watched())
    return {
        "seconds": time.perf_counter() - begin,
        "grown_mib": _peak_mib() - before_mib,
        "late_ms": 1_000 * percentile(late, 0.99),
    }


async def _lateness(done: asyncio.Event) -> list[float]:
    """Return how late each tick of a millisecond came, in seconds."""
    late: list[float] = []
    while not done.is_set():
        begin = time.perf_counter()
        await asyncio.sleep(_TICK_S)
        late.append(time.perf_counter() - begin - _TICK_S)
    return late


def _peak_mib() -> float:
    """Return the most memory this program had; getrusage would count the one that started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (peak,) = (line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measured(Path(sys.argv[1]), Path(sys.argv[2]))))
