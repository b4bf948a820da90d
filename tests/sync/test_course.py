"""The course of one sync to the letter: what is asked in which order, what is told, and what is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunCounts, RunResult, Trigger
from obdesk.domain.money import Currency
from obdesk.domain.outcomes import PAGE_SHIFT, ActionNeeded, Broken, Fetched, RetryLater
from obdesk.domain.syncing import Step, SyncKind, SyncOutcome
from obdesk.storage.queries.limits import breakers
from obdesk.storage.writes import connections
from tests.seed import NOW, USD, SeedPage, remote_account, remote_connection, row
from tests.sync.bench import LINK

if TYPE_CHECKING:
    from tests.sync.bench import Bench

pytestmark = pytest.mark.anyio
DOWN = RetryLater(Condition.PROVIDER_DOWN, provider_code="503")
SHIFT = Broken(Condition.PROVIDER_FAULT, PAGE_SHIFT)
LISTED, READ, ASKED = ("list", True), "accounts 311", ("refresh", "311")
OLDEST = date(1990, 1, 1)


def ms(away_s: float) -> int:
    return int((NOW.timestamp() + away_s) * 1_000)


async def test_the_first_sync_to_the_letter(bench: Bench) -> None:
    outcome, changes = await bench.sync(Trigger.START, attempt=3)
    assert outcome == SyncOutcome(
        LINK, "Banque du Port", Trigger.START, RunResult.UPDATED, Condition.OK, RunCounts(new=1), 3, NOW, 3.0,
        "", SyncKind.FULL, 3, asked_bank=False,
    )  # fmt: skip
    assert bench.aggregator.asked == [LISTED, READ, ("311", None, OLDEST)]
    assert bench.steps == [
        (Step.READING_CONNECTION, 0, None),
        (Step.READING_ACCOUNTS, 0, None),
        (Step.READING_TRANSACTIONS, 0, None),
        (Step.READING_TRANSACTIONS, 1, 1),
        (Step.SAVING, 0, None),
        (Step.SAVING, 1, 1),
    ]
    assert bench.runs() == [("updated", "", "full", 3, 0, 3)]
    assert bench.link("cursor", "asked_at", "full_sync_at") == ("None+2026-11-24 05:11:58", ms(0), ms(0))
    for kind in (Kind.CONNECTIONS, Kind.ACCOUNTS, Kind.BALANCES, Kind.TRANSACTIONS, Kind.RUNS):
        assert changes.touches(kind)


async def test_a_later_sync_reads_from_where_the_last_one_ended(bench: Bench) -> None:
    await bench.sync()
    outcome, changes = await bench.sync()
    assert (outcome.result, outcome.kind, outcome.requests) == (RunResult.UNCHANGED, SyncKind.DELTA, 3)
    assert outcome.started_at == NOW + timedelta(seconds=3)
    assert bench.aggregator.asked[-1] == ("311", "None+2026-11-24 05:11:58", OLDEST)
    assert changes == ChangeSet.of(Kind.CONNECTIONS, [1]).merge(ChangeSet.of(Kind.RUNS, [2]))
    assert bench.link("asked_at", "full_sync_at") == (ms(3), ms(0))


async def test_who_asks_for_a_comparison_gets_one(bench: Bench) -> None:
    await bench.sync()
    outcome, _ = await bench.sync(kind=SyncKind.RECONCILE)
    assert outcome.kind is SyncKind.RECONCILE
    assert bench.aggregator.asked[-1] == ("311", None, OLDEST)
    assert bench.link("full_sync_at") == (ms(3),)


async def test_only_a_comparison_mends_what_differs_from_what_the_bank_says_unchanged(bench: Bench) -> None:
    def label() -> str:
        text = "SELECT label FROM transactions"
        return str(bench.store.read_now(lambda opened: opened.execute(text).fetchone()[0]))

    await bench.sync(kind=SyncKind.FULL)
    told = label()
    bench.store.write_now(lambda tx: tx.execute("UPDATE transactions SET label = 'BROKEN'"))
    await bench.sync(kind=SyncKind.FULL)
    assert label() == "BROKEN"
    await bench.sync(kind=SyncKind.RECONCILE)
    assert label() == told


async def test_a_bank_is_asked_first_and_its_answer_read_after(bench: Bench) -> None:
    outcome, _ = await bench.sync(Trigger.PERSON, refresh=True)
    assert bench.aggregator.asked == [LISTED, ASKED, True, LISTED, READ, ("311", None, OLDEST)]
    assert [step for step, *_ in bench.steps][:3] == [
        Step.ASKING_BANK,
        Step.READING_CONNECTION,
        Step.READING_ACCOUNTS,
    ]
    assert bench.steps[0] == (Step.ASKING_BANK, 0, None)
    assert outcome.asked_bank
    assert bench.link("asked_at") == (ms(2),), "what came is as of the answer of the bank"
    outcome, _ = await bench.sync(Trigger.LINK, refresh=True)
    assert bench.aggregator.asked[1:3] == [ASKED, False]
    assert bench.runs()[1][4] == 1


@pytest.mark.parametrize(
    ("told", "goes_on"),
    [
        (ActionNeeded(Condition.NEEDS_SCA), True),
        (RetryLater(Condition.BANK_DOWN), True),
        (Broken(Condition.BANK_THROTTLES, ""), True),
        (RetryLater(Condition.PROVIDER_FAULT), False),
        (Broken(Condition.BAD_ANSWER, "odd"), False),
        (RetryLater(Condition.PROVIDER_BUSY, 60.0), False),
    ],
)
async def test_what_a_refresh_brought_decides_whether_the_rest_is_read(
    bench: Bench, told: Any, *, goes_on: bool
) -> None:
    bench.aggregator.refreshed = told
    outcome, _ = await bench.sync(Trigger.PERSON, refresh=True)
    assert (READ in bench.aggregator.asked) is goes_on
    is_told = not goes_on or isinstance(told, ActionNeeded)
    assert outcome.condition is (told.condition if is_told else Condition.OK)
    assert outcome.asked_bank


@pytest.mark.parametrize(
    ("failure", "result", "detail", "wait_s"),
    [
        (ActionNeeded(Condition.PROVIDER_REFUSES, "401"), RunResult.ACTION_NEEDED, "401", None),
        (DOWN, RunResult.RETRY_LATER, "503", 120),
        (RetryLater(Condition.BANK_DOWN, 77.0), RunResult.RETRY_LATER, "", 77),
        (Broken(Condition.BAD_ANSWER, "odd"), RunResult.BROKEN, "odd", 120),
    ],
)
@pytest.mark.parametrize("where", ["list", "accounts", "rows", "after the refresh"])
async def test_a_failure_anywhere_is_told_and_kept_and_changes_no_row(
    bench: Bench, where: str, failure: Any, result: RunResult, detail: str, wait_s: float | None
) -> None:
    aggregator = bench.aggregator
    if where == "list":
        aggregator.links = [failure]
    elif where == "accounts":
        aggregator.told = failure
    elif where == "rows":
        aggregator.answers = [[SeedPage((row(1),)), failure, SeedPage((row(2),))]]
    else:
        aggregator.links = [Fetched((remote_connection(),)), failure]
    outcome, changes = await bench.sync(Trigger.PERSON, refresh=where == "after the refresh")
    assert (outcome.result, outcome.condition, outcome.detail) == (result, failure.condition, detail)
    assert outcome.counts == RunCounts()
    assert changes == ChangeSet.of(Kind.CONNECTIONS, [1]).merge(ChangeSet.of(Kind.RUNS, [1]))
    assert bench.runs()[0][:2] == (result.value, detail)
    ended = (bench.clock.now() - NOW).total_seconds()
    retry = None if wait_s is None else ms(ended + wait_s)
    assert bench.link("condition", "failures", "retry_at") == (failure.condition.value, 1, retry)
    assert bench.store.read_now(
        lambda opened: opened.execute("SELECT count(*) FROM transactions").fetchone()
    ) == (0,)


async def test_each_failure_in_a_row_waits_longer(bench: Bench) -> None:
    bench.aggregator.told = RetryLater(Condition.BANK_DOWN)
    waits = []
    for _ in range(3):
        await bench.sync()
        waits.append((bench.link("retry_at")[0] - ms((bench.clock.now() - NOW).total_seconds())) / 1_000)
    assert waits == [120, 240, 480]


async def test_a_sync_that_was_held_asked_nobody_and_is_no_failure(bench: Bench) -> None:
    bench.aggregator.told = RetryLater(Condition.BANK_DOWN)
    for _ in range(5):
        await bench.sync()
    before = bench.link("failures")
    known = bench.store.read_now(breakers)
    outcome, changes = await bench.sync()
    assert (outcome.result, outcome.requests, bench.aggregator.asked) == (RunResult.RETRY_LATER, 0, [])
    assert bench.link("failures") == before == (5,)
    assert bench.store.read_now(breakers) == known
    assert changes == ChangeSet.of(Kind.CONNECTIONS, [1]).merge(ChangeSet.of(Kind.RUNS, [6]))
    assert known[0].probe_at is not None
    assert bench.link("retry_at") == (int(known[0].probe_at.timestamp() * 1_000) + 300_000,)


async def test_a_passing_fault_does_not_hide_what_the_person_has_to_do(bench: Bench) -> None:
    bench.aggregator.told = ActionNeeded(Condition.WRONG_PASSWORD)
    await bench.sync()
    bench.aggregator.told = DOWN
    await bench.sync()
    assert bench.link("condition") == ("wrong_password",)
    bench.aggregator.told = ActionNeeded(Condition.NEEDS_SCA)
    await bench.sync()
    assert bench.link("condition") == ("needs_sca",)


async def test_a_link_that_the_list_lacks_is_gone(bench: Bench) -> None:
    bench.aggregator.links = [Fetched((remote_connection("310"),))]
    outcome, _ = await bench.sync()
    assert (outcome.result, outcome.condition) == (RunResult.ACTION_NEEDED, Condition.GONE)
    assert bench.aggregator.asked == [LISTED]


async def test_F09_rows_that_move_are_read_three_times_at_most(bench: Bench) -> None:
    bench.aggregator.answers = [[SHIFT], [SHIFT]]
    outcome, _ = await bench.sync()
    assert (outcome.result, outcome.counts.new, len(bench.aggregator.asked)) == (RunResult.UPDATED, 1, 5)
    bench.aggregator.answers = [[SHIFT], [SHIFT], [SHIFT], [SHIFT]]
    outcome, _ = await bench.sync()
    assert (outcome.result, outcome.detail, len(bench.aggregator.asked)) == (RunResult.BROKEN, PAGE_SHIFT, 5)
    bench.aggregator.answers = [[Broken(Condition.BAD_ANSWER, "odd")]]
    await bench.sync()
    assert len(bench.aggregator.asked) == 3, "only what moved is read again"


async def test_how_far_reading_has_come_is_told_page_by_page(bench: Bench) -> None:
    pages = [
        SeedPage((row(number),), total) for number, total in ((1, 2_500), (2, 2_500), (3, 2_500), (4, None))
    ]
    bench.aggregator.answers = [pages]
    await bench.sync()
    assert [step for step in bench.steps if step[0] is Step.READING_TRANSACTIONS] == [
        (Step.READING_TRANSACTIONS, 0, None),
        (Step.READING_TRANSACTIONS, 1_000, 2_500),
        (Step.READING_TRANSACTIONS, 2_000, 2_500),
        (Step.READING_TRANSACTIONS, 2_500, 2_500),
        (Step.READING_TRANSACTIONS, 4_000, None),
    ]


async def test_a_delta_that_is_a_riddle_is_followed_by_a_comparison(bench: Bench) -> None:
    await bench.sync()
    twin = row(9, updated="2026-11-25 05:00:00")
    bench.aggregator.answers = [[SeedPage((twin,))], [SeedPage((row(1), twin))]]
    outcome, _ = await bench.sync(Trigger.PERSON, refresh=True, attempt=2)
    assert (outcome.kind, outcome.trigger, outcome.attempt) == (SyncKind.RECONCILE, Trigger.PERSON, 2)
    assert (outcome.counts.new, outcome.asked_bank, outcome.requests) == (1, True, 8)
    assert bench.aggregator.asked.count(ASKED) == 1, "the bank is asked once"
    assert len(bench.runs()) == 2


async def test_F09_a_list_that_moved_without_a_trace_is_read_again_and_then_believed(bench: Bench) -> None:
    rows = tuple(row(number, on=f"2026-11-1{number}", label=f"SHOP {number}") for number in range(1, 6))
    moved = SeedPage((*rows[:2], rows[1], *rows[3:]))
    bench.aggregator.answers = [[SeedPage(rows)], [moved], [moved]]
    await bench.sync()
    outcome, _ = await bench.sync(kind=SyncKind.RECONCILE)
    assert (outcome.counts.removed, outcome.requests, outcome.kind) == (1, 6, SyncKind.RECONCILE)
    assert not bench.aggregator.answers


async def test_which_rows_came_new_is_kept_with_the_run_and_nothing_where_none_did(bench: Bench) -> None:
    for _ in range(2):
        await bench.sync()
    text = "SELECT added_from, added_to, cursor_before FROM runs ORDER BY id"
    kept = bench.store.read_now(lambda opened: list(opened.execute(text)))
    assert kept == [(1, 1, None), (None, None, "None+2026-11-24 05:11:58")]


async def test_F20_an_account_of_another_currency_is_read_anew_and_so_is_a_new_one(bench: Bench) -> None:
    def reads_everything() -> bool:
        return bench.aggregator.asked[-1][1] is None

    await bench.sync()
    bench.aggregator.told = Fetched((remote_account(), remote_account(1802, "two", currency=USD)))
    outcome, _ = await bench.sync()
    assert outcome.kind is SyncKind.RECONCILE
    assert reads_everything()
    again, _ = await bench.sync()
    assert again.kind is SyncKind.DELTA
    assert not reads_everything()
    yen = replace(USD, code="JPY", exponent=0)
    bench.aggregator.told = Fetched((remote_account(), remote_account(1802, "two", currency=yen)))
    await bench.sync()
    assert reads_everything()
    untold = Currency.of("XXX")
    bench.aggregator.told = Fetched((remote_account(), remote_account(1802, "two", currency=untold)))
    await bench.sync()
    assert not reads_everything(), "what is not told is no other currency"


async def test_F33_a_link_removed_while_it_is_read_keeps_nothing(bench: Bench) -> None:
    bench.store.write_now(lambda tx: connections.close(tx, LINK, NOW))
    outcome, changes = await bench.sync()
    assert (outcome.result, outcome.condition) == (RunResult.CANCELLED, Condition.OK)
    assert (changes, bench.runs()) == (ChangeSet(), [])
    bench.aggregator.told = DOWN
    outcome, changes = await bench.sync()
    assert (outcome.result, changes, bench.runs()) == (RunResult.RETRY_LATER, ChangeSet(), [])
    assert [each.subject for each in bench.store.read_now(breakers)] == ["host:acme.biapi.pro"]


async def test_F32_a_link_that_went_is_told_where_none_came(bench: Bench) -> None:
    bench.aggregator.links = [Fetched(())]
    gone = ChangeSet.of(Kind.CONNECTIONS, [1]).merge(ChangeSet.many(Kind.ACCOUNTS))
    assert await discovered(bench) == ({}, gone)
    assert bench.link("condition") == ("gone",)


async def test_links_that_came_or_went_are_named(bench: Bench) -> None:
    aggregator = bench.aggregator
    aggregator.links = [Fetched((remote_connection("312"), remote_connection("313")))]
    remotes, changes = await discovered(bench)
    assert sorted(remotes) == ["312", "313"]
    assert changes == ChangeSet.of(Kind.CONNECTIONS, [1, 2, 3]).merge(ChangeSet.many(Kind.ACCOUNTS))
    assert bench.link("condition") == ("gone",)
    assert aggregator.asked == [("list", True)]
    aggregator.links = [Fetched((remote_connection("312"), remote_connection("313")))]
    assert (await discovered(bench))[1] == ChangeSet(), "gone is told once"
    aggregator.links = [Fetched((remote_connection(), remote_connection("312"), remote_connection("313")))]
    assert (await discovered(bench))[1] == ChangeSet.of(Kind.CONNECTIONS, [1])
    assert bench.link("condition") == ("ok",)
    aggregator.links = [DOWN]
    assert await bench.engine.discover() is DOWN
    assert bench.store.read_now(breakers)[0].failures == 1


async def test_F33_what_the_person_removed_is_not_brought_back_by_a_list(bench: Bench) -> None:
    bench.store.write_now(lambda tx: connections.close(tx, LINK, NOW))
    assert (await discovered(bench))[1] == ChangeSet.of(Kind.CONNECTIONS, [2]), "310 is new"
    assert bench.aggregator.asked == [("list", False)], "of what was removed the aggregator knows nothing"
    assert (await discovered(bench))[1] == ChangeSet()


@pytest.mark.parametrize("answer", [DOWN, Fetched((remote_connection(),))])
async def test_a_token_that_had_to_be_renewed_is_written_down_whatever_came_of_it(
    bench: Bench, answer: Any
) -> None:
    bench.aggregator.renews = True
    bench.aggregator.links = [answer, answer]
    await bench.engine.discover()
    assert bench.events() == [("token_renewed", "refused")]
    await bench.sync()
    assert bench.events() == [("token_renewed", "refused")] * 2


async def test_an_answer_that_says_the_provider_is_well_forgets_its_failures(bench: Bench) -> None:
    bench.aggregator.links = [DOWN]
    await bench.engine.discover()
    assert len(bench.store.read_now(breakers)) == 1
    bench.aggregator.links = [Fetched((remote_connection(),))]
    await discovered(bench)
    assert bench.store.read_now(breakers) == ()


async def discovered(bench: Bench) -> tuple[dict[str, Any], ChangeSet]:
    bench.aggregator.asked.clear()
    found = await bench.engine.discover()
    assert isinstance(found, tuple)
    return found


async def test_F09_a_row_stamped_behind_what_deltas_look_back_to_comes_within_a_week(bench: Bench) -> None:
    await bench.sync()
    for _ in range(6 * 7 - 1):
        bench.clock.advance(4 * 3_600)
        assert (await bench.sync())[0].kind is SyncKind.DELTA
    bench.clock.advance(4 * 3_600)
    late = row(2, on="2026-11-20", label="LATE", updated="2026-11-20 05:00:00")
    bench.aggregator.answers = [[SeedPage((row(1), late), 2)]]
    outcome, _ = await bench.sync()
    assert (outcome.kind, outcome.counts.new) == (SyncKind.RECONCILE, 1)
    assert bench.aggregator.asked[-1] == ("311", None, OLDEST)
