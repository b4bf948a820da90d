"""The tables of syncing, private to storage: what is wanted, what was done, what was found.

`migrations/` builds them; tests show that the migrated schema equals this description.
"""

from __future__ import annotations

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel


class PageDigests(SQLModel, table=True):
    """The digest of each page of the last answer: an equal page holds nothing new."""

    __tablename__ = "page_digests"
    __table_args__ = {"sqlite_with_rowid": False}

    connection_id: int = Field(primary_key=True, foreign_key="connections.id", ondelete="CASCADE")
    series: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    digest: bytes
    rows: int


class Problems(SQLModel, table=True):
    """Rows of the bank's data that could not be kept as they came."""

    __tablename__ = "problems"
    __table_args__ = (UniqueConstraint("connection_id", "kind", "subject"),)

    id: int | None = Field(default=None, primary_key=True)
    connection_id: int = Field(foreign_key="connections.id", ondelete="CASCADE")
    account_id: int | None
    seen_at: int
    kind: str
    subject: str
    detail: str
    settled_at: int | None
    """When the person said that it is as it should be; it stays so while it is found again."""


class Runs(SQLModel, table=True):
    """One sync of one connection."""

    __tablename__ = "runs"
    __table_args__ = (Index("runs_of_connection", "connection_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    connection_id: int = Field(foreign_key="connections.id", ondelete="CASCADE")
    trigger: str
    kind: str
    attempt: int
    asked_bank: bool
    started_at: int
    ended_at: int
    duration_ms: int
    result: str
    condition: str
    new: int
    updated: int
    removed: int
    unchanged: int
    problems: int
    requests: int
    detail: str
    added_from: int | None
    added_to: int | None
    cursor_before: str | None
    reverted_at: int | None


class Jobs(SQLModel, table=True):
    """Syncs that are wanted or under way: at most one of each per connection."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_waiting", "connection_id", unique=True, sqlite_where=text("begun_at IS NULL")),
        Index("jobs_running", "connection_id", unique=True, sqlite_where=text("begun_at IS NOT NULL")),
    )

    id: int | None = Field(default=None, primary_key=True)
    connection_id: int = Field(foreign_key="connections.id", ondelete="CASCADE")
    kind: str
    trigger: str
    priority: int
    asks_bank: bool
    attended: bool
    not_before: int
    attempts: int
    put_at: int
    begun_at: int | None


class BankCalls(SQLModel, table=True):
    """Each time a bank was asked: what the daily budget of unattended accesses is counted from."""

    __tablename__ = "bank_calls"
    __table_args__ = (Index("bank_calls_of_connection", "connection_id", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    connection_id: int = Field(foreign_key="connections.id", ondelete="CASCADE")
    at: int
    attended: bool


class HostCalls(SQLModel, table=True):
    """Requests per host and minute: what the aggregator's own limits are counted from."""

    __tablename__ = "host_calls"
    __table_args__ = {"sqlite_with_rowid": False}

    host: str = Field(primary_key=True)
    minute: int = Field(primary_key=True)
    calls: int


class Breakers(SQLModel, table=True):
    """Who is not asked for a while: a host or a connection, after failures in a row."""

    __tablename__ = "breakers"

    subject: str = Field(primary_key=True)
    state: str
    failures: int
    trips: int
    reason: str
    opened_at: int | None
    probe_at: int | None


class AccountAliases(SQLModel, table=True):
    """Ids under which the provider called an account before (it was linked anew, its IBAN is the same)."""

    __tablename__ = "account_aliases"
    __table_args__ = (UniqueConstraint("connection_id", "provider_id"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="accounts.id", ondelete="CASCADE", index=True)
    connection_id: int
    provider_id: int
    seen_at: int


class Suggestions(SQLModel, table=True):
    """Two rows that may be one operation, and why; the person decides."""

    __tablename__ = "suggestions"
    __table_args__ = (UniqueConstraint("kept_id", "other_id"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="accounts.id", ondelete="CASCADE", index=True)
    kept_id: int = Field(foreign_key="transactions.id", ondelete="CASCADE")
    other_id: int = Field(foreign_key="transactions.id", ondelete="CASCADE", index=True)
    score: int
    why: str
    state: str
    made_at: int
    decided_at: int | None


class Merges(SQLModel, table=True):
    """Rows that were made one, and what they were, so that it can be undone."""

    __tablename__ = "merges"

    id: int | None = Field(default=None, primary_key=True)
    kept_id: int = Field(foreign_key="transactions.id", ondelete="CASCADE", index=True)
    other_id: int = Field(foreign_key="transactions.id", ondelete="CASCADE", index=True)
    at: int
    who: str
    why: str
    before: str
    undone_at: int | None


class Lessons(SQLModel, table=True):
    """What the person's merges and splits taught: two wordings are one shop's, or are not."""

    __tablename__ = "lessons"
    __table_args__ = (UniqueConstraint("account_id", "left_key", "right_key"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="accounts.id", ondelete="CASCADE")
    left_key: str
    right_key: str
    same: bool
    made_at: int


class RunChanges(SQLModel, table=True):
    """What a sync did, line by line: a sync is a commit that can be read and reverted."""

    __tablename__ = "run_changes"
    __table_args__ = {"sqlite_with_rowid": False}

    run_id: int = Field(primary_key=True, foreign_key="runs.id", ondelete="CASCADE")
    n: int = Field(primary_key=True)
    subject: str
    subject_id: int
    what: str
    field: str
    old: str | None
    new: str | None


class Proofs(SQLModel, table=True):
    """The last balance proof of an account: whether rows and observed balances agree, and from when not."""

    __tablename__ = "proofs"

    account_id: int = Field(primary_key=True, foreign_key="accounts.id", ondelete="CASCADE")
    checked_at: int
    days_proved: int
    first_bad_day: str | None
    gap_minor: int | None
    causes: str


class Holes(SQLModel, table=True):
    """Days that no answer covers, because nobody asked for longer than the bank serves."""

    __tablename__ = "holes"
    __table_args__ = (UniqueConstraint("account_id", "from_day", "to_day"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="accounts.id", ondelete="CASCADE")
    from_day: str
    to_day: str
    found_at: int
    state: str
    closed_at: int | None


class Erasures(SQLModel, table=True):
    """Links that were removed here and still have to be erased at the provider."""

    __tablename__ = "erasures"
    __table_args__ = (UniqueConstraint("provider", "provider_id"),)

    id: int | None = Field(default=None, primary_key=True)
    provider: str
    provider_id: str
    bank: str
    asked_at: int
    attempts: int
    not_before: int


class Mailbox(SQLModel, table=True):
    """How far the relay's mailbox was read, and how the relay is: one row while a relay is set up."""

    __tablename__ = "mailbox"

    id: int | None = Field(default=None, primary_key=True)
    cursor: str
    state: str
    trouble: str | None
    since: int
    pulled_at: int | None
    delivered_at: int | None
    bearer_at: int | None
    bearer_mended_at: int | None
    peers: int
    seat: int | None
    seat_at: int | None
    hints: int
    unreadable: int


class ParkedHints(SQLModel, table=True):
    """Links that hints came for and that nobody here knows yet: the next list of links may have them."""

    __tablename__ = "parked_hints"

    provider_id: str = Field(primary_key=True)
    put_at: int


class Told(SQLModel, table=True):
    """Notices the person got already, so that none comes twice."""

    __tablename__ = "told"

    key: str = Field(primary_key=True)
    at: int


class Events(SQLModel, table=True):
    """What else happened, for the Activity screen: tokens renewed, breakers opened, proofs broken."""

    __tablename__ = "events"
    __table_args__ = (Index("events_by_time", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    at: int
    connection_id: int | None = Field(default=None, foreign_key="connections.id", ondelete="CASCADE")
    kind: str
    detail: str
