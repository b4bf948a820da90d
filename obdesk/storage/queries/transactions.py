"""Transactions: a first screenful at once, all ids of a filter, windows of rows, sums.

Search is the reverse of itself: a common word is found by walking down the date index (its matches are
dense), a rare one by the trigram index (its matches are few). The index says which it is; so both
answer in about a millisecond on a million rows.
"""

from __future__ import annotations

from array import array
from datetime import date
from typing import TYPE_CHECKING, Any

from obdesk.domain.entities import (
    HistoryEntry,
    Selection,
    TransactionDetail,
    TransactionRow,
    TransactionState,
)
from obdesk.domain.ids import AccountId, TransactionId
from obdesk.domain.money import Currency, Money
from obdesk.storage.columns import day_or_none, instant, instant_or_none
from obdesk.storage.queries.conditions import Order, Where, order_by, where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.domain.filters import TransactionFilter
    from obdesk.storage.engine import Connection

WALK_QUICK_MAX = 100_000
WALK_UNINDEXED_MAX = 10_000  # about 2 µs a row: a key must be answered within a frame
COMMON_ROWS = 2_000
_CHUNK = 500

_ROW = (
    "SELECT t.id, t.account_id, coalesce(nullif(ae.name, ''), a.name), t.pending, t.booked_on, t.payee, "
    "t.label, coalesce(e.category, t.category), t.amount_minor, a.currency, a.exponent, "
    "coalesce(e.note, '') <> '' FROM transactions t JOIN accounts a ON a.id = t.account_id "
    "LEFT JOIN account_edits ae ON ae.account_id = a.id "
    "LEFT JOIN transaction_edits e ON e.transaction_id = t.id"
)


def row_of(row: tuple[Any, ...]) -> TransactionRow:
    """Return one list line from the columns of `_ROW`."""
    return TransactionRow(
        id=TransactionId(row[0]),
        account_id=AccountId(row[1]),
        account_name=row[2],
        state=TransactionState.PENDING if row[3] else TransactionState.BOOKED,
        booked_on=date.fromisoformat(row[4]),
        payee=row[5] or row[6],
        label=row[6],
        category=row[7],
        amount=None if row[8] is None else Money(row[8], Currency(row[9], row[10])),
        has_note=bool(row[11]),
    )


def page(
    connection: Connection, wanted: TransactionFilter, offset: int, limit: int, *, quick: bool = False
) -> tuple[TransactionRow, ...]:
    """Return some rows of a filter in its order.

    `quick` may leave out matches far down for words of one or two letters, which no index can serve.
    """
    return rows(connection, _page_ids(connection, wanted, offset, limit, quick=quick))


def _page_ids(
    connection: Connection, wanted: TransactionFilter, offset: int, limit: int, *, quick: bool
) -> list[int]:
    condition, order = where(wanted), order_by(wanted)
    if condition.search and order.by_date:
        if not condition.match:
            rows_max = WALK_UNINDEXED_MAX if quick else -1
            return _walked(connection, condition, order, offset, limit, rows_max)
        if _is_common(connection, condition.match):
            found = _walked(connection, condition, order, offset, limit, WALK_QUICK_MAX)
            if quick or len(found) == limit:
                return found
    listed = connection.execute(
        f"SELECT t.id FROM transactions t {condition.joins} {order.joins} WHERE {condition.sql} "
        f"{order.sql} LIMIT ? OFFSET ?",
        (*condition.values, limit, offset),
    )
    return [row[0] for row in listed]


def _walked(
    connection: Connection, condition: Where, order: Order, offset: int, limit: int, rows_max: int
) -> list[int]:
    """Return matches among the first `rows_max` rows of the filter (-1: all), read in its order."""
    walked = connection.execute(
        f"SELECT id FROM (SELECT t.id, t.search_text FROM transactions t {condition.joins} "
        f"WHERE {condition.without_search} {order.sql.replace('+', '')} LIMIT {rows_max}) "
        f"WHERE {condition.search_by_walk} LIMIT ? OFFSET ?",
        (*condition.plain_values, *condition.search_values, limit, offset),
    )
    return [row[0] for row in walked]


def _is_common(connection: Connection, match: str) -> bool:
    """Tell whether the index finds so many rows that walking down the dates meets them sooner."""
    found = connection.execute(
        "SELECT count(*) FROM "
        "(SELECT rowid FROM transaction_search WHERE transaction_search MATCH ? LIMIT ?)",
        (match, COMMON_ROWS),
    ).fetchone()[0]
    return bool(found == COMMON_ROWS)


def ids(connection: Connection, wanted: TransactionFilter) -> array[int]:
    """Return the ids of all rows of a filter in its order: eight bytes each."""
    condition, order = where(wanted), order_by(wanted)
    cursor = connection.execute(
        f"SELECT t.id FROM transactions t {condition.joins} {order.joins} WHERE {condition.sql} {order.sql}",
        condition.values,
    )
    found: array[int] = array("q")
    while chunk := cursor.fetchmany(4096):
        found.extend([row[0] for row in chunk])
    return found


def rows(
    connection: Connection, wanted: Sequence[int], *, also_deleted: bool = False
) -> tuple[TransactionRow, ...]:
    """Return rows by id, in the order asked; ids that are gone are left out, unless wanted as well."""
    live = "" if also_deleted else " AND t.deleted_at IS NULL"
    found: dict[int, TransactionRow] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        for row in connection.execute(f"{_ROW} WHERE t.id IN ({marks}){live}", tuple(chunk)):
            found[row[0]] = row_of(row)
    return tuple(found[each] for each in wanted if each in found)


