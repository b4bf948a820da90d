"""Whole syncs against the simulated banks over HTTP: right after each, and honest when they fail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.changes import Kind
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import AccountState, RunCounts, RunResult, Trigger
from obdesk.domain.ids import TransactionId
from obdesk.domain.syncing import Step
from obdesk.storage.queries import accounts, connections, transactions
from obdesk.storage.writes import connections as connection_writes
from obdesk.storage.writes import edits
from tests.storage.files import checked

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.entities import Connection, DataProblem
    from tests.flows.town import Town

pytestmark = pytest.mark.anyio
NOTHING_NEW = (RunResult.UNCHANGED, Condition.OK)


def _account(town: Town, connection: str) -> int:
    found = town.bank.live_accounts(connection)
    return int(next(each["id"] for each in found if each["type"] == "checking"))


def _link(town: Town, connection: str) -> Connection:
    from datetime import timedelta

    found = town.store.read_now(connections.connections, town.clock.now(), timedelta(hours=4))
    return next(each for each in found if each.provider_id == connection)


def _due(town: Town, at: datetime | None = None) -> tuple[int, ...]:
    from datetime import timedelta

    return town.store.read_now(connections.due, at or town.clock.now(), timedelta(hours=4))


async def test_the_first_sync_brings_everything_and_the_second_nothing(town: Town) -> None:
    connection = await town.link()
    await town.discover()
    steps: list[Step] = []
    outcome, _ = await town.sync_telling(connection, steps=steps)
    assert outcome.result is RunResult.UPDATED
    assert outcome.counts.new == len(town.bank.live_rows(connection)) > 20
    assert outcome.requests >= 3
    town.tells_the_truth(connection)
    order = list(Step)
    assert steps == sorted(steps, key=order.index)
    assert set(steps) == set(order) - {Step.ASKING_BANK}
    town.clock.advance(60)
    again, changes = await town.sync_telling(connection)
    assert (again.result, again.condition) == NOTHING_NEW
    assert (again.counts.new, again.counts.updated, again.counts.removed) == (0, 0, 0)
    assert not changes.touches(Kind.TRANSACTIONS, Kind.ACCOUNTS, Kind.BALANCES, Kind.PROBLEMS)
    checked(town.store)


async def test_a_delta_reads_less_than_everything_and_is_as_right(town: Town) -> None:
    connection = await town.linked()
    account = _account(town, connection)
    town.pass_time(3 * 86_400)
    town.bank.tell(f"/accounts/{account}/transactions", rows=[{"wording": "NEW COFFEE", "value": "-2.50"}])
    outcome = await town.sync(connection)
    assert outcome.result is RunResult.UPDATED
    assert outcome.counts.new >= 1
    town.tells_the_truth(connection)
    asked = [each for each in town.bank.requests() if "/transactions?" in each]
    assert "last_update=" in asked[-1]
    assert "last_update=" not in asked[0]
    assert all("all" in each and "filter=date" in each for each in asked)


async def test_after_a_week_everything_is_read_again(town: Town) -> None:
    connection = await town.linked()
    town.pass_time(7 * 86_400 + 1)
    await town.sync(connection)
    assert "last_update=" not in [each for each in town.bank.requests() if "/transactions?" in each][-1]
    town.tells_the_truth(connection)


@pytest.mark.parametrize("mode", ["same_id", "new_id"])
async def test_a_pending_row_that_books_is_one_row_and_keeps_its_note(town: Town, mode: str) -> None:
    town.bank.tell("/switches", coming_to_booked=mode)
    connection = await town.linked()
    account = _account(town, connection)
    told = town.bank.tell(
        f"/accounts/{account}/transactions",
        rows=[{"wording": "CARTE LIBRAIRIE DU PORT", "value": "-23.90", "pending": True}],
    )
    await town.sync(connection)
    (ours,) = [each for each in town.shown() if "LIBRAIRIE DU PORT" in each.label]
    assert ours.state.value == "pending"
    town.store.write_now(
        lambda tx: edits.edit_transaction(tx, ours.id, note="a present", category=None, now=town.clock.now())
    )
    town.pass_time(3 * 3_600)
    town.bank.tell(f"/accounts/{account}/book")
    outcome = await town.sync(connection)
    assert outcome.counts.updated >= 1
    (booked,) = [each for each in town.shown() if "LIBRAIRIE DU PORT" in each.label]
    assert (booked.id, booked.state.value, booked.has_note) == (ours.id, "booked", True)
    detail = town.store.read_now(transactions.detail, ours.id)
    assert detail is not None
    assert (len(detail.provider_ids) == 2) == (mode == "new_id")
    assert str(told["added"][-1]) in detail.provider_ids
    town.tells_the_truth(connection)
    again = await town.sync(connection)
    assert again.result is RunResult.UNCHANGED
    checked(town.store)


async def test_rows_that_the_bank_corrects_withdraws_and_brings_back(town: Town) -> None:
    connection = await town.linked()
    first, second = sorted(town.bank.live_rows(connection))[:2]
    town.pass_time(3 * 3_600)
    town.bank.tell(f"/transactions/{first}", wording="CORRECTED", value="-12.34")
    town.bank.tell(f"/transactions/{second}", deleted=True)
    outcome = await town.sync(connection)
    assert (outcome.counts.updated, outcome.counts.removed) == (1, 1)
    town.tells_the_truth(connection)
    town.pass_time(3 * 3_600)
    town.bank.tell(f"/transactions/{second}", deleted=False)
    outcome = await town.sync(connection)
    assert (outcome.counts.updated, outcome.counts.removed, outcome.counts.new) == (1, 0, 0)
    town.tells_the_truth(connection)
    checked(town.store)


async def test_F09_rows_that_move_while_pages_are_read(town: Town) -> None:
    connection = await town.link()
    account = _account(town, connection)
    town.bank.tell(f"/accounts/{account}/transactions", count=1_500)
    await town.discover()
    town.bank.faults({"route": r"GET .*/transactions\?", "kind": "page_shift"})
    outcome = await town.sync(connection)
    assert outcome.result is RunResult.UPDATED
    assert town.rows(connection) == town.bank.live_rows(connection)
    asked = [each for each in town.bank.requests() if "/transactions?" in each]
    assert len([each for each in asked if "cursor" not in each]) == 2, "it was read again from the start"


async def test_F09_rows_that_never_stand_still_leave_the_ledger_as_it_was(town: Town) -> None:
    connection = await town.linked()
    account = _account(town, connection)
    before = town.rows(connection)
    town.pass_time(8 * 86_400)
    town.bank.tell(f"/accounts/{account}/transactions", count=1_500)
    town.bank.faults({"route": r"GET .*/transactions\?", "kind": "page_shift", "times": None})
    outcome = await town.sync(connection)
    assert (outcome.result, outcome.condition) == (RunResult.BROKEN, Condition.BAD_ANSWER)
    assert town.rows(connection) == before
    town.bank.mend()
    await town.sync(connection)
    town.tells_the_truth(connection)


async def test_F10_rows_that_come_twice_are_kept_once(town: Town) -> None:
    connection = await town.link()
    await town.discover()
    town.bank.faults({"route": r"GET .*/transactions\?", "kind": "duplicate_rows", "times": None})
    await town.sync(connection)
    town.tells_the_truth(connection)
    checked(town.store)


async def test_one_odd_row_becomes_a_problem_and_heals(town: Town) -> None:
    connection = await town.link()
    await town.discover()
    town.bank.faults({"route": r"GET .*/transactions\?", "kind": "bad_row"})
    outcome = await town.sync(connection)
    assert outcome.counts.problems >= 1
    (problem, *_) = _problems(town)
    assert problem.connection_id == town.local_id(connection)
    assert len(town.rows(connection)) >= len(town.bank.live_rows(connection)) - 1
    town.pass_time(60)
    outcome = await town.sync(connection)
    town.tells_the_truth(connection)
    assert [each for each in _problems(town) if each.subject] == []


def _problems(town: Town) -> tuple[DataProblem, ...]:
    return town.store.read_now(connections.problems, 50)


async def test_one_bank_in_trouble_does_not_hold_up_another(town: Town) -> None:
    first, second = await town.linked(), await town.linked()
    account = _account(town, second)
    town.pass_time(3_600)
    town.bank.tell(f"/accounts/{account}/transactions", count=2)
    town.bank.faults(
        {"route": rf"GET .*/connections/{first}/accounts", "kind": "server_error", "times": None}
    )
    before = town.rows(first)
    failed, well = await asyncio.gather(town.sync(first), town.sync(second))
    assert (failed.result, failed.condition) == (RunResult.RETRY_LATER, Condition.PROVIDER_FAULT)
    assert well.result is RunResult.UPDATED
    assert town.rows(first) == before
    town.tells_the_truth(second)
    link = _link(town, first)
    assert link.next_run_at is not None
    assert link.next_run_at > town.clock.now()
    assert next(run.result for run in link.last_runs) is RunResult.RETRY_LATER
    town.bank.mend()
    assert (await town.sync(first)).condition is Condition.OK
    town.tells_the_truth(first)


async def test_a_bank_that_wants_its_person_is_told_and_its_figures_stay(town: Town) -> None:
    connection = await town.linked()
    before = town.rows(connection)
    town.pass_time(3_600)
    town.bank.tell(f"/connections/{connection}/state", state="SCARequired")
    outcome = await town.sync(connection)
    assert (outcome.result, outcome.condition) == (RunResult.ACTION_NEEDED, Condition.NEEDS_SCA)
    assert town.rows(connection) == before
    assert _link(town, connection).condition is Condition.NEEDS_SCA
    town.bank.tell(f"/connections/{connection}/state", state=None)
    outcome = await town.sync(connection)
    assert outcome.condition is Condition.OK
    town.tells_the_truth(connection)


async def test_F31_a_refused_password_is_never_tried_again_even_by_a_refresh(town: Town) -> None:
    connection = await town.linked()
    town.bank.tell(f"/connections/{connection}/state", state="wrongpass")
    outcome = await town.sync(connection)
    assert outcome.condition is Condition.WRONG_PASSWORD
    for trigger in (Trigger.PERSON, Trigger.SCHEDULE):
        outcome = await town.sync(connection, refresh=True, trigger=trigger)
        assert (outcome.result, outcome.condition) == (RunResult.ACTION_NEEDED, Condition.WRONG_PASSWORD)
    assert [each for each in town.bank.requests() if each.startswith("PUT /2.0/users/me/connections/1")] == []
    assert not [
        each
        for each in town.bank.requests()
        if each.startswith("PUT") and f"/connections/{connection}?" in each
    ]


async def test_a_refresh_asks_the_bank_and_says_whether_the_person_is_there(town: Town) -> None:
    connection = await town.linked()
    town.pass_time(3_600)
    steps: list[Step] = []
    await town.sync_telling(connection, refresh=True, trigger=Trigger.PERSON, steps=steps)
    assert steps[0] is Step.ASKING_BANK
    await town.sync(connection, refresh=True, trigger=Trigger.SCHEDULE)
    asked = [each for each in town.bank.requests() if f"/connections/{connection}?psu" in each]
    assert ["psu_requested=true" in each for each in asked] == [True, False]
    town.tells_the_truth(connection)


async def test_F27_a_refused_token_stops_asking_until_the_person_acts(town: Town) -> None:
    connection = await town.linked()
    before = town.rows(connection)
    town.pass_time(5 * 3_600)
    town.bank.faults({"route": "(GET|PUT|POST) /2.0/", "kind": "unauthorized", "times": None})
    outcome = await town.sync(connection)
    assert (outcome.result, outcome.condition) == (RunResult.ACTION_NEEDED, Condition.PROVIDER_REFUSES)
    assert town.rows(connection) == before
    town.pass_time(40 * 86_400)
    assert _due(town) == (), "no schedule asks with a token that is refused"
    assert _link(town, connection).next_run_at is None
    town.store.write_now(connection_writes.forgive)
    assert len(_due(town)) == 1


async def test_offline_leaves_everything_and_plans_the_next_try(town: Town) -> None:
    connection = await town.linked()
    before = town.rows(connection)
    local = town.local_id(connection)
    town.bank.faults({"route": "GET /2.0/", "kind": "reset", "times": None})
    outcome = await town.sync(connection)
    assert outcome.result is RunResult.RETRY_LATER
    assert town.rows(connection) == before
    assert _due(town) == ()
    next_run_at = _link(town, connection).next_run_at
    assert next_run_at is not None
    assert _due(town, next_run_at) == (local,)
    town.bank.mend()
    town.pass_time((next_run_at - town.clock.now()).total_seconds())
    assert (await town.sync(connection)).condition is Condition.OK
    assert _due(town) == ()


async def test_a_page_of_a_portal_is_not_an_answer(town: Town) -> None:
    connection = await town.linked()
    before = town.rows(connection)
    town.bank.faults({"route": r"GET .*/transactions\?", "kind": "html", "times": None})
    outcome = await town.sync(connection)
    assert outcome.result in {RunResult.RETRY_LATER, RunResult.BROKEN}
    assert town.rows(connection) == before


@pytest.mark.parametrize("kind", ["truncate", "bad_utf8", "nested", "not_a_number", "foreign_next"])
async def test_an_answer_that_makes_no_sense_is_not_half_kept(town: Town, kind: str) -> None:
    connection = await town.linked()
    account = _account(town, connection)
    before = town.rows(connection)
    town.pass_time(8 * 86_400)
    town.bank.tell(f"/accounts/{account}/transactions", count=1_500)
    town.bank.faults({"route": r"GET .*/transactions\?", "kind": kind, "times": None})
    outcome = await town.sync(connection)
    if outcome.counts == RunCounts():
        assert town.rows(connection) == before
    town.bank.mend()
    town.pass_time(60)
    await town.sync(connection)
    town.tells_the_truth(connection)


async def test_an_account_that_vanishes_keeps_its_history_and_counts_no_more(town: Town) -> None:
    connection = await town.linked()
    account = _account(town, connection)
    count = len(town.shown())
    town.pass_time(3_600)
    town.bank.tell(f"/accounts/{account}/vanish")
    await town.sync(connection)
    shown = {each.provider_id: each for each in town.store.read_now(accounts.accounts, town.clock.now())}
    assert shown[str(account)].state is AccountState.GONE
    assert not shown[str(account)].in_net_worth
    assert len(town.shown()) >= count
    town.tells_the_truth(connection)


async def test_F20_an_account_whose_currency_changed_is_read_anew(town: Town) -> None:
    connection = await town.linked()
    account = _account(town, connection)
    for row in town.bank.live_rows(connection).keys() & _rows_of(town, connection, account):
        town.bank.tell(f"/transactions/{row}", value="-12")
    await town.sync(connection)
    town.bank.tell(f"/accounts/{account}/facts", currency="JPY")
    town.pass_time(60)
    outcome = await town.sync(connection)
    assert outcome.counts.problems == 0
    town.tells_the_truth(connection)
    asked = [each for each in town.bank.requests() if "/transactions?" in each]
    assert ["last_update=" in each for each in asked] == [False, True, False], (
        "amounts mean something else now"
    )


def _rows_of(town: Town, connection: str, account: int) -> set[int]:
    found = next(each for each in town.bank.live_accounts(connection) if each["id"] == account)
    return {row["id"] for row in found["transactions"]}


async def test_F32_a_link_that_the_aggregator_dropped_is_gone_and_keeps_its_history(town: Town) -> None:
    connection = await town.linked()
    count = len(town.shown())
    town.bank.remove(connection)
    outcome = await town.sync(connection)
    assert (outcome.result, outcome.condition) == (RunResult.ACTION_NEEDED, Condition.GONE)
    assert len(town.shown()) == count
    _, change = await town.discover()
    assert not change, "that it is gone is told once"
    town.pass_time(100 * 86_400)
    assert _due(town) == ()


async def test_a_link_found_gone_is_told_once(town: Town) -> None:
    connection = await town.linked()
    town.bank.remove(connection)
    assert (await town.discover())[1].touches(Kind.CONNECTIONS)
    assert not (await town.discover())[1]
    assert _link(town, connection).condition is Condition.GONE


async def test_F33_a_link_removed_by_the_person_is_not_brought_back_by_a_late_list(town: Town) -> None:
    connection = await town.linked()
    town.store.write_now(lambda tx: connection_writes.close(tx, town.local_id(connection), town.clock.now()))
    _, change = await town.discover()
    assert not change
    outcome, changes = await town.sync_telling(connection)
    assert outcome.result is RunResult.CANCELLED
    assert not changes
    town.bank.remove(connection)
    _, change = await town.discover()
    assert not change, "nor is its end told to who ended it"


async def test_F36_a_link_nobody_told_us_of_is_adopted(town: Town) -> None:
    connection = await town.link()
    remotes, change = await town.discover()
    assert list(remotes) == [connection]
    assert change.touches(Kind.CONNECTIONS)
    assert (await town.discover())[1].touched == {}
    assert _link(town, connection).condition is not Condition.GONE


async def test_a_note_is_where_it_was_after_a_year_of_syncs(town: Town) -> None:
    connection = await town.linked()
    town.store.write_now(
        lambda tx: edits.edit_transaction(
            tx, TransactionId(3), note="mine", category="x", now=town.clock.now()
        )
    )
    for days in (1, 6, 8, 30, 120):
        town.pass_time(days * 86_400)
        await town.sync(connection)
        detail = town.store.read_now(transactions.detail, TransactionId(3))
        assert detail is not None
        assert (detail.note, detail.row.category) == ("mine", "x")
    town.tells_the_truth(connection)
