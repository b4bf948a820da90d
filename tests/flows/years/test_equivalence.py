"""Step by step the ledger equals the reference model, in any order of moves, edits, faults and deaths."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from obdesk.domain.entities import RunResult
from obdesk.domain.ids import TransactionId
from tests.flows.years import model
from tests.flows.years.bank import Bank
from tests.flows.years.clockwork import Loop, SimClock, inline_threads
from tests.flows.years.desk import TOLD, Desk, DiedError
from tests.flows.years.faults import PER_REQUEST, Dice, Profile
from tests.flows.years.telling import ZONE
from tests.flows.years.wire import Api
from tests.storage.files import checked, made

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.flows.years.bank import Operation
    from tests.flows.years.model import Row

STEPS_MIN = 50_000
picks = st.integers(0, 10_000)
_LIES = ("http_stale_page", "http_duplicate_page", "data_page_shift")
_GOOD = frozenset({RunResult.UPDATED, RunResult.UNCHANGED})


class Armed(Dice):
    """Fires what it is told to, once, and nothing else."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, Profile.CALM)
        self.armed = ""

    def happens(self, kind: str) -> bool:
        """Override Dice.happens."""
        fires = kind == self.armed
        if fires:
            self.armed = ""
        return fires


class Equal(RuleBasedStateMachine):
    """One bank, one ledger, and the model that says what the ledger holds after every step."""

    template: Path
    steps = 0

    @initialize(seed=st.integers(0, 2**32), books=st.sampled_from(["same_id", "told", "silent"]))
    def begin(self, seed: int, books: str) -> None:
        self.around = ExitStack()
        self.around.enter_context(inline_threads())
        self.folder = Path(tempfile.mkdtemp(prefix="obdesk-equal-"))
        self.loop = Loop()
        self.dice = Armed(seed)
        clock = SimClock(self.loop)
        self.bank = Bank(clock, self.dice)
        self.api = Api(self.bank, self.dice)
        self.desk = Desk(self.folder / "profile", self.template, clock, self.api, self.dice, None)
        (self.link,) = self.bank.links.values()
        self.link.books = books
        self.told = model.Told()
        self.written = 0
        self.held: set[Row] | None = set()
        """What the ledger must hold; None after an answer that lied."""
        self.sync()

    def _live(self, pick: int, *, deleted: bool = False) -> Operation | None:
        # The oldest rows stay: one that vanishes from the end of a list may only be served no longer.
        found = [
            each
            for account in self.link.accounts
            for each in sorted(account.operations, key=lambda each: each.day)[5:]
            if (each.deleted is not None) is deleted and not each.pending
        ]
        return found[-1 - pick % min(len(found), 30)] if found else None

    # The bank moves

    @rule(pick=picks, pending=st.booleans())
    def something_happens(self, pick: int, *, pending: bool) -> None:
        account = self.link.accounts[pick % len(self.link.accounts)]
        self.bank.add(account, self.bank.now().astimezone(ZONE).date(), pending=pending)

    @rule(pick=picks)
    def it_happens_twice(self, pick: int) -> None:
        if one := self._live(pick):
            self.bank.twin(one)

    @rule(pick=picks)
    def a_row_is_corrected(self, pick: int) -> None:
        if one := self._live(pick):
            self.bank.mutate(one)

    @rule(pick=picks)
    def a_row_is_withdrawn(self, pick: int) -> None:
        if one := self._live(pick):
            self.bank.delete(one)

    @rule(pick=picks)
    def a_row_is_brought_back(self, pick: int) -> None:
        if one := self._live(pick, deleted=True):
            self._pass(2)
            self.bank.restore(one)

    @rule(pick=picks, told=st.booleans())
    def a_row_gets_another_id(self, pick: int, *, told: bool) -> None:
        if one := self._live(pick):
            self.bank.rename(self.link, one, told=told)

    @rule(drifts=st.booleans())
    def what_was_announced_is_booked(self, *, drifts: bool) -> None:
        today = self.bank.now().astimezone(ZONE).date()
        for account in self.link.accounts:
            for each in [each for each in account.live if each.pending]:
                self.dice.armed = "data_pending_drift" if drifts else ""
                self.bank.book(self.link, each, today)
        self.dice.armed = ""

    @rule()
    def an_account_is_issued_anew(self) -> None:
        self.bank.reissue(self.link)

    @rule(hours=st.sampled_from([1, 5, 30, 24 * 8]))
    def time_passes(self, hours: int) -> None:
        self._pass(hours * 3_600)
        self.link.consent_until = self.bank.now().replace(year=self.bank.now().year + 1)
        self.link.read_at = self.bank.now()

    def _pass(self, seconds: float) -> None:
        self._run(asyncio.sleep(seconds))

    # The person and the computer

    @rule(pick=picks)
    def the_person_writes_a_note(self, pick: int) -> None:
        one = self._live(pick)
        row = one and self.desk.store.read_now(_row_of, one.provider_id)
        if one and row:
            note = f"note {self.written}"
            assert self._run(self.desk.edit(row, note))
            self.told.notes[row] = note  # a further word on the same row stands instead of the first
            self.written += 1

    @rule()
    def sync(self) -> None:
        self._sync(refresh=False)

    @rule()
    def refresh(self) -> None:
        self._pass(3_600)
        self._sync(refresh=True)

    @rule(kind=st.sampled_from(sorted(PER_REQUEST)))
    def sync_with_a_fault(self, kind: str) -> None:
        self.dice.armed = kind
        self._sync(refresh=False)
        self.dice.armed = ""

    @rule(point=st.sampled_from(["before", "inside", "after"]), writes=st.integers(0, 4))
    def die_at_a_commit(self, point: str, writes: int) -> None:
        self.desk.dies_at = (point, writes)
        self._sync(refresh=False)
        self.desk.dies_at = None

    @rule(turns=st.integers(1, 200), power=st.booleans())
    def die_at_any_await(self, turns: int, *, power: bool) -> None:
        self.desk.dies_at, self.desk.power_cut = ("await", turns), power
        self._sync(refresh=False)
        self.desk.dies_at = None

    @rule()
    def close_and_reopen(self) -> None:
        self._run(self.desk.restart())

    def _run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def _sync(self, *, refresh: bool) -> None:
        traffic = self.api.traffic
        traffic.fulls.clear()
        lies = traffic.lies
        outcomes: tuple[Any, ...] = ()
        try:
            outcomes = self._run(self.desk.sync_now(refresh=refresh))
        except DiedError:
            # It died before or after the commit, and both are right; what it holds is one of the two.
            now = set(self._shown())
            assert self.held is None or now == self.held or not self._breaches(now, complete=False)
            self.held = now if self.held is not None and traffic.lies == lies else None
            return
        except TOLD:
            return
        if traffic.lies != lies:
            self.held = None
        elif all(each.result in _GOOD for each in outcomes) and outcomes:
            complete = self.link.id in traffic.fulls
            assert self._breaches(set(self._shown()), complete=complete) == []
            if complete and not self._doubts():
                self.link.silent_since.clear()
            self.held = set(self._shown())

    def _shown(self) -> list[Row]:
        return self.desk.store.read_now(model.shown, self.link.id)

    def _breaches(self, _now: set[Row], *, complete: bool) -> list[str]:
        found = self.desk.store.read_now(lambda opened: model.in_step(opened, self.link, complete=complete))
        # Too much at once is believed when it is said twice; until then the ledger says that it doubts it.
        doubts = self._doubts()
        return [each for each in found if not (doubts and each.startswith(model.TOO_MANY))]

    def _doubts(self) -> bool:
        return self.desk.store.read_now(lambda opened: model.doubts(opened, self.link))

    # What always holds

    @invariant()
    def the_ledger_holds_what_the_model_says(self) -> None:
        type(self).steps += 1
        if not hasattr(self, "desk"):
            return
        shown = self._shown()
        assert len(shown) == len({(row.account, row.provider_id) for row in shown}), "a row is there twice"
        assert self.held is None or set(shown) == self.held
        assert self.desk.store.read_now(model.words_kept, self.told) == []

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        try:
            self.dice.armed = ""
            self._pass(9 * 86_400)
            self.sync()
            if self._doubts():
                self._pass(9 * 86_400)
                self.sync()
            assert not self._doubts()
            assert self.held == model.expected(self.link)
            before = self.desk.store.read_now(model.digest)
            self.sync()
            assert self.desk.store.read_now(model.digest) == before
            checked(self.desk.store)
        finally:
            self._run(self.desk.close())
            self.loop.close()
            self.around.close()
            shutil.rmtree(self.folder)


