"""Syncs that are always right: jobs, budgets, breakers, commits, proofs, holes and suggestions."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NEW = (
    """CREATE TABLE jobs (
        id INTEGER NOT NULL,
        connection_id INTEGER NOT NULL,
        kind VARCHAR NOT NULL,
        "trigger" VARCHAR NOT NULL,
        priority INTEGER NOT NULL,
        asks_bank BOOLEAN NOT NULL,
        attended BOOLEAN NOT NULL,
        not_before INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        put_at INTEGER NOT NULL,
        begun_at INTEGER,
        PRIMARY KEY (id),
        FOREIGN KEY(connection_id) REFERENCES connections (id) ON DELETE CASCADE
)""",
    """CREATE UNIQUE INDEX jobs_running ON jobs (connection_id) WHERE begun_at IS NOT NULL""",
    """CREATE UNIQUE INDEX jobs_waiting ON jobs (connection_id) WHERE begun_at IS NULL""",
    """CREATE TABLE bank_calls (
        id INTEGER NOT NULL,
        connection_id INTEGER NOT NULL,
        at INTEGER NOT NULL,
        attended BOOLEAN NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY(connection_id) REFERENCES connections (id) ON DELETE CASCADE
)""",
    """CREATE INDEX bank_calls_of_connection ON bank_calls (connection_id, at)""",
    """CREATE TABLE host_calls (
        host VARCHAR NOT NULL,
        minute INTEGER NOT NULL,
        calls INTEGER NOT NULL,
        PRIMARY KEY (host, minute)
)
 WITHOUT ROWID""",
    """CREATE TABLE breakers (
        subject VARCHAR NOT NULL,
        state VARCHAR NOT NULL,
        failures INTEGER NOT NULL,
        trips INTEGER NOT NULL,
        reason VARCHAR NOT NULL,
        opened_at INTEGER,
        probe_at INTEGER,
        PRIMARY KEY (subject)
)""",
    """CREATE TABLE account_aliases (
        id INTEGER NOT NULL,
        account_id INTEGER NOT NULL,
        connection_id INTEGER NOT NULL,
        provider_id INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        PRIMARY KEY (id),
        UNIQUE (connection_id, provider_id),
        FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)""",
    """CREATE INDEX ix_account_aliases_account_id ON account_aliases (account_id)""",
    """CREATE TABLE suggestions (
        id INTEGER NOT NULL,
        account_id INTEGER NOT NULL,
        kept_id INTEGER NOT NULL,
        other_id INTEGER NOT NULL,
        score INTEGER NOT NULL,
        why VARCHAR NOT NULL,
        state VARCHAR NOT NULL,
        made_at INTEGER NOT NULL,
        decided_at INTEGER,
        PRIMARY KEY (id),
        UNIQUE (kept_id, other_id),
        FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE,
        FOREIGN KEY(kept_id) REFERENCES transactions (id) ON DELETE CASCADE,
        FOREIGN KEY(other_id) REFERENCES transactions (id) ON DELETE CASCADE
)""",
    """CREATE INDEX ix_suggestions_account_id ON suggestions (account_id)""",
    """CREATE INDEX ix_suggestions_other_id ON suggestions (other_id)""",
    """CREATE TABLE merges (
        id INTEGER NOT NULL,
        kept_id INTEGER NOT NULL,
        other_id INTEGER NOT NULL,
        at INTEGER NOT NULL,
        who VARCHAR NOT NULL,
        why VARCHAR NOT NULL,
        "before" VARCHAR NOT NULL,
        undone_at INTEGER,
        PRIMARY KEY (id),
        FOREIGN KEY(kept_id) REFERENCES transactions (id) ON DELETE CASCADE,
        FOREIGN KEY(other_id) REFERENCES transactions (id) ON DELETE CASCADE
)""",
    """CREATE INDEX ix_merges_kept_id ON merges (kept_id)""",
    """CREATE INDEX ix_merges_other_id ON merges (other_id)""",
    """CREATE TABLE lessons (
        id INTEGER NOT NULL,
        account_id INTEGER NOT NULL,
        left_key VARCHAR NOT NULL,
        right_key VARCHAR NOT NULL,
        same BOOLEAN NOT NULL,
        made_at INTEGER NOT NULL,
        PRIMARY KEY (id),
        UNIQUE (account_id, left_key, right_key),
        FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)""",
    """CREATE TABLE run_changes (
        run_id INTEGER NOT NULL,
        n INTEGER NOT NULL,
        subject VARCHAR NOT NULL,
        subject_id INTEGER NOT NULL,
        what VARCHAR NOT NULL,
        field VARCHAR NOT NULL,
        old VARCHAR,
        new VARCHAR,
        PRIMARY KEY (run_id, n),
        FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    """CREATE TABLE proofs (
        account_id INTEGER NOT NULL,
        checked_at INTEGER NOT NULL,
        days_proved INTEGER NOT NULL,
        first_bad_day VARCHAR,
        gap_minor INTEGER,
        causes VARCHAR NOT NULL,
        PRIMARY KEY (account_id),
        FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)""",
    """CREATE TABLE holes (
        id INTEGER NOT NULL,
        account_id INTEGER NOT NULL,
        from_day VARCHAR NOT NULL,
        to_day VARCHAR NOT NULL,
        found_at INTEGER NOT NULL,
        state VARCHAR NOT NULL,
        closed_at INTEGER,
        PRIMARY KEY (id),
        UNIQUE (account_id, from_day, to_day),
        FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)""",
    """CREATE TABLE erasures (
        id INTEGER NOT NULL,
        provider VARCHAR NOT NULL,
        provider_id VARCHAR NOT NULL,
        bank VARCHAR NOT NULL,
        asked_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        not_before INTEGER NOT NULL,
        PRIMARY KEY (id),
        UNIQUE (provider, provider_id)
)""",
    """CREATE TABLE told (
        "key" VARCHAR NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY ("key")
)""",
    """CREATE TABLE events (
        id INTEGER NOT NULL,
        at INTEGER NOT NULL,
        connection_id INTEGER,
        kind VARCHAR NOT NULL,
        detail VARCHAR NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY(connection_id) REFERENCES connections (id) ON DELETE CASCADE
)""",
    """CREATE INDEX events_by_time ON events (at)""",
)
RUNS = (
    """CREATE TABLE runs (
        id INTEGER NOT NULL,
        connection_id INTEGER NOT NULL,
        "trigger" VARCHAR NOT NULL,
        kind VARCHAR NOT NULL,
        attempt INTEGER NOT NULL,
        asked_bank BOOLEAN NOT NULL,
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
        added_from INTEGER,
        added_to INTEGER,
        cursor_before VARCHAR,
        reverted_at INTEGER,
        PRIMARY KEY (id),
        FOREIGN KEY(connection_id) REFERENCES connections (id) ON DELETE CASCADE
)""",
    """CREATE INDEX runs_of_connection ON runs (connection_id, id)""",
)
RUNS_BEFORE = (
    "id, connection_id, \"trigger\", started_at, ended_at, duration_ms, result, condition, new, updated, removed, "
    "unchanged, problems, requests, detail"
)
ACCOUNT_EDITS = (
    """CREATE TABLE account_edits (
        account_id INTEGER NOT NULL,
        name VARCHAR NOT NULL,
        in_net_worth BOOLEAN,
        important BOOLEAN NOT NULL,
        PRIMARY KEY (account_id),
        FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)""",
)


def upgrade() -> None:
    """Make the new tables, and the two that get further columns anew."""
    _made_anew("runs", RUNS, RUNS_BEFORE, "kind, attempt, asked_bank", "'delta', 0, 0")
    _made_anew("account_edits", ACCOUNT_EDITS, "account_id, name, in_net_worth", "important", "0")
    for statement in NEW:
        op.execute(statement)


def _made_anew(table: str, statements: tuple[str, ...], before: str, added: str, values: str) -> None:
    """Make a table anew under its own name: SQLite's ADD COLUMN leaves another schema than a fresh file's."""
    op.execute(f"CREATE TEMP TABLE kept AS SELECT {before} FROM {table}")
    op.execute(f"DROP TABLE {table}")
    for statement in statements:
        op.execute(statement)
    op.execute(f"INSERT INTO {table}({before}, {added}) SELECT {before}, {values} FROM kept")
    op.execute("DROP TABLE kept")
