"""The SQL of the CSV export: whole lines are made by SQLite, so a million rows never become Python rows.

Everything that is the same for all rows of an account goes into one `format()` pattern per account, and the
order of the rows into a list of ids; both are temporary tables in the memory of the reading connection. Lines
come back in blocks, as UTF-8 bytes. Measured against rows joined in Python, this takes half the time and
leaves the interpreter free for the interface.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from obdesk.storage.columns import instant_or_none
from obdesk.storage.queries.conditions import order_by, where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.domain.filters import TransactionFilter
    from obdesk.storage.engine import Connection

COLUMNS = (
    "id",
    "account_id",
    "account",
    "iban",
    "bank",
    "state",
    "booked_date",
    "purchase_date",
    "value_date",
    "amount",
    "currency",
    "original_amount",
    "original_currency",
    "payee",
    "label",
    "category",
    "note",
    "counterparty",
    "provider",
    "provider_id",
    "data_as_of",
)
"""The names in the first line, in order: part of the file format, described in docs/guide.md."""

LINE_END = b"\r\n"
BLOCK_ROWS = 1_000  # larger blocks are no faster and let a waiting interface wait longer

_STARTS_FORMULA = "\t\n\r\0+-=@＋－＝＠"
_LEADING = " '\u00a0"
"""What may stand before a formula's first character without disarming it, or disarms it already."""

_NOTHING = "%.0s"
"""A place of a pattern that takes its value and writes nothing."""

_CODES = ",".join(str(ord(character)) for character in _STARTS_FORMULA)


class _AccountRow(NamedTuple):
    id: int
    name: str
    iban: str
    currency: str
    exponent: int
    bank: str
    provider: str
    data_as_of: int | None


def text_cell(text: str) -> str:
    """Return a text cell as it stands in the file: quoted, and with an apostrophe before a formula.

    Whoever reads the file back removes one apostrophe where what follows the spaces and apostrophes at the
    start is one of the characters that begin a formula; nothing else was changed.
    """
    start = text.lstrip(_LEADING)[:1]
    guard = "'" if start and start in _STARTS_FORMULA else ""
    return '"' + guard + text.replace('"', '""') + '"'


def prepare(connection: Connection, wanted: TransactionFilter) -> int:
    """Give a read-only connection the order and the patterns of an export; return how many rows it has.

    Both are as they are in the connection's current snapshot. Rows are then asked for by their place in the
    order, from 1 on.
    """
    accounts = [_AccountRow(*row) for row in connection.execute(_ACCOUNTS)]
    condition, order = where(wanted), order_by(wanted)
    # The file itself is open read-only; only the connection's own memory is written to.
    connection.execute("PRAGMA query_only = OFF")
    connection.execute(_MAKE_ACCOUNTS)
    connection.executemany(
        "INSERT INTO csv_accounts VALUES (?, ?, ?, ?)",
        [
            (row.id, _pattern(row, _amount(row.exponent)), _pattern(row, _NOTHING * 3), 10**row.exponent)
            for row in accounts
        ],
    )
    connection.execute("CREATE TEMP TABLE csv_order(place INTEGER PRIMARY KEY, id INTEGER NOT NULL)")
    filled = connection.execute(
        f"INSERT INTO csv_order(id) SELECT t.id FROM transactions t {condition.joins} {order.joins} "
        f"WHERE {condition.sql} {order.sql}",
        condition.values,
    )
    connection.execute("PRAGMA query_only = ON")
    return int(filled.rowcount)


def header() -> bytes:
    """Return the first line without its end."""
    return ",".join(COLUMNS).encode()


def lines(connection: Connection, first: int, last: int) -> bytes:
    """Return the lines from one place of the order to another, joined, without the last line's end."""
    return bytes(connection.execute(_LINES, (first, last)).fetchone()[0])


def begin_together(readers: Sequence[Connection], witness: Connection) -> None:
    """Begin a read transaction on each of `readers` so that all see the same moment of the database.

    `witness` watches for a commit in between and is then free for other use; if one came, all begin again.
    """
    while True:
        before = _version(witness)
        for reader in readers:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM accounts").fetchone()
        if _version(witness) == before:
            return
        for reader in readers:
            reader.execute("ROLLBACK")


