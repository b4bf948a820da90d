"""A filter as SQL: conditions with their values, and the order; never a value inside the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obdesk.domain.entities import TransactionState
from obdesk.domain.filters import Sort, TransactionFilter, fold

if TYPE_CHECKING:
    from decimal import Decimal

Value = str | int
_TRIGRAM = 3  # the index cannot see shorter words


@dataclass(frozen=True, slots=True)
class Where:
    """The condition of a filter in its parts, so that a search can choose how it walks."""

    joins: str
    without_search: str
    plain_values: tuple[Value, ...]
    search: str
    """Empty when nothing is searched for."""
    search_by_walk: str
    search_values: tuple[Value, ...]
    indexed_values: tuple[Value, ...]

    @property
    def sql(self) -> str:
        """Return the whole condition."""
        return f"{self.without_search} AND {self.search}" if self.search else self.without_search

    @property
    def values(self) -> tuple[Value, ...]:
        """Return the values of the whole condition, in order."""
        return (*self.plain_values, *self.indexed_values)


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted, with the joins it needs."""

    sql: str
    joins: str
    by_date: bool


def where(wanted: TransactionFilter) -> Where:
    """Return the condition of a filter over `transactions t`."""
    parts = ["t.deleted_at IS NULL"]
    values: list[Value] = []
    joins = ""
    if wanted.accounts:
        parts.append(f"t.account_id IN ({','.join('?' * len(wanted.accounts))})")
        values += sorted(wanted.accounts)
    if wanted.state is not None:
        parts.append("t.pending = ?")
        values.append(1 if wanted.state is TransactionState.PENDING else 0)
    if wanted.date_from is not None:
        parts.append("t.booked_on >= ?")
        values.append(wanted.date_from.isoformat())
    if wanted.date_to is not None:
        parts.append("t.booked_on <= ?")
        values.append(wanted.date_to.isoformat())
    if wanted.category is not None:
        joins += " LEFT JOIN transaction_edits we ON we.transaction_id = t.id"
        parts.append("coalesce(we.category, t.category) = ? COLLATE NOCASE")
        values.append(wanted.category)
    joins += _amounts(wanted, parts, values)
    search, walk, search_values, indexed_values = _search(wanted.text)
    return Where(joins, " AND ".join(parts), tuple(values), search, walk, search_values, indexed_values)


def _amounts(wanted: TransactionFilter, parts: list[str], values: list[Value]) -> str:
    """Compare absolute amounts in minor units of each account's own currency."""
    if wanted.amount_at_least is None and wanted.amount_at_most is None:
        return ""
    for bound, sign in ((wanted.amount_at_least, ">="), (wanted.amount_at_most, "<=")):
        if bound is not None:
            by_exponent = " ".join(f"WHEN {exponent} THEN ?" for exponent in range(5))
            parts.append(f"abs(t.amount_minor) {sign} CASE wa.exponent {by_exponent} END")
            values += [_scaled(bound, exponent, up=sign == ">=") for exponent in range(5)]
    return " JOIN accounts wa ON wa.id = t.account_id"


def _scaled(bound: Decimal, exponent: int, *, up: bool) -> int:
    scaled = bound.scaleb(exponent)
    whole = int(scaled)
    return whole + 1 if up and whole != scaled else whole


def _search(text: str) -> tuple[str, str, tuple[Value, ...], tuple[Value, ...]]:
    """Return the search by index, the search by walk, and the values of each.

    Every word must occur in label, payee or the person's note. LIKE over the index is a substring
    search; the index narrows the rows down, LIKE decides.
    """
    words = [fold(word) for word in text.split()]
    if not words:
        return "", "", (), ()
    patterns = [f"%{_escaped(word)}%" for word in words]
    noted = "SELECT transaction_id FROM transaction_edits WHERE note LIKE ? ESCAPE '\\'"
    by_walk = " AND ".join(f"(search_text LIKE ? ESCAPE '\\' OR id IN ({noted}))" for _ in words)
    walk_values = tuple(value for pattern in patterns for value in (pattern, pattern))
    by_index: list[str] = []
    values: list[Value] = []
    for word, pattern in zip(words, patterns, strict=True):
        # LIKE with ESCAPE is not served by the index; a word without wildcards needs none.
        if len(word) >= _TRIGRAM and _escaped(word) == word:
            found = "SELECT rowid FROM transaction_search WHERE search_text LIKE ?"
            by_index.append(f"t.id IN ({found} UNION {noted})")
        else:
            by_index.append(f"(t.search_text LIKE ? ESCAPE '\\' OR t.id IN ({noted}))")
        values += [pattern, pattern]
    return " AND ".join(by_index), by_walk, walk_values, tuple(values)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def order_by(wanted: TransactionFilter) -> Order:
    """Return the order of a list; equal rows keep the order of dates, then of arrival."""
    way = "DESC" if wanted.descending else "ASC"
    if wanted.sort is Sort.DATE:
        return Order(f"ORDER BY t.pending {way}, t.booked_on {way}, t.id {way}", "", by_date=True)
    key, joins = _SORT_KEYS[wanted.sort]
    return Order(f"ORDER BY {key} {way}, t.booked_on DESC, t.id DESC", joins, by_date=False)


_SORT_KEYS = {
    Sort.PAYEE: ("coalesce(nullif(t.payee, ''), t.label) COLLATE NOCASE", ""),
    Sort.CATEGORY: (
        "coalesce(oe.category, t.category) COLLATE NOCASE",
        " LEFT JOIN transaction_edits oe ON oe.transaction_id = t.id",
    ),
    Sort.ACCOUNT: (
        "coalesce(nullif(oae.name, ''), oa.name) COLLATE NOCASE",
        " JOIN accounts oa ON oa.id = t.account_id"
        " LEFT JOIN account_edits oae ON oae.account_id = t.account_id",
    ),
    Sort.AMOUNT: ("t.amount_minor", ""),
}
