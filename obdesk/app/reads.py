"""What a front end may read: thin names over `storage.queries`.

What the first screens do not show is imported when it is asked for: the first paint waits for this module.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from obdesk.app.interface import Activity, Cancelled, FirstScreen, RunDetails
from obdesk.app.settings import declared, stored
from obdesk.domain.filters import TransactionFilter
from obdesk.storage.errors import SupersededError
from obdesk.storage.queries import (
    accounts,
    connections,
    erasures,
    records,
    transactions,
)

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence
    from datetime import datetime

    from obdesk.domain.clock import Clock
    from obdesk.domain.commits import Commit
    from obdesk.domain.entities import (
        Account,
        Connection,
        DataProblem,
        MonthFlow,
        NetWorth,
        Run,
        Selection,
        TransactionDetail,
        TransactionRow,
    )
    from obdesk.domain.erasures import PendingErasure
    from obdesk.domain.ids import AccountId, ConnectionId, RunId, TransactionId
    from obdesk.domain.mailbox import MailboxStatus
    from obdesk.domain.proofs import AccountProof
    from obdesk.domain.records import TransactionRecord
    from obdesk.domain.scores import Finding, Scores
    from obdesk.domain.suggestions import Merge, Suggestion
    from obdesk.storage.engine import Connection as Opened
    from obdesk.storage.store import Store

FIRST_ROWS = 60
SELECTION_QUICK_MAX = 5_000


class StoreReads:
    """Reads of one open profile; see `obdesk.app.interface.Reads`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def first_screen(self) -> FirstScreen:
        """Return the first paint at once, in the caller's thread."""
        return self._store.read_now(_first_screen, self._clock.now())

    async def accounts(self) -> tuple[Account, ...]:
        """Return all accounts, by bank and name."""
        return await self._store.read(accounts.accounts, self._clock.now())

    async def connections(self) -> tuple[Connection, ...]:
        """Return all links, those that need their person first."""
        return await self._store.read(_connections, self._clock.now())

    async def pending_erasures(self) -> tuple[PendingErasure, ...]:
        """Return the links that were removed here and that the provider still has to erase."""
        return await self._store.read(erasures.pending)

    async def net_worth(self) -> tuple[NetWorth, ...]:
        """Return net worth per currency with its history."""
        return await self._store.read_slowly(None, accounts.net_worth, self._clock.now())

    async def month_flows(self, month: datetime) -> tuple[MonthFlow, ...]:
        """Return booked income and spending of the month around an instant, per currency."""
        return await self._store.read(accounts.month_flows, month)

    async def upcoming(self, limit: int = 8) -> tuple[TransactionRow, ...]:
        """Return pending transactions, soonest first."""
        return await self._store.read(transactions.upcoming, limit)

    async def transaction_page(
        self, wanted: TransactionFilter, *, offset: int = 0, limit: int = 50, quick: bool = False
    ) -> tuple[TransactionRow, ...]:
        """Return some rows of a filter in its order."""
        return await self._store.read(
            lambda opened: transactions.page(opened, wanted, offset, limit, quick=quick)
        )

    async def transaction_records(
        self, wanted: TransactionFilter, *, offset: int = 0, limit: int = 50
    ) -> tuple[TransactionRecord, ...]:
        """Return some rows of a filter in its order with note, IBAN and provider ids, for programs."""
        return await self._store.read(records.records, wanted, offset, limit)

    async def transaction_ids(self, wanted: TransactionFilter) -> array[int]:
        """Return the ids of all rows of a filter in its order; a newer call cancels an older one."""
        return await self._latest("ids", wanted)

    async def _latest(self, topic: str, wanted: TransactionFilter) -> array[int]:
        try:
            return await self._store.read_slowly(topic, transactions.ids, wanted)
        except SupersededError:
            raise Cancelled from None

    async def transaction_rows(self, ids: Sequence[int]) -> tuple[TransactionRow, ...]:
        """Return rows by id, in the order of `ids`."""
        return await self._store.read(transactions.rows, ids)

    async def transaction(self, transaction_id: TransactionId) -> TransactionDetail | None:
        """Return all that is known of one transaction."""
        return await self._store.read(transactions.detail, transaction_id)

    async def selection(self, ids: Sequence[int]) -> Selection:
        """Return count and sums of some rows; many are summed where nobody waits for a key."""
        if len(ids) <= SELECTION_QUICK_MAX:
            return await self._store.read(transactions.selection, ids)
        try:
            return await self._store.read_slowly("selection", transactions.selection, ids)
        except SupersededError:
            raise Cancelled from None

    async def filter_totals(self, wanted: TransactionFilter) -> Selection:
        """Return count and sums of a whole filter; a newer call cancels an older one (Cancelled)."""
        try:
            return await self._store.read_slowly("totals", transactions.totals, wanted)
        except SupersededError:
            raise Cancelled from None

    async def categories(self) -> tuple[str, ...]:
        """Return the categories in use, most used first."""
        return await self._store.read(transactions.categories)

    async def runs(self, connection_id: ConnectionId | None = None, limit: int = 50) -> tuple[Run, ...]:
        """Return the last syncs, newest first."""
        return await self._store.read(connections.runs, connection_id, limit)

    async def commits(self, connection_id: ConnectionId | None = None, limit: int = 50) -> tuple[Commit, ...]:
        """Return the last syncs with what each changed in numbers, newest first."""
        from obdesk.storage.queries import commits

        return await self._store.read(commits.commits, connection_id, limit)

    async def commit(self, run_id: RunId) -> Commit | None:
        """Return one sync with what it changed, line by line."""
        from obdesk.storage.queries import commits

        return await self._store.read(commits.commit, run_id)

    async def proofs(self, account_id: AccountId | None = None) -> tuple[AccountProof, ...]:
        """Return how the balance proof of each live account stands."""
        from obdesk.storage.queries import proofs

        return await self._store.read(proofs.proofs, account_id)

    async def suggestions(self, of: TransactionId | None = None) -> tuple[Suggestion, ...]:
        """Return pairs of transactions that may be one, the likeliest first; of one, or all."""
        from obdesk.storage.queries import suggestions

        return await self._store.read(suggestions.suggestions, of)

    async def merges(self, of: TransactionId | None = None) -> tuple[Merge, ...]:
        """Return merges that are not undone, newest first; those one transaction stands for, or all."""
        from obdesk.storage.queries import suggestions

        return await self._store.read(suggestions.merges, of)

    async def problems(self, limit: int = 200, *, settled: bool = False) -> tuple[DataProblem, ...]:
        """Return what is wrong in the banks' data, newest first; rows that were refused come last."""
        return await self._store.read(partial(connections.problems, limit=limit, settled=settled))

    async def findings(self) -> tuple[Finding, ...]:
        """Return how many problems of which kind each bank's data has."""
        from obdesk.storage.queries import scores

        return await self._store.read(scores.findings)

    async def activity(self, runs: int = 50, problems: int = 20) -> Activity:
        """Return what syncing did and how well it goes, with its last runs and problems of the data."""
        return await self._store.read_slowly(None, _activity, self._clock.now(), runs, problems)

    async def run_details(self, run_id: RunId, rows: int = 60) -> RunDetails | None:
        """Return one sync with what it changed, for a screen; None when it is not known (any more)."""
        return await self._store.read_slowly(None, _run_details, run_id, rows)

    async def scores(self) -> Scores:
        """Return how well syncing goes, counted."""
        from obdesk.storage.queries import scores

        return await self._store.read_slowly(None, scores.scores, self._clock.now())

    async def relay(self) -> MailboxStatus | None:
        """Return how the relay is, None where none is set up."""
        return await self._store.read(_relay, self._clock.now())

    async def seen_since(self, moment: datetime) -> tuple[int, int]:
        """Return how many transactions came new, and how many changed, since an instant."""
        return await self._store.read_slowly(None, accounts.seen_since, moment)

    async def setting(self, key: str) -> str:
        """Return a setting, or its default."""
        found = await self._store.read(connections.setting, declared(key).key)
        return declared(key).default if found is None else found

    def setting_now(self, key: str) -> str:
        """Return a setting at once, in the caller's thread: for the first paint."""
        found = self._store.read_now(connections.setting, declared(key).key)
        return declared(key).default if found is None else found


