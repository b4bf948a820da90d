"""One answer, one transaction: all of it or nothing, and never a word of the person's."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.entities import AccountState, RunCounts
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.ids import ConnectionId, TransactionId
from obdesk.domain.money import Currency
from obdesk.domain.remote import PageRows, RowProblem
from obdesk.storage.queries import accounts as account_reads
from obdesk.storage.queries import connections as reads
from obdesk.storage.queries import transactions
from obdesk.storage.store import Store
from obdesk.storage.writes import connections, edits
from obdesk.sync.saving import LinkRemovedError, Saved, record, save
from tests.seed import KEY, NOW, SeedPage, answer_of, remote_account, remote_connection, row
from tests.storage.files import checked
from tests.sync.outcomes import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from obdesk.domain.remote import RemoteAccount, RemoteTransaction
    from obdesk.storage.tx import Tx
    from obdesk.sync.saving import Answer

LATER = "2026-11-25 05:00:00"
LINK = ConnectionId(1)
ONE, TWO = remote_account(1801, "one"), remote_account(1802, "two")


class StrictPage(SeedPage):
    """A page whose rows of unknown accounts are problems, as the real provider reports them."""

    def decode(self, exponents: Mapping[int, int]) -> PageRows:
        good, problems = [], []
        for each in self.rows:
            if each.label == "ODD":
                problems.append(RowProblem("odd_field", str(each.provider_id), "value", 1801))
            elif each.account_provider_id in exponents:
                good.append(each)
            else:
                problems.append(RowProblem("unknown_account", str(each.provider_id), "id_account"))
        return PageRows(tuple(good), tuple(problems))


class CountedPage(StrictPage):
    """A page that counts how often it was taken apart."""

    decoded = 0

    def decode(self, exponents: Mapping[int, int]) -> PageRows:
        type(self).decoded += 1
        return super().decode(exponents)


class Sync:
    """A store and how a bank's answers get into it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.write_now(lambda tx: connections.adopt(tx, "powens", remote_connection(), NOW))

    def take(
        self,
        *rows: RemoteTransaction,
        series: str = "full",
        accounts: Sequence[RemoteAccount] = (ONE, TWO),
        pages: Sequence[SeedPage] | None = None,
    ) -> Saved:
        """Take in an answer of one page, or of the pages given."""
        told = pages if pages is not None else [StrictPage(tuple(rows))]
        answer = answer_of(LINK, list(accounts), list(told), series=series)
        return self.store.write_now(lambda tx: save(tx, answer))

    def shown(self, text: str = "") -> dict[str, str]:
        rows = self.store.read_now(transactions.page, TransactionFilter(text=text), 0, 999)
        return {each.label: each.amount.text() if each.amount else "" for each in rows}

    def edit(self, number: int, note: str) -> None:
        self.store.write_now(
            lambda tx: edits.edit_transaction(tx, TransactionId(number), note=note, category="mine", now=NOW)
        )

    def dump(self) -> dict[str, list[tuple[object, ...]]]:
        """Return the content of every table."""

        def read(opened: object) -> dict[str, list[tuple[object, ...]]]:
            names = opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()  # type: ignore[attr-defined]
            return {
                name: opened.execute(f'SELECT * FROM "{name}"').fetchall()  # type: ignore[attr-defined]  # noqa: S608 - names from the schema
                for (name,) in names
                if not name.startswith("transaction_search")
            }

        return self.store.read_now(read)


@pytest.fixture
def sync(tmp_path: Path) -> Iterator[Sync]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Sync(store)
        checked(store)


def test_the_same_answer_again_changes_nothing_and_says_so(sync: Sync) -> None:
    rows = [row(n, account=1801 + n % 2, label=f"ROW {n}") for n in range(1, 20)]
    first = sync.take(*rows)
    assert first.counts == RunCounts(new=19)
    before = sync.dump()
    size = sync.store.path.with_name("a.db-wal").stat().st_size
    again = sync.take(*rows)
    assert again.counts == RunCounts(unchanged=19)
    assert again.changes == ChangeSet()
    assert sync.dump() == before
    assert sync.store.path.with_name("a.db-wal").stat().st_size == size, "not one byte was written"


