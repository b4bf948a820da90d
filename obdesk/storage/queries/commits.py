"""Syncs as commits: what each changed, and whether it can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obdesk.domain.commits import ChangeLine, Commit, Subject, Tally, What, WhyNot, tallied
from obdesk.storage.queries.connections import run, runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.domain.entities import Run
    from obdesk.domain.ids import ConnectionId, RunId
    from obdesk.storage.engine import Connection

LINES_SHOWN = 1_000
_LINES = "SELECT subject, subject_id, what, field, old, new FROM run_changes WHERE run_id = ? ORDER BY n"
_CHANGED = (
    "(r.added_from IS NOT NULL OR EXISTS (SELECT 1 FROM run_changes l "
    "WHERE l.run_id = r.id AND l.subject <> 'connection'))"
)


def commits(connection: Connection, of: ConnectionId | None, limit: int) -> tuple[Commit, ...]:
    """Return the last syncs with what they changed in numbers, newest first."""
    return tuple(
        _commit(connection, each, tallied(lines := all_lines(connection, each.id)), (), len(lines))
        for each in runs(connection, of, limit)
    )


def commit(connection: Connection, run_id: RunId) -> Commit | None:
    """Return one sync with its first thousand lines, or None when it is not known (any more)."""
    found = run(connection, run_id)
    if found is None:
        return None
    total = connection.execute("SELECT count(*) FROM run_changes WHERE run_id = ?", (run_id,)).fetchone()[0]
    shown = tuple(map(_line, connection.execute(f"{_LINES} LIMIT ?", (run_id, LINES_SHOWN))))
    tallies = tallied(shown if total == len(shown) else all_lines(connection, run_id))
    return _commit(connection, found, tallies, shown, total)


def _commit(
    connection: Connection,
    of: Run,
    tallies: tuple[Tally, ...],
    lines: tuple[ChangeLine, ...],
    total: int,
) -> Commit:
    bank, added_from, added_to = connection.execute(
        "SELECT c.bank, r.added_from, r.added_to FROM runs r "
        "JOIN connections c ON c.id = r.connection_id WHERE r.id = ?",
        (of.id,),
    ).fetchone()
    return Commit(
        run=of,
        bank=bank,
        tallies=tallies,
        why_not=why_not(connection, of.id),
        lines=lines,
        lines_total=total,
        added=None if added_from is None else (added_from, added_to),
    )


def all_lines(connection: Connection, run_id: RunId) -> Sequence[ChangeLine]:
    """Return all lines of a sync in the order in which they were made."""
    return [_line(row) for row in connection.execute(_LINES, (run_id,))]


def _line(row: tuple[Any, ...]) -> ChangeLine:
    return ChangeLine(Subject(row[0]), row[1], What(row[2]), row[3], row[4], row[5])


def why_not(connection: Connection, run_id: RunId) -> WhyNot | None:
    """Return why a sync cannot be taken back, or None; raises LookupError when it is not known."""
    row = connection.execute(
        f"SELECT r.reverted_at, {_CHANGED}, c.removed_at IS NOT NULL OR c.condition = 'gone', "
        "EXISTS (SELECT 1 FROM runs later WHERE later.connection_id = r.connection_id AND later.id > r.id "
        f"AND later.reverted_at IS NULL AND {_CHANGED.replace('r.', 'later.')}) "
        "FROM runs r JOIN connections c ON c.id = r.connection_id WHERE r.id = ?",
        (run_id,),
    ).fetchone()
    if row is None:
        raise LookupError(run_id)
    reverted_at, changed, ended, is_followed = row
    if reverted_at is not None:
        return WhyNot.REVERTED
    if not changed:
        return WhyNot.NOTHING
    if is_followed:
        return WhyNot.NOT_NEWEST
    return WhyNot.ENDED if ended else None
