"""What a front end may ask for: it forwards and tells, it never computes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, BinaryIO, TypeVar
from urllib.parse import urlsplit

from obdesk.app import merging
from obdesk.app.events import Changed
from obdesk.app.export import export_csv
from obdesk.app.interface import RelayPaired
from obdesk.app.linking import Linking, provider_failed
from obdesk.app.pairing import URL_KEY
from obdesk.app.provider import POWENS_KEYS, powens_settings
from obdesk.app.settings import declared
from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.commits import why_not_text
from obdesk.domain.entities import Trigger
from obdesk.domain.errors import AppError, BugError
from obdesk.domain.ids import ConnectionId
from obdesk.domain.outcomes import Fetched
from obdesk.domain.syncing import SyncKind
from obdesk.domain.texts import tr
from obdesk.storage.queries.connections import setting
from obdesk.storage.writes import (
    accounts,
    commits,
    connections,
    edits,
    erasures,
    findings,
    holes,
    mailbox,
)
from obdesk.storage.writes.events import add_event
from obdesk.sync.examine import examine

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from datetime import date
    from pathlib import Path

    from obdesk.app.bus import Bus
    from obdesk.app.erasures import Erasures
    from obdesk.app.interface import LinkChannel, LinkReport, LinkTicket
    from obdesk.app.pairing import Pairings
    from obdesk.app.provider import Providers
    from obdesk.app.syncs import Syncs
    from obdesk.domain.clock import Clock
    from obdesk.domain.exports import CsvOptions, CsvReport
    from obdesk.domain.filters import TransactionFilter
    from obdesk.domain.ids import AccountId, RunId, TransactionId
    from obdesk.domain.remote import Connector
    from obdesk.domain.suggestions import MergeId, SuggestionId
    from obdesk.domain.syncing import SyncOutcome
    from obdesk.storage.store import Store
    from obdesk.storage.tx import Tx

T = TypeVar("T")
_RELAY = ChangeSet.many(Kind.SETTINGS).merge(ChangeSet.many(Kind.RELAY))
NOTE_LENGTH_MAX = 2_000
NAME_LENGTH_MAX = 80


class NotFoundError(AppError):
    """What was asked for does not exist (any more)."""


class NotRevertibleError(AppError):
    """A sync cannot be taken back."""


class TooLongError(AppError):
    """A text is longer than anyone needs."""


class AppCommands:
    """Commands of one open profile; see `obdesk.app.interface.Commands`."""

    def __init__(
        self,
        store: Store,
        providers: Providers,
        syncs: Syncs,
        erasures: Erasures,
        pairings: Pairings,
        bus: Bus,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._store = store
        self._providers = providers
        self._syncs = syncs
        self._erasures = erasures
        self._pairings = pairings
        self._bus = bus
        self._clock = clock
        self._linking = Linking(store, providers, clock, rng)

    async def configure_powens(
        self, *, api_url: str, webview_url: str, domain: str, client_id: str, client_secret: str | None
    ) -> None:
        """Keep the person's own Powens application; the secret goes to the vault."""
        checked = powens_settings(api_url, webview_url, domain, client_id)
        if client_secret is not None:
            await self._providers.keep_secret(checked, client_secret)
        values = (checked.api_url, checked.webview_url, checked.domain, checked.client_id)

        def write(tx: Tx) -> ChangeSet:
            connections.forgive(tx)
            return _keep_settings(tx, dict(zip(POWENS_KEYS, values, strict=True)))

        await self._change(write)
        await self._providers.reset()

    async def pair_relay(self, address: str, code: str) -> RelayPaired:
        """Have a relay keep webhooks for this computer."""
        device = await self._pairings.pair(address, code)
        await self._providers.reset()  # its operator may make users
        self._bus.publish(Changed(_RELAY))
        given = device.credentials
        return RelayPaired(urlsplit(device.url).netloc, given.is_shared, given.offers_users)

    async def leave_relay(self) -> bool:
        """Do without a relay; tell whether the relay heard of it."""
        heard = await self._pairings.leave()
        await self._providers.reset()
        self._bus.publish(Changed(_RELAY))
        return heard

    async def replace_token(self) -> None:
        """Have every token at the aggregator revoked and use a new one: a relay has seen one."""
        replaced = await (await self._providers.get()).replace_token()
        if not isinstance(replaced, Fetched):
            raise provider_failed(replaced)
        now = self._clock.now()

        def write(tx: Tx) -> ChangeSet:
            mailbox.mend_bearer(tx, setting(tx.connection, URL_KEY) or "")
            add_event(tx, now, "token_renewed", None, "exposed")
            return ChangeSet.many(Kind.RELAY)

        await self._change(write)

    async def connectors(self, country: str | None = None) -> tuple[Connector, ...]:
        """Return the banks that can be linked."""
        return await self._linking.connectors(country)

    async def begin_link(
        self, channel: LinkChannel, *, connector_id: str | None = None, redirect_uri: str | None = None
    ) -> LinkTicket:
        """Open an attempt to link a bank."""
        return await self._linking.begin_link(channel, connector_id, redirect_uri)

    async def begin_renew(
        self, connection_id: ConnectionId, channel: LinkChannel, *, redirect_uri: str | None = None
    ) -> LinkTicket:
        """Open an attempt to renew access to a linked bank."""
        try:
            return await self._linking.begin_renew(connection_id, channel, redirect_uri)
        except LookupError as error:
            raise _not_found() from error

    async def finish_link(self, ticket: LinkTicket, callback_url: str | None) -> LinkReport:
        """Close an attempt, and adopt what is new."""
        report = await self._linking.finish(ticket, callback_url)
        if report.connections:
            self._bus.publish(Changed(ChangeSet.of(Kind.CONNECTIONS, report.connections)))
        return report

    async def sync(
        self,
        connections: Sequence[ConnectionId] | None = None,
        *,
        trigger: Trigger,
        refresh_at_bank: bool,
        kind: SyncKind = SyncKind.DELTA,
    ) -> tuple[SyncOutcome, ...]:
        """Sync some or all connections; what the aggregator still has to erase is asked for first."""
        cancels = self._syncs.cancels
        if self._store.stopped and trigger is Trigger.PERSON:
            await self._store.resume()  # the person has seen the error and tries again
        await self._erasures.settle()
        try:
            return await self._syncs.sync(
                connections, trigger=trigger, refresh_at_bank=refresh_at_bank, kind=kind, cancels=cancels
            )
        except LookupError as error:
            raise _not_found() from error

    async def cancel(self, connections: Sequence[ConnectionId]) -> None:
        """Call off the syncs of some connections, under way or not; they come again by their schedule."""
        await asyncio.gather(*(self._syncs.cancel(each) for each in connections))

    async def pause(self, connection_id: ConnectionId, *, paused: bool) -> None:
        """Stop or resume the background syncs of one connection."""

        def write(tx: Tx) -> ChangeSet:
            if not connections.pause(tx, connection_id, paused=paused):
                raise _not_found()
            return ChangeSet.of(Kind.CONNECTIONS, [connection_id])

        await self._change(write)

    async def remove_connection(self, connection_id: ConnectionId, *, keep_history: bool) -> None:
        """End a link here at once, and at the provider as soon as it can be told."""
        now = self._clock.now()

        def write(tx: Tx) -> ChangeSet:
            if not erasures.ask(tx, connection_id, now):
                raise _not_found()
            if keep_history:
                connections.close(tx, connection_id, now)
            else:
                connections.erase(tx, connection_id)
            many = (ChangeSet.many(kind) for kind in (Kind.ACCOUNTS, Kind.BALANCES, Kind.TRANSACTIONS))
            change = ChangeSet.of(Kind.CONNECTIONS, [connection_id])
            for each in many:
                change = change.merge(each)
            return change

        try:
            barred = await self._syncs.barred(connection_id)
        except LookupError as error:
            raise _not_found() from error
        async with barred:
            await self._change(write)
        await self._erasures.settle()

    async def revert_run(self, run_id: RunId) -> None:
        """Take a whole sync back; the next one reads everything again."""
        now = self._clock.now()
        try:
            change = await self._store.write(lambda tx: commits.revert(tx, run_id, now))
        except LookupError as error:
            raise _not_found() from error
        except commits.NotRevertibleError as error:
            raise NotRevertibleError(
                title=tr("This check cannot be taken back"),
                cause=why_not_text(error.reason),
                next_step=tr("Nothing was changed."),
            ) from error
        for connection_id in change.touched[Kind.CONNECTIONS] or ():
            change = change.merge(await examine(self._store, ConnectionId(connection_id), now))
        self._bus.publish(Changed(change))

    async def merge(self, kept: TransactionId, other: TransactionId) -> MergeId:
        """Make two transactions one."""
        now = self._clock.now()
        merge_id, changes = await self._store.write(lambda tx: merging.merge(tx, kept, other, now))
        self._bus.publish(Changed(changes))
        return merge_id

    async def split(self, merge_id: MergeId) -> None:
        """Undo a merge."""
        now = self._clock.now()
        await self._change(lambda tx: _there(merging.split(tx, merge_id, now)))

    async def accept_suggestion(self, suggestion: SuggestionId) -> MergeId:
        """Make the two transactions of a suggestion one."""
        now = self._clock.now()
        merge_id, changes = await self._store.write(lambda tx: _there(merging.accept(tx, suggestion, now)))
        self._bus.publish(Changed(changes))
        return merge_id

    async def refuse_suggestion(self, suggestion: SuggestionId) -> None:
        """Keep the two transactions of a suggestion apart."""
        now = self._clock.now()
        await self._change(lambda tx: _there(merging.refuse(tx, suggestion, now)))

    async def settle_problem(self, problem_id: int, *, settled: bool = True) -> None:
        """Keep that a finding is right as it is, or open it again."""
        at = self._clock.now() if settled else None

        def write(tx: Tx) -> ChangeSet:
            link = _there(findings.settle(tx, problem_id, at))
            return ChangeSet.of(Kind.PROBLEMS, [problem_id]).merge(ChangeSet.of(Kind.CONNECTIONS, [link]))

        await self._change(write)

    async def settle_days(self, account_id: AccountId, first: date, last: date) -> None:
        """Keep that nothing is missing in days that no answer covers."""
        now = self._clock.now()

        def write(tx: Tx) -> ChangeSet:
            if not holes.settle(tx, account_id, (first, last), now):
                raise _not_found()
            return ChangeSet.of(Kind.BALANCES, [account_id])

        await self._change(write)

    async def edit_transaction(
        self, transaction_id: TransactionId, *, note: str | None = None, category: str | None = None
    ) -> None:
        """Set the person's own words on a transaction."""
        _limit(note, NOTE_LENGTH_MAX)
        _limit(category, NAME_LENGTH_MAX)
        now = self._clock.now()

        def write(tx: Tx) -> ChangeSet:
            if not edits.edit_transaction(tx, transaction_id, note=note, category=category, now=now):
                raise _not_found()
            return ChangeSet.of(Kind.EDITS, [transaction_id])

        await self._change(write)

    async def rename_account(self, account_id: AccountId, name: str) -> None:
        """Give an account the person's own name."""
        _limit(name, NAME_LENGTH_MAX)

        def write(tx: Tx) -> ChangeSet:
            if not accounts.rename(tx, account_id, name.strip()):
                raise _not_found()
            return ChangeSet.of(Kind.ACCOUNTS, [account_id]).merge(ChangeSet.many(Kind.TRANSACTIONS))

        await self._change(write)

    async def set_in_net_worth(self, account_id: AccountId, *, included: bool) -> None:
        """Count an account in net worth, or not."""

        def write(tx: Tx) -> ChangeSet:
            if not accounts.set_in_net_worth(tx, account_id, included=included):
                raise _not_found()
            return ChangeSet.of(Kind.ACCOUNTS, [account_id])

        await self._change(write)

    async def set_important(self, account_id: AccountId, *, important: bool) -> None:
        """Let an account's bank be checked before others, or not."""

        def write(tx: Tx) -> ChangeSet:
            if not accounts.set_important(tx, account_id, important=important):
                raise _not_found()
            return ChangeSet.of(Kind.ACCOUNTS, [account_id])

        await self._change(write)

    async def export_csv(
        self,
        out: Path | BinaryIO,
        wanted: TransactionFilter,
        options: CsvOptions,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> CsvReport:
        """Write a filter's transactions; a file appears whole or not at all, a stream is written to."""
        connect = self._store.reading_connection
        return await export_csv(connect, out, wanted, options, progress, cancelled)

    async def set_setting(self, key: str, value: str) -> None:
        """Keep a setting declared in `app.settings`."""
        if not declared(key).accepts(value):
            raise BugError(f"setting {key} does not take this value")
        await self._change(lambda tx: _keep_settings(tx, {key: value}))

    async def _change(self, write: Callable[[Tx], ChangeSet]) -> None:
        changes = await self._store.write(write)
        if changes:
            self._bus.publish(Changed(changes))


def _keep_settings(tx: Tx, values: dict[str, str]) -> ChangeSet:
    for key, value in values.items():
        edits.set_setting(tx, key, value)
    return ChangeSet.many(Kind.SETTINGS)


def _there(found: T | None) -> T:
    """Return what was found, or say that it does not exist."""
    if found is None:
        raise _not_found()
    return found


def _not_found() -> NotFoundError:
    return NotFoundError(
        title=tr("That does not exist"),
        cause=tr("It was removed in the meantime, or the number is wrong."),
        next_step=tr("Nothing was changed."),
    )


def _limit(text: str | None, length_max: int) -> None:
    if text is not None and len(text) > length_max:
        raise TooLongError(
            title=tr("This text is too long"),
            cause=tr("It has {n} characters, {most} are kept at most.", n=len(text), most=length_max),
            next_step=tr("Nothing was changed. Shorten it."),
        )
