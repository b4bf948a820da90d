"""All that a front end may ask and read, in one place.

`Commands` change something, `Reads` answer; both are kept by `obdesk.app.bootstrap.App` and used alike
by the window and the command line. Every coroutine may raise `obdesk.domain.errors.AppError`, whose
texts are fit for a person. Reads come from the encrypted database, never from the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, BinaryIO, Protocol

from obdesk.app.decisions import Decisions
from obdesk.domain.syncing import SyncKind

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

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
        Trigger,
    )
    from obdesk.domain.erasures import PendingErasure
    from obdesk.domain.exports import CsvOptions, CsvReport
    from obdesk.domain.filters import TransactionFilter
    from obdesk.domain.ids import AccountId, ConnectionId, RunId, TransactionId
    from obdesk.domain.mailbox import MailboxStatus
    from obdesk.domain.proofs import AccountProof
    from obdesk.domain.remote import Connector, RemoteConnection
    from obdesk.domain.scores import Finding, Scores
    from obdesk.domain.suggestions import Merge, Suggestion
    from obdesk.domain.syncing import SyncOutcome


class WayIn(Enum):
    """What a person can do about a profile that does not open."""

    TRY_AGAIN = "try_again"
    PASSPHRASE = "passphrase"  # noqa: S105 - the name of a way
    NEW_PASSPHRASE = "new_passphrase"  # noqa: S105 - the name of a way
    RECOVERY_CODE = "recovery_code"
    PREVIOUS_KEY_FILE = "previous_key_file"


class LinkChannel(Enum):
    """Where the page on which a person meets the bank is shown."""

    EMBEDDED = "embedded"
    BROWSER = "browser"


class LinkResult(Enum):
    """How a linking or renewing flow ended."""

    LINKED = "linked"
    RENEWED = "renewed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"
    NOTHING_YET = "nothing_yet"


@dataclass(frozen=True, slots=True)
class LinkTicket:
    """One attempt to link or renew: its page, and what its answer must carry."""

    url: str
    redirect_uri: str
    state: str
    channel: LinkChannel
    started_at: datetime
    known: frozenset[str]
    """The provider's ids of the links that existed before, so that a lost redirect is noticed."""
    renews: ConnectionId | None = None
    before: RemoteConnection | None = None
    """The renewed link as the provider told it at the beginning, so that only what became of it counts."""


@dataclass(frozen=True, slots=True)
class LinkReport:
    """What a finished attempt brought."""

    result: LinkResult
    connections: tuple[ConnectionId, ...]
    sentence: str
    """One sentence for the person."""


@dataclass(frozen=True, slots=True)
class RelayPaired:
    """What became of setting up a relay."""

    host: str
    is_shared: bool
    """It serves many people, and has to be shown whose user this is."""
    offers_users: bool
    """Its operator makes users at the aggregator, so that no application of one's own is needed."""


@dataclass(frozen=True, slots=True)
class FirstScreen:
    """All that the first paint shows, read in one go before anything heavy is imported."""

    accounts: tuple[Account, ...]
    connections: tuple[Connection, ...]
    net_worth: tuple[NetWorth, ...]
    newest: tuple[TransactionRow, ...]
    transaction_count: int
    """Roughly how many there are; 0 only when there is none."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What the Activity screen shows, read at one instant."""

    scores: Scores
    runs: tuple[Run, ...]
    """Of all links, newest first."""
    accounts: tuple[Account, ...]
    relay: MailboxStatus | None = None
    problems: tuple[DataProblem, ...] = ()
    """What is wrong in the banks' data, as `Reads.problems` has it."""
    rows: tuple[TransactionRow, ...] = ()
    """The kept rows that these and the causes of broken proofs name."""


@dataclass(frozen=True, slots=True)
class RunDetails:
    """One sync with what it changed, and the rows that its first changes are about."""

    commit: Commit
    rows: tuple[TransactionRow, ...]


class Cancelled(Exception):  # noqa: N818 - an answer, not an error
    """The person cancelled; nothing was left behind."""


