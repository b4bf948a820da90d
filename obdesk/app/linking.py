"""Linking and renewing: tickets out, callbacks in, and adopting what the provider lists.

The redirect is only a hint that something happened; whatever it says, the connections are read again
with our own token, so that a forged or lost redirect can neither add nor lose anything.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from obdesk.app.interface import LinkChannel, LinkReport, LinkResult, LinkTicket
from obdesk.domain.callbacks import Callback, CallbackKind
from obdesk.domain.conditions import Condition, explain, needs_you
from obdesk.domain.errors import AppError
from obdesk.domain.outcomes import Fetched
from obdesk.domain.texts import language, tr, trn
from obdesk.storage.queries import connections
from obdesk.sync.engine import Engine

if TYPE_CHECKING:
    import random

    from obdesk.app.provider import Providers
    from obdesk.domain.clock import Clock
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.outcomes import Failure, Outcome
    from obdesk.domain.remote import Connector, RemoteConnection
    from obdesk.providers.base import Provider
    from obdesk.storage.store import Store

T = TypeVar("T")
EMBEDDED_REDIRECT = "https://obdesk.invalid/callback"
"""Never resolved: the embedded view stops there before any look-up (RFC 2606 reserves the name)."""
TICKET_LIFE = timedelta(minutes=15)
_WELL = frozenset({Condition.OK, Condition.NEVER_SYNCED, Condition.STUCK})
"""The aggregator has nothing against the link; how long ago it read the bank is another matter."""


class ProviderAnswerError(AppError):
    """The provider could not do what a person asked for right now."""


class Linking:
    """Opens and closes attempts to link or renew."""

    def __init__(self, store: Store, providers: Providers, clock: Clock, rng: random.Random) -> None:
        self._store = store
        self._providers = providers
        self._clock = clock
        self._rng = rng
        self._used: set[str] = set()

    async def connectors(self, country: str | None) -> tuple[Connector, ...]:
        """Return the banks that can be linked."""
        return _value(await (await self._providers.get()).connectors(country))

    async def begin_link(
        self, channel: LinkChannel, connector_id: str | None, redirect_uri: str | None
    ) -> LinkTicket:
        """Open an attempt to link a bank."""
        provider = await self._providers.get()
        state, redirect = secrets.token_urlsafe(32), redirect_uri or EMBEDDED_REDIRECT
        url = await provider.link_url(
            redirect_uri=redirect, state=state, language=language(), connector_id=connector_id
        )
        page = _value(url)
        known = frozenset(remote.provider_id for remote in _value(await provider.connections()))
        return LinkTicket(page, redirect, state, channel, self._clock.now(), known)

    async def begin_renew(
        self, connection_id: ConnectionId, channel: LinkChannel, redirect_uri: str | None
    ) -> LinkTicket:
        """Open an attempt to renew access to a linked bank."""
        provider = await self._providers.get()
        provider_id = await self._store.read(connections.provider_id_of, connection_id)
        state, redirect = secrets.token_urlsafe(32), redirect_uri or EMBEDDED_REDIRECT
        url = await provider.renew_url(
            provider_id, redirect_uri=redirect, state=state, language=language(), reset=False
        )
        page, known = _value(url), frozenset({provider_id})
        listed = {remote.provider_id: remote for remote in _value(await provider.connections())}
        before = listed.get(provider_id)
        return LinkTicket(page, redirect, state, channel, self._clock.now(), known, connection_id, before)

    async def finish(self, ticket: LinkTicket, callback_url: str | None) -> LinkReport:
        """Close an attempt with its callback, or ask whether it bore fruit without one."""
        provider = await self._providers.get()
        if callback_url is not None:
            refused = self._refused(ticket, provider.read_callback(callback_url, ticket.state))
            if refused is not None:
                return refused
        remotes = {remote.provider_id: remote for remote in _value(await provider.connections())}
        if ticket.renews is not None:
            remote = remotes.get(next(iter(ticket.known)))
            return _renewed(ticket.renews, ticket.before, remote, is_back=callback_url is not None)
        return await self._linked(provider, ticket, remotes, callback_url)

    def _refused(self, ticket: LinkTicket, callback: Callback) -> LinkReport | None:
        """Return how a callback ends the attempt without a link, or None when it may go on."""
        if callback.kind is CallbackKind.FOREIGN or ticket.state in self._used:
            return LinkReport(
                LinkResult.FAILED,
                (),
                tr("The answer did not belong to this attempt, so nothing of it was used. Try again."),
            )
        self._used.add(ticket.state)
        if self._clock.now() - ticket.started_at > TICKET_LIFE:
            return LinkReport(
                LinkResult.EXPIRED, (), tr("The attempt took too long and has ended. Try again.")
            )
        match callback.kind:
            case CallbackKind.CANCELLED:
                return LinkReport(LinkResult.CANCELLED, (), _cancelled(ticket))
            case CallbackKind.EXPIRED:
                return LinkReport(LinkResult.EXPIRED, (), tr("The page's session has ended. Try again."))
            case CallbackKind.FAILED:
                return LinkReport(LinkResult.FAILED, (), _failed(ticket))
            case CallbackKind.DONE:
                return None

    async def _linked(
        self,
        provider: Provider,
        ticket: LinkTicket,
        remotes: dict[str, RemoteConnection],
        callback_url: str | None,
    ) -> LinkReport:
        """Adopt what is new at the provider, whatever the redirect claims."""
        new = [remotes[found] for found in remotes.keys() - ticket.known]
        if callback_url is None:
            # A link exists from the login on: while its person is still being asked it is not there yet.
            new = [remote for remote in new if not _in_the_middle(remote.condition)]
        if not new:
            if callback_url is None:
                return LinkReport(LinkResult.NOTHING_YET, (), "")
            return LinkReport(
                LinkResult.FAILED, (), tr("The bank's page came back, but nothing new was linked. Try again.")
            )
        found = await Engine(self._store, provider, self._clock, self._rng).discover(attended=True)
        if not isinstance(found, tuple):
            raise provider_failed(found)
        known = await self._store.read(connections.known_ids, provider.name)
        ids = tuple(known[remote.provider_id] for remote in new if remote.provider_id in known)
        banks = ", ".join(sorted(remote.bank for remote in new))
        sentence = trn("{banks} is linked.", "{banks} are linked.", len(new), banks=banks)
        return LinkReport(LinkResult.LINKED, ids, sentence)


def _cancelled(ticket: LinkTicket) -> str:
    if ticket.renews is not None:
        return tr("You cancelled. Access was not renewed; everything is as it was.")
    return tr("You cancelled. Nothing was linked.")


def _failed(ticket: LinkTicket) -> str:
    if ticket.renews is not None:
        return tr("The bank's page ended with an error. Access was not renewed.")
    return tr("The bank's page ended with an error. Nothing was linked.")


def _renewed(
    connection_id: ConnectionId,
    before: RemoteConnection | None,
    remote: RemoteConnection | None,
    *,
    is_back: bool,
) -> LinkReport:
    """Return what became of a renewal; where the bank's page did not come back, the link itself must tell."""
    if remote is None:
        return LinkReport(
            LinkResult.FAILED, (), tr("This bank is no longer linked at the aggregator. Link it again.")
        )
    if not is_back and not _bore_fruit(before, remote):
        return LinkReport(LinkResult.NOTHING_YET, (), "")
    if needs_you(remote.condition):
        title = explain(remote.condition, remote.bank).title
        return LinkReport(LinkResult.FAILED, (connection_id,), title)
    return LinkReport(
        LinkResult.RENEWED,
        (connection_id,),
        tr("Access to {bank} is renewed. Your accounts and edits are as they were.", bank=remote.bank),
    )


def _bore_fruit(before: RemoteConnection | None, remote: RemoteConnection) -> bool:
    """Tell whether the link alone shows that it was renewed since.

    That it is well shows nothing, for it may have been before. Where no end of consent is told, a link
    that was well never shows it: only its page, coming back, can.
    """
    if before is None or _in_the_middle(remote.condition):
        return False
    if needs_you(before.condition) and remote.condition in _WELL:
        return True
    ended, ends = before.consent_expires_at, remote.consent_expires_at
    return ended is not None and ends is not None and ends > ended


def _in_the_middle(condition: Condition) -> bool:
    return needs_you(condition) or condition is Condition.VALIDATING


def _value(answer: Outcome[T]) -> T:
    if isinstance(answer, Fetched):
        return answer.value
    raise provider_failed(answer)


def provider_failed(failure: Failure) -> ProviderAnswerError:
    """Return the error for a person who asked for something that the provider did not answer."""
    told = explain(failure.condition, tr("The aggregator"))
    return ProviderAnswerError(
        title=told.title, cause=told.cause, next_step=tr("Nothing was changed here."), action=told.action
    )
