"""How the token of the one user this program speaks for is got and kept.

Somebody makes the user, once, and tokens for them: the person's own application, or a broker that does it on
their behalf (`issuing.Issuer`). Everything else is the same for both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import msgspec

from obdesk.domain.conditions import Condition
from obdesk.domain.outcomes import ActionNeeded, Fetched, RetryLater
from obdesk.providers import counting
from obdesk.providers.powens.issuing import NO_SECRET, application_of, client_secret_name, is_token
from obdesk.providers.powens.mapping import is_id
from obdesk.providers.powens.strict import UNREADABLE

if TYPE_CHECKING:
    import random

    from obdesk.domain.clock import Clock
    from obdesk.domain.outcomes import Outcome
    from obdesk.providers.powens.client import Client
    from obdesk.providers.powens.issuing import Issuer, TokenStore
    from obdesk.providers.powens.settings import PowensSettings

__all__ = ["TokenSource", "UserTokens", "client_secret_name", "user_token_name"]
ROTATE_EVERY = timedelta(days=30)
RENEW_PAUSE_S = 3_600.0
"""A token that is refused right after it was renewed is not renewed again before this time."""

Probe = Callable[[str], Awaitable["Outcome[object]"]]
"""Makes one harmless call with a token."""


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

    async def rotate(self, probe: Probe) -> Outcome[bool]:
        """Exchange the token when its time has come; tell whether another one is in use now."""
        ...

    async def replace(self) -> Outcome[None]:
        """Have every token of the user revoked at once, and use a new one: somebody saw one."""
        ...


@dataclass(frozen=True, slots=True)
class UserToken:
    """A user's token, and the user's id, the only way back to their data when the token is lost.

    While a token is exchanged both are kept: `following` until a call has proved it, `former` until it is
    revoked. `token` works at every moment.
    """

    token: str = field(repr=False)
    id_user: int
    rotate_at: float | None = None
    """When it is exchanged, in seconds since 1970; None for one whose age nobody knows."""
    following: str | None = field(default=None, repr=False)
    former: str | None = field(default=None, repr=False)


def user_token_name(settings: PowensSettings) -> str:
    """Return the name under which the token store keeps the user of this application."""
    return f"powens/user/{application_of(settings)}"


_UNREADABLE_USER = ActionNeeded(Condition.PROVIDER_REFUSES, "stored_user_unreadable")
_REFUSED = ActionNeeded(Condition.PROVIDER_REFUSES, "token_refused")


class UserTokens:
    """The token of one user, kept in the token store (TokenSource)."""

    def __init__(
        self,
        settings: PowensSettings,
        client: Client,
        store: TokenStore,
        issuer: Issuer,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._client = client
        self._issuer = issuer
        self._store = store
        self._clock = clock
        self._rng = rng
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
        """Return the token, and make the user when there is none, who is asked for once per call."""
        async with self._turn:
            found = await self._load()
            if not isinstance(found, Fetched):
                return found
            if found.value:
                return Fetched(found.value.token)
            made = await self._issuer.make()
            if not isinstance(made, Fetched):
                return made
            return await self._keep(UserToken(made.value.token, made.value.id_user, self._later()))

    async def renew(self, refused: str) -> Outcome[str]:
        """Return another token for the same user; at most once an hour, so that it is no loop."""
        async with self._turn:
            if self._kept:
                self._user = None  # another process may have exchanged the token meanwhile
            found = await self._load()
            if not isinstance(found, Fetched):
                return found
            user = found.value
            if user is None:
                return _REFUSED
            if user.token != refused:
                return Fetched(user.token)
            if self._has_just_renewed():
                return _REFUSED
            self._renewed_s = self._clock.monotonic_s()
            made = await self._issuer.another(user.id_user, revoking=False)
            if not isinstance(made, Fetched):
                return _REFUSED if made == NO_SECRET else made
            counting.renewed_one()
            return await self._keep(UserToken(made.value, user.id_user, self._later()))

    async def replace(self) -> Outcome[None]:
        """Have every token of the user revoked at once, and use a new one: somebody saw one.

        Other computers of the person find theirs refused and make new ones, as they do in any such case. So
        does this one where the answer is lost.
        """
        async with self._turn:
            found = await self._load()
            if not isinstance(found, Fetched):
                return found
            user = found.value
            if user is None:
                return _REFUSED
            made = await self._issuer.another(user.id_user, revoking=True)
            if not isinstance(made, Fetched):
                return made
            counting.renewed_one()
            former = None if self._issuer.revokes else user.token
            user = UserToken(made.value, user.id_user, self._later(), former=former)
            await self._keep(user)
            if former is not None and (await self._revoke_former(user)).former is not None:
                return RetryLater(Condition.PROVIDER_DOWN, provider_code="not_revoked")
            return Fetched(None)

    async def rotate(self, probe: Probe) -> Outcome[bool]:
        """Exchange the token when its time has come; tell whether another one is in use now.

        Each step is kept before the next: the new token beside the old one, then proved by a call, then
        in use, and only then the old one is revoked. Wherever this ends, the token in use works.
        """
        async with self._turn:
            found = await self._load()
            if not isinstance(found, Fetched):
                return found
            user = found.value
            if user is None:
                return Fetched(False)
            if user.former is not None:
                user = await self._revoke_former(user)
            if user.rotate_at is None:  # made before ages were kept
                await self._keep(replace(user, rotate_at=self._later()))
                return Fetched(False)
            if user.following is None and self._clock.now().timestamp() < user.rotate_at:
                return Fetched(False)
            return await self._exchange(user, probe)

    async def _exchange(self, user: UserToken, probe: Probe) -> Outcome[bool]:
        if user.following is None:
            made = await self._issuer.another(user.id_user, revoking=False)
            if not isinstance(made, Fetched):
                return made
            user = replace(user, following=made.value)
            await self._keep(user)
        following = user.following or ""
        proved = await probe(following)
        if isinstance(proved, ActionNeeded):  # it does not work: the old one stays, another is made later
            await self._keep(replace(user, following=None, rotate_at=self._later()))
            return proved
        if not isinstance(proved, Fetched):
            return proved
        user = UserToken(following, user.id_user, self._later(), former=user.token)
        await self._keep(user)
        await self._revoke_former(user)
        return Fetched(True)

    async def _revoke_former(self, user: UserToken) -> UserToken:
        """Revoke the token that was in use before; one that cannot be now is revoked another time."""
        reply = await self._client.send("DELETE", "/auth/token", bearer=user.former)
        refused = isinstance(reply.failure, ActionNeeded)  # it is no longer valid, which is what we want
        if reply.failure is not None and not refused:
            return user
        kept = replace(user, former=None)
        await self._keep(kept)
        return kept

    def _later(self) -> float:
        """Return when a token made now is exchanged: about a month, not at the same time everywhere."""
        wait = ROTATE_EVERY * self._rng.uniform(0.8, 1.2)
        return (self._clock.now() + wait).timestamp()

    def _has_just_renewed(self) -> bool:
        return self._renewed_s is not None and self._clock.monotonic_s() - self._renewed_s < RENEW_PAUSE_S

    async def _keep(self, user: UserToken) -> Fetched[str]:
        """Keep the user in memory first: if the store fails, the next call writes again, not makes again."""
        self._user, self._kept = user, False
        await self._store_user(user)
        return Fetched(user.token)

    async def _store_user(self, user: UserToken) -> None:
        # One entry, so that the token and the id cannot part.
        known = {"token": user.token, "id_user": user.id_user, "rotate_at": user.rotate_at}
        both = {"following": user.following, "former": user.former}
        text = msgspec.json.encode(known | {name: token for name, token in both.items() if token}).decode()
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
        if not is_token(user.token) or not is_id(user.id_user):
            return _UNREADABLE_USER
        self._user = user
        return Fetched(user)
