"""Managing webhooks and the providers that authenticate them; for the config token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from obdesk.simulator.api.answers import Answer
from obdesk.simulator.api.body import as_int
from obdesk.simulator.api.errors import ApiError, invalid, not_found
from obdesk.simulator.api.wire import stamp
from obdesk.simulator.hooks.registry import EVENTS, Hook, Provider, Registry
from obdesk.simulator.world import syncing
from obdesk.simulator.world.entities import TokenKind

if TYPE_CHECKING:
    from starlette.routing import Route

    from obdesk.simulator.api.call import Call, Desk

_NAME = re.compile(r"[A-Za-z0-9_]{1,32}")
_KINDS = frozenset({"hmac_signature", "oauth"})


class WebhookDesk:
    """The handlers, around the registry they work on."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def routes(self, desk: Desk) -> list[Route]:
        """Return the routes of this module."""
        one = "/webhooks/{hook}"
        return [
            desk.route("/webhooks/auth", get=self.providers, post=self.create_provider),
            desk.route("/webhooks/auth/{provider}", delete=self.delete_provider),
            desk.route("/webhooks", get=self.hooks, post=self.create_hook, delete=self.delete_hooks),
            desk.route(
                f"{one}", get=self.hook, put=self.change_hook, post=self.change_hook, delete=self.delete_hook
            ),
            desk.route(f"{one}/logs", get=self.logs),
            desk.route(f"{one}/add_to_data", get=self.extra, post=self.add_extra),
            desk.route(f"{one}/add_to_data/{{key}}", delete=self.drop_extra),
            desk.route("/webhooks_events", get=self.events),
            desk.route("/test/sync", post=self.test_sync),
        ]

    def providers(self, call: Call) -> Answer:
        """List providers, without their secrets."""
        call.token(TokenKind.CONFIG)
        shown = (_provider_json(provider) for provider in self._registry.providers.values())
        return call.paged("authproviders", shown)

    def create_provider(self, call: Call) -> Answer:
        """Create a provider; this is the only answer that shows its secret."""
        call.token(TokenKind.CONFIG)
        kind, name = call.field("type"), call.field("name")
        if kind not in _KINDS:
            raise invalid("type is hmac_signature or oauth")
        if any(provider.name == name for provider in self._registry.providers.values()):
            raise invalid("A provider of that name exists")
        if not _NAME.fullmatch(name):
            raise ApiError(500, "dataError", "The name cannot be stored")
        provider = self._registry.add_provider(kind, name)
        if kind == "oauth":
            provider.config = dict(call.body.get("config") or {})
        config = {"secret_key": provider.secret} if provider.secret else {}
        return Answer({**_provider_json(provider), "config": config})

    def delete_provider(self, call: Call) -> Answer:
        """Delete a provider; webhooks that used it fall back to the bearer."""
        call.token(TokenKind.CONFIG)
        if self._registry.providers.pop(as_int(call.parts["provider"]), None) is None:
            raise not_found("Provider")
        return Answer()

    def hooks(self, call: Call) -> Answer:
        """List webhooks."""
        call.token(TokenKind.CONFIG)
        shown = [hook for hook in self._registry.hooks.values() if hook.deleted is None or call.flag("all")]
        return call.paged("webhooks", (_hook_json(call, hook) for hook in shown))

    def create_hook(self, call: Call) -> Answer:
        """Register an address for an event."""
        call.token(TokenKind.CONFIG)
        event = call.field("event")
        if event not in EVENTS:
            raise invalid("Unknown event")
        hook = self._registry.add_hook(event, call.field("url"), self._auth(call))
        if call.body.get("id_user"):
            hook.id_user = as_int(call.body["id_user"])
        return Answer(_hook_json(call, hook))

    def _auth(self, call: Call) -> int | None:
        wanted = str(call.body.get("id_auth") or "")
        if not wanted:
            return None
        for provider in self._registry.providers.values():
            if wanted in {str(provider.id), provider.name}:
                return provider.id
        raise invalid("Unknown provider")

    def _hook(self, call: Call) -> Hook:
        call.token(TokenKind.CONFIG)
        hook = self._registry.hooks.get(as_int(call.parts["hook"]))
        if hook is None or hook.deleted is not None:
            raise not_found("Webhook")
        return hook

    def hook(self, call: Call) -> Answer:
        """Return one webhook with its health."""
        return Answer(_hook_json(call, self._hook(call)) | {"health_data": self._health(self._hook(call))})

    def _health(self, hook: Hook) -> dict[str, Any]:
        attempts = [
            item
            for delivery in self._registry.deliveries
            if delivery.hook is hook
            for item in delivery.attempts
        ]
        good = sum(1 for item in attempts if item.status is not None and 200 <= item.status < 300)
        return {"attempts": len(attempts), "successes": good}

    def change_hook(self, call: Call) -> Answer:
        """Change a webhook's address, event or provider."""
        hook = self._hook(call)
        hook.url = str(call.body.get("url", hook.url))
        hook.event = str(call.body.get("event", hook.event))
        if "id_auth" in call.body:
            hook.id_auth = self._auth(call)
        hook.updated = call.world.now
        return Answer(_hook_json(call, hook))

    def delete_hook(self, call: Call) -> Answer:
        """Delete a webhook."""
        self._hook(call).deleted = call.world.now
        return Answer()

    def delete_hooks(self, call: Call) -> Answer:
        """Delete every webhook."""
        call.token(TokenKind.CONFIG)
        for hook in self._registry.hooks.values():
            hook.deleted = hook.deleted or call.world.now
        return Answer()

    def logs(self, call: Call) -> Answer:
        """List the attempts of a webhook, newest first."""
        hook, switches = self._hook(call), call.world.switches
        shown = [
            {
                "id": delivery.id * 100 + number,
                "id_webhook_data": delivery.id,
                "id_user": delivery.id_user,
                "id_service": None,
                "timestamp": stamp(switches, delivery.created),
                "response_code": attempt.status,
                "response_date": stamp(switches, attempt.at),
                "next_try": stamp(switches, delivery.next_at),
            }
            for delivery in reversed(self._registry.deliveries)
            if delivery.hook is hook
            for number, attempt in enumerate(delivery.attempts)
        ]
        return call.paged("webhooklogs", shown)

    def extra(self, call: Call) -> Answer:
        """Return what is added to each payload of a webhook."""
        return Answer({"add_to_data": self._hook(call).extra})

    def add_extra(self, call: Call) -> Answer:
        """Add members to each payload of a webhook, which can carry the event's name."""
        hook = self._hook(call)
        hook.extra.update(call.body)
        return Answer({"add_to_data": hook.extra})

    def drop_extra(self, call: Call) -> Answer:
        """Stop adding a member."""
        self._hook(call).extra.pop(str(call.parts["key"]), None)
        return Answer()

    def events(self, call: Call) -> Answer:
        """List the events that can be subscribed to."""
        call.token(TokenKind.CONFIG)
        return Answer(
            {"webhooks_events": [{"id": place, "name": name} for place, name in enumerate(EVENTS, 1)]}
        )

    def test_sync(self, call: Call) -> Answer:
        """Sync the first connection of the domain, so that webhooks can be seen."""
        call.token(TokenKind.CONFIG)
        connection = next(iter(call.world.connections.values()), None)
        if connection is None:
            raise not_found("Connection")
        syncing.sync(call.world, connection)
        return Answer({"id_connection": connection.id})


def _provider_json(provider: Provider) -> dict[str, Any]:
    return {"id": provider.id, "type": provider.kind, "name": provider.name}


def _hook_json(call: Call, hook: Hook) -> dict[str, Any]:
    switches = call.world.switches
    return {
        "id": hook.id,
        "id_event": EVENTS.index(hook.event) + 1,
        "event": hook.event,
        "url": hook.url,
        "id_auth": hook.id_auth,
        "id_user": hook.id_user,
        "id_service": None,
        "created": stamp(switches, hook.created),
        "updated": stamp(switches, hook.updated),
        "deleted": stamp(switches, hook.deleted),
        "add_to_data": hook.extra,
    }
