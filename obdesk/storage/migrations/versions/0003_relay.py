"""Webhooks by way of a relay: how far its mailbox was read, and hints about links that are not known yet."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NEW = (
    """CREATE TABLE mailbox (
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
        hints INTEGER NOT NULL,
        unreadable INTEGER NOT NULL,
        PRIMARY KEY (id)
)""",
    """CREATE TABLE parked_hints (
        provider_id VARCHAR NOT NULL,
        put_at INTEGER NOT NULL,
        PRIMARY KEY (provider_id)
)""",
)


def upgrade() -> None:
    """Make the new tables."""
    for statement in NEW:
        op.execute(statement)
