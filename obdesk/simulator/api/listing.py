"""Which transactions a query means, in which order, and the page that starts at a cursor.

Without filters a page is found by bisection in each account's keys and a merge of as many rows as the
page holds. Any other filter is worked out once per state of the ledgers and kept, so that walking its
pages costs no more.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from decimal import Decimal
from heapq import merge, nsmallest
from itertools import islice
from typing import TYPE_CHECKING

from obdesk.simulator.api.errors import invalid
from obdesk.simulator.api.rows import RowWriter, parse_day
from obdesk.simulator.api.wire import day_text
from obdesk.simulator.bank.numbers import CURRENCIES
from obdesk.simulator.world.ledger import day_of, id_of, key_of

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from obdesk.simulator.world.entities import Account, Connection
    from obdesk.simulator.world.world import World

Pair = tuple["Connection", "Account"]
_FAR = 1 << 62


@dataclass(frozen=True, slots=True)
class Query:
    """What a client asked for; `deleted` is None for live rows, True for deleted only, False for both."""

    by_date: bool = False
    first_day: int | None = None
    last_day: int | None = None
    updated_after: int | None = None
    with_deleted: bool = False
    only_deleted: bool = False
    income: bool | None = None
    wording: str | None = None
    search: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    values: tuple[Decimal, ...] = ()
    absolute: bool = False

    @property
    def plain(self) -> bool:
        """Whether only dates bound the list."""
        others = (self.updated_after, self.income, self.wording, self.search, self.low, self.high)
        return all(item is None for item in others) and not self.values and not self.only_deleted


@dataclass(frozen=True, slots=True)
class Page:
    """One page of keys; `before` and `after` are the cursors of its neighbours, None at the ends."""

    keys: list[int]
    before: str | None
    after: str | None
    total: int


def write_cursor(key: int, *, backwards: bool) -> str:
    """Return the cursor of the rows after a key or, backwards, before it."""
    first, second = ("gt", "lt") if backwards else ("lt", "gt")
    clauses = [{"op": first, "value": day_text(day_of(key))}, {"op": second, "value": id_of(key)}]
    return b64encode(json.dumps(clauses).encode()).decode()


def read_cursor(text: str) -> tuple[int, bool]:
    """Return the key inside a cursor and whether it points backwards; raises invalidValue."""
    try:
        clauses = json.loads(b64decode(text))
        key = key_of(parse_day(clauses[0]["value"], last=False), int(clauses[1]["value"]))
        return key, clauses[0]["op"] == "gt"
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise invalid("Unreadable cursor") from error


class Lister:
    """Answers queries over the accounts of a scope."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[tuple[object, ...], array[int]] = {}

    def page(self, pairs: Sequence[Pair], query: Query, cursor: str | None, offset: int, limit: int) -> Page:
        """Return one page."""
        columns = [self._keys(account, query) for _, account in pairs]
        deleted = self._hidden(pairs, query)
        lows, highs = self._bounds(columns, query)
        total = sum(highs) - sum(lows) - self._hidden_between(pairs, query, deleted)
        if cursor is None:
            keys = list(islice(_forward(columns, lows, highs, deleted), offset, offset + limit + 1))
            return _page(keys, limit, total, first=offset == 0)
        key, backwards = read_cursor(cursor)
        if backwards:
            ends = [
                max(low, bisect_left(column, key, low, high))
                for column, low, high in _spans(columns, lows, highs)
            ]
            return _page_before(_backward(columns, lows, ends, deleted, limit + 1), limit, total)
        starts = [bisect_right(column, key, low, high) for column, low, high in _spans(columns, lows, highs)]
        keys = list(islice(_forward(columns, starts, highs, deleted), offset, offset + limit + 1))
        return _page(keys, limit, total, first=starts == lows)

    def _keys(self, account: Account, query: Query) -> array[int]:
        ledger = account.ledger
        whole = ledger.by_date if query.by_date else ledger.by_application_date
        if query.plain:
            return whole
        place = (account.id, ledger.version, id(ledger), query, self._world.switches.categories)
        if place not in self._kept:
            if len(self._kept) > 64:
                self._kept.clear()
            self._kept[place] = self._filtered(account, query, whole)
        return self._kept[place]

    def _filtered(self, account: Account, query: Query, whole: array[int]) -> array[int]:
        ledger = account.ledger
        if query.updated_after is not None and _only_updates(query):
            after = query.updated_after
            days = ledger.days if query.by_date else ledger.application_days
            newer = zip(days, ledger.ids, ledger.updates, strict=True)
            chosen = sorted([key_of(day, row_id) for day, row_id, at in newer if at > after])
            return whole[:0] + type(whole)("q", chosen)
        test = self._test(account, query)
        kept = type(whole)("q")
        for key in whole:
            slot = ledger.slot(id_of(key))
            if slot is not None and test(slot):
                kept.append(key)
        return kept

    def _test(self, account: Account, query: Query) -> Callable[[int], bool]:
        connection = self._world.connections[account.id_connection]
        writer = RowWriter(self._world, connection, account)
        ledger, precision = account.ledger, CURRENCIES[account.currency].precision

        def passes(slot: int) -> bool:
            minor = ledger.minors[slot]
            if query.updated_after is not None and ledger.updates[slot] <= query.updated_after:
                return False
            if query.only_deleted and ledger.ids[slot] not in ledger.deleted:
                return False
            if query.income is not None and (minor > 0) != query.income:
                return False
            value = Decimal(minor).scaleb(-precision)
            return _value_passes(query, value) and _text_passes(query, writer, slot, account)

        return passes

    @staticmethod
    def _hidden(pairs: Sequence[Pair], query: Query) -> frozenset[int]:
        if query.with_deleted or query.only_deleted:
            return frozenset()
        return frozenset().union(*(account.ledger.deleted for _, account in pairs))

    def _hidden_between(self, pairs: Sequence[Pair], query: Query, deleted: frozenset[int]) -> int:
        """Return how many deleted rows lie inside the bounds, so that `total` can leave them out."""
        count = 0
        if not deleted:
            return 0
        for _, account in pairs:
            ledger = account.ledger
            keys = self._keys(account, query)
            days = ledger.days if query.by_date else ledger.application_days
            for row_id in ledger.deleted:
                slot = ledger.slot(row_id)
                if slot is None:
                    continue
                key = key_of(days[slot], row_id)
                place = bisect_left(keys, key)
                inside = (query.first_day or 0) <= days[slot] <= (query.last_day or 1 << 22)
                count += place < len(keys) and keys[place] == key and inside
        return count

    @staticmethod
    def _bounds(columns: Sequence[array[int]], query: Query) -> tuple[list[int], list[int]]:
        newest = 0 if query.last_day is None else key_of(query.last_day, 0)
        oldest = _FAR if query.first_day is None else key_of(query.first_day - 1, 0)
        lows = [bisect_left(column, newest) for column in columns]
        highs = [max(low, bisect_left(column, oldest)) for column, low in zip(columns, lows, strict=True)]
        return lows, highs