def test_an_equal_page_is_not_even_taken_apart(sync: Sync) -> None:
    CountedPage.decoded = 0
    pages = [CountedPage((row(1),)), CountedPage((row(2),))]
    sync.take(pages=pages, series="delta")
    sync.take(pages=pages, series="delta")
    assert CountedPage.decoded == 2
    changed = [pages[0], CountedPage((row(2, label="CORRECTED", updated=LATER),))]
    saved = sync.take(pages=changed, series="delta")
    assert CountedPage.decoded == 3
    assert saved.counts == RunCounts(updated=1, unchanged=1)


def test_each_kind_of_change_is_counted_and_named(sync: Sync) -> None:
    sync.take(row(1, label="A"), row(2, label="B"), row(3, label="C"))
    saved = sync.take(
        row(1, label="A2", updated=LATER),
        row(2, deleted=True, updated=LATER),
        row(3, label="C"),
        row(4, label="D"),
        series="delta",
    )
    assert saved.counts == RunCounts(new=1, updated=1, removed=1, unchanged=1)
    assert saved.changes.touched[Kind.TRANSACTIONS] == frozenset({1, 2, 4})
    assert set(sync.shown()) == {"A2", "C", "D"}


def test_F12_what_the_bank_changed_can_be_looked_up(sync: Sync) -> None:
    sync.take(row(1, amount_minor=-100, label="BEFORE"))
    sync.take(row(1, amount_minor=-250, label="AFTER", updated=LATER), series="delta")
    detail = sync.store.read_now(transactions.detail, TransactionId(1))
    assert detail is not None
    assert {(each.field, each.old, each.new, each.who) for each in detail.history} == {
        ("amount_minor", "-100", "-250", "sync"),
        ("label", "BEFORE", "AFTER", "sync"),
    }


def test_words_of_the_person_outlive_whatever_the_bank_does(sync: Sync) -> None:
    sync.take(row(1, label="A"), row(2, label="CB PORT BREST", pending=True, payee=""))
    for number in (1, 2):
        sync.edit(number, f"note {number}")
    kept = sync.dump()["transaction_edits"]
    sync.take(row(1, label="A2", category="bank's", updated=LATER), series="delta")
    sync.take(row(9, label="CARTE PORT BREST"), row(1, label="A2", category="bank's", updated=LATER))
    sync.take(row(1, deleted=True, updated="2026-11-26 05:00:00"), series="delta")
    assert sync.dump()["transaction_edits"] == kept
    detail = sync.store.read_now(transactions.detail, TransactionId(2))
    assert detail is not None
    assert (detail.note, detail.row.category, detail.row.label) == ("note 2", "mine", "CARTE PORT BREST")
    assert detail.provider_ids == ("9", "2")
    sync.take(row(1, label="A3", updated="2026-11-27 05:00:00"), series="delta")
    back = sync.store.read_now(transactions.detail, TransactionId(1))
    assert back is not None
    assert back.note == "note 1"


def test_the_former_id_of_a_booked_row_is_old_news(sync: Sync) -> None:
    pending = row(2, label="CB PORT BREST", pending=True, payee="")
    sync.take(pending)
    gone = pending._replace(deleted=True, updated=LATER)
    answer = [row(9, label="CARTE PORT BREST", updated=LATER), gone]
    assert sync.take(*answer, series="delta").counts == RunCounts(updated=1)
    assert sync.take(*answer).counts.updated == 0
    assert list(sync.shown()) == ["CARTE PORT BREST"]
    assert sync.take(pending, series="delta").counts == RunCounts(unchanged=1)


