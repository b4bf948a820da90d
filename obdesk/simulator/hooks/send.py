"""Sending deliveries: proof, compression, copies, order, retries and giving up."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import http.client
import json
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import anyio

from obdesk.simulator.hooks.registry import Attempt, Delivery, Registry

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.simulator.world.world import World


def sign(secret: str, path: str, date: str, body: bytes) -> str:
    """Return the BI-Signature of a body posted to a URL path at a date."""
    message = b".".join([b"POST", path.encode(), date.encode(), body])
    return b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def signature_date(now: datetime) -> str:
    """Return an instant as the signature header writes it: UTC with microseconds."""
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Parcel:
    """A request ready to be posted."""

    url: str
    headers: dict[str, str]
    content: bytes
    timeout_s: int


def post(parcel: Parcel) -> tuple[int | None, str | None]:
    """Post a parcel; returns the status, or None with a reason: timeout or unreachable."""
    parts = urlsplit(parcel.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection = kind(parts.hostname or "", parts.port, timeout=parcel.timeout_s)
    try:
        connection.request("POST", target or "/", parcel.content, parcel.headers)
        return connection.getresponse().status, None
    except TimeoutError:
        return None, "timeout"
    except (OSError, http.client.HTTPException):
        return None, "unreachable"
    finally:
        connection.close()


def fetch_token(config: dict[str, Any], timeout_s: int) -> str | None:
    """Return a token from a receiver's own OAuth2 server (client credentials), None when it gives none."""
    form = {name: str(config.get(name, "")) for name in ("grant_type", "client_id", "client_secret")}
    parts = urlsplit(str(config.get("url", "")))
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", parts.path or "/", urlencode(form), headers)
        return str(json.loads(connection.getresponse().read())["access_token"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()


class Sender:
    """Works through the queue of a registry."""

    def __init__(self, world: World, registry: Registry) -> None:
        self._world = world
        self.registry = registry
        self._rest_until = 0

    async def flush(self) -> None:
        """Send everything that is due; stop early after too many failures in a row."""
        now, switches = self._world.clock.seconds(), self._world.switches
        if now < self._rest_until:
            return
        due = self.registry.waiting(now)
        failures = timeouts = 0
        for delivery in reversed(due) if switches.webhook_reorder else due:
            attempt = Attempt(now, None, None)
            for _ in range(max(1, switches.webhook_copies)):
                attempt = await self._deliver(delivery)
            accepted = attempt.status is not None and 200 <= attempt.status < 300
            failures = 0 if accepted else failures + 1
            timeouts = timeouts + 1 if attempt.problem == "timeout" else 0
            if failures >= switches.webhook_max_failures or timeouts >= switches.webhook_max_timeouts:
                self._rest_until = now + switches.webhook_retry_s
                return

    async def _deliver(self, delivery: Delivery) -> Attempt:
        # The clock may be moved while the receiver takes its time: the attempt counts from its start.
        now, switches = self._world.clock.seconds(), self._world.switches
        parcel = self._parcel(delivery)
        provider = self.registry.providers.get(delivery.hook.id_auth or 0)
        if provider is not None and provider.kind == "oauth":
            token = await anyio.to_thread.run_sync(fetch_token, provider.config, parcel.timeout_s)
            parcel.headers["Authorization"] = f"Bearer {token}"
        status, problem = await anyio.to_thread.run_sync(post, parcel)
        attempt = Attempt(now, status, problem)
        delivery.attempts.append(attempt)
        if status is not None and 200 <= status < 300:
            delivery.accepted, delivery.next_at = True, None
            connection = self._world.connections.get(delivery.id_connection or 0)
            if connection is not None and delivery.hook.event == "CONNECTION_SYNCED":
                connection.last_push = now
        elif len(delivery.attempts) >= switches.webhook_give_up:
            delivery.next_at = None
        elif not delivery.accepted:
            delivery.next_at = now + switches.webhook_retry_s * 2 ** (len(delivery.attempts) - 1)
        return attempt

    def _parcel(self, delivery: Delivery) -> Parcel:
        switches = self._world.switches
        content = gzip.compress(delivery.body, mtime=0) if switches.webhook_gzip else delivery.body
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Budgea API/2.0",
            **({"Content-Encoding": "gzip"} if switches.webhook_gzip else {}),
        }
        signed = content if switches.webhook_gzip_signs == "compressed" else delivery.body
        headers |= self._proof(delivery, signed)
        return Parcel(delivery.hook.url, headers, content, switches.webhook_timeout_s)

    def _proof(self, delivery: Delivery, signed: bytes) -> dict[str, str]:
        provider = self.registry.providers.get(delivery.hook.id_auth or 0)
        if provider is not None and provider.kind == "oauth":
            return {}
        if provider is None or provider.secret is None:
            token = self._world.tokens.permanent_of(delivery.id_user)
            return {"Authorization": f"Bearer {token.value}"} if token is not None else {}
        parts = urlsplit(delivery.hook.url)
        path = parts.path
        if self._world.switches.webhook_signs_query and parts.query:
            path = f"{path}?{parts.query}"
        if delivery.signature_date is None or self._world.switches.webhook_retry_redated:
            delivery.signature_date = signature_date(self._world.clock.now())
        date = delivery.signature_date
        return {"BI-Signature-Date": date, "BI-Signature": sign(provider.secret, path, date, signed)}
