"""A filter as SQL: conditions with their values, and the order; never a value inside the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obdesk.domain.entities import TransactionState
from obdesk.domain.filters import Sort, TransactionFilter, fold
from obdesk.domain.money import MINOR_MAX

if TYPE_CHECKING:
    from decimal import Decimal

Value = str | int
_TRIGRAM = 3  # the index cannot see shorter words
_SEARCH_LENGTH_MAX = 200  # longer than any label; keeps expressions within SQLite's limits
_EXPONENTS = range(19)  # what a 64-bit count of minor units can have


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
    match: str
    """What the search index is asked for; empty when it cannot help."""

    @property
    def sql(self) -> str:
        """Return the whole condition."""
        parts = [self.without_search]
        if self.match:
            parts.append(
                "t.id IN (SELECT rowid FROM transaction_search WHERE transaction_search MATCH ? "
                "UNION SELECT transaction_id FROM transaction_edits WHERE note <> '')"
            )
        return " AND ".join([*parts, self.search] if self.search else parts)

    @property
    def values(self) -> tuple[Value, ...]:
        """Return the values of the whole condition, in order."""
        return (*self.plain_values, *((self.match,) if self.match else ()), *self.search_values)


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
    search, walk, match, search_values = _search(wanted.text)
    return Where(joins, " AND ".join(parts), tuple(values), search, walk, search_values, match)


def _amounts(wanted: TransactionFilter, parts: list[str], values: list[Value]) -> str:
    """Compare absolute amounts in minor units of each account's own currency."""
    if wanted.amount_at_least is None and wanted.amount_at_most is None:
        return ""
    for bound, sign in ((wanted.amount_at_least, ">="), (wanted.amount_at_most, "<=")):
        if bound is not None:
            by_exponent = " ".join(f"WHEN {exponent} THEN ?" for exponent in _EXPONENTS)
            parts.append(f"abs(t.amount_minor) {sign} CASE wa.exponent {by_exponent} END")
            values += [_scaled(bound, exponent, up=sign == ">=") for exponent in _EXPONENTS]
    return " JOIN accounts wa ON wa.id = t.account_id"


def _scaled(bound: Decimal, exponent: int, *, up: bool) -> int:
    scaled = bound.scaleb(exponent)
    whole = int(scaled)
    return min(whole + 1 if up and whole != scaled else whole, MINOR_MAX)


def _search(text: str) -> tuple[str, str, str, tuple[Value, ...]]:
    """Return the exact search over `t`, the same for a walk, the index expression, and the values.

    Every word must occur in label, payee or the person's note.
    """
    words = searched_words(text)
    if not words:
        return "", "", "", ()
    noted = "SELECT transaction_id FROM transaction_edits WHERE folded(note) LIKE ? ESCAPE '\\'"
    exact = " AND ".join(f"(t.search_text LIKE ? ESCAPE '\\' OR t.id IN ({noted}))" for _ in words)
    walk = exact.replace("t.search_text", "search_text").replace("t.id", "id")
    patterns = [f"%{_escaped(word)}%" for word in words]
    return (
        exact,
        walk,
        match_expression(words),
        tuple(each for pattern in patterns for each in (pattern,) * 2),
    )


def searched_words(text: str) -> list[str]:
    """Return the words of a search, folded, as many and as long as SQLite can take."""
    # SQLite ends a text at the first NUL, which no label contains.
    return fold(text[:_SEARCH_LENGTH_MAX].replace("\0", " ")).split()


def match_expression(words: list[str]) -> str:
    """Return the rows that may contain all words, as the trigram index is asked: all their trigrams.

    The index keeps no positions (detail=none), so it is asked for single trigrams and LIKE decides.
    """
    trigrams = {word[n : n + _TRIGRAM] for word in words for n in range(len(word) - _TRIGRAM + 1)}
    return " ".join('"' + trigram.replace('"', '""') + '"' for trigram in sorted(trigrams))


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def order_by(wanted: TransactionFilter) -> Order:
    """Return the order of a list; equal rows keep the order of dates, then of arrival."""
    way = "DESC" if wanted.descending else "ASC"
    if wanted.sort is Sort.DATE:
        # The plus keeps SQLite from walking the whole date index when the search index has few rows.
        plus = "+" if match_expression(searched_words(wanted.text)) else ""
        return Order(f"ORDER BY {plus}t.pending {way}, t.booked_on {way}, t.id {way}", "", by_date=True)
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
        (
            " JOIN accounts oa ON oa.id = t.account_id"
            " LEFT JOIN account_edits oae ON oae.account_id = t.account_id"
        ),
    ),
    Sort.AMOUNT: ("t.amount_minor", ""),
}
