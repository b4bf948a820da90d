"""Banks that number everything anew, replace, withdraw and bring back: nothing doubled, lost or forgotten."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from obdesk.domain.ids import TransactionId
from obdesk.domain.outcomes import Fetched
from obdesk.simulator.server import running
from obdesk.storage.writes import edits
from tests.flows.town import Bankside, Town, small_simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.fakes import FrozenClock

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]
SEED = 7
DAY_S = 86_400


@pytest.fixture
def bank(clock: FrozenClock) -> Iterator[Bankside]:
    with running(small_simulator(clock)) as served:
        counter = Bankside(served)
        yield counter
        counter.close()


@pytest.fixture
async def story(tmp_path: Path, bank: Bankside, clock: FrozenClock) -> AsyncIterator[Story]:
    async with Town(tmp_path, bank, clock) as town:
        yield Story(town, await town.linked())


class Story:
    """A ledger with notes on many rows, and what must be true of it after each sync."""

    def __init__(self, town: Town, link: str) -> None:
        self.town = town
        self.link = link
        self.rng = random.Random(SEED)  # noqa: S311 - chance, not secrets
        self.notes: dict[int, str] = {}
        """Notes by our row id."""
        self.syncs = 0

    @property
    def bank(self) -> Bankside:
        return self.town.bank

    def write_notes(self, every: int = 3) -> None:
        """Put a note on every third row that has none."""
        for each in self.town.shown()[::every]:
            if each.id not in self.notes:
                note = f"note {each.id}"
                self.town.store.write_now(
                    lambda tx, row_id=each.id, note=note: edits.edit_transaction(  # type: ignore[misc]
                        tx, TransactionId(row_id), note=note, category="mine", now=self.town.clock.now()
                    )
                )
                self.notes[each.id] = note

    async def sync(self) -> None:
        await self.town.sync(self.link)
        self.syncs += 1
        assert self.counts() == {"duplicates": 0, "lost": 0, "edits lost": 0}
        self.town.tells_the_truth(self.link)

    @asynccontextmanager
    async def person(self) -> AsyncIterator[httpx.AsyncClient]:
        """Give the person's own access to the aggregator."""
        user = await self.town.provider._source.current()
        assert isinstance(user, Fetched)
        headers = {"Authorization": f"Bearer {user.value}"}
        async with httpx.AsyncClient(base_url=self.bank.simulator.api_url, headers=headers) as client:
            yield client

    def live_ids(self) -> list[int]:
        return [
            row["id"]
            for account in self.bank.live_accounts(self.link)
            for row in account["transactions"]
            if not row["deleted"] and not row["coming"]
        ]

    def counts(self) -> dict[str, int]:
        """Compare what the ledger shows with what the bank says, as operations without any id."""
        ours = Counter(self._ours())
        banks = Counter(self.bank.live_rows(self.link).values())
        return {
            "duplicates": (ours - banks).total(),
            "lost": (banks - ours).total(),
            "edits lost": len(self.notes.keys() - self.noted()),
        }

    def _ours(self) -> list[tuple[Any, ...]]:
        shown = self.town.shown()
        return [
            (
                each.booked_on.isoformat(),
                each.label,
                each.state.value == "pending",
                None if each.amount is None else each.amount.decimal(),
            )
            for each in shown
        ]

    def noted(self) -> set[int]:
        def read(opened: Any) -> list[tuple[int, str]]:
            found: list[tuple[int, str]] = opened.execute(
                "SELECT t.id, e.note FROM transaction_edits e JOIN transactions t ON t.id = e.transaction_id "
                "WHERE t.deleted_at IS NULL"
            ).fetchall()
            return found

        return {row_id for row_id, note in self.town.store.read_now(read) if self.notes.get(row_id) == note}


async def test_accounts_that_are_all_numbered_anew_double_no_row(story: Story) -> None:
    story.write_notes()
    before = len(story.town.shown())
    story.bank.tell(f"/connections/{story.link}/renumber")
    await story.sync()
    assert len(story.town.shown()) == before > 100
    await story.sync()


async def test_a_bank_that_is_linked_again_goes_on_where_it_was(story: Story) -> None:
    """The old link is gone at the aggregator; the new one has other ids for everything."""
    story.write_notes()
    before = {each.id for each in story.town.shown()}
    story.bank.remove(story.link)
    story.link = await story.town.link()
    await story.town.discover()
    await story.sync()
    assert {each.id for each in story.town.shown()} == before


