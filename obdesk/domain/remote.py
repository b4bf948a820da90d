"""What a provider says, in our words: the values that cross from `providers` to `sync`.

Rows are named tuples because a first sync makes a million of them; they are as frozen as the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.conditions import Condition
    from obdesk.domain.entities import AccountKind, AccountState
    from obdesk.domain.money import Currency


class RemoteTransaction(NamedTuple):
    """One transaction as the provider tells it; dates are ISO calendar dates, amounts minor units."""

    provider_id: int
    account_provider_id: int
    pending: bool
    booked_on: str
    done_on: str | None
    value_on: str | None
    amount_minor: int | None
    """In the account's currency; None for a pending row whose amount the bank does not know yet."""
    label: str
    payee: str
    kind: str
    category: str
    card: str
    counterparty: str
    counterparty_account: str
    original_minor: int | None
    original_currency: str
    original_exponent: int
    deleted: bool
    updated: str
    """The provider's own update stamp, an opaque cursor value; empty when it gives none."""


class RowProblem(NamedTuple):
    """A row that could not be kept as it came: which one, and why, never its content."""

    kind: str
    subject: str
    detail: str
    account_provider_id: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteConnection:
    """A link to a bank as the provider tells it."""

    provider_id: str
    connector_id: str
    bank: str
    color: str
    condition: Condition
    provider_state: str
    bank_message: str
    active: bool
    created_at: datetime | None
    data_as_of: datetime | None
    """The last time the provider read the bank with success."""
    consent_expires_at: datetime | None
    next_try_at: datetime | None


@dataclass(frozen=True, slots=True)
class RemoteAccount:
    """An account as the provider tells it."""

    provider_id: int
    connection_provider_id: str
    parent_provider_id: int | None
    name: str
    kind: AccountKind
    state: AccountState
    iban: str
    number: str
    currency: Currency
    balance_minor: int | None
    coming_minor: int | None
    data_as_of: datetime | None
    condition: Condition


@dataclass(frozen=True, slots=True)
class Connector:
    """A bank that can be linked."""

    id: str
    name: str
    color: str
    countries: tuple[str, ...]
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class PageRows:
    """The rows of one page, decoded."""

    rows: tuple[RemoteTransaction, ...]
    problems: tuple[RowProblem, ...]
