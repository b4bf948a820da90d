"""How many rows there are, as the aggregator says, against those that came: fewer were lost on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.entities import RunResult
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.outcomes import Fetched
from obdesk.domain.remote import PageRows, RowProblem
from obdesk.domain.syncing import SyncKind
from obdesk.storage.queries import transactions
from tests.seed import SeedPage, remote_account, row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obdesk.domain.syncing import SyncOutcome
    from tests.sync.bench import Bench

pytestmark = pytest.mark.anyio
LATER = "2026-11-25 05:00:00"
ONE_READING, TWO_READINGS = 3, 6
"""Requests of a sync that reads once, or twice; each page beyond the first is one more."""


@dataclass(frozen=True)
class OddPage(SeedPage):
    """A page with rows that are refused."""

    problems: tuple[RowProblem, ...] = ()

    def decode(self, exponents: Mapping[int, int]) -> PageRows:
        return replace(super().decode(exponents), problems=self.problems)


def page(total: int | None, *numbers: int, odd: tuple[str, ...] = (), account: int = 1801) -> SeedPage:
    rows = tuple(
        row(each, on=f"2026-11-{each:02}", label=f"SHOP {each}", account=account) for each in numbers
    )
    return OddPage(rows, total, tuple(RowProblem("no_amount", each, "value", account) for each in odd))


def shown(bench: Bench) -> list[str]:
    found = bench.store.read_now(transactions.page, TransactionFilter(), 0, 99)
    return sorted(each.label.removeprefix("SHOP ") for each in found)


async def told(bench: Bench, *answers: list[SeedPage], kind: SyncKind = SyncKind.DELTA) -> SyncOutcome:
    """Sync while the aggregator gives these answers, each of which is wanted."""
    bench.aggregator.answers = [list(each) for each in answers]
    outcome, _ = await bench.sync(kind=kind)
    assert bench.aggregator.answers == []
    return outcome


async def test_F09_a_first_list_that_ends_too_soon_is_read_again(bench: Bench) -> None:
    outcome = await told(bench, [page(5, 1, 2, 3)], [page(5, 1, 2, 3, 4, 5)])
    assert (outcome.result, outcome.counts.new, outcome.requests) == (RunResult.UPDATED, 5, TWO_READINGS)
    assert shown(bench) == list("12345")


async def test_F09_a_row_told_on_two_pages_does_not_stand_for_one_that_slipped_past(bench: Bench) -> None:
    whole = [page(6, 1, 2, 3), page(6, 4, 5, 6)]
    assert (await told(bench, [page(6, 1, 2, 3), page(6, 3, 5, 6)], whole)).counts.new == 6
    longer = [page(8, 1, 2, 3, 4), page(8, 5, 6, 7, 8)]
    moved = [page(8, 1, 2, 3, 4), page(8, 4, 5, 6, 8)]
    assert (await told(bench, moved, longer, kind=SyncKind.RECONCILE)).counts.new == 2
    assert shown(bench) == list("12345678")


async def test_F09_news_that_end_too_soon_are_read_again(bench: Bench) -> None:
    await told(bench, [page(2, 1, 2)])
    outcome = await told(bench, [page(2, 3)], [page(2, 3, 4)])
    assert (outcome.kind, outcome.counts.new, shown(bench)) == (SyncKind.DELTA, 2, list("1234"))


async def test_F09_the_last_word_on_how_many_there_are_counts_and_none_is_no_word(bench: Bench) -> None:
    await told(bench, [page(9, 1, 2), page(3, 3)])
    await told(bench, [page(9, 4), page(None, 5)])
    await told(bench, [page(None, 6)])
    await told(bench, [page(0, 7)])
    await told(bench, [])
    assert shown(bench) == list("1234567")


async def test_F09_rows_that_cannot_be_kept_are_there_all_the_same(bench: Bench) -> None:
    assert (await told(bench, [page(4, 1, 2, odd=("3", "", "1"))])).requests == ONE_READING
    assert (await told(bench, [page(4, 1, 2, odd=("3", "", "2"))])).requests == ONE_READING
    assert (await told(bench, [page(4, 1, 2, odd=("2", "3", "3"))], [page(3, 1, 2, 3)])).counts.new == 1


async def test_F09_rows_of_several_accounts_are_counted_together(bench: Bench) -> None:
    bench.aggregator.told = Fetched((remote_account(), remote_account(1802, "two")))
    await told(bench, [page(2, 1, 2)])
    first = [page(4, 1, 2), page(4, 3, 4, account=1802)]
    assert (await told(bench, first, kind=SyncKind.RECONCILE)).counts.new == 2


async def test_F09_a_total_that_counts_otherwise_costs_one_reading_more_and_no_row(bench: Bench) -> None:
    everything = page(7, 1, 2, 3)
    outcome = await told(bench, [everything], [everything])
    assert (outcome.result, outcome.counts.new) == (RunResult.UPDATED, 3)
    for _ in range(2):
        assert (await told(bench, [everything], kind=SyncKind.RECONCILE)).requests == ONE_READING
    news = page(7, 4)
    assert (await told(bench, [news], [news])).counts.new == 1, "of news it may count all there is"
    assert (await told(bench, [page(8, 5)])).counts.new == 1
    assert (await told(bench, [page(3, 1, 2, 3)], kind=SyncKind.RECONCILE)).requests == ONE_READING
    agreed = [page(5, 1, 2, 3, 4, 5)]
    assert (await told(bench, [page(5, 1, 2, 3, 4)], agreed, kind=SyncKind.RECONCILE)).counts.removed == 0


async def test_F09_what_is_the_same_as_last_time_is_still_held_against_its_total(bench: Bench) -> None:
    await told(bench, [page(2, 1, 2)])
    await told(bench, [page(1, 3)])
    assert (await told(bench, [page(2, 3)], [page(2, 3, 4)])).counts.new == 1


async def test_F09_a_comparison_after_news_that_were_read_twice_is_read_again_if_it_moved(
    bench: Bench,
) -> None:
    await told(bench, [page(3, 1, 2, 3)])
    twin = SeedPage((row(9, on="2026-11-01", label="SHOP 1", updated=LATER),), 2)
    moved = [SeedPage((*page(None, 1, 2, 2).rows, *twin.rows), 4)]
    whole = [SeedPage((*page(None, 1, 2, 3).rows, *twin.rows), 4)]
    outcome = await told(bench, [twin], [twin], moved, whole)
    assert (outcome.kind, outcome.counts.new, outcome.counts.removed) == (SyncKind.RECONCILE, 1, 0)
