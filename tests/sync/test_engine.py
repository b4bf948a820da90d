"""Whole syncs against the simulated banks over HTTP: right after each, and honest when they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.changes import Kind
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import AccountState, RunResult, Trigger
from obdesk.domain.ids import TransactionId
from obdesk.domain.remote import PageRows
from obdesk.domain.syncing import Step, SyncKind
from obdesk.storage.queries import accounts, commits, transactions
from obdesk.storage.writes import edits
from obdesk.sync.engine import Engine
from tests.storage.files import checked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.flows.town import Town

pytestmark = pytest.mark.anyio
NOTHING_NEW = (RunResult.UNCHANGED, Condition.OK)


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
    account = town.checking(connection)
    town.pass_time(3 * 86_400)
    town.bank.tell(f"/accounts/{account}/transactions", rows=[{"wording": "NEW COFFEE", "value": "-2.50"}])
    outcome = await town.sync(connection)
    assert (outcome.result, outcome.kind) == (RunResult.UPDATED, SyncKind.DELTA)
    assert outcome.counts.new >= 1
    town.tells_the_truth(connection)
    asked = [each for each in town.bank.requests() if "/transactions?" in each]
    assert "last_update=" in asked[-1]
    assert "last_update=" not in asked[0]
    assert all("all" in each and "filter=date" in each for each in asked)


async def test_after_a_week_everything_is_read_again(town: Town) -> None:
    connection = await town.linked()
    town.pass_time(7 * 86_400 + 1)
    outcome = await town.sync(connection)
    assert outcome.kind is SyncKind.RECONCILE
    assert "last_update=" not in [each for each in town.bank.requests() if "/transactions?" in each][-1]
    town.tells_the_truth(connection)


@pytest.mark.parametrize("mode", ["same_id", "new_id"])
async def test_F17_a_pending_row_that_books_is_one_row_and_keeps_its_note(town: Town, mode: str) -> None:
    town.bank.tell("/switches", coming_to_booked=mode)
    connection = await town.linked()
    account = town.checking(connection)
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


async def test_what_differs_here_from_an_unchanged_bank_is_found_and_mended_by_comparing(town: Town) -> None:
    connection = await town.linked()
    town.pass_time(7 * 86_400 + 1)
    await town.sync(connection)
    town.store.write_now(
        lambda tx: tx.execute("UPDATE transactions SET amount_minor = 1, label = 'BROKEN' WHERE id = 3")
    )
    town.pass_time(60)
    await town.sync(connection)
    assert "BROKEN" in {each.label for each in town.shown()}, "what has not moved is not read each time"
    town.pass_time(7 * 86_400 + 1)
    outcome = await town.sync(connection)
    assert outcome.kind is SyncKind.RECONCILE
    town.tells_the_truth(connection)
    commit = town.store.read_now(commits.commits, None, 1)[0]
    assert commit.mended >= 1
    assert commit.compared > commit.mended


async def test_F09_rows_that_move_while_pages_are_read(town: Town) -> None:
    connection = await town.link()
    account = town.checking(connection)
    town.bank.tell(f"/accounts/{account}/transactions", count=1_500)
    await town.discover()
    town.bank.faults({"route": r"GET .*/transactions\?", "kind": "page_shift"})
    outcome = await town.sync(connection)
    assert outcome.result is RunResult.UPDATED
    assert town.rows(connection) == town.bank.live_rows(connection)
    asked = [each for each in town.bank.requests() if "/transactions?" in each]
    assert len([each for each in asked if "cursor" not in each]) == 2, "it was read again from the start"


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
    (problem, *_) = town.problems()
    assert problem.connection_id == town.local_id(connection)
    assert len(town.rows(connection)) >= len(town.bank.live_rows(connection)) - 1
    town.pass_time(60)
    outcome = await town.sync(connection)
    town.tells_the_truth(connection)
    assert [each for each in town.problems() if each.subject] == []


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


async def test_an_account_that_vanishes_keeps_its_history_and_counts_no_more(town: Town) -> None:
    connection = await town.linked()
    account = town.checking(connection)
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
    account = town.checking(connection)
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


class Slips:
    """A provider whose list moves once while it is read: a row comes twice and another not at all."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self.read = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    async def transactions(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        self.read += 1
        async for page in self._provider.transactions(*args, **kwargs):
            yield SlippedPage(page) if self.read == 1 else page


class SlippedPage:
    """A page in which the first row stands a second time where another was."""

    digest = b"slipped"

    def __init__(self, page: Any) -> None:
        self._page = page
        self.total = page.total

    def decode(self, exponents: Mapping[int, int]) -> PageRows:
        rows = self._page.decode(exponents).rows
        return PageRows((*rows[:5], rows[0], *rows[6:]), ())


async def test_F09_a_row_that_slipped_past_without_a_trace_is_read_once_more(town: Town) -> None:
    connection = await town.linked()
    provider: Any = Slips(town.provider)
    engine = Engine(town.store, provider, town.clock, town._rng)
    outcome, _ = await engine.sync(
        town.local_id(connection),
        Trigger.SCHEDULE,
        refresh_at_bank=False,
        progress=lambda *_: None,
        kind=SyncKind.RECONCILE,
    )
    assert (outcome.condition, outcome.counts.removed, provider.read) == (Condition.OK, 0, 2)
    town.tells_the_truth(connection)