def rows_even_gone(connection: Connection, wanted: Sequence[int]) -> dict[int, TransactionRow]:
    """Return rows by id, deleted ones as well: for what is said about them."""
    marks = ",".join("?" * len(wanted))
    found = connection.execute(f"{_ROW} WHERE t.id IN ({marks})", tuple(wanted))
    return {row[0]: row_of(row) for row in found}


def upcoming(connection: Connection, limit: int) -> tuple[TransactionRow, ...]:
    """Return pending transactions, soonest first."""
    found = connection.execute(
        f"{_ROW} WHERE t.pending = 1 AND t.deleted_at IS NULL ORDER BY t.booked_on, t.id LIMIT ?", (limit,)
    )
    return tuple(row_of(row) for row in found)


def count(connection: Connection) -> int:
    """Return how many live transactions there are."""
    return int(connection.execute("SELECT count(*) FROM transactions WHERE deleted_at IS NULL").fetchone()[0])


def selection(connection: Connection, wanted: Sequence[int]) -> Selection:
    """Return count and sums, one per currency, of some rows."""
    totals: dict[tuple[str, int], int] = {}
    counted = 0
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        found = connection.execute(
            "SELECT a.currency, a.exponent, count(*), coalesce(sum(t.amount_minor), 0) FROM transactions t "
            f"JOIN accounts a ON a.id = t.account_id WHERE t.id IN ({marks}) AND t.deleted_at IS NULL "
            "GROUP BY 1, 2",
            tuple(chunk),
        )
        for code, exponent, rows_count, total in found:
            counted += rows_count
            totals[code, exponent] = totals.get((code, exponent), 0) + total
    return Selection(counted, _sums(totals))


def totals(connection: Connection, wanted: TransactionFilter) -> Selection:
    """Return count and sums, one per currency, of a whole filter.

    Each currency is a column of one pass: a GROUP BY would sort a million rows in memory.
    """
    condition = where(wanted)
    members: dict[tuple[str, int], list[int]] = {}
    for account_id, code, exponent in connection.execute("SELECT id, currency, exponent FROM accounts"):
        members.setdefault((code, exponent), []).append(account_id)
    if not members:
        return Selection(0, ())
    columns = ", ".join(
        f"count(*) FILTER (WHERE t.account_id IN ({ids})), "
        f"coalesce(sum(t.amount_minor) FILTER (WHERE t.account_id IN ({ids})), 0)"
        for ids in (",".join(map(str, each)) for each in members.values())
    )
    row = connection.execute(
        f"SELECT {columns} FROM transactions t {condition.joins} WHERE {condition.sql}", condition.values
    ).fetchone()
    pairs = list(zip(members, row[::2], row[1::2], strict=True))
    return Selection(sum(row[::2]), _sums({key: total for key, count_, total in pairs if count_}))


def _sums(totals_by_currency: dict[tuple[str, int], int]) -> tuple[Money, ...]:
    return tuple(
        Money(total, Currency(code, exponent))
        for (code, exponent), total in sorted(totals_by_currency.items())
    )


def categories(connection: Connection) -> tuple[str, ...]:
    """Return the categories in use, the person's own first, then the bank's, most used first."""
    own = connection.execute(
        "SELECT category FROM transaction_edits WHERE category <> '' GROUP BY category ORDER BY count(*) DESC"
    ).fetchall()
    banks = connection.execute(
        "SELECT category FROM (SELECT category FROM transactions ORDER BY id DESC LIMIT 20000) "
        "WHERE category <> '' GROUP BY category ORDER BY count(*) DESC LIMIT 100"
    ).fetchall()
    return tuple(dict.fromkeys(row[0] for row in [*own, *banks]))


_DETAIL = """
SELECT coalesce(e.note, ''), t.category, a.iban, t.done_on, t.value_on, t.kind, t.original_minor,
       t.original_currency, t.original_exponent, t.counterparty, t.counterparty_account, t.card, c.provider,
       t.provider_id, t.first_seen_at, t.changed_at, a.data_as_of, c.asked_at
FROM transactions t JOIN accounts a ON a.id = t.account_id JOIN connections c ON c.id = a.connection_id
LEFT JOIN transaction_edits e ON e.transaction_id = t.id WHERE t.id = ?
"""


def detail(connection: Connection, transaction_id: TransactionId) -> TransactionDetail | None:
    """Return all that is known of one transaction, or None when it is gone."""
    listed = rows(connection, [transaction_id])
    row = connection.execute(_DETAIL, (transaction_id,)).fetchone()
    if not listed or row is None:
        return None
    former = connection.execute(
        "SELECT provider_id FROM transaction_aliases WHERE transaction_id = ? ORDER BY seen_at DESC",
        (transaction_id,),
    )
    return TransactionDetail(
        row=listed[0],
        note=row[0],
        bank_category=row[1],
        iban=row[2],
        done_on=day_or_none(row[3]),
        value_on=day_or_none(row[4]),
        kind=row[5],
        original_amount=None if row[6] is None else Money(row[6], Currency(row[7], row[8])),
        counterparty=row[9],
        counterparty_account=row[10],
        card=row[11],
        provider=row[12],
        provider_ids=(str(row[13]), *(str(each[0]) for each in former)),
        first_seen_at=instant(row[14]),
        changed_at=instant(row[15]),
        data_as_of=instant_or_none(row[16]),
        asked_at=instant_or_none(row[17]),
        history=_history(connection, transaction_id),
    )


def _history(connection: Connection, transaction_id: TransactionId) -> tuple[HistoryEntry, ...]:
    found = connection.execute(
        "SELECT at, who, field, old, new FROM transaction_history WHERE transaction_id = ? ORDER BY id DESC",
        (transaction_id,),
    )
    return tuple(HistoryEntry(instant(row[0]), *row[1:]) for row in found)


def about(connection: Connection) -> int:
    """Return roughly how many transactions there are, in no time: the highest id."""
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM transactions").fetchone()[0])
