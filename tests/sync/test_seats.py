"""Whatever a relay says of the other computers of a person: each has its turn to read a bank."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.limits import SEAT_HELD, TURN, Sharing, share_of
from obdesk.relay.protocol import Cursor, Page
from obdesk.storage.queries import mailbox as reads
from tests.storage.files import made
from tests.sync.test_intake import EPOCH, Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a desk with a relay."""
    one = Desk(made(tmp_path / "ledger.db"))
    yield one
    one.store.close()


def test_a_relay_that_lies_about_the_other_computers_keeps_none_from_its_turn_for_ever(desk: Desk) -> None:
    dice = random.Random(7)  # noqa: S311 - chance, not secrets
    last = desk.clock.now()
    for _ in range(24 * 90):
        desk.clock.advance(3600)
        now = desk.clock.now()
        # Every hour it says whatever has its turn as late as can be.
        seats = [seat for seat in range(32) if not share_of(4, Sharing(64, seat), now + TURN)]
        desk.take_page(Page((), str(Cursor(EPOCH)), dice.choice([5, 64, 10**6]), seat=dice.choice(seats)))
        if share_of(4, desk.store.read_now(reads.sharing), now):
            last = now
        assert now - last < 34 * TURN


def test_a_seat_is_kept_until_its_turn_has_come_and_then_another_is_taken(desk: Desk) -> None:
    def sit(seat: int | None) -> int:
        desk.take_page(Page((), str(Cursor(EPOCH)), 5, seat=seat))
        return desk.store.read_now(reads.sharing).seat

    assert [sit(seat) for seat in (None, 32, -1, 7, 9, None)] == [0, 0, 0, 7, 7, 7]
    desk.clock.advance(SEAT_HELD.total_seconds())
    assert [sit(seat) for seat in (9, 7)] == [9, 9]
