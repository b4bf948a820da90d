"""The desktop before a real relay: its whole application on a real store, asked over ASGI."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from obdesk.app import background
from obdesk.app.events import SyncEnded
from obdesk.app.mailbox import Looked, Step
from obdesk.app.tokens import DatabaseTokens
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import Trigger
from obdesk.domain.mailbox import MailboxState
from obdesk.relay.client import RelayClient
from obdesk.relay.protocol import SourceKind
from obdesk.storage.queries import limits
from obdesk.storage.queries import mailbox as reads
from tests.app.house import House, housed
from tests.app.post import settled
from tests.relay.places import SqlitePlace
from tests.relay.server.kit import Kit, connection_synced, kit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from obdesk.relay.server.store import Source
    from tests.fakes import FrozenClock
    from tests.flows.town import Bankside

pytestmark = pytest.mark.anyio
URL = "http://127.0.0.1:9"


def before(house: House, relay: Kit) -> None:
    """Let a desktop ask this relay."""
    transport = httpx.ASGITransport(relay.app)
    house.app.commands._pairings._built = lambda url: RelayClient(url, transport=transport)  # type: ignore[method-assign]
    house.app._background._mailbox._device = None
    house.app._background._mailbox._follow = house.app._background._hinted


async def paired(house: House, relay: Kit, source: Source) -> None:
    before(house, relay)
    await house.app.commands.pair_relay(URL, await relay.code(source))


async def look(house: House) -> Looked:
    """Look once, and let all that follows come to its end."""
    looked = await house.app._background._mailbox.look(wait_s=0)
    await settled(house.app.work)
    return looked


async def looks(house: House) -> list[Step]:
    """Look until nothing is new, and say what came of each look."""
    steps = [(await look(house)).step]
    while steps[-1] not in {Step.QUIET, Step.FAILED, Step.HOPELESS}:
        steps.append((await look(house)).step)
    return steps


def triggers(house: House) -> list[Trigger]:
    return [each.outcome.trigger for each in house.heard(SyncEnded) if isinstance(each, SyncEnded)]


async def links(house: House) -> dict[str, Condition]:
    return {each.provider_id: each.condition for each in await house.app.reads.connections()}


@asynccontextmanager
async def relayed(folder: Path, **given: Any) -> AsyncIterator[Kit]:
    async with kit(SqlitePlace(folder / "relay.db"), **given) as relay:
        yield relay


async def test_a_webhook_at_the_relay_is_rows_on_the_desktop(house: House, tmp_path: Path) -> None:
    await house.linked()
    ((link, _),) = (await links(house)).items()
    async with relayed(tmp_path) as relay:
        source = await relay.source()
        await paired(house, relay, source)
        assert await looks(house) == [Step.QUIET]
        house.events.clear()
        assert (await relay.deliver(source, connection_synced(int(link), payload=1))).status_code == 200
        assert (await relay.deliver(source, connection_synced(int(link), payload=1))).status_code == 200
        assert (await looks(house))[0] is Step.NEWS
        assert triggers(house) == [Trigger.WEBHOOK]
        status = await house.app.reads.relay()
        assert status is not None
        assert (status.state, status.hints, status.peers) == (MailboxState.CONNECTED, 1, 1)
        assert status.delivered_at is not None


async def test_several_events_about_one_purchase_are_one_sync(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.linked()
    ((link, _),) = (await links(house)).items()
    async with relayed(tmp_path) as relay:
        source = await relay.source()
        await paired(house, relay, source)
        await looks(house)
        house.events.clear()
        monkeypatch.setattr(background, "SETTLE_S", 0.5)
        for payload in range(3):
            await relay.deliver(source, connection_synced(int(link), payload=payload))
            assert (await house.app._background._mailbox.look(wait_s=0)).step is Step.NEWS
        await settled(house.app.work)
        assert triggers(house) == [Trigger.WEBHOOK]


async def test_F26_hints_about_links_that_nobody_knows_end_in_a_link(house: House, tmp_path: Path) -> None:
    await house.ticket()
    async with relayed(tmp_path) as relay:
        source = await relay.source()
        await paired(house, relay, source)
        there = await house.at_the_bank()
        await relay.deliver(source, connection_synced(int(there)))
        await looks(house)
        assert await links(house) == {there: Condition.OK}
        assert triggers(house) == [Trigger.WEBHOOK]


async def test_F58_a_relay_whose_disk_was_lost_is_told_who_we_are(house: House, tmp_path: Path) -> None:
    await house.linked()
    ((link, _),) = (await links(house)).items()
    async with relayed(tmp_path) as relay:
        await paired(house, relay, await relay.source())
        await looks(house)
    (tmp_path / "new").mkdir()
    async with relayed(tmp_path / "new") as relay:
        source = await relay.source()  # the operator makes it again; its addresses are as before
        before(house, relay)
        house.events.clear()
        assert (await looks(house))[0] is Step.AGAIN
        assert triggers(house) == [Trigger.WEBHOOK], "everything is asked about once"
        await relay.deliver(source, connection_synced(int(link)))
        house.events.clear()
        await looks(house)
        assert triggers(house) == [Trigger.WEBHOOK]


async def test_F59_a_relay_that_was_put_back_to_yesterday_makes_us_ask_about_all(
    house: House, tmp_path: Path
) -> None:
    await house.linked()
    ((link, _),) = (await links(house)).items()
    async with relayed(tmp_path) as relay:
        source = await relay.source()
        await paired(house, relay, source)
    yesterday = tmp_path / "yesterday"
    yesterday.mkdir()
    shutil.copy(tmp_path / "relay.db", yesterday)
    async with relayed(tmp_path) as relay:
        before(house, relay)
        await relay.deliver(source, connection_synced(int(link)))
        await looks(house)
    shutil.copy(yesterday / "relay.db", tmp_path / "relay.db")
    async with relayed(tmp_path) as relay:
        before(house, relay)
        house.events.clear()
        assert Step.NEWS in await looks(house)
        assert triggers(house) == [Trigger.WEBHOOK]
        house.events.clear()
        await relay.deliver(source, connection_synced(int(link)))
        await looks(house)
        assert triggers(house) == [Trigger.WEBHOOK], "and it goes on from there"


async def test_a_computer_whose_source_was_removed_is_forgotten_and_says_so(
    house: House, tmp_path: Path
) -> None:
    async with relayed(tmp_path) as relay:
        await paired(house, relay, await relay.source())
        await relay.operator.remove_source("home")
        assert await looks(house) == [Step.HOPELESS]
        status = await house.app.reads.relay()
        assert status is not None
        assert status.state is MailboxState.FORGOTTEN
        assert not await house.app.commands.leave_relay() or await house.app.reads.relay() is None


@asynccontextmanager
async def two_houses(
    tmp_path: Path, bank: Bankside, clock: FrozenClock
) -> AsyncIterator[tuple[House, House]]:
    """Give two computers of one person, who has one user at the aggregator."""
    async with (
        housed(tmp_path / "one", bank, clock) as one,
        housed(tmp_path / "other", bank, clock) as other,
    ):
        await one.configure()
        await other.configure()
        await one.linked()
        mine, theirs = DatabaseTokens(one.store), DatabaseTokens(other.store)
        for name in mine.names():
            theirs.put(name, mine.get(name) or "")
        await other.app.commands._providers.reset()
        await other.app.commands._syncs._discovered()
        await other.sync()
        yield one, other


async def test_F62_two_computers_hear_the_same_and_divide_what_banks_may_be_asked(
    tmp_path: Path, bank: Bankside, clock: FrozenClock
) -> None:
    async with two_houses(tmp_path, bank, clock) as (one, other), relayed(tmp_path) as relay:
        source = await relay.source()
        for house in (one, other):
            await paired(house, relay, source)
            house.events.clear()
        ((link, _),) = (await links(one)).items()
        await relay.deliver(source, connection_synced(int(link)))
        await looks(one)
        assert (triggers(one), triggers(other)) == ([Trigger.WEBHOOK], [])
        await looks(other)
        assert triggers(other) == [Trigger.WEBHOOK], "what one acknowledged waits for the other still"
        for house in (one, other):
            assert house.store.read_now(reads.sharing).peers == 2
            (budget,) = house.store.read_now(limits.budgets, clock.now()).values()
            assert budget.of == 2
        assert len(await one.app.reads.accounts()) == len(await other.app.reads.accounts())
        await other.app.commands.leave_relay()
        one.pass_time(60)
        await looks(one)
        assert one.store.read_now(reads.sharing).peers == 1


async def test_F63_what_is_linked_or_removed_on_one_computer_the_other_hears_of_and_says_why(
    tmp_path: Path, bank: Bankside, clock: FrozenClock
) -> None:
    async with two_houses(tmp_path, bank, clock) as (one, other), relayed(tmp_path) as relay:
        source = await relay.source()
        await paired(other, relay, source)
        await looks(other)
        ((first, _),) = (await links(one)).items()
        second = await one.at_the_bank()
        await relay.deliver(source, connection_synced(int(second)))
        await looks(other)
        assert await links(other) == {first: Condition.OK, second: Condition.OK}
        await one.app.commands._syncs._discovered()
        (gone,) = [each for each in await one.app.reads.connections() if each.provider_id == first]
        await one.app.commands.remove_connection(gone.id, keep_history=False)
        clock.advance(3_600)
        body = f'{{"id": {first}, "id_user": 6120, "state": null, "id_webhook_data": 9}}'.encode()
        await relay.deliver(source, body, "CONNECTION_DELETED")
        await looks(other)
        assert await links(other) == {first: Condition.GONE, second: Condition.OK}
        shown = [each for each in await other.app.reads.accounts() if each.connection_id is not None]
        assert len(shown) > 0, "and its history stays"


async def without_a_secret(house: House) -> None:
    """Set the aggregator up as an operator's application, whose secret nobody here has."""
    served = house.bank.simulator
    await house.app.commands.configure_powens(
        api_url=served.api_url,
        webview_url=served.webview_url,
        domain=served.domain,
        client_id=served.client_id,
        client_secret=None,
    )


