"""Who may be asked, to the second: what is told instead, what is written down, and who comes back when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import Trigger
from obdesk.domain.ids import ConnectionId
from obdesk.domain.limits import BankCall, Breaker, BreakerState
from obdesk.domain.outcomes import ActionNeeded, Broken, Fetched, RetryLater
from obdesk.storage.queries.limits import breakers as all_breakers
from obdesk.storage.queries.limits import limits
from obdesk.storage.store import Store
from obdesk.storage.writes import breakers, calls, connections
from obdesk.sync.gate import Gate, Held
from tests.fakes import SOME_MORNING as NOW
from tests.fakes import FrozenClock
from tests.seed import KEY, remote_connection
from tests.sync.bench import Longest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio
ONE, TWO = ConnectionId(1), ConnectionId(2)
HOST, LINK = "host:acme.biapi.pro", "connection:1"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DOWN = RetryLater(Condition.PROVIDER_DOWN)
OPEN = Breaker(HOST, BreakerState.OPEN, 5, 1, DOWN.condition, NOW - HOUR, NOW + HOUR)
DUE = replace(OPEN, probe_at=NOW)


class Aggregator:
    """As much of a provider as the gate asks about."""

    name, host = "powens", "acme.biapi.pro"

    def __init__(self) -> None:
        self.clock_behind = timedelta(0)
        self.answer: Any = Fetched(())
        self.asked: list[bool] = []

    async def connections(self, *, has_links: bool) -> Any:
        self.asked.append(has_links)
        return self.answer


class Door:
    """A gate before two links, and what is written down behind it."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock, self.aggregator = store, FrozenClock(NOW), Aggregator()
        provider: Any = self.aggregator
        self.gate = Gate(store, provider, self.clock, Longest())
        for number in ("1", "2"):
            store.write_now(
                lambda tx, number=number: connections.adopt(tx, "powens", remote_connection(number), NOW)  # type: ignore[misc]
            )

    def stands(self, *known: Breaker) -> None:
        for breaker in known:
            self.store.write_now(lambda tx, breaker=breaker: breakers.keep(tx, breaker))  # type: ignore[misc]

    def breakers(self) -> dict[str, Breaker]:
        return {each.subject: each for each in self.store.read_now(all_breakers)}

    def events(self) -> list[tuple[str, int | None, str]]:
        return self.store.read_now(
            lambda opened: list(opened.execute("SELECT kind, connection_id, detail FROM events ORDER BY id"))
        )

    def fails(self, link: ConnectionId, condition: Condition, again: datetime | None) -> None:
        self.store.write_now(lambda tx: connections.fail(tx, link, condition, again, keep_needs=True))

    def turn(self, link: ConnectionId) -> tuple[Condition, datetime | None]:
        found = self.store.read_now(limits, link, ())
        return found.condition, found.retry_at


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Door(store)


async def test_who_is_well_is_asked_and_nothing_is_written(door: Door) -> None:
    for trigger in Trigger:
        assert await door.gate.admit(ONE, trigger) is None
    assert await door.gate.admit_listing(attended=False) is None
    await door.gate.listed(None)
    assert (door.breakers(), door.events(), door.aggregator.asked) == ({}, [], [])


async def test_F02_who_is_held_is_told_how_long_and_comes_a_little_after_the_try(door: Door) -> None:
    door.stands(OPEN)
    held = await door.gate.admit(ONE, Trigger.SCHEDULE)
    assert held == Held(RetryLater(Condition.PROVIDER_DOWN, 3_600.0), NOW + HOUR + 5 * MINUTE)
    assert await door.gate.admit_listing(attended=False) == RetryLater(Condition.PROVIDER_DOWN, 3_600.0)
    for trigger in (Trigger.PERSON, Trigger.LINK):
        assert await door.gate.admit(ONE, trigger) is None, "who waits for the answer is no try"
    assert await door.gate.admit_listing(attended=True) is None
    assert (door.breakers(), door.events()) == ({HOST: OPEN}, [])


