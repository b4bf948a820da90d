"""A bench for syncs: one link, and an aggregator that answers what it is told to."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from obdesk.domain.entities import Trigger
from obdesk.domain.ids import ConnectionId
from obdesk.domain.outcomes import Fetched
from obdesk.providers import counting
from obdesk.storage.writes import connections
from obdesk.sync.engine import Engine
from tests.seed import NOW, SeedPage, remote_account, remote_connection, row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.syncing import Step, SyncOutcome
    from obdesk.storage.store import Store
    from tests.fakes import FrozenClock

LINK = ConnectionId(1)


class Shortest(Random):
    """Chance that always falls on the near end."""

    def uniform(self, a: float, b: float) -> float:
        """Override Random.uniform."""
        del b
        return a


class Longest(Random):
    """Chance that always falls on the far end."""

    def uniform(self, a: float, b: float) -> float:
        """Override Random.uniform."""
        del a
        return b


class Aggregator:
    """A provider that answers what it is told to, and keeps what it was asked."""

    name, host = "powens", "acme.biapi.pro"
    clock_behind = timedelta(0)

    def __init__(self, clock: FrozenClock) -> None:
        self._clock = clock
        self.asked: list[Any] = []
        self.links: list[Any] = []
        """The next answers to the list of links; when they are used up, the link is well."""
        self.told: Any = Fetched((remote_account(),))
        self.refreshed: Any = Fetched(remote_connection())
        self.answers: list[list[Any]] = []
        """The next answers of rows, page by page."""
        self.renews = False
        """Whether each request needs another token first."""

    def _one_request(self) -> None:
        counting.sent_one()
        if self.renews:
            counting.renewed_one()
        self._clock.advance(1)

    async def connections(self, *, has_links: bool) -> Any:
        self.asked.append(("list", has_links))
        self._one_request()
        return self.links.pop(0) if self.links else Fetched((remote_connection("310"), remote_connection()))

    async def accounts(self, connection_id: str) -> Any:
        self.asked.append(f"accounts {connection_id}")
        self._one_request()
        return self.told

    async def refresh(self, connection_id: str, *, attended: bool) -> Any:
        self.asked += [("refresh", connection_id), attended]
        self._one_request()
        return self.refreshed

    async def transactions(
        self, connection_id: str, *, since: str | None, oldest: date
    ) -> AsyncIterator[Any]:
        self.asked.append((connection_id, since, oldest))
        for page in self.answers.pop(0) if self.answers else [SeedPage((row(1),), 1)]:
            self._one_request()
            yield page

    @staticmethod
    def cursor_after(stamps: str, previous: str | None) -> str | None:
        return f"{previous}+{stamps}"


class Bench:
    """One link, and the course of its syncs."""

    def __init__(self, store: Store, clock: FrozenClock) -> None:
        self.store, self.clock, self.aggregator = store, clock, Aggregator(clock)
        provider: Any = self.aggregator
        self.engine = Engine(store, provider, clock, Longest())
        self.steps: list[tuple[Step, int, int | None]] = []
        store.write_now(lambda tx: connections.adopt(tx, "powens", remote_connection(), NOW))

    async def sync(
        self, trigger: Trigger = Trigger.SCHEDULE, *, refresh: bool = False, **other: Any
    ) -> tuple[SyncOutcome, ChangeSet]:
        self.steps.clear()
        self.aggregator.asked.clear()
        return await self.engine.sync(
            LINK, trigger, refresh_at_bank=refresh, progress=lambda *step: self.steps.append(step), **other
        )

    def link(self, *names: str) -> tuple[Any, ...]:
        text = f"SELECT {', '.join(names)} FROM connections WHERE id = 1"  # noqa: S608 - names from the tests
        return self.store.read_now(lambda opened: tuple(opened.execute(text).fetchone()))

    def events(self) -> list[tuple[Any, ...]]:
        """Return what else is written down, the oldest first."""
        text = "SELECT kind, detail FROM events ORDER BY id"
        return self.store.read_now(lambda opened: list(opened.execute(text)))

    def runs(self) -> list[tuple[Any, ...]]:
        text = "SELECT result, detail, kind, attempt, asked_bank, requests FROM runs ORDER BY id"
        return self.store.read_now(lambda opened: list(opened.execute(text)))