def interval_of(opened: Opened) -> timedelta:
    """Return the time between two checks as the person set it."""
    key = "sync.interval_h"
    return timedelta(hours=int(stored(key, connections.setting(opened, key))))


def _connections(opened: Opened, now: datetime) -> tuple[Connection, ...]:
    return connections.connections(opened, now, interval_of(opened))


def _first_screen(opened: Opened, now: datetime) -> FirstScreen:
    everything = TransactionFilter()
    return FirstScreen(
        accounts=accounts.accounts(opened, now),
        connections=_connections(opened, now),
        net_worth=accounts.net_worth(opened, now, with_history=False),
        newest=transactions.page(opened, everything, 0, FIRST_ROWS),
        transaction_count=transactions.about(opened),
    )


def _activity(opened: Opened, now: datetime, limit: int, problems_max: int) -> Activity:
    from obdesk.domain.findings import rows_named
    from obdesk.storage.queries import scores

    counted = scores.scores(opened, now)
    problems = connections.problems(opened, problems_max)
    causes = (cause for proof in counted.proofs.broken for cause in proof.candidates)
    named = {row for each in problems for row in rows_named(each.kind, each.subject)}
    named.update(row for cause in causes for row in cause.rows)
    return Activity(
        scores=counted,
        runs=connections.runs(opened, None, limit),
        accounts=accounts.accounts(opened, now),
        relay=_relay(opened, now),
        problems=problems,
        rows=transactions.rows(opened, sorted(named)),
    )


def _relay(opened: Opened, now: datetime) -> MailboxStatus | None:
    from obdesk.storage.queries import mailbox

    def value(key: str) -> str:
        return stored(key, connections.setting(opened, key))

    host = urlsplit(value("relay.url")).netloc
    return mailbox.status(opened, host, now, paused=value("sync.paused") == "on") if host else None


def _run_details(opened: Opened, run_id: RunId, limit: int) -> RunDetails | None:
    from obdesk.domain.commits import Subject
    from obdesk.storage.queries import commits

    found = commits.commit(opened, run_id)
    if found is None:
        return None
    first, last = found.added or (1, 0)
    new = range(first, min(last + 1, first + limit))
    named = dict.fromkeys(line.subject_id for line in found.lines if line.subject is Subject.TRANSACTION)
    wanted = [*new, *list(named)[:limit]]
    return RunDetails(found, transactions.rows(opened, wanted, also_deleted=True))