async def test_F27_after_a_refusal_there_is_no_next_try(door: Door) -> None:
    door.stands(replace(OPEN, reason=Condition.PROVIDER_REFUSES, probe_at=None))
    assert await door.gate.admit(ONE, Trigger.START) == Held(ActionNeeded(Condition.PROVIDER_REFUSES), None)
    assert await door.gate.admit(ONE, Trigger.PERSON) is None


async def test_one_link_that_is_held_holds_no_other(door: Door) -> None:
    door.stands(replace(OPEN, subject=LINK, reason=Condition.BANK_DOWN))
    held = await door.gate.admit(ONE, Trigger.SCHEDULE)
    assert held == Held(RetryLater(Condition.BANK_DOWN, 3_600.0), NOW + HOUR + 5 * MINUTE)
    assert await door.gate.admit(TWO, Trigger.SCHEDULE) is None


async def test_F02_whoever_waits_for_its_turn_after_an_outage_is_held_until_then(door: Door) -> None:
    door.fails(ONE, Condition.COMING_BACK, NOW + HOUR)
    door.fails(TWO, Condition.BANK_DOWN, NOW + HOUR)
    held = await door.gate.admit(ONE, Trigger.SCHEDULE)
    assert held == Held(RetryLater(Condition.COMING_BACK), NOW + HOUR)
    assert await door.gate.admit(ONE, Trigger.PERSON) is None
    assert await door.gate.admit(TWO, Trigger.SCHEDULE) is None
    door.clock.advance(3_600)
    assert await door.gate.admit(ONE, Trigger.SCHEDULE) is None


async def test_a_link_whose_try_is_due_is_the_try(door: Door) -> None:
    door.stands(replace(DUE, subject=LINK, reason=Condition.BANK_DOWN))
    assert await door.gate.admit(ONE, Trigger.SCHEDULE) is None
    out = door.breakers()[LINK]
    assert (out.state, out.probe_at) == (BreakerState.HALF_OPEN, NOW + 10 * MINUTE)
    assert door.events() == [("breaker_half_open", 1, "bank_down")]
    held = await door.gate.admit(ONE, Trigger.SCHEDULE)
    assert held == Held(RetryLater(Condition.BANK_DOWN, 600.0), NOW + 15 * MINUTE), "one is enough"
    assert door.aggregator.asked == []


async def test_F02_the_host_is_tried_before_the_link_and_by_one_small_question(door: Door) -> None:
    door.stands(DUE, replace(DUE, subject=LINK))
    door.aggregator.answer = DOWN
    held = await door.gate.admit(ONE, Trigger.SCHEDULE)
    assert held == Held(DOWN, NOW + 4_500 * SECOND)
    assert door.aggregator.asked == [True]
    assert door.breakers()[LINK] == replace(DUE, subject=LINK)
    assert door.breakers()[HOST] == replace(OPEN, failures=6, trips=2, probe_at=NOW + 750 * SECOND)
    assert door.events() == [
        ("breaker_half_open", None, "provider_down"),
        ("breaker_open", None, "provider_down"),
    ]


async def test_F02_a_host_that_answers_its_try_lets_the_sync_go_on(door: Door) -> None:
    door.stands(replace(DUE, since=NOW - 5 * MINUTE))
    assert await door.gate.admit(ONE, Trigger.SCHEDULE) is None
    assert (door.breakers(), door.aggregator.asked) == ({}, [True])
    assert door.events()[-1] == ("breaker_closed", None, "provider_down")


async def test_F02_a_host_that_answers_after_a_long_outage_gives_each_link_its_turn(door: Door) -> None:
    door.stands(DUE)
    door.fails(ONE, Condition.PROVIDER_DOWN, NOW + 9 * HOUR)
    held = await door.gate.admit(ONE, Trigger.SCHEDULE)
    assert held == Held(RetryLater(Condition.COMING_BACK), NOW + HOUR * 1.25)