def test_pages_in_another_order_with_repeats_give_the_same_ledger(tmp_path: Path) -> None:
    rows = [row(n, label=f"ROW {n}", updated="2026-11-24 05:00:00") for n in range(1, 9)]
    newer = row(3, label="ROW 3 CORRECTED", updated="2026-11-24 06:00:00")
    gone = row(4, label="ROW 4", deleted=True, updated="2026-11-24 06:00:00")
    pages = [rows[:4], rows[4:], [newer, gone, rows[0]]]
    seen: list[dict[str, str]] = []
    for number, order in enumerate([(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)]):
        with Store.open(tmp_path / f"{number}.db", KEY) as store:
            shuffled = Sync(store)
            shuffled.take(pages=[StrictPage(tuple(pages[n])) for n in order])
            seen.append(shuffled.shown())
            checked(store)
    assert seen[0] == {f"ROW {n}": "-23.90" for n in (1, 2, 5, 6, 7, 8)} | {"ROW 3 CORRECTED": "-23.90"}
    assert all(each == seen[0] for each in seen)


def test_a_row_that_makes_no_sense_is_shown_and_the_others_are_kept(sync: Sync) -> None:
    first = sync.take(row(1, label="A"), row(2, label="ODD"))
    assert first.counts == RunCounts(new=1, problems=1)
    assert first.changes.touches(Kind.PROBLEMS)
    (problem,) = sync.store.read_now(reads.problems, 9)
    assert (problem.kind, problem.subject, problem.account_id) == ("odd_field", "2", 1)
    again = sync.take(row(1, label="A"), row(2, label="ODD"))
    assert again.counts == RunCounts(unchanged=1, problems=1)
    assert again.changes == ChangeSet(), "the same problem is no news"
    assert len(sync.store.read_now(reads.problems, 9)) == 1


def test_a_problem_is_gone_once_the_row_comes_well(sync: Sync) -> None:
    sync.take(row(1, label="A"), row(2, label="ODD"))
    saved = sync.take(row(1, label="A"), row(2, label="B"))
    assert saved.changes.touches(Kind.PROBLEMS)
    assert sync.store.read_now(reads.problems, 9) == ()
    assert set(sync.shown()) == {"A", "B"}


def test_rows_that_came_before_their_account_are_kept_as_soon_as_it_is_known(sync: Sync) -> None:
    rows = [row(1, label="A"), row(2, account=1802, label="B")]
    saved = sync.take(*rows, accounts=[ONE])
    assert saved.counts == RunCounts(new=1, problems=1)
    assert sync.take(*rows).counts.new == 1
    assert set(sync.shown()) == {"A", "B"}


def test_a_page_that_is_equal_says_nothing_of_an_account_whose_currency_changed(sync: Sync) -> None:
    amount = row(1, amount_minor=-2_390, label="A")
    sync.take(amount, accounts=[ONE])

    class Yen(SeedPage):
        @property
        def digest(self) -> bytes:
            return hashlib.sha256(repr((amount,)).encode()).digest()

    yen = replace(ONE, currency=Currency.of("JPY"), balance_minor=1_520)
    sync.take(pages=[Yen((amount._replace(amount_minor=-23),))], accounts=[yen])
    assert sync.shown() == {"A": "-23"}


def test_a_link_removed_meanwhile_keeps_nothing(sync: Sync) -> None:
    sync.store.write_now(lambda tx: connections.close(tx, LINK, NOW))
    before = sync.dump()
    with pytest.raises(LinkRemovedError):
        sync.take(row(1))
    assert sync.dump() == before
    sync.store.write_now(lambda tx: connections.erase(tx, LINK))
    with pytest.raises(LinkRemovedError):
        sync.take(row(1))
    assert all(not rows for name, rows in sync.dump().items() if name not in {"alembic_version", "settings"})


def _kept(tx: Tx, answer: Answer, *, crash: bool) -> None:
    saved = save(tx, answer)
    record(tx, answer, saved, outcome_of(LINK), NOW)
    if crash:
        raise RuntimeError("the power went off")