def _only_updates(query: Query) -> bool:
    others = (query.income, query.wording, query.search, query.low, query.high)
    return all(item is None for item in others) and not query.values and not query.only_deleted


def _value_passes(query: Query, value: Decimal) -> bool:
    size = abs(value) if query.absolute else value
    if query.low is not None and size < query.low:
        return False
    if query.high is not None and size > query.high:
        return False
    return not query.values or value in query.values


def _text_passes(query: Query, writer: RowWriter, slot: int, account: Account) -> bool:
    if query.wording is None and query.search is None:
        return True
    text = writer.wording(slot)
    if query.wording is not None and query.wording.lower() not in text:
        return False
    if query.search is None:
        return True
    ledger = account.ledger
    value = Decimal(ledger.minors[slot]).scaleb(-CURRENCIES[account.currency].precision)
    return query.search.lower() in f"{text}\n{day_text(ledger.days[slot])}\n{value}"


def _spans(
    columns: Sequence[array[int]], lows: Sequence[int], highs: Sequence[int]
) -> Iterable[tuple[array[int], int, int]]:
    return zip(columns, lows, highs, strict=True)


def _forward(
    columns: Sequence[array[int]], starts: Sequence[int], ends: Sequence[int], deleted: frozenset[int]
) -> Iterator[int]:
    streams = [_walk(column, start, end) for column, start, end in zip(columns, starts, ends, strict=True)]
    merged = streams[0] if len(streams) == 1 else merge(*streams)
    return merged if not deleted else (key for key in merged if id_of(key) not in deleted)


def _walk(column: array[int], start: int, end: int) -> Iterator[int]:
    for place in range(start, end):
        yield column[place]


def _backward(
    columns: Sequence[array[int]],
    lows: Sequence[int],
    ends: Sequence[int],
    deleted: frozenset[int],
    count: int,
) -> list[int]:
    nearest: list[int] = []
    for column, low, end in zip(columns, lows, ends, strict=True):
        found = 0
        for place in range(end - 1, low - 1, -1):
            if id_of(column[place]) not in deleted:
                nearest.append(column[place])
                found += 1
                if found == count:
                    break
    return sorted(nsmallest(count, nearest, key=lambda key: -key))


def _page(keys: list[int], limit: int, total: int, *, first: bool) -> Page:
    shown = keys[:limit]
    after = write_cursor(shown[-1], backwards=False) if len(keys) > limit else None
    before = None if first or not shown else write_cursor(shown[0], backwards=True)
    return Page(shown, before, after, total)


def _page_before(keys: list[int], limit: int, total: int) -> Page:
    shown = keys[-limit:]
    before = write_cursor(shown[0], backwards=True) if len(keys) > limit else None
    after = write_cursor(shown[-1], backwards=False) if shown else None
    return Page(shown, before, after, total)
