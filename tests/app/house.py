"""An application with what its person and its bank do."""

from __future__ import annotations

import json
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx

from obdesk.app.bootstrap import App, OpenProfile
from obdesk.app.interface import LinkChannel
from obdesk.app.profile import profile_of
from obdesk.app.tokens import DatabaseTokens
from obdesk.domain.entities import Trigger
from obdesk.storage.store import Store
from obdesk.sync import door
from tests.flows.town import TEST_CONNECTOR, Town
from tests.seed import KEY
from tests.sync.outcomes import hinted_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from obdesk.app.events import Event
    from obdesk.app.interface import LinkTicket
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.syncing import SyncOutcome
    from tests.fakes import FrozenClock
    from tests.flows.town import Bankside


class House:
    """The application, its person, and the bank's counter."""

    def __init__(self, app: App, bank: Bankside, clock: FrozenClock, store: Store) -> None:
        self.app = app
        self.bank = bank
        self.clock = clock
        self.store = store
        self.events: list[Event] = []
        app.bus.listen(self.events.append)

    async def configure(self) -> None:
        served = self.bank.simulator
        await self.app.commands.configure_powens(
            api_url=served.api_url,
            webview_url=served.webview_url,
            domain=served.domain,
            client_id=served.client_id,
            client_secret=served.client_secret,
        )

    def person(self) -> httpx.AsyncClient:
        """Return the person's own way to the aggregator, as the webview has it."""
        tokens = DatabaseTokens(self.store)
        (name,) = [each for each in tokens.names() if "user" in each]
        token = json.loads(tokens.get(name) or "")["token"]
        return httpx.AsyncClient(
            base_url=self.bank.simulator.api_url, headers={"Authorization": f"Bearer {token}"}
        )

    async def at_the_bank(self, choice: str = "par") -> str:
        """Log in and share every account, as on the linking page; return the provider's id."""
        async with self.person() as person:
            made = await person.post(
                "/users/me/connections",
                json={"connector_uuid": TEST_CONNECTOR, "website": choice, "login": "1", "password": "1234"},
            )
            connection = str(made.json()["id"])
            await Town.enable(person, connection)
        return connection

    async def ticket(self) -> LinkTicket:
        return await self.app.commands.begin_link(LinkChannel.EMBEDDED)

    async def linked(self) -> ConnectionId:
        """Link the test bank and read it for the first time."""
        ticket = await self.ticket()
        await self.at_the_bank()
        report = await self.app.commands.finish_link(ticket, None)
        await self.sync()
        return report.connections[0]

    def hint(self, *hinted: ConnectionId) -> None:
        """Let the provider's word come that there is something new."""
        for link in hinted:
            wish = hinted_at(link, self.clock.now())
            self.store.write_now(lambda tx, wish=wish: door.put(tx, wish))  # type: ignore[misc]

    async def sync(self, *wanted: ConnectionId, refresh: bool = False) -> tuple[SyncOutcome, ...]:
        return await self.app.commands.sync(wanted or None, trigger=Trigger.PERSON, refresh_at_bank=refresh)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.bank.tell("/clock", advance_s=seconds)

    def heard(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def housed(folder: Path, bank: Bankside, clock: FrozenClock) -> AsyncIterator[House]:
    """Open an application on a folder that nothing was done in yet."""
    profile = profile_of(folder)
    profile.prepare()
    opened = OpenProfile(profile, Store.open(profile.database, KEY), None)
    rng = random.Random(7)  # noqa: S311 - chance, not secrets
    async with App(opened, clock=clock, rng=rng, who="obdesk test") as app:
        yield House(app, bank, clock, opened.store)
