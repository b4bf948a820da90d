"""What is said of an answer once it is kept: each news by itself, and no more than that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.commits import Subject, What
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunCounts
from obdesk.domain.ids import ConnectionId
from obdesk.domain.remote import PageRows, RowProblem
from obdesk.storage.queries import connections as reads
from obdesk.storage.store import Store
from obdesk.storage.writes import connections
from obdesk.sync.saving import Saved, record, save
from tests.seed import KEY, NOW, SeedPage, answer_of, remote_account, remote_connection, row
from tests.sync.outcomes import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from obdesk.domain.remote import RemoteAccount, RemoteConnection, RemoteTransaction
    from obdesk.storage.tx import Tx

LINK = ConnectionId(1)
ONE, TWO = remote_account(1801, "one"), remote_account(1802, "two")
LATER, LATEST = "2026-11-25 05:00:00", "2026-11-26 05:00:00"
ROWS = (row(1, label="A"), row(2, label="B", on="2026-11-20"), row(3, account=1802, label="C"))
STAMP = "2026-11-24 05:11:58"


class Ledger:
    """A ledger that took in one answer already."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.write_now(lambda tx: connections.adopt(tx, "powens", remote_connection(), NOW))
        self.take(*ROWS)

    def take(
        self,
        *rows: RemoteTransaction,
        accounts: Sequence[RemoteAccount] = (ONE, TWO),
        remote: RemoteConnection | None = None,
        series: str = "full",
        pages: Sequence[SeedPage] | None = None,
    ) -> Saved:
        told = [SeedPage(rows)] if pages is None else pages
        answer = answer_of(LINK, list(accounts), told, remote=remote, series=series)

        def write(tx: Tx) -> Saved:
            saved = save(tx, answer)
            record(tx, answer, saved, outcome_of(LINK), NOW)
            return saved

        return self.store.write_now(write)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Ledger(store)


def lines(saved: Saved) -> list[tuple[Subject, int, What, str]]:
    return [(line.subject, line.subject_id, line.what, line.field) for line in saved.lines]


def test_an_answer_without_news_says_nothing(ledger: Ledger) -> None:
    saved = ledger.take(*ROWS)
    assert saved == Saved(ChangeSet(), RunCounts(unchanged=3), None)
    assert not saved.is_news


def test_a_reservation_stays_where_an_equal_answer_is_not_even_taken_apart(ledger: Ledger) -> None:
    waiting = (*ROWS, row(4, label="D", pending=True))
    ledger.take(*waiting)
    assert ledger.take(*waiting) == Saved(ChangeSet(), RunCounts(unchanged=4), None)


class OddPage(SeedPage):
    """A page of which no row makes sense."""

    def decode(self, exponents: Mapping[int, int]) -> PageRows:
        del exponents
        return PageRows((), tuple(RowProblem("no_date", str(each.provider_id), "date") for each in self.rows))


def test_the_odd_rows_of_every_page_are_told(ledger: Ledger) -> None:
    saved = ledger.take(series="delta", pages=[OddPage((row(8),)), OddPage((row(9),))])
    assert saved.counts == RunCounts(problems=2)
    told = ledger.store.read_now(reads.problems, 9)
    assert sorted(each.subject for each in told) == ["8", "9"]


def test_the_name_of_an_account_alone_is_a_line_and_no_news(ledger: Ledger) -> None:
    saved = ledger.take(*ROWS, accounts=[ONE, replace(TWO, name="zwei")])
    assert lines(saved) == [(Subject.ACCOUNT, 2, What.CHANGED, "name")]
    assert saved.changes == ChangeSet.of(Kind.ACCOUNTS, [2])
    assert not saved.is_news


def test_the_state_of_a_link_alone_is_a_line(ledger: Ledger) -> None:
    saved = ledger.take(*ROWS, remote=remote_connection(condition=Condition.NEEDS_SCA))
    assert lines(saved) == [(Subject.CONNECTION, 1, What.CHANGED, "condition")]
    assert saved.changes == ChangeSet.of(Kind.CONNECTIONS, [1])


def test_a_balance_of_another_day_is_a_line_and_news(ledger: Ledger) -> None:
    later = replace(ONE, balance_minor=5, data_as_of=NOW + timedelta(days=1))
    saved = ledger.take(*ROWS, accounts=[later, TWO])
    assert (Subject.BALANCE, 1, What.ADDED, "2026-11-25") in lines(saved)
    assert saved.changes.touched[Kind.BALANCES] == frozenset({1})
    assert saved.is_news


