"""Ids that change, that are missing, that are shared: operations and accounts stay what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.domain.entities import AccountState, RunResult
from obdesk.storage.queries import accounts as account_reads
from obdesk.storage.queries import transactions
from obdesk.storage.writes import accounts as account_writes
from obdesk.storage.writes import connections, edits
from obdesk.sync.saving import record, save
from tests.seed import NOW, SeedPage, answer_of, remote_account, remote_connection, row
from tests.storage.files import checked
from tests.sync.outcomes import outcome_of

if TYPE_CHECKING:
    from obdesk.domain.entities import Account
    from obdesk.domain.remote import RemoteTransaction
    from obdesk.storage.store import Store
    from obdesk.storage.tx import Tx
    from tests.flows.town import Town

pytestmark = pytest.mark.anyio


def accounts_of(town: Town) -> dict[int, Account]:
    return {each.id: each for each in town.store.read_now(account_reads.accounts, town.clock.now())}


async def test_F15_accounts_under_new_ids_and_the_same_iban_double_nothing(town: Town) -> None:
    connection = await town.linked()
    before, rows = accounts_of(town), town.shown()
    with_iban = [each for each in before.values() if each.iban]
    town.store.write_now(lambda tx: account_writes.rename(tx, with_iban[0].id, "Mine"))
    noted = next(each for each in rows if each.account_id == with_iban[0].id)
    town.store.write_now(
        lambda tx: edits.edit_transaction(tx, noted.id, note="kept", category=None, now=town.clock.now())
    )
    town.pass_time(3_600)
    town.bank.tell(f"/connections/{connection}/renumber")
    await town.sync(connection)
    after = accounts_of(town)
    for each in with_iban:
        assert after[each.id].state is AccountState.ACTIVE, "the same account of ours"
        assert after[each.id].provider_id != each.provider_id
    assert after[with_iban[0].id].name == "Mine"
    town.tells_the_truth(connection)
    detail = town.store.read_now(transactions.detail, noted.id)
    assert detail is not None
    assert detail.note == "kept"
    ibans = {each.id for each in with_iban}
    assert len([each for each in town.shown() if each.account_id in ibans]) == len(
        [each for each in rows if each.account_id in ibans]
    )
    assert (await town.sync(connection)).result is RunResult.UNCHANGED
    checked(town.store)


async def test_F19_an_account_the_bank_closes_keeps_its_history_and_nothing_is_merged_unasked(
    town: Town,
) -> None:
    connection = await town.linked()
    closed = town.checking(connection)
    ours = next(each for each in accounts_of(town).values() if each.provider_id == str(closed))
    rows = [each.id for each in town.shown() if each.account_id == ours.id]
    town.pass_time(3_600)
    town.bank.tell(f"/accounts/{closed}/vanish")
    await town.sync(connection)
    after = accounts_of(town)[ours.id]
    assert (after.state, after.in_net_worth) == (AccountState.GONE, False)
    assert [each.id for each in town.shown() if each.account_id == ours.id] == rows
    town.pass_time(8 * 86_400)
    await town.sync(connection)
    assert [each.id for each in town.shown() if each.account_id == ours.id] == rows
    town.tells_the_truth(connection)


async def test_F19_an_iban_that_changes_under_the_same_id_is_the_same_account(town: Town) -> None:
    connection = await town.linked()
    account = town.checking(connection)
    before = accounts_of(town)
    town.pass_time(3_600)
    town.bank.tell(f"/accounts/{account}/facts", iban="FR7630006000011234567890189")
    await town.sync(connection)
    after = accounts_of(town)
    assert after.keys() == before.keys()
    (changed,) = [each for each in after.values() if each.provider_id == str(account)]
    assert changed.iban == "FR7630006000011234567890189"
    town.tells_the_truth(connection)


# Ids that are no ids, told by answers made by hand: no bank of the simulator does that


ONE, TWO = remote_account(1801, "one"), remote_account(1802, "two")


def told(store: Store, rows: list[RemoteTransaction]) -> None:
    def unit(tx: Tx) -> None:
        link = connections.adopt(tx, "powens", remote_connection("321"), NOW)
        answer = answer_of(link, [ONE, TWO], [SeedPage(tuple(rows))])
        record(tx, answer, save(tx, answer, lambda _done, _total: None), outcome_of(link), NOW)

    store.write_now(unit)


def shown(store: Store) -> list[tuple[int, str]]:
    found = store.read_now(
        lambda opened: opened.execute(
            "SELECT a.provider_id, t.label FROM transactions t JOIN accounts a ON a.id = t.account_id "
            "WHERE t.deleted_at IS NULL ORDER BY 1, 2"
        ).fetchall()
    )
    return [(each[0], each[1]) for each in found]


async def test_F16_one_id_in_two_accounts_is_two_operations(town: Town) -> None:
    rows = [
        row(7, account=1801, label="RENT"),
        row(7, account=1802, label="BREAD"),
    ]
    for _ in range(2):
        told(town.store, rows)
        assert shown(town.store) == [(1801, "RENT"), (1802, "BREAD")]


async def test_F16_one_id_for_two_operations_of_an_account_loses_neither_silently(town: Town) -> None:
    rows = [row(7, label="RENT", amount_minor=-90_000), row(7, label="BREAD", amount_minor=-240)]
    for order in (rows, rows[::-1]):
        told(town.store, order)
        assert len(shown(town.store)) == 1
        assert [each.subject for each in town.problems() if each.kind == "shared_id"] == ["7"]


async def test_F14_a_withdrawn_row_whose_twin_took_its_place_comes_back_beside_it(town: Town) -> None:
    """Found by simulated years: storm, seed 4 (a twin booked on the day its original was withdrawn)."""
    told(town.store, [row(7, account=1801, label="BREAD", updated="2026-11-24 05:00:00")])
    gone = row(7, account=1801, label="BREAD", deleted=True, updated="2026-11-25 05:00:00")
    told(town.store, [gone, row(8, account=1801, label="BREAD", updated="2026-11-25 05:00:00")])
    assert shown(town.store) == [(1801, "BREAD")]
    back = row(7, account=1801, label="BREAD", updated="2026-11-27 05:00:00")
    for _ in range(2):
        told(town.store, [back, row(8, account=1801, label="BREAD", updated="2026-11-25 05:00:00")])
        assert shown(town.store) == [(1801, "BREAD"), (1801, "BREAD")]
    checked(town.store)
