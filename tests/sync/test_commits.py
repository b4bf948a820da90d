"""A sync is a commit: it says what it did, and can be taken back as a whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from obdesk.domain.changes import Kind
from obdesk.domain.commits import ChangeLine, Subject, Tally, What, WhyNot, sentences, tallied, why_not_text
from obdesk.domain.entities import AccountState, Run
from obdesk.domain.ids import ConnectionId, RunId, TransactionId
from obdesk.storage.queries import commits as reads
from obdesk.storage.queries import connections as link_reads
from obdesk.storage.queries import transactions as row_reads
from obdesk.storage.queries.connections import runs as runs_of
from obdesk.storage.store import Store
from obdesk.storage.writes import commits, connections, edits
from obdesk.storage.writes.commits import NotRevertibleError
from obdesk.sync.commits import account_lines
from obdesk.sync.matching import WantsFullError
from obdesk.sync.saving import record, save
from tests.seed import KEY, NOW, SeedPage, answer_of, remote_account, remote_connection, row
from tests.storage.files import checked
from tests.sync.outcomes import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.commits import Commit
    from obdesk.domain.remote import RemoteAccount, RemoteConnection, RemoteTransaction

LATER = "2026-11-25 05:00:00"
LINK = ConnectionId(1)
ACCOUNT = remote_account(1801, "one")


class Ledger:
    """A store into which answers of one bank come, each as a recorded sync."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.write_now(lambda tx: connections.adopt(tx, "powens", remote_connection(), NOW))

    def take(
        self,
        *rows: RemoteTransaction,
        series: str = "full",
        accounts: Sequence[RemoteAccount] = (ACCOUNT,),
        remote: RemoteConnection | None = None,
    ) -> Commit:
        answer = answer_of(LINK, list(accounts), [SeedPage(rows)], series=series, remote=remote)
        answer = replace(answer, previous_cursor=self.link()["cursor"])

        def write(tx: Any) -> None:
            saved = save(tx, answer)
            record(tx, answer, saved, replace(outcome_of(LINK), counts=saved.counts), NOW)

        self.store.write_now(write)
        return self.commits()[0]

    def commits(self) -> tuple[Commit, ...]:
        return self.store.read_now(reads.commits, None, 50)

    def commit(self, run_id: RunId) -> Commit:
        found = self.store.read_now(reads.commit, run_id)
        assert found is not None
        return found

    def told(self, commit: Commit) -> str:
        return ", ".join(sentences(commit.run.counts.new, commit.tallies))

    def revert(self, commit: Commit) -> ChangeSet:
        return self.store.write_now(lambda tx: commits.revert(tx, commit.run.id, NOW))

    def all_of(self, sql: str) -> list[tuple[Any, ...]]:
        return self.store.read_now(lambda opened: list(opened.execute(sql).fetchall()))

    def link(self) -> dict[str, Any]:
        ((cursor, full_sync_at),) = self.all_of("SELECT cursor, full_sync_at FROM connections")
        return {"cursor": cursor, "full_sync_at": full_sync_at}

    def live(self) -> list[tuple[Any, ...]]:
        """Return all that the bank says of the rows that are shown, by our own ids."""
        return self.all_of(
            "SELECT id, provider_id, pending, booked_on, amount_minor, label, payee, category, search_text "
            "FROM transactions WHERE deleted_at IS NULL ORDER BY id"
        )

    def shown(self) -> set[tuple[Any, ...]]:
        """Return what a person sees, whatever the rows' numbers are here."""
        return {each[1:6] for each in self.live()}

    def money(self) -> list[tuple[Any, ...]]:
        return self.all_of(
            "SELECT a.id, a.name, a.state, a.balance_minor, a.data_as_of, b.day, b.balance_minor "
            "FROM accounts a LEFT JOIN balances b ON b.account_id = a.id ORDER BY a.id, b.day"
        )

    def words(self) -> list[tuple[Any, ...]]:
        return self.all_of("SELECT * FROM transaction_edits ORDER BY transaction_id")

    def note(self, number: int, text: str) -> None:
        self.store.write_now(
            lambda tx: edits.edit_transaction(tx, TransactionId(number), note=text, category=None, now=NOW)
        )


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Ledger(store)
        checked(store)