class Commands(Decisions, Protocol):
    """What may be asked of the application."""

    async def configure_powens(
        self, *, api_url: str, webview_url: str, domain: str, client_id: str, client_secret: str | None
    ) -> None:
        """Keep the person's own Powens application; the secret goes to the vault (None keeps the old)."""
        ...

    async def pair_relay(self, address: str, code: str) -> RelayPaired:
        """Have a relay keep webhooks for this computer; the code is its operator's and works once."""
        ...

    async def leave_relay(self) -> bool:
        """Do without a relay; tell whether the relay heard of it and has forgotten this computer."""
        ...

    async def replace_token(self) -> None:
        """Have every token at the aggregator revoked and use a new one: a relay has seen one."""
        ...

    async def connectors(self, country: str | None = None) -> tuple[Connector, ...]:
        """Return the banks that can be linked."""
        ...

    async def begin_link(
        self, channel: LinkChannel, *, connector_id: str | None = None, redirect_uri: str | None = None
    ) -> LinkTicket:
        """Open an attempt to link a bank; the default redirect address is the embedded view's."""
        ...

    async def begin_renew(
        self, connection_id: ConnectionId, channel: LinkChannel, *, redirect_uri: str | None = None
    ) -> LinkTicket:
        """Open an attempt to renew access to a linked bank."""
        ...

    async def finish_link(self, ticket: LinkTicket, callback_url: str | None) -> LinkReport:
        """Close an attempt with the address the bank's page came back to, and adopt what is new.

        `None` asks only whether the attempt has borne fruit (a lost redirect): the answer is then
        LINKED, RENEWED or NOTHING_YET. A wrong `state` is FAILED and nothing is adopted.
        """
        ...

    async def sync(
        self,
        connections: Sequence[ConnectionId] | None = None,
        *,
        trigger: Trigger,
        refresh_at_bank: bool,
        kind: SyncKind = SyncKind.DELTA,
    ) -> tuple[SyncOutcome, ...]:
        """Sync some or all connections; a person's refresh also asks the bank itself."""
        ...

    async def cancel(self, connections: Sequence[ConnectionId]) -> None:
        """Call off the syncs of some connections, under way or not; they come again by their schedule."""
        ...

    async def pause(self, connection_id: ConnectionId, *, paused: bool) -> None:
        """Stop or resume the background syncs of one connection."""
        ...

    async def remove_connection(self, connection_id: ConnectionId, *, keep_history: bool) -> None:
        """End a link here at once, its accounts kept as closed ones or erased, and then at the provider.

        Where the provider cannot be told now, that is tried until it is done (`Reads.pending_erasures`).
        """
        ...

    async def edit_transaction(
        self, transaction_id: TransactionId, *, note: str | None = None, category: str | None = None
    ) -> None:
        """Set the person's own words on a transaction; None leaves a word as it is."""
        ...

    async def rename_account(self, account_id: AccountId, name: str) -> None:
        """Give an account the person's own name; empty text returns to the bank's."""
        ...

    async def set_in_net_worth(self, account_id: AccountId, *, included: bool) -> None:
        """Count an account in net worth, or not."""
        ...

    async def set_important(self, account_id: AccountId, *, important: bool) -> None:
        """Let an account's bank be checked before others, or not."""
        ...

    async def export_csv(
        self,
        out: Path | BinaryIO,
        wanted: TransactionFilter,
        options: CsvOptions,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> CsvReport:
        """Write a filter's transactions; a file appears whole or not at all, a stream is written to."""
        ...

    async def set_setting(self, key: str, value: str) -> None:
        """Keep a setting declared in `app.settings`."""
        ...


class Reads(Protocol):
    """What may be read from the application."""

    def first_screen(self) -> FirstScreen:
        """Return the first paint at once, in the caller's thread (a few milliseconds)."""
        ...

    async def accounts(self) -> tuple[Account, ...]:
        """Return all accounts, by bank and name."""
        ...

    async def connections(self) -> tuple[Connection, ...]:
        """Return all links, those that need their person first."""
        ...

    async def pending_erasures(self) -> tuple[PendingErasure, ...]:
        """Return the links that were removed here and that the provider still has to erase."""
        ...

    async def net_worth(self) -> tuple[NetWorth, ...]:
        """Return net worth per currency, the largest group first; currencies are never added up."""
        ...

    async def month_flows(self, month: datetime) -> tuple[MonthFlow, ...]:
        """Return booked income and spending of the month around an instant, per currency."""
        ...

    async def upcoming(self, limit: int = 8) -> tuple[TransactionRow, ...]:
        """Return pending transactions, soonest first."""
        ...

    async def transaction_page(
        self, wanted: TransactionFilter, *, offset: int = 0, limit: int = 50, quick: bool = False
    ) -> tuple[TransactionRow, ...]:
        """Return some rows of a filter in its order: fast for the first screenful.

        `quick` may leave out matches far down for words of one or two letters; `transaction_ids` has all.
        """
        ...

    async def transaction_ids(self, wanted: TransactionFilter) -> array[int]:
        """Return the ids of all rows of a filter in its order, as 64-bit integers."""
        ...

    async def transaction_rows(self, ids: Sequence[int]) -> tuple[TransactionRow, ...]:
        """Return rows by id, in the order of `ids`; ids that are gone are left out."""
        ...

    async def transaction(self, transaction_id: TransactionId) -> TransactionDetail | None:
        """Return all that is known of one transaction."""
        ...

    async def selection(self, ids: Sequence[int]) -> Selection:
        """Return count and sums of some rows."""
        ...

    async def filter_totals(self, wanted: TransactionFilter) -> Selection:
        """Return count and sums of a whole filter; a newer call of the same kind cancels an older one."""
        ...

    async def categories(self) -> tuple[str, ...]:
        """Return the categories in use, most used first."""
        ...

    async def runs(self, connection_id: ConnectionId | None = None, limit: int = 50) -> tuple[Run, ...]:
        """Return the last syncs, newest first."""
        ...

    async def commits(self, connection_id: ConnectionId | None = None, limit: int = 50) -> tuple[Commit, ...]:
        """Return the last syncs with what each changed in numbers, newest first."""
        ...

    async def commit(self, run_id: RunId) -> Commit | None:
        """Return one sync with what it changed, line by line; None when it is not known (any more)."""
        ...

    async def proofs(self, account_id: AccountId | None = None) -> tuple[AccountProof, ...]:
        """Return how the balance proof of each live account stands, by bank."""
        ...

    async def suggestions(self, of: TransactionId | None = None) -> tuple[Suggestion, ...]:
        """Return pairs of transactions that may be one, the likeliest first; of one, or all."""
        ...

    async def merges(self, of: TransactionId | None = None) -> tuple[Merge, ...]:
        """Return merges that are not undone, newest first; those one transaction stands for, or all."""
        ...

    async def problems(self, limit: int = 200, *, settled: bool = False) -> tuple[DataProblem, ...]:
        """Return what is wrong in the banks' data, newest first; rows that were refused come last.

        What the person settled is left out, or alone is told.
        """
        ...

    async def findings(self) -> tuple[Finding, ...]:
        """Return how many problems of which kind each bank's data has."""
        ...

    async def activity(self, runs: int = 50, problems: int = 20) -> Activity:
        """Return what syncing did and how well it goes, with its last runs and problems of the data."""
        ...

    async def run_details(self, run_id: RunId, rows: int = 60) -> RunDetails | None:
        """Return one sync with what it changed, for a screen; None when it is not known (any more)."""
        ...

    async def scores(self) -> Scores:
        """Return how well syncing goes, counted."""
        ...

    async def relay(self) -> MailboxStatus | None:
        """Return how the relay is, None where none is set up."""
        ...

    async def seen_since(self, moment: datetime) -> tuple[int, int]:
        """Return how many transactions came new, and how many changed, since an instant."""
        ...

    def setting_now(self, key: str) -> str:
        """Return a setting at once, in the caller's thread: for the first paint."""
        ...

    async def setting(self, key: str) -> str:
        """Return a setting declared in `app.settings`, or its default."""
        ...
