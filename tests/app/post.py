"""A house that a relay keeps webhooks for."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from obdesk.app.events import SyncEnded
from obdesk.domain.mailbox import MailboxState
from obdesk.relay.client import RelayClient
from tests.flows.mailroom import CODE, URL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from obdesk.app.mailbox import Looked, Mailbox
    from obdesk.app.scopes import Scope
    from obdesk.domain.entities import Trigger
    from obdesk.domain.mailbox import MailboxStatus
    from tests.app.house import House
    from tests.flows.mailroom import Mailroom


async def settled(scope: Scope) -> None:
    """Wait until nothing of a scope runs."""
    while not scope.idle:
        await asyncio.wait(set(scope._tasks))


class Post:
    """A house that a relay keeps webhooks for."""

    def __init__(self, house: House, room: Mailroom) -> None:
        self.house = house
        self.room = room
        self.rests: list[float] = []
        self.mailbox: Mailbox = house.app._background._mailbox
        house.app.commands._pairings._built = lambda url: RelayClient(url, transport=room)  # type: ignore[method-assign]

    def rests_until(self, done: Callable[[list[float]], bool]) -> asyncio.Event:
        """Let every rest of a certain length be over at once, until that is enough; nobody sleeps in a test.

        The event comes then; with the rest that is under way the loop stands still, unless it is woken.
        """
        over = asyncio.Event()
        rest = self.mailbox._rest

        async def resting(seconds: float | None) -> None:
            if seconds is None:
                await rest(None)
                return
            self.rests.append(seconds)
            self.house.clock.advance(seconds)
            if done(self.rests):
                over.set()
                await rest(None)

        self.mailbox._rest = resting  # type: ignore[method-assign]
        return over

    async def paired(self) -> None:
        await self.house.app.commands.pair_relay(URL, CODE)
        await self.look()

    async def look(self) -> Looked:
        """Look once, and let all that follows come to its end."""
        looked = await self.mailbox._looked() if self.room.is_down else await self.mailbox.look(wait_s=0)
        await self.settled()
        return looked

    async def settled(self) -> None:
        await settled(self.house.app.work)

    async def status(self) -> MailboxStatus:
        found = await self.house.app.reads.relay()
        assert found is not None
        return found

    def follow(self) -> None:
        self.mailbox._follow = self.house.app._background._hinted

    def state(self) -> MailboxState:
        """Return how it stands by what is noted."""
        read = "SELECT state FROM mailbox"
        return MailboxState(self.house.store.read_now(lambda opened: opened.execute(read).fetchone()[0]))

    async def link_there(self) -> str:
        """Return the provider's id of the only link."""
        (link,) = await self.house.app.reads.connections()
        return link.provider_id

    def triggers(self) -> list[Trigger]:
        return [each.outcome.trigger for each in self.house.heard(SyncEnded) if isinstance(each, SyncEnded)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the loop pull, without the clockwork beside it."""
        self.mailbox.start(self.house.app._background._hinted)
        yield
        await self.mailbox.close()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until something is so; looked at after each event."""
        if reached():
            return
        happened = asyncio.Event()

        def hear(_event: object) -> None:
            if reached():
                happened.set()

        stop = self.house.app.bus.listen(hear)
        try:
            async with asyncio.timeout(20):
                await happened.wait()
        finally:
            stop()
