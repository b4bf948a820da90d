"""An open write transaction: SQL text with bound values, nothing in between.

SQLModel describes the tables and Alembic changes them; the writes that run all day are SQL on the
driver, which saves a quarter of a second of imports and 45 MB in a program that is mostly waiting
(docs/decisions/0007-writes-are-sql.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from obdesk.storage.engine import Connection

Value = str | int | bytes | None
Row = tuple[Any, ...]


class Tx:
    """What a unit of writing is given; it begins and ends with `Store.write`."""

    __slots__ = ("connection",)

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run one statement and return how many rows it changed."""
        return int(self.connection.execute(sql, values).rowcount)

    def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row of values."""
        self.connection.executemany(sql, rows)

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Return all rows of a question."""
        found: list[Row] = self.connection.execute(sql, values).fetchall()
        return found

    def value(self, sql: str, values: Sequence[object] = ()) -> Any:
        """Return the first column of the first row, or None when there is none."""
        row = self.connection.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def records(self, sql: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Return all rows by the names of their columns."""
        cursor = self.connection.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def insert(self, table: str, values: Mapping[str, object]) -> int:
        """Insert one row and return its id."""
        sql = f"INSERT INTO {table}({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
        return int(self.connection.execute(sql, tuple(values.values())).lastrowid)

    def update(self, table: str, row_id: int, values: Mapping[str, object]) -> int:
        """Change columns of the row with an id; return 1, or 0 when there is none."""
        assignments = ", ".join(f"{name} = ?" for name in values)
        return self.execute(f"UPDATE {table} SET {assignments} WHERE id = ?", (*values.values(), row_id))
