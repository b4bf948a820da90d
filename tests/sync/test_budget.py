"""Whatever the clock, the schedule and the program do: no bank is read unattended five times in a day."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from obdesk.domain.entities import Trigger
from obdesk.domain.limits import TURN, BankCall, Budget, Sharing, budget_of
from obdesk.storage.store import Store
from obdesk.storage.writes import connections
from obdesk.sync import policy
from obdesk.sync.gate import Gate
from tests.fakes import SOME_MORNING as NOW
from tests.fakes import FrozenClock
from tests.seed import KEY, remote_connection

if TYPE_CHECKING:
    from obdesk.domain.ids import ConnectionId

ALONE = sorted(set(Trigger) - {Trigger.PERSON}, key=lambda each: each.value)
DAY = timedelta(hours=24)


class Aggregator:
    """As much of a provider as the gate asks about a bank: who it is, and what time it is."""

    name, host = "powens", "acme.biapi.pro"

    def __init__(self) -> None:
        self.clock_behind = timedelta(0)


class Ledger(RuleBasedStateMachine):
    """Triggers, days, clock jumps and crashes in any order, on a real file."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store.open(self.folder / "ledger.db", KEY)
        remote = remote_connection(now=NOW)
        self.link: ConnectionId = self.store.write_now(
            lambda tx: connections.adopt(tx, "powens", remote, NOW)
        )
        self.true, self.wrong = NOW, timedelta(0)
        self.alone: list[datetime] = []
        self.aggregator: Any = Aggregator()

    def ask(self, trigger: Trigger) -> bool:
        clock = FrozenClock(self.true + self.wrong)
        # Each answer carries the aggregator's own time; a few minutes are not told apart.
        is_noticed = abs(self.wrong) > timedelta(minutes=5)
        self.aggregator.clock_behind = -self.wrong if is_noticed else timedelta(0)
        gate = Gate(self.store, self.aggregator, clock, Random(1))  # noqa: S311 - chance, not secrets
        remote = remote_connection(now=self.true)
        return asyncio.run(gate.spend(self.link, remote, trigger, wanted=True))

    @rule(trigger=st.sampled_from(ALONE), times=st.integers(1, 3))
    def somebody_wants_it_read(self, trigger: Trigger, times: int) -> None:
        for _ in range(times):
            if self.ask(trigger):
                self.alone.append(self.true)

    @rule()
    def the_person_refreshes(self) -> None:
        assert self.ask(Trigger.PERSON), "a person is never refused"

    @rule(hours=st.floats(0, 30))
    def time_passes(self, hours: float) -> None:
        self.true += timedelta(hours=hours)

    @rule(wrong_s=st.floats(-300, 300) | st.floats(-4e8, 4e8))
    def the_clock_is_set(self, wrong_s: float) -> None:
        self.wrong = timedelta(seconds=wrong_s)

    @rule()
    def the_program_dies(self) -> None:
        self.store.close()
        self.store = Store.open(self.folder / "ledger.db", KEY)

    @rule()
    def a_day_later_there_is_budget_again(self) -> None:
        self.true += DAY + timedelta(minutes=30)
        assert self.ask(Trigger.SCHEDULE)
        self.alone.append(self.true)

    @invariant()
    def no_day_has_five(self) -> None:
        for at in self.alone[-8:]:
            assert sum(at <= each <= at + DAY for each in self.alone) <= 4

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=8, stateful_step_count=40, deadline=None)


def test_reads_are_spread_over_the_day() -> None:
    old = NOW - timedelta(days=2)
    assert policy.wants_bank(old, [], Trigger.SCHEDULE, NOW)
    just = [BankCall(NOW - timedelta(hours=1), attended=False)]
    assert not policy.wants_bank(old, just, Trigger.SCHEDULE, NOW)
    asked = [BankCall(NOW - timedelta(hours=1), attended=True)]
    assert policy.wants_bank(old, asked, Trigger.SCHEDULE, NOW), "what a person asked for is counted apart"
    for trigger in (Trigger.PERSON, Trigger.LINK):
        assert not policy.wants_bank(old, [], trigger, NOW)
    assert not policy.wants_bank(NOW - timedelta(hours=20), [], Trigger.SCHEDULE, NOW)
    assert not policy.wants_bank(None, [], Trigger.SCHEDULE, NOW)


def test_what_is_left_says_when_it_grows_again() -> None:
    calls = [BankCall(NOW - timedelta(hours=hours), attended=False) for hours in (30, 20, 3)]
    left = budget_of(calls, NOW)
    assert left == Budget(2, 4, NOW + timedelta(hours=4, minutes=10))
    ahead = [BankCall(NOW.replace(year=2099), attended=False)]
    assert budget_of(ahead, NOW).left == 3, "made before a clock was set back"


@pytest.mark.parametrize("peers", [1, 2, 3, 4, 5, 32])
def test_F62_computers_that_share_a_user_read_no_bank_more_often_than_one_would(peers: int) -> None:
    read_at: list[list[datetime]] = [[] for _ in range(peers)]
    for hour in range(24 * 40):
        now = NOW + timedelta(hours=hour)
        for seat, its in enumerate(read_at):
            calls = [BankCall(at, attended=False) for at in its]
            assert policy.has_budget(calls, Trigger.PERSON, now, Sharing(peers, seat))
            trigger = ALONE[(hour + seat) % len(ALONE)]
            while policy.has_budget(calls, trigger, now, Sharing(peers, seat)):
                calls.append(BankCall(now, attended=False))
                its.append(now)
    reads = sorted(at for its in read_at for at in its)
    for at in reads:
        assert sum(at <= each < at + DAY for each in reads) <= 4, "none hears of the others"
    for its in read_at:
        waits = [later - before for before, later in pairwise((NOW, *its, NOW + timedelta(days=40)))]
        assert max(waits) < timedelta(days=18), "and none is left out for ever"


@pytest.mark.parametrize("peers", [1, 2, 3, 4])
def test_F62_the_schedule_reads_at_every_number_of_computers_that_leaves_each_a_read(peers: int) -> None:
    assert policy.has_budget([], Trigger.SCHEDULE, NOW, Sharing(peers))


def test_F62_two_computers_have_two_reads_each_one_of_them_for_a_new_link() -> None:
    assert budget_of([], NOW, Sharing(2)) == Budget(2, 2, None)
    once = [BankCall(NOW, attended=False)]
    assert not policy.has_budget(once, Trigger.SCHEDULE, NOW, Sharing(2))
    assert policy.has_budget(once, Trigger.LINK, NOW, Sharing(2))


def test_F62_whose_turn_is_later_is_told_when() -> None:
    budgets = [budget_of([], NOW, Sharing(5, seat)) for seat in range(32)]
    assert sorted(each.of for each in budgets) == [0] * 30 + [1] * 2
    for seat, each in enumerate(budgets):
        if not each.of:
            assert each.resets_at is not None
            assert NOW < each.resets_at < NOW + 16 * TURN
            assert budget_of([], each.resets_at, Sharing(5, seat)).left == 1
            assert budget_of([], each.resets_at - timedelta(seconds=1), Sharing(5, seat)).left == 0
    for nonsense in (0, -3):
        assert budget_of([], NOW, Sharing(nonsense)) == Budget(4, 4, None)
