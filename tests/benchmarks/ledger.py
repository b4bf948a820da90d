"""What the storage benchmarks share: answers as bytes, raw tables, and a folder that goes away."""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from obdesk.providers.powens.pages import TransactionPage, read_page
from obdesk.storage.store import Store
from obdesk.storage.writes import accounts, connections, transactions
from obdesk.sync.engine import BULK_PAGES
from obdesk.sync.saving import Saved, save
from tests.seed import KEY, NOW, answer_of, made_rows, remote_account, remote_connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from obdesk.domain.remote import RemoteAccount, RemoteTransaction
    from obdesk.storage.tx import Tx

PARIS = ZoneInfo("Europe/Paris")
ACCOUNTS = (1801, 1802, 1803)


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="obdesk-bench-") as name:
        yield Path(name)


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def bank_accounts() -> list[RemoteAccount]:
    """Return the accounts that the made rows belong to."""
    return [remote_account(number, f"Compte {number}") for number in ACCOUNTS]


def bodies(rows: Sequence[RemoteTransaction]) -> list[bytes]:
    """Return the rows as an aggregator would send them: full objects, 1 000 a page."""
    return [_page(rows[start : start + 1000], len(rows), start) for start in range(0, len(rows), 1000)]


def _page(rows: Sequence[RemoteTransaction], total: int, start: int) -> bytes:
    head = {"first_date": "2016-01-01", "last_date": "2026-11-23", "total": total}
    links = {
        "prev": None,
        "self": {"href": f"https://bank.invalid/2.0/transactions?cursor={start}"},
        "next": None,
    }
    # Amounts are written as raw text, as the wire has them: a float would round.
    listed = ",".join(_wire_row(row) for row in rows)
    return f'{{"transactions":[{listed}],{json.dumps(head)[1:-1]},"_links":{json.dumps(links)}}}'.encode()


def _wire_row(row: RemoteTransaction) -> str:
    assert row.amount_minor is not None
    told = {
        "id": row.provider_id, "id_account": row.account_provider_id, "application_date": row.booked_on,
        "date": row.booked_on, "datetime": None, "vdate": None, "vdatetime": None, "rdate": row.done_on,
        "rdatetime": None, "bdate": row.booked_on, "bdatetime": None, "gross_value": None, "type": row.kind,
        "original_wording": row.label, "simplified_wording": row.payee,
        "stemmed_wording": row.payee.lower(),
        "wording": row.payee, "categories": [], "id_category": 9998,
        "date_scraped": row.updated,
        "coming": row.pending, "active": True, "id_cluster": None, "comment": None,
        "last_update": row.updated, "deleted": None, "original_value": None, "original_gross_value": None,
        "original_currency": None, "commission": None, "commission_currency": None, "country": None,
        "card": row.card, "counterparty": None,
        "state": "parsed", "formatted_value": "-23,90 €", "documents_count": 0, "informations": {},
        "details": None, "webid": None, "nopurge": False,
    }  # fmt: skip
    sign = "-" if row.amount_minor < 0 else ""
    whole, cents = divmod(abs(row.amount_minor), 100)
    return f'{{"value":{sign}{whole}.{cents:02d},{json.dumps(told, ensure_ascii=False)[1:]}'


def pages_from(answer: list[bytes]) -> list[TransactionPage]:
    """Return bytes from the wire as the provider's pages: envelope read, digest taken."""
    pages = []
    for body in answer:
        page = read_page(body, "transactions")
        pages.append(TransactionPage(page.rows, page.digest, page.total, PARIS))
    return pages


def adopt(store: Store) -> None:
    """Link the made bank."""

    def write(tx: Tx) -> None:
        connection_id = connections.adopt(tx, "powens", remote_connection(), NOW)
        accounts.save(tx, connection_id, bank_accounts(), NOW)

    store.write_now(write)


def sync_bytes(store: Store, answer: list[bytes], *, series: str = "full") -> Saved:
    """Do what a sync does from bytes to commit."""
    pages = pages_from(answer)
    wanted = answer_of(1, bank_accounts(), pages, series=series)
    write = store.bulk_now if len(pages) > BULK_PAGES else store.write_now
    return write(lambda tx: save(tx, wanted))


def raw_rows(rows: Sequence[RemoteTransaction]) -> list[tuple[Any, ...]]:
    """Return rows as the tuples that the raw limit inserts: ready, nothing left to compute."""
    ids = {number: n + 1 for n, number in enumerate(ACCOUNTS)}
    return [
        (n + 1, ids[row[1]], row[0], *row[2:17], row[18], transactions.search_text_of(row), 1, 1, None)
        for n, row in enumerate(rows)
    ]


def rows_of(count: int) -> list[RemoteTransaction]:
    """Return the made rows."""
    return list(made_rows(count, account_ids=ACCOUNTS))


def open_store(where: Path, name: str) -> Store:
    """Open a new encrypted store."""
    return Store.open(where / f"{name}.db", KEY)
