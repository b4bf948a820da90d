"""Where tokens and other small secrets live: as entries of their own in the keyring, or in the database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from obdesk.secrets.errors import TooManySecrets
from obdesk.secrets.keyrings import VALUE_LENGTH_MAX

if TYPE_CHECKING:
    from obdesk.secrets.keyrings import SystemKeyring

_NAME = re.compile(r"[a-z0-9][a-z0-9._/-]{0,63}")


class TokenStore(Protocol):
    """Named secrets: a provider's user token, the client secret, a webhook's signing secret.

    Names are lower-case, such as `powens/user-token`. Calls may block, so use a thread.
    Errors are VaultProblem or the database's own AppError.
    """

    def get(self, name: str) -> str | None:
        """Return the secret called `name`, or None."""

    def put(self, name: str, value: str) -> None:
        """Keep `value` as `name`, durably, in place of an earlier one."""

    def delete(self, name: str) -> None:
        """Forget `name`; nothing happens when there is none."""

    def names(self) -> frozenset[str]:
        """Return the names of all secrets kept."""


class KeyringTokens:
    """Tokens as keyring entries `PROFILE-ID/token/NAME`, with their names listed in one more entry.

    No keyring can list what it holds. A name is listed before its value is written and taken off after the
    value is gone, so a crash between the two leaves no value that nobody knows of.
    """

    def __init__(self, keyring: SystemKeyring, profile_id: str) -> None:
        self._keyring = keyring
        self._profile_id = profile_id

    def get(self, name: str) -> str | None:
        """Return the secret called `name`, or None."""
        return self._keyring.get(self._account(name))

    def put(self, name: str, value: str) -> None:
        """Keep `value` as `name`. Raises SecretTooLong, TooManySecrets or a KeyringProblem."""
        account = self._account(name)
        listed = self._listed()
        if name not in listed:
            self._list(listed | {name})
        self._keyring.put(account, value)

    def delete(self, name: str) -> None:
        """Forget `name`; nothing happens when there is none."""
        self._keyring.delete(self._account(name))
        listed = self._listed()
        if name in listed:
            self._list(listed - {name})

    def names(self) -> frozenset[str]:
        """Return the names of all secrets kept."""
        return frozenset(name for name in self._listed() if self.get(name) is not None)

    def _listed(self) -> frozenset[str]:
        return frozenset((self._keyring.get(self._list_account) or "").split())

    def _list(self, names: frozenset[str]) -> None:
        if not names:
            self._keyring.delete(self._list_account)
            return
        text = " ".join(sorted(names))
        if len(text) > VALUE_LENGTH_MAX:
            raise TooManySecrets
        self._keyring.put(self._list_account, text)

    def _account(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a secret's name: {name!r}")
        return f"{self._profile_id}/token/{name}"

    @property
    def _list_account(self) -> str:
        return f"{self._profile_id}/token-names"

    def __repr__(self) -> str:
        return f"KeyringTokens({self._keyring!r})"