def _row_of(opened: Any, provider_id: int) -> TransactionId | None:
    found = opened.execute(
        "SELECT id FROM transactions WHERE provider_id = ? AND deleted_at IS NULL", (provider_id,)
    ).fetchone()
    return None if found is None else TransactionId(found[0])


@pytest.fixture(scope="module")
def equal(tmp_path_factory: pytest.TempPathFactory) -> type[Equal]:
    """Give the machine with an empty file to begin from."""
    Equal.template = made(tmp_path_factory.mktemp("equal") / "template.db")
    return Equal


def _live_lives(
    equal: type[Equal], examples: int, steps: int, part: int, phases: Collection[Phase] = tuple(Phase)
) -> None:
    run_state_machine_as_test(
        seed(part)(equal),  # what it finds must not depend on the day
        settings=settings(
            max_examples=examples,
            phases=phases,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
            deadline=None,
            database=None,
        ),
    )


def test_the_ledger_equals_the_model_after_every_step(equal: type[Equal]) -> None:
    _live_lives(equal, 12, 30, 0)


@pytest.mark.long
@pytest.mark.timeout(280)
@pytest.mark.parametrize("part", range(1, 11))
def test_the_ledger_equals_the_model_after_fifty_thousand_steps(equal: type[Equal], part: int) -> None:
    equal.steps = 0
    # What fails is shown as it was found: making it small would take longer than a test may.
    _live_lives(equal, 100, 60, part, [Phase.generate])
    assert equal.steps * 10 >= STEPS_MIN
