"""What a person may change: within limits, with an answer, and told to every screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.app.commands import NAME_LENGTH_MAX, NOTE_LENGTH_MAX, NotFoundError, TooLongError
from obdesk.app.events import Changed, SyncStarted
from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.entities import AccountState, RunResult, SyncKind, Trigger
from obdesk.domain.errors import BugError
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.ids import AccountId, ConnectionId, TransactionId
from obdesk.storage.queries import connections as reads
from tests.storage.files import checked

if TYPE_CHECKING:
    from tests.app.house import House

pytestmark = pytest.mark.anyio
FIRST = TransactionId(1)


async def test_a_note_and_a_category_are_kept_told_and_remembered(house: House) -> None:
    await house.linked()
    house.events.clear()
    commands, read = house.app.commands, house.app.reads
    await commands.edit_transaction(FIRST, note="Zoé's half")
    await commands.edit_transaction(FIRST, category="vie")
    assert house.heard(Changed) == [Changed(ChangeSet.of(Kind.EDITS, [1]))] * 2
    detail = await read.transaction(FIRST)
    assert detail is not None
    assert (detail.note, detail.row.category) == ("Zoé's half", "vie")
    assert [(each.who, each.field, each.new) for each in detail.history] == [
        ("you", "category", "vie"),
        ("you", "note", "Zoé's half"),
    ]
    assert [each.id for each in await read.transaction_page(TransactionFilter(text="zoe half"))] == [1]
    await commands.edit_transaction(FIRST, note="", category="")
    detail = await read.transaction(FIRST)
    assert detail is not None
    assert (detail.note, detail.row.category) == ("", detail.bank_category)


async def test_texts_have_limits_and_what_is_too_long_changes_nothing(house: House) -> None:
    await house.linked()
    commands = house.app.commands
    await commands.edit_transaction(FIRST, note="x" * NOTE_LENGTH_MAX, category="y" * NAME_LENGTH_MAX)
    for too_long in ({"note": "x" * (NOTE_LENGTH_MAX + 1)}, {"category": "y" * (NAME_LENGTH_MAX + 1)}):
        with pytest.raises(TooLongError, match="too long"):
            await commands.edit_transaction(FIRST, **too_long)
    with pytest.raises(TooLongError):
        await commands.rename_account(AccountId(1), "z" * (NAME_LENGTH_MAX + 1))
    detail = await house.app.reads.transaction(FIRST)
    assert detail is not None
    assert len(detail.note) == NOTE_LENGTH_MAX


async def test_what_does_not_exist_is_said_so_and_nothing_is_told(house: House) -> None:
    commands = house.app.commands
    house.events.clear()
    for attempt in (
        commands.edit_transaction(TransactionId(99), note="x"),
        commands.rename_account(AccountId(99), "x"),
        commands.set_in_net_worth(AccountId(99), included=True),
        commands.set_important(AccountId(99), important=True),
        commands.pause(ConnectionId(99), paused=True),
        commands.remove_connection(ConnectionId(99), keep_history=True),
    ):
        with pytest.raises(NotFoundError, match="does not exist"):
            await attempt
    assert house.events == []


async def test_an_account_takes_the_persons_name_and_gives_it_back(house: House) -> None:
    await house.linked()
    before = (await house.app.reads.accounts())[0]
    await house.app.commands.rename_account(before.id, "  Ma maison ")
    assert (await house.app.reads.accounts())[0].name == "Ma maison"
    await house.sync()
    assert (await house.app.reads.accounts())[0].name == "Ma maison"
    await house.app.commands.rename_account(before.id, "")
    assert (await house.app.reads.accounts())[0].name == before.name


async def test_an_account_can_be_left_out_of_net_worth(house: House) -> None:
    await house.linked()
    (account, *_) = [each for each in await house.app.reads.accounts() if each.in_net_worth and each.balance]
    before = {each.total.currency: each.account_count for each in await house.app.reads.net_worth()}
    await house.app.commands.set_in_net_worth(account.id, included=False)
    after = {each.total.currency: each.account_count for each in await house.app.reads.net_worth()}
    assert account.balance is not None
    currency = account.balance.currency
    assert after.get(currency, 0) == before[currency] - 1


async def test_an_important_account_is_marked_and_its_bank_goes_first(house: House) -> None:
    first = await house.linked()
    ticket = await house.ticket()
    await house.at_the_bank()
    (second,) = (await house.app.commands.finish_link(ticket, None)).connections
    await house.sync()
    account = next(each for each in await house.app.reads.accounts() if each.connection_id == second)
    await house.app.commands.set_important(account.id, important=True)
    (marked,) = [each for each in await house.app.reads.accounts() if each.important]
    assert marked.id == account.id
    house.hint(first)
    house.hint(second)
    house.events.clear()
    await house.app._syncs.sync_due(Trigger.SCHEDULE)
    begun = [event.connection_id for event in house.events if isinstance(event, SyncStarted)]
    assert begun == [second, first]
    await house.app.commands.set_important(account.id, important=False)
    assert not any(each.important for each in await house.app.reads.accounts())


async def test_a_person_can_have_everything_read_again_and_compared(house: House) -> None:
    await house.linked()
    await house.sync()
    (outcome,) = await house.app.commands.sync(
        trigger=Trigger.PERSON, refresh_at_bank=False, kind=SyncKind.RECONCILE
    )
    assert (outcome.kind, outcome.attempt) == (SyncKind.RECONCILE, 1)
    assert outcome.result is RunResult.UNCHANGED


async def test_a_removed_bank_can_leave_its_history(house: House) -> None:
    link = await house.linked()
    provider_id = (await house.app.reads.connections())[0].provider_id
    rows = len(await house.app.reads.transaction_ids(TransactionFilter()))
    await house.app.commands.remove_connection(link, keep_history=True)
    assert provider_id not in house.bank.truth(), "it is erased at the aggregator"
    assert await house.app.reads.connections() == ()
    assert len(await house.app.reads.transaction_ids(TransactionFilter())) == rows
    assert {each.state for each in await house.app.reads.accounts()} == {AccountState.GONE}
    assert await house.app.reads.net_worth() == ()
    assert await house.sync() == ()
    checked(house.store)


async def test_a_removed_bank_can_be_forgotten(house: House) -> None:
    link = await house.linked()
    await house.app.commands.edit_transaction(FIRST, note="a note of mine")
    house.events.clear()
    await house.app.commands.remove_connection(link, keep_history=False)
    event, *_ = house.heard(Changed)
    assert isinstance(event, Changed)
    assert event.changes.touches(Kind.TRANSACTIONS)
    assert len(await house.app.reads.transaction_ids(TransactionFilter())) == 0
    assert await house.app.reads.accounts() == ()
    assert len(await house.app.reads.transaction_ids(TransactionFilter(text="mine"))) == 0
    checked(house.store)
    fresh = await house.linked()
    assert len(await house.app.reads.connections()) == 1
    assert (await house.sync(fresh))[0].counts.problems == 0


async def test_F35_a_bank_that_is_gone_there_already_is_removed_here(house: House) -> None:
    link = await house.linked()
    house.bank.remove((await house.app.reads.connections())[0].provider_id)
    await house.app.commands.remove_connection(link, keep_history=True)
    assert await house.app.reads.connections() == ()


async def test_a_paused_bank_is_not_asked_with_the_others(house: House) -> None:
    link = await house.linked()
    await house.app.commands.pause(link, paused=True)
    assert await house.sync() == ()
    (shown,) = await house.app.reads.connections()
    assert shown.paused
    assert shown.next_run_at is None
    assert len(await house.sync(link)) == 1, "a person who asks for it gets it"


async def test_settings_take_only_their_values(house: House) -> None:
    await house.app.commands.set_setting("sync.paused", "on")
    assert await house.app.reads.setting("sync.paused") == house.app.reads.setting_now("sync.paused") == "on"
    for key, value in (("sync.paused", "blue"), ("colour", "red")):
        with pytest.raises(BugError):
            await house.app.commands.set_setting(key, value)
    assert await house.app.reads.setting("sync.interval_h") == "4"


async def test_new_settings_of_the_aggregator_end_the_wait_for_the_person(house: House) -> None:
    await house.linked()
    house.bank.faults({"route": "(GET|PUT|POST) /2.0/", "kind": "unauthorized", "times": None})
    await house.sync()
    house.bank.mend()
    house.pass_time(5 * 3_600)
    (shown,) = await house.app.reads.connections()
    assert shown.next_run_at is None
    await house.configure()
    (shown,) = await house.app.reads.connections()
    assert shown.next_run_at is not None


async def test_the_client_secret_is_in_the_vault_and_in_no_setting(house: House) -> None:
    secret = house.bank.simulator.client_secret
    settings = house.store.read_now(lambda opened: opened.execute("SELECT value FROM settings").fetchall())
    assert all(secret not in value for (value,) in settings)
    names = house.store.read_now(reads.token_names)
    assert secret in {house.store.read_now(reads.token, name) for name in names}


async def test_the_first_screen_has_all_that_it_shows(house: House) -> None:
    await house.linked()
    first = house.app.reads.first_screen()
    assert first.accounts == await house.app.reads.accounts()
    assert first.connections == await house.app.reads.connections()
    assert first.newest == await house.app.reads.transaction_page(TransactionFilter(), limit=60)
    assert [each.total for each in first.net_worth] == [
        each.total for each in await house.app.reads.net_worth()
    ]
    assert first.transaction_count > 0
