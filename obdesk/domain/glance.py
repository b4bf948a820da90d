"""What a first look at the ledger needs, as bare values: read and drawn before anything else is imported."""

from __future__ import annotations

from typing import NamedTuple


class AccountGlance(NamedTuple):
    """An account with its balance and both its dates."""

    account_id: int
    connection_id: int
    bank: str
    color: str
    name: str
    balance_minor: int | None
    currency: str
    exponent: int
    counted: bool
    """Whether it is part of net worth."""
    asked_at_ms: int | None
    data_as_of_ms: int | None


class RowGlance(NamedTuple):
    """A transaction as a list shows it."""

    pending: bool
    booked_on: str
    payee: str
    label: str
    category: str
    account: str
    amount_minor: int | None
    currency: str
    exponent: int


class Glance(NamedTuple):
    """The accounts by bank and the newest transactions."""

    accounts: tuple[AccountGlance, ...]
    newest: tuple[RowGlance, ...]