def offering(tmp_path: Path, bank: Bankside) -> dict[str, Any]:
    """Return the settings of a relay whose operator makes users."""
    secret = tmp_path / "client-secret"
    secret.write_text(f"{bank.simulator.client_secret}\n")
    served = bank.simulator
    return {"api_url": served.api_url, "client_id": served.client_id, "client_secret_file": secret}


async def test_a_person_without_an_application_links_a_bank_by_the_operator_s(
    tmp_path: Path, bank: Bankside, clock: FrozenClock
) -> None:
    offers = offering(tmp_path, bank)
    async with (
        housed(tmp_path / "data", bank, clock) as house,
        housed(tmp_path / "stranger", bank, clock) as stranger,
        relayed(tmp_path, **offers) as relay,
    ):
        crowd = await relay.source("crowd", SourceKind.SHARED)
        for each in (house, stranger):
            await without_a_secret(each)
            await paired(each, relay, crowd)
            assert await looks(each) == [Step.QUIET]
            await each.linked()
        (user,) = {each["id_user"] for each in (await mine(house))}
        ((link, _),) = (await links(house)).items()
        await relay.deliver(crowd, connection_synced(int(link), user))
        house.events.clear()
        stranger.events.clear()
        await looks(house)
        await looks(stranger)
        assert triggers(house) == [Trigger.WEBHOOK]
        assert triggers(stranger) == [], "each hears of their own"
        await house.app.commands.replace_token()
        assert (await house.sync())[0].condition is Condition.OK
        for each in (house, stranger):
            assert not any("client-secret" in name for name in DatabaseTokens(each.store).names()), (
                "it never was here"
            )


