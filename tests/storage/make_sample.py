"""Makes the sample database of the present schema version: `python -m tests.storage.make_sample`.

One sample per version is kept, and every later program must open it and read these figures. A sample is
made once, when its version is new; it is never made again after that version was given to anybody.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from obdesk.domain.entities import AccountKind, RunCounts, RunResult, Trigger
from obdesk.domain.ids import AccountId, ConnectionId, TransactionId
from obdesk.domain.money import Currency
from obdesk.domain.syncing import SyncOutcome
from obdesk.storage.engine import SCHEMA_VERSION
from obdesk.storage.store import Store
from obdesk.storage.writes import accounts, connections, edits
from obdesk.sync.saving import record, save
from tests.seed import NOW, SeedPage, answer_of, made_rows, remote_account, remote_connection, row

if TYPE_CHECKING:
    from obdesk.storage.tx import Tx

DATA = Path(__file__).parent / "data"
SAMPLE_KEY = hashlib.sha256(b"the sample databases are open to everybody").digest()
JPY = Currency.of("JPY")


def sample_path(version: int) -> Path:
    return DATA / f"version-{version}.db"


def _fill(tx: Tx) -> None:
    remote = remote_connection()
    connection_id = connections.adopt(tx, "powens", remote, NOW)
    told = [
        remote_account(1801, "Compte courant"),
        remote_account(1802, "Livret A", kind=AccountKind.SAVINGS, balance_minor=544_868),
        remote_account(1803, "Carte", kind=AccountKind.CARD, balance_minor=-12_000, parent=1801),
        remote_account(1804, "Compte yens", currency=JPY, balance_minor=25_000),
    ]
    rows = [
        *made_rows(200, account_ids=(1801, 1802)),
        row(1, account=1804, amount_minor=-1_500, label="KISSA TOKYO", payee="KISSA"),
        row(2, account=1803, pending=True, amount_minor=None, label="RESERVATION", payee=""),
    ]
    first = answer_of(connection_id, told, [SeedPage(tuple(rows))])
    _kept(tx, connection_id, first)
    edits.edit_transaction(tx, TransactionId(1), note="Remboursé par Zoé", category="vie", now=NOW)
    accounts.rename(tx, AccountId(1), "Le compte")
    edits.set_setting(tx, "theme", "dark")
    edits.put_token(tx, "powens/user", "no secret at all")
    second = [
        row(10_000_200, amount_minor=-999, updated="2026-11-25 05:00:00"),
        row(1, account=1804, deleted=True, updated="2026-11-25 05:00:00"),
    ]
    _kept(tx, connection_id, answer_of(connection_id, told, [SeedPage(tuple(second))], series="delta"))


def _kept(tx: Tx, connection_id: ConnectionId, answer: object) -> None:
    from obdesk.sync.saving import Answer

    assert isinstance(answer, Answer)
    saved = save(tx, answer)
    outcome = SyncOutcome(
        connection_id,
        "Banque du Port",
        Trigger.PERSON,
        RunResult.UPDATED,
        answer.remote.condition,
        RunCounts(saved.counts.new, saved.counts.updated, saved.counts.removed),
        5,
        NOW,
        1.5,
    )
    record(tx, answer, saved, outcome, NOW)


def main() -> None:
    """Make the sample of the present version."""
    path = sample_path(SCHEMA_VERSION)
    path.unlink(missing_ok=True)
    with Store.open(path, SAMPLE_KEY) as store:
        store.write_now(_fill)
    for left in DATA.glob(f"{path.name}-*"):
        left.unlink()


if __name__ == "__main__":
    main()
