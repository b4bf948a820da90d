"""How the token of a user is got and kept.

A person brings their own application: its secret lies in the token store, and one user is made with it,
once. Another source, such as a broker that makes users on somebody's behalf, has to be a TokenSource.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import msgspec

from obdesk.domain.conditions import Condition
from obdesk.domain.outcomes import ActionNeeded, Fetched
from obdesk.providers.powens.errors import bad_answer
from obdesk.providers.powens.mapping import is_id
from obdesk.providers.powens.strict import UNREADABLE
from obdesk.providers.powens.wire import AccessWire, Reader, UserWire

if TYPE_CHECKING:
    from obdesk.domain.clock import Clock
    from obdesk.domain.outcomes import Outcome
    from obdesk.providers.powens.client import Client
    from obdesk.providers.powens.settings import PowensSettings

RENEW_PAUSE_S = 3_600.0
"""A token that is refused right after it was renewed is not renewed again before this time."""

_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")  # what fits into one header
_USERS = Reader(UserWire)
_ACCESSES = Reader(AccessWire)


class TokenStore(Protocol):
    """Named secrets. Calls may block for long (a locked keyring asks a person), so a thread makes them."""

    def get(self, name: str) -> str | None:
        """Return the secret called `name`, or None."""
        ...

    def put(self, name: str, value: str) -> None:
        """Keep `value` as `name`."""
        ...


class TokenSource(Protocol):
    """Whatever can give the token of the one user this program speaks for."""

    async def current(self) -> Outcome[str | None]:
        """Return the token kept, or None while there is no user."""
        ...

    async def ensure(self) -> Outcome[str]:
        """Return the token, and make the user when there is none."""
        ...

    async def renew(self, refused: str) -> Outcome[str]:
        """Return another token for the same user, after `refused` was not accepted."""
        ...


@dataclass(frozen=True, slots=True)
class UserToken:
    """A user's token, and the user's id, the only way back to their data when the token is lost."""

    token: str = field(repr=False)
    id_user: int


def user_token_name(settings: PowensSettings) -> str:
    """Return the name under which the token store keeps the user of this application."""
    return f"powens/user/{_application(settings)}"


def client_secret_name(settings: PowensSettings) -> str:
    """Return the name under which the token store keeps the secret of this application."""
    return f"powens/client-secret/{_application(settings)}"


def _application(settings: PowensSettings) -> str:
    """Return a short name for host and application, so that no secret ever reaches another host."""
    text = f"{settings.api_url}\n{settings.client_id}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


_NO_SECRET = ActionNeeded(Condition.PROVIDER_REFUSES, "no_client_secret")
_UNREADABLE_USER = ActionNeeded(Condition.PROVIDER_REFUSES, "stored_user_unreadable")
_REFUSED = ActionNeeded(Condition.PROVIDER_REFUSES, "token_refused")


class OwnApplication:
    """A person's own application as a source of tokens (TokenSource)."""

    def __init__(self, settings: PowensSettings, client: Client, store: TokenStore, clock: Clock) -> None:
        self._settings = settings
        self._client = client
        self._store = store
        self._clock = clock
        self._name = user_token_name(settings)
        self._user: UserToken | None = None
        self._kept = True
        self._renewed_s: float | None = None
        # Two banks that start together must not make two users, nor renew one token twice.
        self._turn = asyncio.Lock()

    async def current(self) -> Outcome[str | None]:
        """Return the token kept, or None while there is no user."""
        async with self._turn:
            found = await self._load()
        if not isinstance(found, Fetched):
            return found
        return Fetched(found.value.token if found.value else None)

    async def ensure(self) -> Outcome[str]:
        """Return the token, and make the user when there is none.

        A user is billed, so `POST /auth/init` is sent once per call and never by itself again: when its
        answer is lost, the caller hears so.
        """
        async with self._turn:
            found = await self._load()
            if not isinstance(found, Fetched):
                return found
            if found.value:
                return Fetched(found.value.token)
            secret = await self._secret()
            if secret is None:
                return _NO_SECRET
            reply = await self._client.send("POST", "/auth/init", body=self._credentials(secret))
            if reply.failure:
                return reply.failure
            row = _USERS.read(reply.body)
            if row is None:
                return bad_answer("auth/init answered no user")
            wire = row.value
            if not _is_token(wire.auth_token) or not is_id(wire.id_user):
                return bad_answer("auth/init answered no user")
            if wire.type == "temporary":
                # Made without a valid secret: it and all its data would be gone in half an hour.
                return ActionNeeded(Condition.PROVIDER_REFUSES, "temporary_user")
            return await self._keep(UserToken(wire.auth_token or "", wire.id_user or 0))

    async def renew(self, refused: str) -> Outcome[str]:
        """Return another token for the same user; at most once an hour, so that it is no loop."""
        async with self._turn:
            found = await self._load()
            if not isinstance(found, Fetched):
                return found
            user = found.value
            if user is None:
                return _REFUSED
            if user.token != refused:
                return Fetched(user.token)
            secret = await self._secret()
            if secret is None or self._has_just_renewed():
                return _REFUSED
            self._renewed_s = self._clock.monotonic_s()
            # Without id_user the API would make a new user. Other computers keep their tokens.
            body = self._credentials(secret) | {
                "grant_type": "client_credentials",
                "id_user": user.id_user,
                "revoke_previous": False,
            }
            reply = await self._client.send("POST", "/auth/renew", body=body)
            if reply.failure:
                return reply.failure
            row = _ACCESSES.read(reply.body)
            token = (row.value.access_token or row.value.token) if row else None
            if not _is_token(token):
                return bad_answer("auth/renew answered no token")
            return await self._keep(UserToken(token or "", user.id_user))

    def _has_just_renewed(self) -> bool:
        return self._renewed_s is not None and self._clock.monotonic_s() - self._renewed_s < RENEW_PAUSE_S

    async def _keep(self, user: UserToken) -> Fetched[str]:
        """Keep the user in memory first: if the store fails, the next call writes again, not makes again."""
        self._user, self._kept = user, False
        await self._store_user(user)
        return Fetched(user.token)

    async def _store_user(self, user: UserToken) -> None:
        # One entry, so that the token and the id cannot part.
        text = msgspec.json.encode({"token": user.token, "id_user": user.id_user}).decode()
        await asyncio.to_thread(self._store.put, self._name, text)
        self._kept = True

    async def _load(self) -> Outcome[UserToken | None]:
        if self._user:
            if not self._kept:
                await self._store_user(self._user)
            return Fetched(self._user)
        text = await asyncio.to_thread(self._store.get, self._name)
        if text is None:
            return Fetched(None)
        try:
            user = msgspec.json.decode(text, type=UserToken)
        except UNREADABLE:
            return _UNREADABLE_USER
        if not _is_token(user.token) or not is_id(user.id_user):
            return _UNREADABLE_USER
        self._user = user
        return Fetched(user)

    async def _secret(self) -> str | None:
        return await asyncio.to_thread(self._store.get, client_secret_name(self._settings))

    def _credentials(self, secret: str) -> dict[str, str | int | bool]:
        return {"client_id": self._settings.client_id, "client_secret": secret}


def _is_token(text: str | None) -> bool:
    return text is not None and _TOKEN.fullmatch(text) is not None
