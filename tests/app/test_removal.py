"""A bank that is removed is gone here at once, and at the aggregator as soon as it can be told."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.app.bootstrap import App, OpenProfile
from obdesk.app.profile import profile_of
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import AccountState, Trigger
from obdesk.domain.filters import TransactionFilter
from obdesk.storage.store import Store
from obdesk.sync.engine import Engine
from tests.flows.town import Town
from tests.seed import KEY
from tests.storage.files import checked

if TYPE_CHECKING:
    from pathlib import Path

    from obdesk.domain.ids import ConnectionId
    from tests.app.house import House
    from tests.fakes import FrozenClock
    from tests.flows.town import Bankside

pytestmark = pytest.mark.anyio
REFUSED = {"route": "DELETE /2.0/", "kind": "status", "status": 403, "body": {}, "times": None}
DOWN = {"route": "DELETE /2.0/", "kind": "unavailable", "times": None}
DAY_S = 86_400.0


async def shown(house: House) -> str:
    """Return the aggregator's id of the only link."""
    (link,) = await house.app.reads.connections()
    return link.provider_id


async def until_erased(house: House, *, hours_max: int) -> float:
    """Let the clockwork run hour by hour; return after how many hours the wish had come true."""
    for hour in range(hours_max):
        if not await house.app.reads.pending_erasures():
            return hour
        house.pass_time(3_600)
        await house.app.commands._erasures.settle()
    raise AssertionError


async def tried(house: House, link: ConnectionId, fault: dict[str, Any] = REFUSED) -> str:
    """Remove a bank while the aggregator does not do its part; return its id there."""
    there = await shown(house)
    house.bank.faults(fault)
    await house.app.commands.remove_connection(link, keep_history=False)
    return there


async def test_F34_a_bank_is_removed_here_at_once_and_there_when_it_answers_again(house: House) -> None:
    link = await house.linked()
    there = await tried(house, link, DOWN)
    assert await house.app.reads.connections() == ()
    assert len(await house.app.reads.transaction_ids(TransactionFilter())) == 0
    (pending,) = await house.app.reads.pending_erasures()
    assert (pending.bank, pending.provider_id, pending.attempts) == ("Connecteur de test", there, 1)
    assert pending.next_try_at > house.clock.now()
    assert there in house.bank.truth(), "the aggregator knows nothing of it yet"
    house.bank.mend()
    assert await until_erased(house, hours_max=4) >= 1
    assert there not in house.bank.truth()
    checked(house.store)


async def test_F34_a_removed_bank_does_not_come_back_while_it_is_still_listed_there(
    house: House,
) -> None:
    link = await house.linked()
    there = await tried(house, link)
    assert await house.sync() == ()
    assert await house.app.reads.connections() == ()
    fresh = await house.linked()
    assert len(await house.app.reads.connections()) == 1
    assert await shown(house) != there, "the same bank can be linked anew meanwhile"
    house.bank.mend()
    await until_erased(house, hours_max=4)
    assert (await house.sync(fresh))[0].condition is Condition.OK


async def test_F34_the_wish_outlives_the_program(
    house: House, tmp_path: Path, bank: Bankside, clock: FrozenClock
) -> None:
    there = await tried(house, await house.linked())
    await house.app.close()
    bank.mend()
    clock.advance(3_600)
    profile = profile_of(tmp_path / "data")
    opened = OpenProfile(profile, Store.open(profile.database, KEY), None)
    async with App(opened, clock=clock, rng=random.Random(7), who="obdesk test") as again:  # noqa: S311 - chance
        assert len(await again.reads.pending_erasures()) == 1
        await again.commands.sync(None, trigger=Trigger.PERSON, refresh_at_bank=False)
        assert await again.reads.pending_erasures() == ()
    assert there not in bank.truth()


async def test_F34_it_is_tried_ever_more_rarely_and_never_given_up(house: House) -> None:
    await tried(house, await house.linked())
    before = len([each for each in house.bank.requests() if each.startswith("DELETE")])
    for _ in range(14 * 24):
        house.pass_time(3_600)
        await house.app.commands._erasures.settle()
    asked = [each for each in house.bank.requests() if each.startswith("DELETE")]
    (pending,) = await house.app.reads.pending_erasures()
    assert 14 <= pending.attempts <= 40
    assert 14 <= len(asked) - before <= 40, "a fortnight of trouble is no storm"
    assert (pending.next_try_at - house.clock.now()).total_seconds() <= DAY_S
    house.bank.mend()
    assert await until_erased(house, hours_max=26) <= 25


async def test_F34_removing_needs_no_aggregator_at_all(house: House) -> None:
    link = await house.linked()
    house.store.write_now(lambda tx: tx.execute("DELETE FROM settings WHERE key = 'powens.client_id'"))
    await house.app.commands._providers.reset()
    await house.app.commands.remove_connection(link, keep_history=True)
    assert {each.state for each in await house.app.reads.accounts()} == {AccountState.GONE}
    assert len(await house.app.reads.pending_erasures()) == 1


async def test_F35_an_erasure_whose_answer_was_lost_ends_well(house: House) -> None:
    link = await house.linked()
    there = await tried(house, link)
    house.bank.mend()
    house.bank.remove(there)  # it was done there; only its answer never came
    await until_erased(house, hours_max=4)
    assert await house.app.reads.pending_erasures() == ()


async def test_F33_a_list_that_was_on_its_way_does_not_bring_an_erased_bank_back(house: House) -> None:
    link = await house.linked()
    provider = await house.app.commands._providers.get()

    class Late:
        """The real provider, whose list comes after the person removed a bank."""

        name, host = provider.name, provider.host

        async def connections(self, *, has_links: bool = False) -> object:
            listed = await provider.connections(has_links=has_links)
            await house.app.commands.remove_connection(link, keep_history=False)
            return listed

    late: Any = Late()
    engine = Engine(house.store, late, house.clock, random.Random(7))  # noqa: S311 - chance, not secrets
    found = await engine.discover()
    assert isinstance(found, tuple)
    assert len(found[0]) == 1, "the list still had it"
    assert await house.app.reads.connections() == ()


async def test_F63_what_one_computer_links_or_removes_the_other_finds_and_says(
    tmp_path: Path, bank: Bankside, clock: FrozenClock
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    async with Town(tmp_path / "one", bank, clock) as one, Town(tmp_path / "other", bank, clock) as other:
        first = await one.linked()
        other.tokens.kept.update(one.tokens.kept)
        await other.discover()
        await other.sync(first)
        assert other.rows(first) == one.rows(first)
        second = await one.link()
        _, change = await other.discover()
        assert change, "what was linked there is told here"
        await other.sync(second)
        other.tells_the_truth(second)
        bank.remove(first)
        await other.discover()
        assert other.link_shown(first).condition is Condition.GONE
        assert len(other.shown()) > 0, "and its history stays"


async def test_F62_two_computers_with_one_user_come_to_the_same(
    tmp_path: Path, bank: Bankside, clock: FrozenClock
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    async with Town(tmp_path / "one", bank, clock) as one, Town(tmp_path / "other", bank, clock) as other:
        link = await one.linked()
        other.tokens.kept.update(one.tokens.kept)
        await other.discover()
        account = one.checking(link)
        for turn in range(4):
            one.pass_time(3_600)
            bank.tell(f"/accounts/{account}/transactions", count=2 + turn)
            await (one if turn % 2 else other).sync(link)
        await asyncio.gather(one.sync(link), other.sync(link))
        one.tells_the_truth(link)
        other.tells_the_truth(link)