async def test_an_account_that_is_closed_and_opened_again_doubles_no_row(story: Story) -> None:
    """It comes back under another id, switched off until the person shares it again."""
    story.write_notes()
    for _ in range(2):
        account = story.town.checking(story.link)
        story.bank.tell(f"/accounts/{account}/vanish")
        await story.town.sync(story.link)
        assert story.notes.keys() == story.noted(), "its rows stay"
        story.town.pass_time(3_600)
        story.bank.tell(f"/accounts/{account}/vanish", back=True)
        await story.town.sync(story.link)
        async with story.person() as person:
            await story.town.enable(person, story.link)
        await story.sync()


@pytest.mark.parametrize("new_ids", [True, False])
async def test_an_account_that_is_switched_off_and_on_again_doubles_no_row(
    story: Story, *, new_ids: bool
) -> None:
    story.write_notes()
    story.bank.tell("/switches", reenabled_ids=new_ids)
    account = story.town.checking(story.link)
    for _ in range(2):
        async with story.person() as person:
            off = f"/users/me/connections/{story.link}/accounts/{account}?all"
            await person.put(off, json={"disabled": True})
            await story.town.sync(story.link)
            assert story.notes.keys() == story.noted(), "its rows stay"
            story.town.pass_time(3_600)
            await story.town.enable(person, story.link)
        await story.sync()


@pytest.mark.parametrize("mode", ["same_id", "new_id"])
async def test_F17_pending_rows_that_book_keep_their_notes(story: Story, mode: str) -> None:
    story.bank.tell("/switches", coming_to_booked=mode)
    account = story.town.checking(story.link)
    for _ in range(5):
        story.bank.tell(f"/accounts/{account}/transactions", count=3, pending=True)
        await story.sync()
        story.write_notes(every=1)
        story.town.pass_time(4 * DAY_S)
        story.bank.tell(f"/accounts/{account}/book")
        await story.sync()


async def test_F15_rows_that_are_numbered_anew_keep_their_notes(story: Story) -> None:
    story.write_notes()
    for _ in range(4):
        for row in story.rng.sample(story.live_ids(), 5):
            story.bank.tell(f"/transactions/{row}", renumber=True)
        story.town.pass_time(DAY_S)
        await story.sync()


async def test_F14_a_row_that_is_withdrawn_and_brought_back_keeps_its_note(story: Story) -> None:
    story.write_notes(every=1)
    for row in story.rng.sample(story.live_ids(), 3):
        story.bank.tell(f"/transactions/{row}", deleted=True)
        await story.town.sync(story.link)
        story.town.tells_the_truth(story.link)
        story.town.pass_time(3_600)
        story.bank.tell(f"/transactions/{row}", deleted=False)
        await story.sync()


async def test_six_mixed_months(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything at once, synced about every third day."""
    rng = story.rng
    account = story.town.checking(story.link)
    for step in range(60):
        story.town.pass_time(3 * DAY_S)
        story.bank.tell("/switches", coming_to_booked=rng.choice(["same_id", "new_id"]))
        account = story.town.checking(story.link)
        story.bank.tell(f"/accounts/{account}/transactions", count=rng.randint(0, 4))
        story.bank.tell(f"/accounts/{account}/transactions", count=rng.randint(0, 2), pending=True)
        live = story.live_ids()
        for row in rng.sample(live, max(1, len(live) // 100)):
            story.bank.tell(f"/transactions/{row}", renumber=True)
        if step % 20 == 13:
            story.bank.tell(f"/connections/{story.link}/renumber")
        if step % 20 == 17:
            story.bank.remove(story.link)
            story.link = await story.town.link()
            await story.town.discover()
        if step % 7 == 3:
            story.bank.faults({"route": r"GET .*/transactions\?", "kind": "page_shift"})
            await story.town.sync(story.link)  # a row that appears after the last page is the next sync's
        await story.sync()
        story.write_notes()
    with capsys.disabled():
        found = story.counts() | {"rows": len(story.town.shown()), "notes": len(story.notes)}
        print(f"\nseed {SEED}, {story.syncs} syncs in six months:", found)  # noqa: T201 - the figure
