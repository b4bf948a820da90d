"""A long life of one ledger in any order of events; after each quiet sync it equals the bank's truth."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from obdesk.app import merging
from obdesk.domain.entities import RunResult, Trigger
from obdesk.domain.ids import RunId, TransactionId
from obdesk.simulator.server import running
from obdesk.storage.queries import suggestions, transactions
from obdesk.storage.store import Store
from obdesk.storage.writes import commits, edits
from tests.fakes import FrozenClock
from tests.flows.town import Bankside, Town, small_simulator
from tests.seed import KEY
from tests.storage.files import checked

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from obdesk.domain.suggestions import Merge
    from obdesk.domain.syncing import SyncOutcome

picks = st.integers(0, 10_000)
LIVE_OR_GONE = (
    "SELECT id FROM transactions WHERE provider_id > 0 AND id <> ?1 "
    "AND account_id = (SELECT account_id FROM transactions WHERE id = ?1) ORDER BY id"
)
SEEN_WORDS = (
    "SELECT note, category FROM transaction_edits e WHERE NOT EXISTS "
    "(SELECT 1 FROM merges m WHERE m.other_id = e.transaction_id AND m.undone_at IS NULL)"
)
LATER_RUNS = (
    "SELECT id FROM runs r WHERE NOT EXISTS (SELECT 1 FROM run_changes c "
    "WHERE c.run_id = r.id AND c.subject = 'account' AND c.what = 'added') ORDER BY id DESC LIMIT 3"
)
"""Without those that brought accounts: taken back they close them, and a second link takes them over."""
STANDS_FOR = (
    "SELECT l.provider_id FROM transaction_aliases l JOIN merges m ON m.kept_id = l.transaction_id "
    "JOIN transactions t ON t.id = m.kept_id WHERE m.undone_at IS NULL AND t.deleted_at IS NULL"
)
amounts = st.integers(-50_000, 50_000).map(lambda minor: f"{minor / 100:.2f}")
wordings = st.sampled_from(["CARTE LIBRAIRIE BREST", "PRLV SEPA EDF", "CAFÉ DU PORT", "VIR ZOE"])


class Crashed(Exception):  # noqa: N818 - an event of the story
    """The program ended between the answer and its commit."""


class Life(RuleBasedStateMachine):
    """Banks, a ledger, a person, and a computer that crashes."""

    bank: Bankside
    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="obdesk-life-"))
        shutil.copy(self.template, self.folder / "ledger.db")
        self.clock = FrozenClock()
        fresh = small_simulator(self.clock)
        self.bank.simulator.reset(fresh.clock)
        self.runner = asyncio.Runner()
        self.town = self.runner.run(self._opened())
        self.links: list[str] = []
        self.written = 0
        self.notes: set[str] = set()

    async def _opened(self) -> Town:
        return Town(self.folder, self.bank, self.clock)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def _link(self, pick: int) -> str:
        return self.links[pick % len(self.links)]

    def _account(self, pick: int) -> str | None:
        live = self.bank.live_accounts(self._link(pick))
        return str(live[pick % len(live)]["id"]) if live else None

    def _row(self, pick: int, *, deleted: bool = False) -> int | None:
        found = [
            row["id"]
            for account in self.bank.live_accounts(self._link(pick))
            for row in account["transactions"]
            if bool(row["deleted"]) is deleted and not row["coming"]
        ]
        return found[pick % len(found)] if found else None

    # Linking

    @initialize()
    def link_one(self) -> None:
        self.links.append(self._run(self.town.linked()))

    @precondition(lambda self: len(self.links) < 2)
    @rule()
    def link_another(self) -> None:
        self.links.append(self._run(self.town.linked()))

    # What happens at the bank

    @rule(pick=picks, value=amounts, wording=wordings, pending=st.booleans())
    def a_row_appears(self, pick: int, value: str, wording: str, *, pending: bool) -> None:
        if account := self._account(pick):
            told = {"wording": wording, "value": value, "pending": pending}
            self.bank.tell(f"/accounts/{account}/transactions", rows=[told])

    @rule(pick=picks)
    def twins_appear(self, pick: int) -> None:
        if account := self._account(pick):
            twin = {"wording": "CAFÉ DU PORT", "value": "-2.50"}
            self.bank.tell(f"/accounts/{account}/transactions", rows=[twin, twin])

    @rule(pick=picks, value=amounts)
    def a_row_is_corrected(self, pick: int, value: str) -> None:
        if row := self._row(pick):
            self.bank.tell(f"/transactions/{row}", value=value, wording=f"CORRECTED {value}")

    @rule(pick=picks)
    def a_row_is_withdrawn(self, pick: int) -> None:
        if row := self._row(pick):
            self.bank.tell(f"/transactions/{row}", deleted=True)

    @rule(pick=picks)
    def a_row_is_brought_back(self, pick: int) -> None:
        if row := self._row(pick, deleted=True):
            self.town.pass_time(1)  # within one second of its stamps a withdrawal wins
            self.bank.tell(f"/transactions/{row}", deleted=False)

    @rule(pick=picks, mode=st.sampled_from(["same_id", "new_id"]))
    def pending_rows_are_booked(self, pick: int, mode: str) -> None:
        if account := self._account(pick):
            self.bank.tell("/switches", coming_to_booked=mode)
            self.bank.tell(f"/accounts/{account}/book")

    @rule(pick=picks)
    def an_account_vanishes(self, pick: int) -> None:
        live = self.bank.live_accounts(self._link(pick))
        if len(live) > 1:
            self.bank.tell(f"/accounts/{live[pick % len(live)]['id']}/vanish")

    @rule(hours=st.sampled_from([1, 3, 30, 24 * 3, 24 * 8]))
    def time_passes(self, hours: int) -> None:
        self.town.pass_time(hours * 3_600)

    # What the person and the computer do

    @rule(pick=picks, note=st.sampled_from(["a note", "une note à moi", "€"]))
    def the_person_writes_a_note(self, pick: int, note: str) -> None:
        shown = self.town.shown()
        chosen = shown[pick % len(shown)].id if shown else None
        if chosen is None:
            return
        self.written += 1
        told = self.town.store.read_now(transactions.detail, chosen)
        assert told is not None
        self.notes -= set(told.note.split("\n"))
        self.notes.add(f"{note} {self.written}")
        self.town.store.write_now(
            lambda tx: edits.edit_transaction(
                tx, chosen, note=f"{note} {self.written}", category="mine", now=self.clock.now()
            )
        )

    def _asked(self, sql: str, *values: int) -> list[tuple[Any, ...]]:
        def read(opened: Any) -> list[tuple[Any, ...]]:
            found: list[tuple[Any, ...]] = opened.execute(sql, values).fetchall()
            return found

        return self.town.store.read_now(read)

    @rule(pick=picks, other=picks, swapped=st.booleans())
    def the_person_makes_two_rows_one(self, pick: int, other: int, *, swapped: bool) -> None:
        shown = self.town.shown()
        if not shown:
            return
        one = shown[pick % len(shown)].id
        beside = self._asked(LIVE_OR_GONE, one)
        if beside:
            two = TransactionId(beside[other % len(beside)][0])
            pair = (two, one) if swapped else (one, two)
            self.town.store.write_now(lambda tx: merging.merge(tx, *pair, self.clock.now()))
            assert len(self.town.shown()) in {len(shown), len(shown) - 1}

    @precondition(lambda self: self._merges())
    @rule(pick=picks)
    def the_person_splits_a_merge(self, pick: int) -> None:
        made = self._merges()
        chosen = made[pick % len(made)]
        pair = {chosen.kept.id, chosen.other.id}
        later = [each for each in made if each.id > chosen.id and pair & {each.kept.id, each.other.id}]
        before = self.town.shown()
        try:
            assert self.town.store.write_now(lambda tx: merging.split(tx, chosen.id, self.clock.now()))
            assert not later
        except merging.BuiltOnError:
            assert later
            assert self.town.shown() == before

    def _take_back(self, run_id: RunId) -> None:
        self.town.store.write_now(lambda tx: commits.revert(tx, run_id, self.clock.now()))

    def _merges(self) -> tuple[Merge, ...]:
        return self.town.store.read_now(suggestions.merges)

    @rule()
    def the_person_takes_a_sync_back(self) -> None:
        for (run_id,) in self._asked(LATER_RUNS):
            try:
                self._take_back(RunId(run_id))
            except commits.NotRevertibleError:
                continue
            return

    @rule(pick=picks)
    def a_sync(self, pick: int) -> None:
        self._synced(self._link(pick))

    @rule(pick=picks)
    def a_crash_before_the_commit(self, pick: int) -> None:
        before = self.town.shown()
        engine = self.town.engine
        real = engine._save

        def crashing(*args: Any) -> Any:
            real(*args)
            raise Crashed

        engine._save = crashing  # type: ignore[method-assign, assignment]
        local = self.town.local_id(self._link(pick))
        with pytest.raises(Crashed):
            self._run(engine.sync(local, Trigger.SCHEDULE, refresh_at_bank=False, progress=lambda *_: None))
        self.town.reopen()
        assert self.town.shown() == before

    @rule()
    def close_and_reopen(self) -> None:
        before = self.town.shown()
        self.town.reopen()
        assert self.town.shown() == before

    @rule(pick=picks)
    def two_syncs_in_a_row(self, pick: int) -> None:
        link = self._link(pick)
        self._synced(link)
        again: SyncOutcome = self._run(self.town.sync(link))
        assert again.result is RunResult.UNCHANGED
        assert (again.counts.new, again.counts.updated, again.counts.removed) == (0, 0, 0)

    def _synced(self, link: str) -> None:
        outcome: SyncOutcome = self._run(self.town.sync(link))
        assert outcome.result in {RunResult.UPDATED, RunResult.UNCHANGED}, outcome
        assert outcome.counts.problems == 0
        if self._merges():
            self._tells_each_once(link)
        else:
            self.town.tells_the_truth(link)

    def _tells_each_once(self, link: str) -> None:
        """Compare with the bank where rows stand for two: each operation is in one row, and none is lost."""
        local = self.town.local_id(link)
        self.town.store.write_now(
            lambda tx: tx.execute("UPDATE connections SET full_sync_at = NULL WHERE id = ?", (local,))
        )
        outcome: SyncOutcome = self._run(self.town.sync(link))
        assert outcome.result in {RunResult.UPDATED, RunResult.UNCHANGED}, outcome
        told, shown = self.bank.live_rows(link), self.town.rows(link)
        assert shown.items() <= told.items()
        assert told.keys() - shown.keys() <= {row[0] for row in self._asked(STANDS_FOR)}

    # What must always hold

    @invariant()
    def every_row_is_there_once(self) -> None:
        def doubled(opened: Any) -> list[tuple[int, ...]]:
            found: list[tuple[int, ...]] = opened.execute(
                "SELECT provider_id, count(*) FROM transactions GROUP BY 1 HAVING count(*) > 1"
            ).fetchall()
            return found

        assert self.town.store.read_now(doubled) == []

    @invariant()
    def no_word_of_the_person_is_lost(self) -> None:
        kept = self._asked(SEEN_WORDS)
        assert {category for _, category in kept} <= {"mine"}
        assert self.notes <= {line for note, _ in kept for line in note.split("\n")}

    @invariant()
    def sums_are_those_of_the_rows(self) -> None:
        shown = self.town.shown()
        sums: dict[str, int] = {}
        for each in shown:
            if each.amount is not None:
                code = each.amount.currency.code
                sums[code] = sums.get(code, 0) + each.amount.amount_minor
        found = self.town.store.read_now(transactions.selection, [each.id for each in shown])
        assert {money.currency.code: money.amount_minor for money in found.sums if money.amount_minor} == {
            code: minor for code, minor in sums.items() if minor
        }

    def teardown(self) -> None:
        try:
            for link in self.links:
                self._synced(link)
            checked(self.town.store)
        finally:
            self._run(self.town.__aexit__())
            self.runner.close()
            shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[Life]]:
    """Give the machine with one served simulator, which every life starts over."""
    template = tmp_path_factory.mktemp("template") / "ledger.db"
    Store.open(template, KEY).close()
    with running(small_simulator(FrozenClock())) as served:
        counter = Bankside(served)
        Life.bank, Life.template = counter, template
        yield Life
        counter.close()


@pytest.mark.timeout(600)
def test_any_life_ends_with_the_truth(life: type[Life]) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    deep = settings.get_current_profile_name() == "long"
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=120 if deep else 60,
            stateful_step_count=60 if deep else 25,
            suppress_health_check=[HealthCheck.too_slow],
            deadline=None,
        ),
    )
