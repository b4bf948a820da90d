"""What looks wrong in rows that were kept is a value in a list, and gone when it is no longer so."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.findings import DATES_APART, DUPLICATE, IMPOSSIBLE_DATE, NOT_CONVERTED, SUSPECTED, words_of
from obdesk.domain.ids import ConnectionId
from obdesk.storage.queries import connections as reads
from obdesk.storage.store import Store
from obdesk.storage.writes import connections
from obdesk.storage.writes.findings import Finding
from obdesk.sync.examine import examine
from obdesk.sync.saving import save
from tests.seed import KEY, NOW, SeedPage, answer_of, remote_account, remote_connection, row
from tests.storage.files import checked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from obdesk.domain.remote import RemoteTransaction

pytestmark = pytest.mark.anyio
LINK = ConnectionId(1)
LATER = "2026-11-25 05:00:00"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    with Store.open(tmp_path / "a.db", KEY) as opened:
        opened.write_now(lambda tx: connections.adopt(tx, "powens", remote_connection(), NOW))
        yield opened
        checked(opened)


async def found_after(
    store: Store, *rows: RemoteTransaction, hours: int = 0, balance_minor: int | None = None
) -> list[tuple[str, str]]:
    """Take in all that the bank lists, look at it, and return the findings."""
    now = NOW + timedelta(hours=hours)
    account = remote_account(1801, "one", balance_minor=balance_minor, now=now)
    answer = answer_of(LINK, [account], [SeedPage(rows)], asked_at=now)
    store.write_now(lambda tx: save(tx, answer))
    await examine(store, LINK, now)
    return sorted((each.kind, each.subject) for each in store.read_now(reads.problems, 99))


async def test_the_same_row_in_two_answers_is_suspected_and_the_same_coffee_twice_is_not(
    store: Store,
) -> None:
    twins = (row(1, label="COFFEE"), row(2, label="COFFEE"))
    assert await found_after(store, *twins) == []
    again = row(3, label="COFFEE", updated=LATER)
    assert await found_after(store, *twins, again, hours=5) == [(DUPLICATE, "transactions 1 3")]
    gone = row(3, label="COFFEE", deleted=True, updated="2026-11-26 05:00:00")
    assert await found_after(store, *twins, gone, hours=9) == []


async def test_identical_rows_that_the_balance_proves_are_two_operations(store: Store) -> None:
    first = row(1, label="TRAM", on="2026-11-25", amount_minor=-170)
    await found_after(store, first, balance_minor=5_000)
    second = row(2, label="TRAM", on="2026-11-25", amount_minor=-170, updated=LATER)
    assert await found_after(store, first, second, hours=30, balance_minor=4_660) == []


async def test_identical_rows_that_the_balance_counts_once_are_suspected(store: Store) -> None:
    first, second = (
        row(n, label="TRAM", on="2026-11-26", amount_minor=-170, updated=f"2026-11-2{n} 05:00:00")
        for n in (6, 7)
    )
    await found_after(store, balance_minor=5_000)
    assert await found_after(store, hours=24, balance_minor=5_000) == [], "a day is proved"
    assert await found_after(store, first, hours=48, balance_minor=4_830) == []
    told = await found_after(store, first, second, hours=53, balance_minor=4_830)
    assert told == [(DUPLICATE, "transactions 1 2")]


async def test_identical_rows_are_suspected_until_a_second_day_proves_them(store: Store) -> None:
    first = row(1, label="TRAM", on="2026-11-24", amount_minor=-170)
    second = row(2, label="TRAM", on="2026-11-24", amount_minor=-170, updated=LATER)
    await found_after(store, first, balance_minor=5_000)
    told = await found_after(store, first, second, hours=5, balance_minor=4_830)
    assert told == [(DUPLICATE, "transactions 1 2")]


async def test_dates_and_amounts_that_cannot_be_right_are_shown_and_kept(store: Store) -> None:
    rows = (
        row(1, label="OLD", on="1969-12-31"),
        row(2, label="AHEAD", on="2027-12-31"),
        row(3, label="APART")._replace(value_on="2016-11-23"),
        row(4, label="YEN", amount_minor=-2_390)._replace(original_minor=-2_390, original_currency="USD"),
        row(5, label="WELL", amount_minor=-2_390)._replace(original_minor=-2_500, original_currency="USD"),
    )
    told = await found_after(store, *rows)
    by_kind = [(kind, len([1 for each, _ in told if each == kind])) for kind in SUSPECTED]
    assert by_kind == [(DUPLICATE, 0), (IMPOSSIBLE_DATE, 2), (DATES_APART, 1), (NOT_CONVERTED, 1)]
    again = await found_after(store, *rows, hours=5)
    assert again == told, "the same finding is no news"


async def test_findings_are_told_as_they_come_and_go_and_a_removed_link_has_none(store: Store) -> None:
    await found_after(store, row(1, on="1969-12-31"))
    store.write_now(lambda tx: tx.execute("UPDATE transactions SET booked_on = '2026-11-20'"))
    assert (await examine(store, LINK, NOW)).touches(Kind.PROBLEMS)
    assert not (await examine(store, LINK, NOW)).touches(Kind.PROBLEMS)
    store.write_now(lambda tx: connections.close(tx, LINK, NOW))
    assert await examine(store, LINK, NOW) == ChangeSet()


def kinds_of_rows() -> list[Any]:
    return ["unreadable", "no_id", "unknown_account", "no_date", "no_amount", "shared_id", "repeated_key"]


async def test_each_kind_of_finding_has_its_words() -> None:
    for kind in [*SUSPECTED, *kinds_of_rows(), *(each.value for each in Finding)]:
        words = words_of(kind)
        assert not words.title.endswith(".")
        assert words.cause.endswith(".")
        assert words.next_step.endswith(".")
    assert words_of("never heard of") == words_of("unreadable")
