"""What a bank's feed can do to a ledger, failure by failure, over real HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.conditions import Condition
from obdesk.storage.queries import accounts as account_reads
from obdesk.storage.queries import jobs as job_reads
from obdesk.storage.queries import transactions
from obdesk.storage.writes import edits
from obdesk.sync import door
from tests.storage.files import checked
from tests.sync.outcomes import hinted_at

if TYPE_CHECKING:
    from obdesk.domain.entities import TransactionDetail, TransactionRow
    from obdesk.domain.ids import TransactionId
    from tests.flows.town import Town

pytestmark = pytest.mark.anyio
CAFE = {"wording": "CAFE DE LA GARE", "value": "-2.40"}


def noted(town: Town, row: TransactionRow, note: str) -> None:
    town.store.write_now(
        lambda tx: edits.edit_transaction(tx, row.id, note=note, category=None, now=town.clock.now())
    )


def detail(town: Town, transaction_id: TransactionId) -> TransactionDetail:
    found = town.store.read_now(transactions.detail, transaction_id)
    assert found is not None
    return found


def named(town: Town, label: str) -> list[TransactionRow]:
    return [each for each in town.shown() if label in each.label]


async def test_F08_words_nobody_knows_are_kept_as_unknown_and_the_sync_goes_on(town: Town) -> None:
    connection = await town.link()
    await town.discover()
    town.bank.faults({"route": r"GET /2.0/", "kind": "unknown_enums", "times": None})
    outcome = await town.sync(connection)
    assert town.rows(connection).keys() == town.bank.live_rows(connection).keys()
    kinds = {each.kind.value for each in town.store.read_now(account_reads.accounts, town.clock.now())}
    assert kinds == {"other"}
    assert outcome.condition in {Condition.OK, Condition.UNKNOWN_STATE}
    town.bank.mend()
    town.pass_time(60)
    await town.sync(connection)
    town.tells_the_truth(connection)


async def test_F08_a_state_nobody_knows_is_told_and_costs_no_figure(town: Town) -> None:
    connection = await town.linked()
    before = town.rows(connection)
    town.bank.tell(f"/connections/{connection}/state", state="moonPhase", unknown=True)
    outcome = await town.sync(connection)
    assert outcome.condition is Condition.UNKNOWN_STATE
    assert town.link_shown(connection).provider_state == "moonPhase"
    assert town.rows(connection) == before


async def test_F13_a_row_the_bank_withdraws_leaves_lists_and_keeps_its_note(town: Town) -> None:
    connection = await town.linked()
    account = town.checking(connection)
    (told,) = town.bank.tell(f"/accounts/{account}/transactions", rows=[CAFE])["added"]
    await town.sync(connection)
    (row,) = named(town, "CAFE DE LA GARE")
    noted(town, row, "with Ada")
    balance = town.balances(connection)[account]
    town.pass_time(3_600)
    town.bank.tell(f"/transactions/{told}", deleted=True)
    outcome = await town.sync(connection)
    assert outcome.counts.removed == 1
    assert named(town, "CAFE DE LA GARE") == []
    town.tells_the_truth(connection)
    assert town.balances(connection)[account] != balance
    assert any("&all" in each or "?all" in each for each in town.bank.requests() if "/transactions?" in each)
    town.pass_time(3_600)
    town.bank.tell(f"/transactions/{told}", deleted=False)
    await town.sync(connection)
    (again,) = named(town, "CAFE DE LA GARE")
    assert (again.id, detail(town, again.id).note) == (row.id, "with Ada")
    checked(town.store)


async def test_F14_a_withdrawn_row_comes_back_by_a_newer_word_only(town: Town) -> None:
    connection = await town.linked()
    account = town.checking(connection)
    (told,) = town.bank.tell(f"/accounts/{account}/transactions", rows=[CAFE])["added"]
    await town.sync(connection)
    town.pass_time(3_600)
    town.bank.tell(f"/transactions/{told}", deleted=True)
    await town.sync(connection)
    town.pass_time(8 * 86_400)
    await town.sync(connection)
    assert named(town, "CAFE DE LA GARE") == [], "nor does reading everything bring it back"
    town.bank.tell(f"/transactions/{told}", deleted=False)
    await town.sync(connection)
    assert len(named(town, "CAFE DE LA GARE")) == 1
    town.tells_the_truth(connection)


async def test_F18_two_identical_coffees_of_one_day_stay_two(town: Town) -> None:
    connection = await town.linked()
    account = town.checking(connection)
    town.bank.tell(f"/accounts/{account}/transactions", rows=[CAFE, CAFE])
    await town.sync(connection)
    assert len(named(town, "CAFE DE LA GARE")) == 2
    town.pass_time(8 * 86_400)
    town.bank.tell(f"/accounts/{account}/transactions", rows=[CAFE])
    await town.sync(connection)
    assert len(named(town, "CAFE DE LA GARE")) == 3
    town.tells_the_truth(connection)


# Hints: whatever comes, nothing of it enters the ledger; it only says that somebody might look


def hint(town: Town, connection: str) -> None:
    wish = hinted_at(town.local_id(connection), town.clock.now())
    town.store.write_now(lambda tx: door.put(tx, wish))


async def synced_while_wanted(town: Town, connection: str) -> int:
    """Take out and do what is wanted; return how many syncs that were."""
    done = 0
    while True:
        job = town.store.write_now(lambda tx: door.take(tx, [town.local_id(connection)], town.clock.now()))
        if job is None:
            return done
        assert not job.asks_bank, "a hint never lets a bank be asked"
        await town.sync(connection, trigger=job.trigger)
        town.store.write_now(lambda tx, job=job: door.end(tx, job))  # type: ignore[misc]
        done += 1


async def test_F22_a_thousand_hints_are_one_sync(town: Town) -> None:
    connection = await town.linked()
    for _ in range(1_000):
        hint(town, connection)
    assert town.store.read_now(job_reads.queue_state).depth == 1
    assert await synced_while_wanted(town, connection) == 1
    assert town.store.read_now(job_reads.queue_state).depth == 0


async def test_F23_hints_in_any_order_and_days_late_change_nothing_of_the_result(town: Town) -> None:
    connection = await town.linked()
    account = town.checking(connection)
    hint(town, connection)  # comes before what it is about
    town.bank.tell(f"/accounts/{account}/transactions", count=3)
    await synced_while_wanted(town, connection)
    town.tells_the_truth(connection)
    town.pass_time(timedelta(hours=72).total_seconds())
    await town.sync(connection)
    before = town.rows(connection)
    hint(town, connection)  # of three days ago
    await synced_while_wanted(town, connection)
    assert town.rows(connection) == before
    town.tells_the_truth(connection)


async def test_F24_without_any_hint_the_next_sync_by_schedule_finds_it(town: Town) -> None:
    connection = await town.linked()
    account = town.checking(connection)
    town.bank.tell(f"/accounts/{account}/transactions", count=2)
    town.pass_time(4 * 3_600)
    assert town.due() == (town.local_id(connection),), "four hours are the longest it takes"
    await town.sync(connection)
    town.tells_the_truth(connection)


async def test_F25_a_forged_hint_costs_one_read_and_nothing_of_it_is_believed(town: Town) -> None:
    connection = await town.linked()
    before = town.rows(connection)
    asked = len(town.bank.requests())
    for _ in range(50):
        hint(town, connection)
    assert await synced_while_wanted(town, connection) == 1
    assert town.rows(connection) == before
    assert not [each for each in town.bank.requests()[asked:] if each.startswith(("PUT", "POST", "DELETE"))]


async def test_F26_a_link_that_is_heard_of_before_its_login_comes_back_is_there_once(town: Town) -> None:
    connection = await town.link()
    with pytest.raises(KeyError):
        hint(town, connection)  # nothing is known of it: there is nobody to sync
    await town.discover()
    hint(town, connection)
    await town.discover()  # as when the browser comes back
    assert await synced_while_wanted(town, connection) == 1
    town.tells_the_truth(connection)
    assert (await town.discover())[1].touched == {}
