"""Syncs that fail: told with their cause, nothing half kept, right again afterwards."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.changes import Kind
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunCounts, RunResult, Trigger
from obdesk.domain.syncing import Step
from obdesk.storage.writes import connections as connection_writes

if TYPE_CHECKING:
    from tests.flows.town import Town

pytestmark = pytest.mark.anyio


async def test_F09_rows_that_never_stand_still_leave_the_ledger_as_it_was(town: Town) -> None:
    connection = await town.linked()
    account = town.checking(connection)
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


async def test_one_bank_in_trouble_does_not_hold_up_another(town: Town) -> None:
    first, second = await town.linked(), await town.linked()
    account = town.checking(second)
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
    link = town.link_shown(first)
    assert link.next_run_at is not None
    assert link.next_run_at > town.clock.now()
    assert next(run.result for run in link.last_runs) is RunResult.RETRY_LATER
    town.bank.mend()
    assert (await town.sync(first)).condition is Condition.OK
    town.tells_the_truth(first)


@pytest.mark.parametrize("kind", ["unavailable", "server_error"])
async def test_F01_one_fault_on_a_page_is_a_page_read_again_and_no_failed_sync(town: Town, kind: str) -> None:
    connection = await town.linked()
    town.pass_time(3_600)
    town.bank.tell(f"/accounts/{town.checking(connection)}/transactions", count=2)
    town.bank.faults({"route": r"GET .*/transactions\?", "kind": kind, "times": 1})
    outcome = await town.sync(connection)
    assert (outcome.result, outcome.condition) == (RunResult.UPDATED, Condition.OK)
    town.tells_the_truth(connection)


async def test_F29_a_bank_that_wants_its_person_is_told_and_its_figures_stay(town: Town) -> None:
    connection = await town.linked()
    before = town.rows(connection)
    town.pass_time(3_600)
    town.bank.tell(f"/connections/{connection}/state", state="SCARequired")
    outcome = await town.sync(connection)
    assert (outcome.result, outcome.condition) == (RunResult.ACTION_NEEDED, Condition.NEEDS_SCA)
    assert town.rows(connection) == before
    assert town.link_shown(connection).condition is Condition.NEEDS_SCA
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


async def test_F31_a_passing_fault_neither_hides_the_refused_password_nor_tries_it_again(town: Town) -> None:
    connection = await town.linked()
    town.bank.tell(f"/connections/{connection}/state", state="wrongpass")
    await town.sync(connection)
    town.bank.faults({"route": "GET /2.0/.*accounts", "kind": "server_error", "times": 1})
    await town.sync(connection, refresh=True, trigger=Trigger.PERSON)
    assert town.link_shown(connection).condition is Condition.WRONG_PASSWORD
    outcome = await town.sync(connection, refresh=True, trigger=Trigger.PERSON)
    assert outcome.condition is Condition.WRONG_PASSWORD
    assert not [
        each
        for each in town.bank.requests()
        if each.startswith("PUT") and f"/connections/{connection}?" in each
    ]


async def test_F27_a_refused_token_stops_asking_until_the_person_acts(town: Town) -> None:
    connection = await town.linked()
    before = town.rows(connection)
    town.pass_time(5 * 3_600)
    town.bank.faults({"route": "(GET|PUT|POST) /2.0/", "kind": "unauthorized", "times": None})
    outcome = await town.sync(connection)
    assert (outcome.result, outcome.condition) == (RunResult.ACTION_NEEDED, Condition.PROVIDER_REFUSES)
    assert town.rows(connection) == before
    town.pass_time(40 * 86_400)
    assert town.due() == (), "no schedule asks with a token that is refused"
    assert town.link_shown(connection).next_run_at is None
    town.store.write_now(connection_writes.forgive)
    assert len(town.due()) == 1


async def test_F56_offline_leaves_everything_and_plans_the_next_try(town: Town) -> None:
    connection = await town.linked()
    before = town.rows(connection)
    local = town.local_id(connection)
    town.bank.faults({"route": "GET /2.0/", "kind": "reset", "times": None})
    outcome = await town.sync(connection)
    assert outcome.result is RunResult.RETRY_LATER
    assert town.rows(connection) == before
    assert town.due() == ()
    next_run_at = town.link_shown(connection).next_run_at
    assert next_run_at is not None
    assert town.due(next_run_at) == (local,)
    town.bank.mend()
    town.pass_time((next_run_at - town.clock.now()).total_seconds())
    assert (await town.sync(connection)).condition is Condition.OK
    assert town.due() == ()


async def test_F56_a_page_of_a_portal_is_not_an_answer(town: Town) -> None:
    connection = await town.linked()
    before = town.rows(connection)
    town.bank.faults({"route": r"GET .*/transactions\?", "kind": "html", "times": None})
    outcome = await town.sync(connection)
    assert outcome.result in {RunResult.RETRY_LATER, RunResult.BROKEN}
    assert town.rows(connection) == before


@pytest.mark.parametrize("kind", ["truncate", "bad_utf8", "nested", "not_a_number", "foreign_next"])
async def test_an_answer_that_makes_no_sense_is_not_half_kept(town: Town, kind: str) -> None:
    connection = await town.linked()
    account = town.checking(connection)
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
    assert town.due() == ()


async def test_F32_a_link_found_gone_is_told_once(town: Town) -> None:
    connection = await town.linked()
    town.bank.remove(connection)
    assert (await town.discover())[1].touches(Kind.CONNECTIONS)
    assert not (await town.discover())[1]
    assert town.link_shown(connection).condition is Condition.GONE


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


async def test_F33_a_link_removed_while_its_answer_is_about_to_be_kept_keeps_nothing(town: Town) -> None:
    connection = await town.linked()
    local = town.local_id(connection)
    town.bank.tell(f"/accounts/{town.checking(connection)}/transactions", count=3)
    before = {each.id for each in town.shown()}

    def remove(step: Step, _done: int, _total: int | None) -> None:
        if step is Step.SAVING:
            town.store.write_now(lambda tx: connection_writes.close(tx, local, town.clock.now()))

    outcome, changes = await town.engine.sync(local, Trigger.SCHEDULE, refresh_at_bank=False, progress=remove)
    assert (outcome.result, outcome.counts) == (RunResult.CANCELLED, RunCounts())
    assert not changes
    assert {each.id for each in town.shown()} == before


async def test_F01_a_fault_between_the_refresh_and_its_answer_leaves_the_ledger(town: Town) -> None:
    connection = await town.linked()
    before = town.rows(connection)

    def fail(step: Step, _done: int, _total: int | None) -> None:
        if step is Step.READING_CONNECTION:
            town.bank.faults({"route": "GET /2.0/users/me/connections", "kind": "unavailable", "times": None})

    outcome, _ = await town.engine.sync(
        town.local_id(connection), Trigger.PERSON, refresh_at_bank=True, progress=fail
    )
    assert (outcome.result, outcome.asked_bank) == (RunResult.RETRY_LATER, True)
    assert town.rows(connection) == before
    town.bank.mend()
    town.pass_time(3_600)
    assert (await town.sync(connection)).condition is Condition.OK
    town.tells_the_truth(connection)


async def test_F36_a_link_nobody_told_us_of_is_adopted(town: Town) -> None:
    connection = await town.link()
    remotes, change = await town.discover()
    assert list(remotes) == [connection]
    assert change.touches(Kind.CONNECTIONS)
    assert (await town.discover())[1].touched == {}
    assert town.link_shown(connection).condition is not Condition.GONE
