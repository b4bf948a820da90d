"""Tokens and codes: made from the seed, looked up, burnt, revoked."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from obdesk.simulator.dice import dice
from obdesk.simulator.world.entities import Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPORARY_LIFE_S = 1_800


class Tokens:
    """The token store of a domain. Values contain `+`, `/` and `=` on purpose: callers must encode them."""

    def __init__(self, seed: int) -> None:
        self._rng = dice(seed, "tokens")
        self._tokens: dict[str, Token] = {}
        self.client_secret = self.new_value(24)
        self.config = self._add(Token(self.new_value(30), TokenKind.CONFIG, None, None))
        self.manage = self._add(Token(self.new_value(30), TokenKind.USERS, None, None))

    def new_value(self, size: int) -> str:
        """Return a fresh opaque value that needs URL encoding."""
        return "Sx+" + b64encode(self._rng.randbytes(size) + b"/", altchars=b"/_").decode() + "="

    def issue(
        self,
        kind: TokenKind,
        id_user: int | None,
        now: int,
        *,
        single_use: bool = False,
        scope: str | None = None,
    ) -> Token:
        """Make a token; only permanent ones last longer than half an hour."""
        expires = None if kind is TokenKind.PERMANENT else now + TEMPORARY_LIFE_S
        return self._add(Token(self.new_value(36), kind, id_user, expires, single_use, scope))

    def find(self, value: str, now: int) -> Token | None:
        """Return a token that is still good, or None."""
        token = self._tokens.get(value)
        if token is not None and token.expires is not None and token.expires <= now:
            del self._tokens[value]
            return None
        return token

    def use(self, value: str, now: int) -> Token | None:
        """Return a token and burn it when it was good for one use only."""
        token = self.find(value, now)
        if token is not None and token.single_use:
            del self._tokens[value]
        return token

    def revoke(self, value: str) -> None:
        """Forget one token."""
        self._tokens.pop(value, None)

    def revoke_user(self, id_user: int, *, keep: str | None = None) -> None:
        """Forget every token of a user, but for `keep`."""
        for token in list(self.of_user(id_user)):
            if token.value != keep:
                del self._tokens[token.value]

    def of_user(self, id_user: int) -> Iterator[Token]:
        """Yield the tokens of a user."""
        return (token for token in list(self._tokens.values()) if token.id_user == id_user)

    def permanent_of(self, id_user: int) -> Token | None:
        """Return the oldest permanent token of a user, as webhooks send it."""
        return next((token for token in self.of_user(id_user) if token.kind is TokenKind.PERMANENT), None)

    def _add(self, token: Token) -> Token:
        self._tokens[token.value] = token
        return token