def test_what_came_changed_and_went_is_counted_and_named(ledger: Ledger) -> None:
    saved = ledger.take(
        row(1, label="NEW WORDS", updated=LATER),
        row(3, account=1802, label="C", deleted=True, updated=LATER),
        row(4, label="D", updated=LATEST),
        series="delta",
    )
    assert saved.counts == RunCounts(new=1, updated=1, removed=1)
    assert saved.changes == ChangeSet.of(Kind.TRANSACTIONS, [1, 3, 4])
    assert (saved.cursor, saved.added) == (LATEST, (4, 4))
    removed = [line for line in saved.lines if line.what is What.REMOVED]
    assert [(line.field, line.new) for line in removed] == [("deleted", "1"), ("provider_updated", LATER)]
    assert lines(saved)[:2] == [
        (Subject.TRANSACTION, 1, What.CHANGED, "label"),
        (Subject.TRANSACTION, 1, What.CHANGED, "provider_updated"),
    ]
    assert saved.is_news


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        (row(9, label="NEW"), RunCounts(new=1)),
        (row(1, label="OTHER", updated=LATER), RunCounts(updated=1)),
        (row(1, label="A", deleted=True, updated=LATER), RunCounts(removed=1)),
    ],
)
def test_a_single_row_is_news(ledger: Ledger, told: RemoteTransaction, counts: RunCounts) -> None:
    saved = ledger.take(told, series="delta")
    assert saved.counts == counts
    assert saved.is_news


def test_rows_of_an_account_that_is_new_are_counted_beside_those_of_one_that_is_known(ledger: Ledger) -> None:
    three = remote_account(1803, "three")
    told = (*ROWS, row(4, label="D"), row(5, account=1803, label="E"), row(6, account=1803, label="F"))
    saved = ledger.take(*told, accounts=[ONE, TWO, three])
    assert saved.counts == RunCounts(new=3, unchanged=3)
    assert saved.changes.touched[Kind.TRANSACTIONS] == frozenset({4, 5, 6})
    assert saved.changes.touched[Kind.ACCOUNTS] == frozenset({3})
    assert saved.added == (4, 6)


def test_the_newest_stamp_of_all_pages_is_where_the_next_sync_begins(ledger: Ledger) -> None:
    pages = [
        SeedPage((row(4, label="D", updated=LATEST),)),
        SeedPage((row(5, label="E", updated=LATER), row(6, account=1899, updated="2027-01-01 00:00:00"))),
    ]
    assert ledger.take(series="delta", pages=pages).cursor == LATEST, "of rows that were kept"
    assert ledger.take(series="delta").cursor is None


def test_an_equal_page_beside_another_is_counted_and_skipped_in_a_delta(ledger: Ledger) -> None:
    first, second = SeedPage((row(4, label="D"),)), SeedPage((row(5, label="E"), row(6, label="F")))
    ledger.take(series="delta", pages=[first, second])
    third = SeedPage((row(7, label="G"),))
    saved = ledger.take(series="delta", pages=[first, second, third])
    assert saved.counts == RunCounts(new=1, unchanged=3)
    assert saved.changes.touched[Kind.TRANSACTIONS] == frozenset({7})


def test_F14_a_row_that_one_of_two_pages_lacks_is_gone_though_the_other_page_is_equal(ledger: Ledger) -> None:
    first, second = SeedPage(ROWS), SeedPage((row(4, label="D"), row(5, label="E", on="2026-11-01")))
    ledger.take(pages=[first, second])
    saved = ledger.take(pages=[first, SeedPage(second.rows[1:])])
    assert saved.counts == RunCounts(removed=1, unchanged=4)
    assert saved.changes == ChangeSet.of(Kind.TRANSACTIONS, [4])


def test_progress_counts_rows_against_the_first_total_that_was_told(ledger: Ledger) -> None:
    told: list[tuple[int, int | None]] = []
    pages = [SeedPage((row(4, label="D"),)), SeedPage((row(5, label="E"), row(6, label="F")), 30)]
    pages.append(OddPage((row(9),)))
    answer = answer_of(LINK, [ONE, TWO], pages, series="delta")
    ledger.store.write_now(lambda tx: save(tx, answer, lambda done, total: told.append((done, total))))
    assert told == [(1, 30), (3, 30), (4, 30)]


def test_an_account_that_another_link_lists_as_well_is_a_finding_of_the_later_one(ledger: Ledger) -> None:
    remote = remote_connection("312")
    second = ledger.store.write_now(lambda tx: connections.adopt(tx, "powens", remote, NOW))
    twin = remote_account(2801, "again", connection="312")
    answer = answer_of(second, [twin], [SeedPage(())], remote=remote)
    saved = ledger.store.write_now(lambda tx: save(tx, answer))
    (problem,) = ledger.store.read_now(reads.problems, 9)
    assert (problem.connection_id, problem.kind, problem.detail) == (2, "same_account_twice", "account 2")
    assert problem.seen_at == NOW
    assert saved.changes.touched[Kind.PROBLEMS] == frozenset({problem.id})
    ledger.take(*ROWS, accounts=[replace(ONE, name="eins"), TWO])
    assert sorted(each.connection_id for each in ledger.store.read_now(reads.problems, 9)) == [1, 1, 2]


def test_an_account_under_another_number_is_one_line_and_goes_on(ledger: Ledger) -> None:
    renewed = replace(ONE, provider_id=1805)
    told = [each._replace(account_provider_id=1805) for each in ROWS[:2]]
    saved = ledger.take(*told, ROWS[2], accounts=[renewed, TWO])
    assert lines(saved) == [(Subject.ACCOUNT, 1, What.RENUMBERED, "provider_id")]
    assert saved.counts == RunCounts(unchanged=3)
