"""A ledger in a real file, its links, and the answers it takes in: what tests about identity write to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from obdesk.domain.entities import AccountKind
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.ids import ConnectionId, TransactionId
from obdesk.storage.queries import accounts as account_reads
from obdesk.storage.queries import connections as reads
from obdesk.storage.queries import transactions
from obdesk.storage.writes import connections, edits
from obdesk.sync.saving import Saved, record, save
from tests.seed import NOW, SeedPage, answer_of, remote_account, remote_connection, row
from tests.sync.outcomes import outcome_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.domain.remote import RemoteAccount, RemoteTransaction
    from obdesk.storage.store import Store

ONE = remote_account(1801, "one")
SAVINGS = remote_account(1802, "savings", kind=AccountKind.SAVINGS)


class Book:
    """A ledger in a real file, its links, and the answers it takes in."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.link("311")

    def link(self, provider_id: str) -> ConnectionId:
        told = replace(remote_connection(provider_id), connector_id="one bank")
        return self.store.write_now(lambda tx: connections.adopt(tx, "powens", told, NOW))

    def take(
        self,
        *rows: RemoteTransaction,
        accounts: Sequence[RemoteAccount] = (ONE,),
        link: int = 1,
        series: str = "full",
        days: int = 0,
        reread: bool = False,
        cursor: str | None = None,
    ) -> Saved:
        remote = replace(remote_connection("311" if link == 1 else "312"), connector_id="one bank")
        answer = answer_of(
            link,
            list(accounts),
            [SeedPage(tuple(rows))],
            remote=remote,
            series=series,
            asked_at=NOW + timedelta(days=days),
        )

        def write(tx: Any) -> Saved:
            saved = save(tx, replace(answer, reread=reread, previous_cursor=cursor))
            record(tx, answer, saved, outcome_of(ConnectionId(link)), NOW)
            return saved

        return self.store.write_now(write)

    def note(self, row_id: int, note: str) -> None:
        self.store.write_now(
            lambda tx: edits.edit_transaction(tx, TransactionId(row_id), note=note, category=None, now=NOW)
        )

    def rows(self) -> list[tuple[int, str]]:
        """Return (our id, label) of what is shown."""
        return sorted(
            (each.id, each.label)
            for each in self.store.read_now(transactions.page, TransactionFilter(), 0, 999)
        )

    def accounts(self) -> dict[int, tuple[str, str]]:
        found = self.store.read_now(account_reads.accounts, NOW)
        return {each.id: (each.provider_id, each.state.value) for each in found}

    def findings(self) -> list[tuple[str, str]]:
        return [(each.kind, each.detail) for each in self.store.read_now(reads.problems, 99)]


def months(count: int, first_id: int = 1, account: int = 1801) -> list[RemoteTransaction]:
    """Return one row a day."""
    return [
        row(first_id + n, account=account, on=f"2026-{10 + n // 28:02}-{1 + n % 28:02}", label=f"SHOP {n}")
        for n in range(count)
    ]