def test_a_sync_says_what_it_did(ledger: Ledger) -> None:
    first = ledger.take(row(1, label="A"), row(2, label="CB PORT BREST", pending=True), row(3, label="C"))
    assert ledger.told(first) == "3 new, 1 new account, 1 balance moved"
    second = ledger.take(
        row(1, label="A", amount_minor=-100, updated=LATER),
        row(3, label="C", deleted=True, updated=LATER),
        row(9, label="CB PORT BREST", updated=LATER),
        row(10, label="D", on="2026-10-01", amount_minor=-7, updated=LATER),
    )
    assert ledger.told(second) == "1 new, 1 amount changed, 1 removed, 1 pending became booked"
    (amount,) = [line for line in ledger.commit(second.run.id).lines if line.field == "amount_minor"]
    assert (amount.old, amount.new) == ("-2390", "-100")
    third = ledger.take(row(3, label="C", updated="2026-11-26 05:00:00"), series="delta")
    assert ledger.told(third) == "1 came back"
    assert (third.compared, third.mended) == (1, 1)


def test_an_answer_without_news_leaves_no_line_and_cannot_be_taken_back(ledger: Ledger) -> None:
    ledger.take(row(1))
    again = ledger.take(row(1))
    assert ledger.told(again) == ""
    assert ledger.commit(again.run.id).lines == ()
    assert again.why_not is WhyNot.NOTHING
    assert ledger.commits()[1].why_not is None, "what came after it changed nothing"


def test_rows_that_came_in_bulk_are_a_range_and_not_a_line_each(ledger: Ledger) -> None:
    first = ledger.take(*(row(n, label=f"ROW {n}") for n in range(1, 500)))
    assert first.added == (1, 499)
    assert all(line.subject is not Subject.TRANSACTION for line in ledger.commit(first.run.id).lines)


def test_taking_back_a_sync_brings_back_what_was_and_keeps_the_words_of_the_person(ledger: Ledger) -> None:
    ledger.take(row(1, label="A"), row(2, label="CB PORT BREST", pending=True), row(3, label="C"))
    ledger.note(1, "before")
    rows, money, link = ledger.live(), ledger.money(), ledger.link()
    moved = replace(ACCOUNT, name="renamed", balance_minor=5, data_as_of=NOW)
    answer = (
        row(1, label="A2", amount_minor=-100, updated=LATER),
        row(3, label="C", deleted=True, updated=LATER),
        row(9, label="CB PORT BREST", updated=LATER),
        row(10, label="D", on="2026-10-01", amount_minor=-7, updated=LATER),
    )
    second = ledger.take(*answer, accounts=[moved])
    after, after_money = ledger.shown(), ledger.money()
    ledger.note(2, "after")
    ledger.note(4, "on a new row")
    words = ledger.words()
    changes = ledger.revert(second)
    assert (ledger.live(), ledger.money(), ledger.words()) == (rows, money, words)
    assert ledger.link() == {"cursor": link["cursor"], "full_sync_at": None}, "everything is read again"
    assert changes.touched
    reverted = ledger.commits()[0]
    assert reverted.run.reverted_at == NOW
    assert reverted.why_not is WhyNot.REVERTED
    assert ledger.all_of("SELECT kind, detail FROM events") == [("run_reverted", str(second.run.id))]
    checked(ledger.store)
    ledger.take(*answer, accounts=[moved])
    assert (ledger.shown(), ledger.money(), ledger.words()) == (after, after_money, words)
    detail = ledger.store.read_now(row_reads.detail, TransactionId(4))
    assert detail is not None
    assert detail.note == "on a new row"


def test_only_the_newest_change_can_be_taken_back_and_why_not_is_said(ledger: Ledger) -> None:
    first = ledger.take(row(1, label="A"))
    second = ledger.take(row(1, label="B", updated=LATER))
    with pytest.raises(NotRevertibleError) as refused:
        ledger.revert(first)
    assert refused.value.reason is WhyNot.NOT_NEWEST
    ledger.revert(second)
    with pytest.raises(NotRevertibleError) as refused:
        ledger.revert(second)
    assert refused.value.reason is WhyNot.REVERTED
    ledger.revert(ledger.commits()[1])
    assert ledger.live() == []
    assert [each[2] for each in ledger.money()] == [AccountState.GONE.value]
    with pytest.raises(LookupError):
        ledger.store.write_now(lambda tx: commits.revert(tx, RunId(99), NOW))
    ledger.take(row(1, label="B", updated=LATER))
    assert [each[5] for each in ledger.live()] == ["B"]