async def mine(house: House) -> list[dict[str, Any]]:
    async with house.person() as person:
        found: list[dict[str, Any]] = (await person.get("/users/me/connections")).json()["connections"]
        return found


async def test_a_computer_that_has_a_user_proves_it_to_a_relay_that_serves_many(
    tmp_path: Path, bank: Bankside, clock: FrozenClock
) -> None:
    offers = offering(tmp_path, bank)
    async with housed(tmp_path / "data", bank, clock) as house:
        async with relayed(tmp_path, **offers) as relay:
            await without_a_secret(house)
            await paired(house, relay, await relay.source("crowd", SourceKind.SHARED))
            await house.linked()
        (tmp_path / "new").mkdir()
        async with relayed(tmp_path / "new", **offers) as relay:
            crowd = await relay.source("crowd", SourceKind.SHARED)
            await paired(house, relay, crowd)  # as another device, which nobody knows
            assert (await looks(house))[0] is Step.AGAIN
            ((link, _),) = (await links(house)).items()
            (user,) = {each["id_user"] for each in (await mine(house))}
            await relay.deliver(crowd, connection_synced(int(link), user))
            house.events.clear()
            await looks(house)
            assert triggers(house) == [Trigger.WEBHOOK]
            asked = len(house.bank.requests())
            await looks(house)
            assert len(house.bank.requests()) == asked, "it is proved once"


async def test_a_person_s_own_application_tells_no_relay_whose_user_it_is(
    house: House, tmp_path: Path
) -> None:
    await house.linked()
    async with relayed(tmp_path, api_url=house.bank.simulator.api_url) as relay:
        await paired(house, relay, await relay.source("crowd", SourceKind.SHARED))
        asked = len(house.bank.requests())
        assert await looks(house) == [Step.QUIET]
        assert len(house.bank.requests()) == asked