async def test_F02_a_person_whose_sync_is_the_try_asks_no_small_question_first(door: Door) -> None:
    door.stands(DUE)
    assert await door.gate.admit(ONE, Trigger.PERSON) is None
    assert door.aggregator.asked == []
    assert door.breakers()[HOST].state is BreakerState.HALF_OPEN


async def test_F02_a_list_of_links_may_be_the_try_and_then_nobody_else_is(door: Door) -> None:
    door.stands(DUE)
    assert await door.gate.admit_listing(attended=False) is None
    assert door.breakers()[HOST].state is BreakerState.HALF_OPEN
    assert door.events() == [("breaker_half_open", None, "provider_down")]
    assert await door.gate.admit_listing(attended=False) == RetryLater(Condition.PROVIDER_DOWN, 600.0)


async def test_what_the_list_of_links_says_about_the_provider_is_kept(door: Door) -> None:
    await door.gate.listed(DOWN)
    assert door.breakers()[HOST].failures == 1
    assert door.events() == [], "one failure opens nothing"
    await door.gate.listed(None, 1)
    assert door.breakers() == {}
    assert door.events() == [("token_renewed", None, "refused")]
    await door.gate.listed(DOWN, 1)
    assert door.events() == [("token_renewed", None, "refused")] * 2


async def test_a_renewed_token_is_written_down_where_nothing_is_wrong_too(door: Door) -> None:
    await door.gate.listed(None, 1)
    assert door.events() == [("token_renewed", None, "refused")]


async def test_F03_only_who_says_when_to_come_again_is_waited_for(door: Door) -> None:
    busy = Condition.PROVIDER_BUSY
    for failure in (RetryLater(busy), ActionNeeded(Condition.GONE), Broken(Condition.BAD_ANSWER, "")):
        assert await door.gate.heeded(failure) is failure
        assert door.breakers() == {}
    told = RetryLater(busy, 600.0)
    assert await door.gate.heeded(told) is told
    assert door.breakers()[HOST] == Breaker(HOST, BreakerState.OPEN, 0, 0, busy, NOW, NOW + 10 * MINUTE)
    assert door.events() == [("breaker_open", None, "provider_busy")]
    await door.gate.listed(RetryLater(busy, 900.0))
    assert door.breakers()[HOST].probe_at == NOW + 15 * MINUTE


def judged(door: Door, failure: Any, renewals: int = 0) -> ChangeSet:
    return door.store.write_now(lambda tx: door.gate.judge(tx, ONE, failure, renewals))


async def test_a_failure_counts_against_the_one_whose_it_is(door: Door) -> None:
    judged(door, Broken(Condition.BAD_ANSWER, ""))
    assert {subject: each.failures for subject, each in door.breakers().items()} == {LINK: 1}
    judged(door, DOWN, 1)
    assert {subject: each.failures for subject, each in door.breakers().items()} == {LINK: 1, HOST: 1}
    assert door.events() == [("token_renewed", None, "refused")]
    judged(door, RetryLater(Condition.OFFLINE))
    assert {subject: each.failures for subject, each in door.breakers().items()} == {LINK: 1, HOST: 1}
    assert judged(door, None) == ChangeSet()
    assert door.breakers() == {}


async def test_the_failure_that_opens_a_breaker_may_say_until_when(door: Door) -> None:
    door.stands(Breaker(LINK, BreakerState.CLOSED, 4, 0, Condition.BANK_DOWN, NOW, None))
    judged(door, RetryLater(Condition.BANK_DOWN, 7_200.0))
    assert door.breakers()[LINK].probe_at == NOW + 2 * HOUR
    assert door.events() == [("breaker_open", 1, "bank_down")]


async def test_a_try_without_a_network_is_made_again(door: Door) -> None:
    door.stands(replace(OPEN, state=BreakerState.HALF_OPEN))
    judged(door, RetryLater(Condition.OFFLINE))
    assert door.breakers()[HOST] == replace(OPEN, probe_at=NOW + 375 * SECOND)