def test_what_a_bank_that_has_left_once_told_is_not_taken_back(ledger: Ledger) -> None:
    ledger.take(row(1))
    ledger.store.write_now(lambda tx: connections.close(tx, LINK, NOW))
    assert ledger.commits()[0].why_not is WhyNot.ENDED


def test_a_field_that_a_later_hand_changed_stays_as_it_is(ledger: Ledger) -> None:
    ledger.take(row(1, label="A", amount_minor=-5))
    second = ledger.take(row(1, label="B", amount_minor=-6, updated=LATER))
    ledger.store.write_now(lambda tx: tx.execute("UPDATE transactions SET amount_minor = -7"))
    ledger.revert(second)
    assert [(each[4], each[5]) for each in ledger.live()] == [(-7, "A")]


def test_rows_that_swapped_their_numbers_get_them_back(ledger: Ledger) -> None:
    ledger.take(row(1, label="A"), row(2, label="B"))

    def write(tx: Any) -> RunId:
        tx.execute("UPDATE transactions SET provider_id = -provider_id")
        tx.execute("UPDATE transactions SET provider_id = 3 + provider_id")
        run_id = tx.insert("runs", _run_of(tx))
        lines = [
            ChangeLine(Subject.TRANSACTION, 1, What.RENUMBERED, "provider_id", "1", "2"),
            ChangeLine(Subject.TRANSACTION, 2, What.RENUMBERED, "provider_id", "2", "1"),
        ]
        commits.keep_lines(tx, run_id, lines)
        return RunId(run_id)

    run_id = ledger.store.write_now(write)
    ledger.store.write_now(lambda tx: commits.revert(tx, run_id, NOW))
    assert [each[:2] for each in ledger.live()] == [(1, 1), (2, 2)]


def _run_of(tx: Any) -> dict[str, object]:
    (stored,) = tx.records("SELECT * FROM runs")
    return {name: value for name, value in stored.items() if name not in {"id", "added_from", "added_to"}}


def test_a_number_that_a_new_row_took_goes_back_to_its_first_bearer(ledger: Ledger) -> None:
    ledger.take(row(1, label="CB PORT BREST", pending=True, payee=""))
    second = ledger.take(
        row(9, label="CB PORT BREST", payee="", updated=LATER),
        row(1, label="CB PORT BREST", payee="", pending=True, deleted=True, updated=LATER),
    )
    assert ledger.told(second) == "1 pending became booked"
    ledger.revert(second)
    assert [each[:3] for each in ledger.live()] == [(1, 1, 1)]
    assert ledger.all_of("SELECT count(*) FROM transaction_aliases") == [(0,)]


@pytest.mark.parametrize("reason", list(WhyNot))
def test_each_reason_is_a_sentence(reason: WhyNot) -> None:
    assert why_not_text(reason).endswith(".")


def test_each_kind_of_line_has_its_words() -> None:
    fields = ("amount_minor", "value_on", "payee", "category")
    lines = [
        ChangeLine(subject, 1, what, field, None, None)
        for subject in Subject
        for what in What
        for field in fields
    ]
    told = sentences(2, tallied([*lines, lines[0]._replace(what=What.CHANGED, field="provider_updated")]))
    assert told[0] == "2 new"
    assert {"1 amount changed", "1 date changed", "1 label changed", "1 detail changed"} <= set(told)
    assert {"1 pending became booked", "1 removed", "1 came back", "1 under a new number"} <= set(told)
    assert {"1 new account", "1 account gone", "1 balance moved", "the state of the link changed"} <= set(
        told
    )
    assert sentences(0, [Tally(Subject.TRANSACTION, What.CHANGED, "amount_minor", 2)]) == (
        "2 amounts changed",
    )


STAMPS = ("2026-11-24 05:00:00", "2026-11-25 05:00:00")


