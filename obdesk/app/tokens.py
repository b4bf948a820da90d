"""Tokens of a profile without a keyring: inside its encrypted database and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.storage.queries import connections
from obdesk.storage.writes import edits

if TYPE_CHECKING:
    from obdesk.storage.store import Store


class DatabaseTokens:
    """A token store over the open database; calls block, so they are made from threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, name: str) -> str | None:
        """Return the secret called `name`, or None."""
        return self._store.read_now(connections.token, name)

    def put(self, name: str, value: str) -> None:
        """Keep `value` as `name`, durably."""
        self._store.write_now(lambda tx: edits.put_token(tx, name, value))

    def delete(self, name: str) -> None:
        """Forget `name`."""
        self._store.write_now(lambda tx: edits.delete_token(tx, name))

    def names(self) -> frozenset[str]:
        """Return the names of all secrets kept."""
        return frozenset(self._store.read_now(connections.token_names))