def _version(witness: Connection) -> int:
    return int(witness.execute("PRAGMA data_version").fetchone()[0])


_MAKE_ACCOUNTS = """
CREATE TEMP TABLE csv_accounts(id INTEGER PRIMARY KEY, pattern TEXT, pattern_unknown TEXT, scale INTEGER)
"""
_ACCOUNTS = """
SELECT a.id, coalesce(nullif(x.name, ''), a.name), a.iban, a.currency, a.exponent,
       c.bank, c.provider, a.data_as_of
FROM accounts a JOIN connections c ON c.id = a.connection_id LEFT JOIN account_edits x ON x.account_id = a.id
"""


def _pattern(account: _AccountRow, amount: str) -> str:
    """Return the line of an account with a place for each value that differs from row to row."""
    as_of = instant_or_none(account.data_as_of)
    cells = [
        "%lld",  # id
        str(account.id),
        _literal(account.name),
        _literal(account.iban),
        _literal(account.bank),
        "%s",  # state
        "%s",  # booked_date
        "%s",  # purchase_date
        "%s",  # value_date
        amount,
        _literal(account.currency),
        "%s",  # original_amount
        "%s",  # original_currency
        '"%s%w"',  # payee
        '"%s%w"',  # label
        '"%s%w"',  # category
        '"%s%w"',  # note
        '"%s%w"',  # counterparty
        _literal(account.provider),
        '"%lld"',  # provider_id: a name that happens to be digits
        "" if as_of is None else as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
    ]
    return ",".join(cells)


def _literal(text: str) -> str:
    return text_cell(text).replace("%", "%%")


def _amount(exponent: int) -> str:
    return f"%s%lld.%0{exponent}lld" if exponent else f"%s%lld{_NOTHING}"


def _guard(expression: str) -> str:
    # Most texts begin with a plain letter, and one comparison is much cheaper than two function calls.
    return (
        f"CASE WHEN {expression} BETWEEN 'A' AND char(127) THEN '' "
        f"WHEN unicode(ltrim({expression}, char(32, 39, 160))) IN ({_CODES}) THEN char(39) ELSE '' END"
    )


_ORIGINAL_SCALE = "CAST(substr('10000000000', 1, t.original_exponent + 1) AS INTEGER)"
_ORIGINAL = f"""iif(t.original_minor IS NULL, '', format(
    iif(t.original_exponent, '%s%lld.%0' || t.original_exponent || 'lld', '%s%lld%.0s'),
    iif(t.original_minor < 0, '-', ''),
    abs(t.original_minor) / {_ORIGINAL_SCALE}, abs(t.original_minor) % {_ORIGINAL_SCALE}))"""
_ORIGINAL_CURRENCY = f"""iif(t.original_minor IS NULL, '',
    format('"%s%w"', {_guard("t.original_currency")}, t.original_currency))"""
_CATEGORY = "coalesce(e.category, t.category)"

_LINES = f"""
SELECT CAST(group_concat(line, char(13, 10)) AS BLOB) FROM (
    SELECT format(
        iif(t.amount_minor IS NULL, p.pattern_unknown, p.pattern),
        t.id, iif(t.pending, 'pending', 'booked'), t.booked_on, t.done_on, t.value_on,
        iif(t.amount_minor < 0, '-', ''), abs(t.amount_minor) / p.scale, abs(t.amount_minor) % p.scale,
        {_ORIGINAL}, {_ORIGINAL_CURRENCY},
        {_guard("t.payee")}, t.payee,
        {_guard("t.label")}, t.label,
        {_guard(_CATEGORY)}, {_CATEGORY},
        iif(e.note IS NULL, '', {_guard("e.note")}), coalesce(e.note, ''),
        iif(t.counterparty = '', '', {_guard("t.counterparty")}), t.counterparty,
        t.provider_id
    ) AS line
    FROM csv_order wanted
    CROSS JOIN transactions t ON t.id = wanted.id
    CROSS JOIN csv_accounts p ON p.id = t.account_id
    LEFT JOIN transaction_edits e ON e.transaction_id = t.id
    WHERE wanted.place BETWEEN ? AND ?
)
"""
