"""Who makes users at the aggregator, and tokens for them: whoever holds an application's client secret."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from obdesk.domain.conditions import Condition
from obdesk.domain.outcomes import ActionNeeded, Fetched
from obdesk.providers.powens.errors import bad_answer
from obdesk.providers.powens.mapping import is_id
from obdesk.providers.powens.wire import AccessWire, Reader, UserWire

if TYPE_CHECKING:
    from obdesk.domain.outcomes import Outcome
    from obdesk.providers.powens.client import Client
    from obdesk.providers.powens.settings import PowensSettings

_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")  # what fits into one header
_USERS = Reader(UserWire)
_ACCESSES = Reader(AccessWire)
NO_SECRET = ActionNeeded(Condition.PROVIDER_REFUSES, "no_client_secret")


class TokenStore(Protocol):
    """Named secrets. Calls may block for long (a locked keyring asks a person), so a thread makes them."""

    def get(self, name: str) -> str | None:
        """Return the secret called `name`, or None."""
        ...

    def put(self, name: str, value: str) -> None:
        """Keep `value` as `name`."""
        ...


@dataclass(frozen=True, slots=True)
class Issued:
    """A user that was just made, with a token."""

    token: str = field(repr=False)
    id_user: int


class Issuer(Protocol):
    """Whoever may make a user and tokens for them; nothing is ever asked of them twice by itself."""

    @property
    def revokes(self) -> bool:
        """Tell whether they can have all earlier tokens revoked with a new one."""
        ...

    async def make(self) -> Outcome[Issued]:
        """Make a user, who is billed; when the answer is lost, the caller hears so."""
        ...

    async def another(self, id_user: int, *, revoking: bool) -> Outcome[str]:
        """Return a further token of a user; unless all are to be revoked, the others stay valid."""
        ...


class ClientSecret:
    """A person's own application, whose secret lies in the token store (Issuer)."""

    revokes = True

    def __init__(self, settings: PowensSettings, client: Client, store: TokenStore) -> None:
        self._settings = settings
        self._client = client
        self._store = store

    async def make(self) -> Outcome[Issued]:
        """Make a user: `POST /auth/init` is sent once per call and never by itself again."""
        secret = await self._secret()
        if secret is None:
            return NO_SECRET
        reply = await self._client.send("POST", "/auth/init", body=self._credentials(secret))
        if reply.failure:
            return reply.failure
        row = _USERS.read(reply.body)
        if row is None:
            return bad_answer("auth/init answered no user")
        wire = row.value
        if not is_token(wire.auth_token) or not is_id(wire.id_user):
            return bad_answer("auth/init answered no user")
        if wire.type == "temporary":
            # Made without a valid secret: it and all its data would be gone in half an hour.
            return ActionNeeded(Condition.PROVIDER_REFUSES, "temporary_user")
        return Fetched(Issued(wire.auth_token or "", wire.id_user or 0))

    async def another(self, id_user: int, *, revoking: bool) -> Outcome[str]:
        """Return a further token of a user; unless all are to be revoked, the others stay valid."""
        secret = await self._secret()
        if secret is None:
            return NO_SECRET
        # Without id_user the API would make a new user.
        body = self._credentials(secret) | {
            "grant_type": "client_credentials",
            "id_user": id_user,
            "revoke_previous": revoking,
        }
        reply = await self._client.send("POST", "/auth/renew", body=body)
        if reply.failure:
            return reply.failure
        row = _ACCESSES.read(reply.body)
        token = (row.value.access_token or row.value.token) if row else None
        if token is None or not is_token(token):
            return bad_answer("auth/renew answered no token")
        return Fetched(token)

    async def _secret(self) -> str | None:
        return await asyncio.to_thread(self._store.get, client_secret_name(self._settings))

    def _credentials(self, secret: str) -> dict[str, str | int | bool]:
        return {"client_id": self._settings.client_id, "client_secret": secret}


def client_secret_name(settings: PowensSettings) -> str:
    """Return the name under which the token store keeps the secret of this application."""
    return f"powens/client-secret/{application_of(settings)}"


def application_of(settings: PowensSettings) -> str:
    """Return a short name for host and application, so that no secret ever reaches another host."""
    text = f"{settings.api_url}\n{settings.client_id}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_token(text: str | None) -> bool:
    """Tell whether a text can be a token."""
    return text is not None and _TOKEN.fullmatch(text) is not None
