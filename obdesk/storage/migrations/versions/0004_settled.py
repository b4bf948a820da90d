"""Balances say their currency, so that none is lost when an account changes its own; findings can be settled.

A computer that shares a user with others remembers its seat among them.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BALANCES = """CREATE TABLE balances (
        account_id INTEGER NOT NULL,
        currency VARCHAR NOT NULL,
        day VARCHAR NOT NULL,
        balance_minor INTEGER NOT NULL,
        observed_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, currency, day),
        FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)
 WITHOUT ROWID"""
PROBLEMS = """CREATE TABLE problems (
        id INTEGER NOT NULL,
        connection_id INTEGER NOT NULL,
        account_id INTEGER,
        seen_at INTEGER NOT NULL,
        kind VARCHAR NOT NULL,
        subject VARCHAR NOT NULL,
        detail VARCHAR NOT NULL,
        settled_at INTEGER,
        PRIMARY KEY (id),
        UNIQUE (connection_id, kind, subject),
        FOREIGN KEY(connection_id) REFERENCES connections (id) ON DELETE CASCADE
)"""

MAILBOX = """CREATE TABLE mailbox (
        id INTEGER NOT NULL,
        cursor VARCHAR NOT NULL,
        state VARCHAR NOT NULL,
        trouble VARCHAR,
        since INTEGER NOT NULL,
        pulled_at INTEGER,
        delivered_at INTEGER,
        bearer_at INTEGER,
        bearer_mended_at INTEGER,
        peers INTEGER NOT NULL,
        seat INTEGER,
        seat_at INTEGER,
        hints INTEGER NOT NULL,
        unreadable INTEGER NOT NULL,
        PRIMARY KEY (id)
)"""

CLOSED = """UPDATE accounts SET state = 'gone', gone_at = (
    SELECT coalesce(c.asked_at, c.linked_at) FROM connections c WHERE c.id = accounts.connection_id
) WHERE state <> 'gone' AND connection_id IN (
    SELECT id FROM connections WHERE condition = 'gone' OR removed_at IS NOT NULL
)"""


def upgrade() -> None:
    """Make the tables anew; balances so far are in the currency that their account has now.

    Accounts of links that the provider no longer lists used to count as if they were there.
    """
    op.execute(CLOSED)
    _made_anew(
        "balances",
        BALANCES,
        "account_id, day, balance_minor, observed_at",
        "currency",
        "(SELECT currency FROM accounts a WHERE a.id = account_id)",
    )
    _made_anew("problems", PROBLEMS, "id, connection_id, account_id, seen_at, kind, subject, detail", "settled_at", "NULL")
    _made_anew(
        "mailbox",
        MAILBOX,
        "id, cursor, state, trouble, since, pulled_at, delivered_at, bearer_at, bearer_mended_at, peers, hints, "
        "unreadable",
        "seat",
        "NULL",
    )


def _made_anew(table: str, statement: str, before: str, added: str, value: str) -> None:
    """Make a table anew under its own name: SQLite's ADD COLUMN leaves another schema than a fresh file's."""
    op.execute(f"CREATE TEMP TABLE kept AS SELECT {before} FROM {table}")
    op.execute(f"DROP TABLE {table}")
    op.execute(statement)
    op.execute(f"INSERT INTO {table}({before}, {added}) SELECT {before}, {value} FROM kept")
    op.execute("DROP TABLE kept")