async def test_F02_after_a_long_outage_those_who_waited_come_in_turn_and_nobody_else(door: Door) -> None:
    door.stands(replace(OPEN, since=NOW - 15 * MINUTE))
    door.fails(TWO, Condition.PROVIDER_DOWN, NOW + 9 * HOUR)
    assert judged(door, None) == ChangeSet.of(Kind.CONNECTIONS, [2])
    assert door.turn(TWO) == (Condition.COMING_BACK, NOW + 15 * MINUTE * 1.25)
    assert door.turn(ONE) == (Condition.OK, None)


async def test_F02_after_a_short_outage_everybody_keeps_its_plan(door: Door) -> None:
    for since in (NOW - 15 * MINUTE + SECOND, None):
        door.stands(replace(OPEN, since=since))
        door.fails(TWO, Condition.PROVIDER_DOWN, NOW + 9 * HOUR)
        assert judged(door, None) == ChangeSet()
        assert door.turn(TWO) == (Condition.PROVIDER_DOWN, NOW + 9 * HOUR)


async def test_F27_once_the_provider_takes_us_again_all_who_were_refused_are_due(door: Door) -> None:
    door.stands(replace(OPEN, reason=Condition.PROVIDER_REFUSES, probe_at=None))
    door.fails(TWO, Condition.PROVIDER_REFUSES, None)
    door.fails(ONE, Condition.BANK_DOWN, NOW + HOUR)
    assert judged(door, None) == ChangeSet.many(Kind.CONNECTIONS)
    assert door.turn(ONE)[1] is None


async def test_while_the_provider_is_still_down_nobodys_turn_comes(door: Door) -> None:
    door.stands(replace(OPEN, state=BreakerState.HALF_OPEN))
    door.fails(TWO, Condition.PROVIDER_DOWN, NOW + 9 * HOUR)
    assert judged(door, DOWN) == ChangeSet()
    assert door.turn(TWO) == (Condition.PROVIDER_DOWN, NOW + 9 * HOUR)


def made(door: Door) -> list[BankCall]:
    return door.store.write_now(lambda tx: calls.recent(tx, ONE, NOW))


async def test_a_read_at_a_bank_is_written_down_by_the_provider_s_clock(door: Door) -> None:
    fresh = remote_connection("1", now=NOW)
    door.aggregator.clock_behind = -HOUR
    assert await door.gate.spend(ONE, fresh, Trigger.PERSON, wanted=True)
    assert await door.gate.spend(ONE, fresh, Trigger.SCHEDULE, wanted=True)
    assert made(door) == [BankCall(NOW - HOUR, attended=True), BankCall(NOW - HOUR, attended=False)]


async def test_a_bank_is_not_read_where_nobody_wants_it_or_nobody_may(door: Door) -> None:
    fresh = remote_connection("1", now=NOW)
    assert await door.gate.spend(ONE, fresh, Trigger.SCHEDULE, wanted=False) is False
    ended = replace(fresh, consent_expires_at=NOW + HOUR)
    door.aggregator.clock_behind = HOUR
    assert await door.gate.spend(ONE, ended, Trigger.SCHEDULE, wanted=True) is False, "over by their clock"
    assert made(door) == []


async def test_a_bank_with_old_data_is_read_unasked_every_six_hours_at_most(door: Door) -> None:
    old = replace(remote_connection("1", now=NOW), data_as_of=NOW - 30 * HOUR)
    assert await door.gate.spend(ONE, old, Trigger.SCHEDULE, wanted=False)
    for trigger in (Trigger.SCHEDULE, Trigger.LINK):
        assert await door.gate.spend(ONE, old, trigger, wanted=False) is False
    assert await door.gate.spend(ONE, old, Trigger.SCHEDULE, wanted=True)
    assert len(made(door)) == 2
