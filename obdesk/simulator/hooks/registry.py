"""Webhooks, their authentication providers and every delivery, past and waiting."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obdesk.simulator.api.answers import encode
from obdesk.simulator.hooks.compose import body_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obdesk.simulator.world.events import Event
    from obdesk.simulator.world.world import World

EVENTS = (
    "USER_CREATED",
    "USER_DELETED",
    "USER_SYNCED",
    "CONNECTION_SYNCED",
    "CONNECTION_DELETED",
    "ACCOUNTS_FETCHED",
    "ACCOUNT_SYNCED",
    "ACCOUNT_CATEGORIZED",
    "ACCOUNT_FOUND",
    "ACCOUNT_ENABLED",
    "ACCOUNT_DISABLED",
    "ACCOUNT_OWNERSHIPS_FOUND",
    "TRANSACTION_ATTACHMENTS_FOUND",
    "SUBSCRIPTION_FOUND",
    "SUBSCRIPTION_SYNCED",
    "PAYMENT_STATE_UPDATED",
    "TRANSACTIONS_CLUSTERED",
)


@dataclass(slots=True)
class Provider:
    """A way for deliveries to prove where they come from; the secret is shown once, at creation."""

    id: int
    kind: str
    name: str
    secret: str | None
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Hook:
    """One event and the address that wants it."""

    id: int
    event: str
    url: str
    created: int
    id_auth: int | None = None
    id_user: int | None = None
    updated: int | None = None
    deleted: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver; `status` is None when nothing answered."""

    at: int
    status: int | None
    problem: str | None


@dataclass(slots=True)
class Delivery:
    """One payload on its way; `next_at` is None once it was accepted or given up."""

    id: int
    hook: Hook
    id_user: int
    id_connection: int | None
    body: bytes
    created: int
    next_at: int | None
    attempts: list[Attempt] = field(default_factory=list)
    accepted: bool = False
    signature_date: str | None = None


class Registry:
    """The webhooks of the domain. It listens to the world and queues deliveries."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.providers: dict[int, Provider] = {}
        self.hooks: dict[int, Hook] = {}
        self.deliveries: list[Delivery] = []
        world.listeners.append(self.hear)

    def add_provider(self, kind: str, name: str, secret: str | None = None) -> Provider:
        """Create an authentication provider; an HMAC one gets a secret unless one is given."""
        if kind == "hmac_signature" and secret is None:
            secret = self._world.tokens.new_value(32)
        provider = Provider(self._world.new_id("provider"), kind, name, secret)
        self.providers[provider.id] = provider
        return provider

    def add_hook(self, event: str, url: str, id_auth: int | None = None, id_user: int | None = None) -> Hook:
        """Register an address for an event."""
        hook = Hook(self._world.new_id("hook"), event, url, self._world.now, id_auth, id_user)
        self.hooks[hook.id] = hook
        return hook

    def subscribe(self, url: str, secret: str | None, events: Iterable[str] = EVENTS) -> list[Hook]:
        """Register one address per event: `{event}` in `url` is replaced, or the name is appended."""
        provider = None
        if secret is not None:
            provider = self.add_provider("hmac_signature", f"hmac{len(self.providers) + 1}", secret)
        return [
            self.add_hook(
                event,
                url.replace("{event}", event) if "{event}" in url else f"{url.rstrip('/')}/{event}",
                provider.id if provider else None,
            )
            for event in events
        ]

    def hear(self, event: Event) -> None:
        """Queue what the webhooks of an event want to be told."""
        for hook in self.hooks.values():
            if hook.event == event.name and hook.deleted is None and hook.id_user in {None, event.user.id}:
                self._queue(hook, event)

    def waiting(self, now: int) -> list[Delivery]:
        """Return deliveries that are due, oldest first; those of temporary users are held back."""
        return [
            delivery
            for delivery in self.deliveries
            if delivery.next_at is not None and delivery.next_at <= now and not self._held(delivery)
        ]

    def _held(self, delivery: Delivery) -> bool:
        user = self._world.users.get(delivery.id_user)
        return user is not None and user.purge_at is not None

    def _queue(self, hook: Hook, event: Event) -> None:
        world = self._world
        ident = world.new_id("webhook_data")
        body = {**body_of(world, event), **hook.extra, "id_webhook_data": ident}
        connection = event.connection.id if event.connection is not None else None
        every = world.switches.webhook_loses_every
        lost = bool(every) and ident % every == 0
        due = None if lost else world.now + world.switches.webhook_delay_s
        self.deliveries.append(Delivery(ident, hook, event.user.id, connection, encode(body), world.now, due))
