"""Consents are watched and the token is exchanged, by the running application."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from obdesk.app.events import ConsentEnds
from obdesk.app.interface import LinkChannel
from obdesk.app.notifier import Notifier
from obdesk.domain.conditions import Condition
from obdesk.domain.errors import Action
from obdesk.providers.powens.tokens import ROTATE_EVERY

if TYPE_CHECKING:
    from obdesk.domain.notices import Notice
    from tests.app.house import House

pytestmark = pytest.mark.anyio


class Shelf:
    """A presenter that keeps what it is shown."""

    def __init__(self) -> None:
        self.shown: list[Notice] = []

    def show(self, notice: Notice) -> None:
        self.shown.append(notice)


async def test_F28_each_warning_of_a_consent_comes_once_and_a_renewed_one_has_its_own(house: House) -> None:
    link = await house.linked()
    shelf = Shelf()
    house.app.bus.listen(Notifier(shelf).hear)
    upkeep = house.app._background._upkeep
    (bank,) = await house.app.reads.connections()
    ends_at = bank.consent_expires_at
    assert ends_at is not None
    for days in (31, 30, 29, 14, 14, 6, 3, 2, 1, 0.5, 0, -1):
        house.clock.set_wall(ends_at - timedelta(days=days))
        await upkeep.watch()
    told = [event.days_left for event in house.heard(ConsentEnds) if isinstance(event, ConsentEnds)]
    assert told == [30, 14, 6, 3, 1, 0]
    assert [notice.action for notice in shelf.shown] == [Action.RENEW] * 6
    assert {notice.connection_id for notice in shelf.shown} == {link}
    assert bank.bank in shelf.shown[0].title
    assert "30" in shelf.shown[0].title

    house.clock.set_wall(ends_at)
    house.store.write_now(
        lambda tx: tx.execute("UPDATE connections SET consent_expires_at = consent_expires_at + 864000000")
    )
    await upkeep.watch()
    await upkeep.watch()
    assert len(house.heard(ConsentEnds)) == 7, "the new end is ten days away: one warning of its own"


async def test_F28_beginning_to_renew_and_giving_up_leaves_the_old_consent_as_it_was(house: House) -> None:
    link = await house.linked()
    (before,) = await house.app.reads.connections()
    asked = len(house.bank.requests())
    await house.app.commands.begin_renew(link, LinkChannel.EMBEDDED)
    sent = [each.split(" ")[0] for each in house.bank.requests()[asked:]]
    assert set(sent) <= {"GET"}, "nothing is paused, changed or ended for it"
    (outcome,) = await house.sync(refresh=True)
    assert outcome.condition is Condition.OK
    (after,) = await house.app.reads.connections()
    assert (after.paused, after.consent_expires_at) == (False, before.consent_expires_at)


async def test_the_token_is_exchanged_in_time_and_that_is_written_down(house: House) -> None:
    await house.linked()
    upkeep = house.app._background._upkeep
    await upkeep.rotate()
    for _ in range(3):
        house.pass_time(ROTATE_EVERY.total_seconds() / 2)
        await upkeep.rotate()
    made = [each for each in house.bank.requests() if "/auth/renew" in each]
    assert len(made) == 1
    kinds = house.store.read_now(lambda opened: opened.execute("SELECT kind, detail FROM events").fetchall())
    assert [tuple(each) for each in kinds] == [("token_renewed", "schedule")]
    (outcome,) = await house.sync()
    assert outcome.condition is Condition.OK


async def test_an_exchange_is_tried_once_an_hour_at_most(house: House) -> None:
    await house.linked()
    upkeep = house.app._background._upkeep
    await upkeep.rotate()
    house.pass_time(ROTATE_EVERY.total_seconds() * 1.2)
    house.bank.faults({"route": "POST /2.0/auth/renew", "kind": "unavailable", "times": None})
    for _ in range(5):
        await upkeep.rotate()
    assert len([each for each in house.bank.requests() if "/auth/renew" in each]) == 1