def test_rows_cursor_and_run_move_together_or_not_at_all(sync: Sync) -> None:
    answer = answer_of(LINK, [ONE], [SeedPage((row(1, updated=LATER),))])
    before = sync.dump()
    with pytest.raises(RuntimeError, match="power"):
        sync.store.write_now(lambda tx: _kept(tx, answer, crash=True))
    assert sync.dump() == before
    sync.store.write_now(lambda tx: _kept(tx, answer, crash=False))
    provider_id, _, cursor, full_sync_at, failures = sync.store.read_now(reads.sync_state, LINK)
    assert (provider_id, cursor, full_sync_at, failures) == ("311", LATER, NOW, 0)
    assert len(sync.shown()) == 1
    assert len(sync.store.read_now(reads.runs, None, 9)) == 1


def test_an_answer_without_rows_leaves_the_cursor_where_it_was(sync: Sync) -> None:
    answer = answer_of(LINK, [ONE], [SeedPage((row(1, updated=LATER),))])
    sync.store.write_now(lambda tx: _kept(tx, answer, crash=False))
    empty = replace(answer_of(LINK, [ONE], [SeedPage(())], series="delta"), previous_cursor=LATER)
    sync.store.write_now(lambda tx: _kept(tx, empty, crash=False))
    assert sync.store.read_now(reads.sync_state, LINK)[2] == LATER
    assert len(sync.shown()) == 1


def test_an_account_that_is_switched_off_keeps_its_rows(sync: Sync) -> None:
    sync.take(row(1, label="A"), row(2, account=1802, label="B"))
    off = replace(TWO, state=AccountState.DISABLED, balance_minor=None, data_as_of=None)
    saved = sync.take(row(1, label="A"), accounts=[ONE, off])
    assert saved.changes.touches(Kind.ACCOUNTS)
    assert set(sync.shown()) == {"A", "B"}
    shown = {each.name: each for each in sync.store.read_now(account_reads.accounts, NOW)}
    assert shown["two"].state is AccountState.DISABLED
    assert shown["two"].balance is not None


def test_F15_an_account_listed_under_its_old_id_as_well_has_each_row_once(sync: Sync) -> None:
    renewed, again = replace(ONE, provider_id=1805), row(101, account=1805, label="A")
    sync.take(row(1, label="A"), accounts=[ONE])
    sync.take(again, accounts=[renewed])
    saved = sync.take(again, row(1, label="A"), row(2, label="B"), accounts=[renewed, ONE])
    assert saved.counts.new == 0
    assert len(sync.store.read_now(account_reads.accounts, NOW)) == 1


def test_a_balance_is_kept_once_per_day_it_is_true_for(sync: Sync) -> None:
    def told(minor: int, hours: int) -> RemoteAccount:
        return replace(ONE, balance_minor=minor, data_as_of=NOW + timedelta(hours=hours))

    for minor, hours in ((100, 0), (200, 2), (150, 1), (300, 24), (300, 25)):
        sync.take(accounts=[told(minor, hours)])
    kept = [(day, minor) for _, _, day, minor, _ in sync.dump()["balances"]]
    assert kept == [("2026-11-24", 200), ("2026-11-25", 300)]


def test_erasing_a_link_leaves_no_word_of_it(sync: Sync) -> None:
    sync.take(row(1, label="A"), row(2, label="ODD"))
    sync.edit(1, "a note")
    sync.store.write_now(lambda tx: connections.erase(tx, LINK))
    assert all(not rows for name, rows in sync.dump().items() if name not in {"alembic_version", "settings"})
    assert sync.shown("a note") == {}


def test_many_rows_at_once_are_told_as_many(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("obdesk.sync.reading.BATCH_ROWS", 8_000)  # some are written before all are read
    rows = [row(n, label=f"ROW {n}") for n in range(1, 10_102)]
    told: list[tuple[int, int | None]] = []
    answer = answer_of(
        LINK, [ONE], [SeedPage(tuple(rows[:9_000]), 10_101), SeedPage(tuple(rows[9_000:]), 10_101)]
    )
    saved = sync.store.write_now(lambda tx: save(tx, answer, lambda done, total: told.append((done, total))))
    assert saved.changes.touched[Kind.TRANSACTIONS] is None
    assert told == [(9_000, 10_101), (10_101, 10_101)]
    assert saved.counts.new == sync.store.read_now(transactions.count) == 10_101
