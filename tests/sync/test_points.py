"""The program dies at each point of a sync in turn; the next start takes it up and is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.entities import Trigger
from obdesk.sync.engine import Engine
from tests.storage.files import checked

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.storage.store import Store
    from obdesk.storage.tx import Tx
    from tests.flows.town import Town

pytestmark = pytest.mark.anyio
POINTS_MAX = 60


class Dead(BaseException):
    """The process is gone; nothing in it can catch this and go on."""


class Death:
    """Comes at the n-th point that is passed."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.where = ""

    def may_come(self, where: str) -> None:
        self.left -= 1
        if self.left == 0:
            self.where = where
            raise Dead


class Mortal:
    """A part of the program whose calls are points: before and after each of them it may all be over."""

    def __init__(self, part: Any, death: Death, calls: tuple[str, ...]) -> None:
        self._part, self._death, self._calls = part, death, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if name not in self._calls:
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            self._death.may_come(f"before {name}")
            answer = await found(*args, **kwargs)
            self._death.may_come(f"after {name}")
            return answer

        return call


class MortalStore(Mortal):
    """A store that may also die inside a transaction, before its commit."""

    def __init__(self, store: Store, death: Death) -> None:
        super().__init__(store, death, ("read",))

    async def write(self, unit: Callable[[Tx], Any], *, bulk: bool = False) -> Any:
        def doomed(tx: Tx) -> Any:
            answer = unit(tx)
            self._death.may_come("before the commit")
            return answer

        self._death.may_come("before write")
        answer = await self._part.write(doomed, bulk=bulk)
        self._death.may_come("after the commit")
        return answer


async def _live(town: Town, connection: str, death: Death) -> None:
    provider: Any = Mortal(town.provider, death, ("connections", "accounts", "refresh"))
    store: Any = MortalStore(town.store, death)
    engine = Engine(store, provider, town.clock, town._rng)
    await engine.discover()
    link = town.local_id(connection)
    await engine.sync(link, Trigger.SCHEDULE, refresh_at_bank=False, progress=lambda *_: None)


async def test_F39_dying_at_each_point_of_a_sync_loses_and_doubles_nothing(town: Town) -> None:
    connection = await town.linked()
    account = town.checking(connection)
    passed: list[str] = []
    while len(passed) < POINTS_MAX:
        town.pass_time(60)
        town.bank.tell(f"/accounts/{account}/transactions", count=2)
        death = Death(len(passed) + 1)
        try:
            await _live(town, connection, death)
        except Dead:
            passed.append(death.where)
        town.reopen()
        before = town.rows(connection)
        await town.discover()
        await town.sync(connection)
        assert before.items() <= town.rows(connection).items(), "what was there stays"
        town.tells_the_truth(connection)
        if not death.where:
            break
    assert {"before the commit", "after the commit", "after accounts"} <= set(passed)
    assert 10 < len(passed) < POINTS_MAX, "every point was passed"
    checked(town.store)
