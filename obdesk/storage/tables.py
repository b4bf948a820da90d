"""The tables, private to storage: what the bank says and what the person says live apart.

`migrations/` builds them; tests show that the migrated schema equals this description.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Text, UniqueConstraint, desc, text
from sqlmodel import Field, SQLModel

APPLICATION_ID = 0x0BDE5C01  # PRAGMA application_id, so that `file` and we know our own


class Connections(SQLModel, table=True):
    """A link to one bank at one provider."""

    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("provider", "provider_id"),)

    id: int | None = Field(default=None, primary_key=True)
    provider: str
    provider_id: str
    connector_id: str
    bank: str
    color: str
    condition: str
    provider_state: str
    bank_message: str
    active: bool
    paused: bool
    created_at: int | None
    linked_at: int
    asked_at: int | None
    data_as_of: int | None
    consent_expires_at: int | None
    provider_next_try_at: int | None
    cursor: str | None
    full_sync_at: int | None
    failures: int
    retry_at: int | None
    removed_at: int | None


class Accounts(SQLModel, table=True):
    """An account as the bank tells it."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("connection_id", "provider_id"),)

    id: int | None = Field(default=None, primary_key=True)
    connection_id: int = Field(foreign_key="connections.id", ondelete="CASCADE")
    provider_id: int
    parent_provider_id: int | None
    name: str
    kind: str
    state: str
    iban: str
    number: str
    currency: str
    exponent: int
    balance_minor: int | None
    coming_minor: int | None
    data_as_of: int | None
    condition: str
    first_seen_at: int
    gone_at: int | None


class AccountEdits(SQLModel, table=True):
    """What the person says about an account; never touched by a sync."""

    __tablename__ = "account_edits"

    account_id: int = Field(primary_key=True, foreign_key="accounts.id", ondelete="CASCADE")
    name: str
    in_net_worth: bool | None
    important: bool


class Balances(SQLModel, table=True):
    """The last balance observed on each day, the only true history of balances there is.

    An account counts in one currency at a time; balances in one it had before wait beside the others.
    """

    __tablename__ = "balances"
    __table_args__ = {"sqlite_with_rowid": False}

    account_id: int = Field(primary_key=True, foreign_key="accounts.id", ondelete="CASCADE")
    currency: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    balance_minor: int
    observed_at: int


class Transactions(SQLModel, table=True):
    """A transaction as the bank tells it; a deleted one stays as a tombstone."""

    __tablename__ = "transactions"
    __table_args__ = (
        UniqueConstraint("account_id", "provider_id"),
        Index(
            "transactions_listed",
            desc("pending"),
            desc("booked_on"),
            desc("id"),
            sqlite_where=text("deleted_at IS NULL"),
        ),
        Index(
            "transactions_of_account",
            "account_id",
            desc("pending"),
            desc("booked_on"),
            desc("id"),
            sqlite_where=text("deleted_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="accounts.id", ondelete="CASCADE")
    provider_id: int
    pending: bool
    booked_on: str
    done_on: str | None
    value_on: str | None
    amount_minor: int | None
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
    provider_updated: str
    search_text: str
    first_seen_at: int
    changed_at: int
    deleted_at: int | None


class TransactionEdits(SQLModel, table=True):
    """What the person says about a transaction; follows its row, never touched by a sync."""

    __tablename__ = "transaction_edits"

    transaction_id: int = Field(primary_key=True, foreign_key="transactions.id", ondelete="CASCADE")
    note: str
    category: str | None
    edited_at: int


class TransactionAliases(SQLModel, table=True):
    """Ids under which the provider called a transaction before (a pending row that was booked anew)."""

    __tablename__ = "transaction_aliases"
    __table_args__ = (UniqueConstraint("account_id", "provider_id"),)

    id: int | None = Field(default=None, primary_key=True)
    transaction_id: int = Field(foreign_key="transactions.id", ondelete="CASCADE", index=True)
    account_id: int
    provider_id: int
    seen_at: int


class TransactionHistory(SQLModel, table=True):
    """Who changed which field of a transaction, and what it was before."""

    __tablename__ = "transaction_history"

    id: int | None = Field(default=None, primary_key=True)
    transaction_id: int = Field(foreign_key="transactions.id", ondelete="CASCADE", index=True)
    at: int
    who: str
    field: str
    old: str
    new: str


class Settings(SQLModel, table=True):
    """Settings that need no reading before the file is unlocked."""

    __tablename__ = "settings"

    key: str = Field(primary_key=True)
    value: str = Field(sa_column=Column(Text, nullable=False))


class Tokens(SQLModel, table=True):
    """Tokens and secrets of a profile without a keyring: inside the encrypted file and nowhere else."""

    __tablename__ = "tokens"

    name: str = Field(primary_key=True)
    value: str


SEARCH_DDL = (
    "CREATE VIRTUAL TABLE transaction_search USING fts5("
    "search_text, content='transactions', content_rowid='id', tokenize='trigram', detail=none)"
)
"""Substring search over label and payee, filled by the writer per batch: triggers cost five times more."""
