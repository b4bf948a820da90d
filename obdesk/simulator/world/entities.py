"""The things the API keeps: users, tokens, connections with their sources, accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from obdesk.simulator.world.ledger import Ledger

if TYPE_CHECKING:
    from obdesk.simulator.bank.connectors import Connector, LoginField
    from obdesk.simulator.bank.scripts import Script
    from obdesk.simulator.bank.statement import Row


class TokenKind(Enum):
    """What a token is good for."""

    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    CODE = "code"
    SERVICE = "service"
    CONFIG = "config"
    USERS = "users"


@dataclass(slots=True)
class Token:
    """A bearer token or code; `expires` is in seconds since 1970, None for ever."""

    value: str
    kind: TokenKind
    id_user: int | None
    expires: int | None
    single_use: bool = False
    scope: str | None = None


@dataclass(slots=True)
class User:
    """A person without a name; `purge_at` is set while nobody holds a permanent token."""

    id: int
    signin: int
    purge_at: int | None
    config: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ConnectionSource:
    """One way in which a connection reaches its bank."""

    id: int
    id_connector_source: int
    name: str
    priority: int
    created: int
    state: str | None = None
    last_update: int | None = None
    disabled: int | None = None
    access_expire: int | None = None
    expire: int | None = None
    next_try: int | None = None


@dataclass(slots=True)
class Account:
    """A bank account as the API shows it."""

    id: int
    id_connection: int
    id_user: int
    id_source: int
    key: str
    kind: str
    original_name: str
    name: str
    currency: str
    number: str
    iban: str | None
    bic: str | None
    usage: str
    id_parent: int | None = None
    balance_minor: int | None = None
    opening_minor: int = 0
    display: bool = True
    bookmarked: bool = False
    disabled: int | None = None
    deleted: int | None = None
    last_update: int | None = None
    error: str | None = None
    import_at: int | None = None
    ledger: Ledger = field(default_factory=Ledger)
    synced_day: int | None = None
    extras_seen: int = 0
    shelved: Ledger | None = None
    pending: dict[tuple[int, int], tuple[int, Row]] = field(default_factory=dict)


@dataclass(slots=True)
class LogEntry:
    """One sync of a connection, as the logs list it."""

    id: int
    start: int
    timestamp: int
    error: str | None
    error_message: str | None
    accounts: tuple[tuple[int, int | None, int | None], ...]
    next_try: int | None


@dataclass(slots=True)
class Connection:
    """A user's link to a bank.

    `pending_script` says how the running demand for the person's presence goes; `trouble` is a state
    the bank insists on (set from outside) until `trouble_until` or until the person mends it.
    """

    id: int
    id_user: int
    connector: Connector
    created: int
    values: dict[str, str]
    script: Script
    sources: list[ConnectionSource] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    state: str | None = None
    error_message: str | None = None
    fields: tuple[LoginField, ...] | None = None
    last_update: int | None = None
    last_push: int | None = None
    active: bool = True
    expire: int | None = None
    next_try: int | None = None
    pending_script: Script | None = None
    pending_since: int | None = None
    validates_at: int | None = None
    consented: bool = False
    trouble: str | None = None
    trouble_message: str | None = None
    trouble_until: int | None = None
    trouble_partial: bool = False
    last_forced: int | None = None
    last_added: int | None = None
    unattended: list[int] = field(default_factory=list)
    logs: list[LogEntry] = field(default_factory=list)
    syncs: int = 0
    allowed_ibans: tuple[str, ...] = ()
    allowed_types: tuple[str, ...] = ()

    def live_accounts(self) -> list[Account]:
        """Return the accounts that are enabled and still at the bank."""
        return [account for account in self.accounts if account.disabled is None and account.deleted is None]