def _worlds() -> st.SearchStrategy[tuple[dict[int, RemoteTransaction], dict[int, RemoteTransaction]]]:
    """Two states of a bank: rows appear, change, are withdrawn, come back; pendings vanish."""
    rows = st.builds(
        lambda amount, label, pending, deleted, day: row(
            0,
            amount_minor=amount,
            label=label,
            pending=pending,
            deleted=deleted,
            on=f"2026-11-{day:02}",
            payee="",
        ),
        st.sampled_from([-250, -251, -990]),
        st.sampled_from(["CB PORT BREST", "CB QUAI BREST", "VIR SALAIRE"]),
        st.booleans(),
        st.integers(0, 4).map(lambda n: n == 0),
        st.integers(10, 14),
    )
    world = st.dictionaries(st.integers(1, 8), rows, min_size=1)

    def second(
        pair: tuple[dict[int, RemoteTransaction], dict[int, RemoteTransaction]],
    ) -> tuple[dict[int, RemoteTransaction], dict[int, RemoteTransaction]]:
        first = {n: each._replace(provider_id=n, updated=STAMPS[0]) for n, each in pair[0].items()}
        later = {n: each._replace(provider_id=n, updated=STAMPS[1]) for n, each in pair[1].items()}
        kept = {n: each for n, each in first.items() if n not in later and not each.pending}
        return first, later | kept

    return st.tuples(world, world).map(second)


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(worlds=_worlds(), delta=st.booleans())
def test_taken_back_means_as_before_and_the_next_sync_is_right_again(
    tmp_path_factory: pytest.TempPathFactory,
    worlds: tuple[dict[int, RemoteTransaction], dict[int, RemoteTransaction]],
    *,
    delta: bool,
) -> None:
    first, later = worlds
    with Store.open(tmp_path_factory.mktemp("revert") / "a.db", KEY) as store:
        ledger = Ledger(store)
        ledger.take(*first.values())
        for number, *_ in ledger.live():
            ledger.note(number, f"note {number}")
        rows, money = ledger.live(), ledger.money()
        news = [each for each in later.values() if each.updated == STAMPS[1]]
        balance = replace(ACCOUNT, balance_minor=7, data_as_of=NOW)
        try:
            second = ledger.take(*news, series="delta", accounts=[balance]) if delta else None
        except WantsFullError:
            second = None
        second = second or ledger.take(*later.values(), accounts=[balance])
        words = ledger.words()
        ledger.revert(second)
        assert (ledger.live(), ledger.money(), ledger.words()) == (rows, money, words)
        ledger.take(*later.values(), accounts=[balance])
        at_bank = {
            (each.provider_id, each.pending, each.booked_on, each.amount_minor, each.label)
            for each in later.values()
            if not each.deleted
        }
        assert ledger.shown() == at_bank
        assert ledger.words() == words
        checked(store)


def test_the_lines_of_the_newest_five_hundred_syncs_are_kept(ledger: Ledger) -> None:
    first = ledger.take(row(1))
    ledger.store.write_now(lambda tx: [tx.insert("runs", _newest_run(tx)) for _ in range(500)] and None)
    ledger.take(row(1, label="NEW", updated=LATER))
    assert ledger.store.read_now(reads.commit, first.run.id) is None
    assert ledger.all_of(f"SELECT count(*) FROM run_changes WHERE run_id = {first.run.id}") == [(0,)]  # noqa: S608 - a number
    found = ledger.store.read_now(link_reads.run, ledger.commits()[0].run.id)
    assert isinstance(found, Run)
    assert len(ledger.store.read_now(runs_of, None, 999)) == 500


def _newest_run(tx: Any) -> dict[str, object]:
    stored = tx.records("SELECT * FROM runs ORDER BY id DESC LIMIT 1")[0]
    return {name: value for name, value in stored.items() if name not in {"id", "added_from", "added_to"}}


def test_taking_back_very_many_rows_is_told_as_many(ledger: Ledger) -> None:
    first = ledger.take(*(row(n, label=f"ROW {n}") for n in range(1, 10_003)))
    assert ledger.revert(first).touched[Kind.TRANSACTIONS] is None
    assert ledger.live() == []


def test_what_happened_to_an_account_is_told_by_its_state_and_its_number() -> None:
    stored: dict[str, object] = {"state": "active", "provider_id": 1, "name": "one", "data_as_of": 1}

    def told(before: dict[str, object], after: dict[str, object]) -> set[What]:
        return {line.what for line in account_lines({1: stored | before}, {1: stored | after})}

    assert told({}, {"state": "gone"}) == {What.REMOVED}
    assert told({"state": "gone"}, {}) == {What.RESTORED}
    assert told({}, {"state": "disabled"}) == {What.CHANGED}
    assert told({}, {"provider_id": 2}) == {What.RENUMBERED}
    assert told({}, {"data_as_of": 2}) == set(), "a clock alone is no news"
