"""The first schema: connections, accounts, transactions, edits, runs, and the search index."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """CREATE TABLE connections (
        id INTEGER NOT NULL,
        provider VARCHAR NOT NULL,
        provider_id VARCHAR NOT NULL,
        connector_id VARCHAR NOT NULL,
        bank VARCHAR NOT NULL,
        color VARCHAR NOT NULL,
        condition VARCHAR NOT NULL,
        provider_state VARCHAR NOT NULL,
        bank_message VARCHAR NOT NULL,
        active BOOLEAN NOT NULL,
        paused BOOLEAN NOT NULL,
        created_at INTEGER,
        linked_at INTEGER NOT NULL,
        asked_at INTEGER,
        data_as_of INTEGER,
        consent_expires_at INTEGER,
        provider_next_try_at INTEGER,
        cursor VARCHAR,
        full_sync_at INTEGER,
        failures INTEGER NOT NULL,
        retry_at INTEGER,
        removed_at INTEGER,
        PRIMARY KEY (id),
        UNIQUE (provider, provider_id)
)""",
    """CREATE TABLE settings (
        "key" VARCHAR NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY ("key")
)""",
    """CREATE TABLE tokens (
        name VARCHAR NOT NULL,
        value VARCHAR NOT NULL,
        PRIMARY KEY (name)
)""",
    """CREATE TABLE accounts (
        id INTEGER NOT NULL,
        connection_id INTEGER NOT NULL,
        provider_id INTEGER NOT NULL,
        parent_provider_id INTEGER,
        name VARCHAR NOT NULL,
        kind VARCHAR NOT NULL,
        state VARCHAR NOT NULL,
        iban VARCHAR NOT NULL,
        number VARCHAR NOT NULL,
        currency VARCHAR NOT NULL,
        exponent INTEGER NOT NULL,
        balance_minor INTEGER,
        coming_minor INTEGER,
        data_as_of INTEGER,
        condition VARCHAR NOT NULL,
        first_seen_at INTEGER NOT NULL,
        gone_at INTEGER,
        PRIMARY KEY (id),
        UNIQUE (connection_id, provider_id),
        FOREIGN KEY(connection_id) REFERENCES connections (id) ON DELETE CASCADE
)""",
    """CREATE TABLE page_digests (
        connection_id INTEGER NOT NULL,
        series VARCHAR NOT NULL,
        number INTEGER NOT NULL,
        digest BLOB NOT NULL,
        rows INTEGER NOT NULL,
        PRIMARY KEY (connection_id, series, number),
        FOREIGN KEY(connection_id) REFERENCES connections (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    """CREATE TABLE problems (
        id INTEGER NOT NULL,
        connection_id INTEGER NOT NULL,
        account_id INTEGER,
        seen_at INTEGER NOT NULL,
        kind VARCHAR NOT NULL,
        subject VARCHAR NOT NULL,
        detail VARCHAR NOT NULL,
        PRIMARY KEY (id),
        UNIQUE (connection_id, kind, subject),
        FOREIGN KEY(connection_id) REFERENCES connections (id) ON DELETE CASCADE
)""",
    """CREATE TABLE runs (
        id INTEGER NOT NULL,
        connection_id INTEGER NOT NULL,
        "trigger" VARCHAR NOT NULL,
        started_at INTEGER NOT NULL,
        ended_at INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL,
        result VARCHAR NOT NULL,
        condition VARCHAR NOT NULL,
        new INTEGER NOT NULL,
        updated INTEGER NOT NULL,
        removed INTEGER NOT NULL,
        unchanged INTEGER NOT NULL,
        problems INTEGER NOT NULL,
        requests INTEGER NOT NULL,
        detail VARCHAR NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY(connection_id) REFERENCES connections (id) ON DELETE CASCADE
)""",
    """CREATE INDEX runs_of_connection ON runs (connection_id, id)""",
    """CREATE TABLE account_edits (
        account_id INTEGER NOT NULL,
        name VARCHAR NOT NULL,
        in_net_worth BOOLEAN,
        PRIMARY KEY (account_id),
        FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)""",
    """CREATE TABLE balances (
        account_id INTEGER NOT NULL,
        day VARCHAR NOT NULL,
        balance_minor INTEGER NOT NULL,
        observed_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, day),
        FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    """CREATE TABLE transactions (
        id INTEGER NOT NULL,
        account_id INTEGER NOT NULL,
        provider_id INTEGER NOT NULL,
        pending BOOLEAN NOT NULL,
        booked_on VARCHAR NOT NULL,
        done_on VARCHAR,
        value_on VARCHAR,
        amount_minor INTEGER,
        label VARCHAR NOT NULL,
        payee VARCHAR NOT NULL,
        kind VARCHAR NOT NULL,
        category VARCHAR NOT NULL,
        card VARCHAR NOT NULL,
        counterparty VARCHAR NOT NULL,
        counterparty_account VARCHAR NOT NULL,
        original_minor INTEGER,
        original_currency VARCHAR NOT NULL,
        original_exponent INTEGER NOT NULL,
        provider_updated VARCHAR NOT NULL,
        search_text VARCHAR NOT NULL,
        first_seen_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        deleted_at INTEGER,
        PRIMARY KEY (id),
        UNIQUE (account_id, provider_id),
        FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)""",
    """CREATE INDEX transactions_listed ON transactions (pending DESC, booked_on DESC, id DESC) WHERE deleted_at IS NULL""",
    """CREATE INDEX transactions_of_account ON transactions (account_id, pending DESC, booked_on DESC, id DESC) WHERE deleted_at IS NULL""",
    """CREATE TABLE transaction_aliases (
        id INTEGER NOT NULL,
        transaction_id INTEGER NOT NULL,
        account_id INTEGER NOT NULL,
        provider_id INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        PRIMARY KEY (id),
        UNIQUE (account_id, provider_id),
        FOREIGN KEY(transaction_id) REFERENCES transactions (id) ON DELETE CASCADE
)""",
    """CREATE INDEX ix_transaction_aliases_transaction_id ON transaction_aliases (transaction_id)""",
    """CREATE TABLE transaction_edits (
        transaction_id INTEGER NOT NULL,
        note VARCHAR NOT NULL,
        category VARCHAR,
        edited_at INTEGER NOT NULL,
        PRIMARY KEY (transaction_id),
        FOREIGN KEY(transaction_id) REFERENCES transactions (id) ON DELETE CASCADE
)""",
    """CREATE TABLE transaction_history (
        id INTEGER NOT NULL,
        transaction_id INTEGER NOT NULL,
        at INTEGER NOT NULL,
        who VARCHAR NOT NULL,
        field VARCHAR NOT NULL,
        old VARCHAR NOT NULL,
        new VARCHAR NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY(transaction_id) REFERENCES transactions (id) ON DELETE CASCADE
)""",
    """CREATE INDEX ix_transaction_history_transaction_id ON transaction_history (transaction_id)""",
    """CREATE VIRTUAL TABLE transaction_search USING fts5(search_text, content='transactions', content_rowid='id', tokenize='trigram', detail=none)""",
)


def upgrade() -> None:
    """Make every table of version 1."""
    for statement in STATEMENTS:
        op.execute(statement)
