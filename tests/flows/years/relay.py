"""A relay beside the simulated banks: it crashes, loses its store, comes back from a copy, or lies."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import httpx
import msgspec

from obdesk.relay.protocol import DIRTY, EVENTS, LIMIT_MAX, Cursor, Entry, Hint, Page, to_text
from tests.flows.mailroom import Box, Mailroom, sealed_as_liars_do

if TYPE_CHECKING:
    from tests.flows.years.bank import Bank
    from tests.flows.years.clockwork import SimClock
    from tests.flows.years.faults import Dice

_HAMMERS = 0.01
"""On so many days a lying relay has something to say every minute."""
_HAMMERED = 40
_COPIED = 0.1


class Conduct(Enum):
    """How a relay behaves: honestly, or like an adversary."""

    HONEST = "honest"
    DROPS = "drops"
    REPEATS = "repeats"
    REORDERS = "reorders"
    INVENTS = "invents"
    FORGETS = "forgets"


_LIES = tuple(each for each in Conduct if each is not Conduct.HONEST)


class Relay(Mailroom):
    """One device's relay, by the dice of one life."""

    def __init__(self, bank: Bank, clock: SimClock, dice: Dice, *, lies: bool) -> None:
        super().__init__(clock.true_now, dice.rng)
        self._bank = bank
        self._dice = dice
        self._lies = lies
        self.conduct = Conduct.HONEST
        self.offline = False
        self._copy = self.copied()
        self._handed: tuple[Entry, ...] = ()
        self.spoils = self._spoilt
        self.peers = 2 if dice.chance(0.3) else 1

    def pass_day(self) -> None:
        """Let a day's trouble come."""
        dice = self._dice
        self.is_down = dice.happens("relay_down")
        if dice.chance(_COPIED):
            self._copy = self.copied()
        if dice.happens("relay_lost"):
            self.lose_everything()
        if dice.happens("relay_restored"):
            self.restored(self._copy)
        self.conduct = dice.rng.choice(_LIES) if self._lies else Conduct.HONEST
        self.forgets_tickets = self.conduct is Conduct.FORGETS and dice.chance(0.5)
        if self.conduct is not Conduct.HONEST:
            dice.fired[f"relay_{self.conduct.value}"] += 1

    def looks_today(self) -> int:
        """Return how often the desktop gets to look into the mailbox."""
        return _HAMMERED if self._lies and self._dice.chance(_HAMMERS) else 1

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Override Mailroom.handle_async_request."""
        if self.offline:
            raise httpx.ConnectError("network is unreachable", request=request)
        if self.conduct is Conduct.FORGETS and self._dice.chance(0.5):
            self.tokens.clear()
        return await super().handle_async_request(request)

    def _spoilt(self, page: Page) -> Page:
        rng = self._dice.rng
        epoch = self.epoch
        match self.conduct:
            case Conduct.HONEST | Conduct.FORGETS:
                return page
            case Conduct.DROPS:
                return Page((), page.cursor, page.peers)
            case Conduct.REPEATS:
                self._handed = (page.entries or self._handed)[:1]
                return msgspec.structs.replace(page, entries=self._handed * LIMIT_MAX)
            case Conduct.REORDERS:
                entries = rng.sample(page.entries, len(page.entries))
                return msgspec.structs.replace(
                    page, entries=tuple(entries), cursor=str(Cursor(epoch, rng.randrange(10**17)))
                )
            case Conduct.INVENTS:
                epoch = rng.choice([epoch, to_text(rng.randbytes(16))])
                (box,) = self.boxes.values()
                entries = [self._invented(box) for _ in range(rng.randrange(12))]
                return Page(
                    tuple(entries),
                    str(Cursor(epoch, rng.randrange(10**17))),
                    rng.choice([1, 2, -5, 10**9]),
                    rng.choice([None, 0, rng.randrange(2**62)]),
                    rng.choice([None, 2**63, rng.randrange(2**52)]),
                )

    def _invented(self, box: Box) -> Entry:
        rng = self._dice.rng
        cursor = str(Cursor(self.epoch, rng.randrange(10**17)))
        if rng.random() < 0.1:
            return Entry(cursor, to_text(rng.randbytes(rng.randrange(300))))
        connection = rng.choice([*map(str, self._bank.links), str(rng.randrange(10**9)), "x" * 65, None])
        hint = Hint(
            rng.choice([*EVENTS, DIRTY, "SOMETHING_ELSE"]),
            rng.randrange(-(2**40), 2**60),
            connection,
            rng.choice([None, "wrongpass", "SCARequired", "moonPhase"]),
        )
        return Entry(cursor, to_text(sealed_as_liars_do(box.public_key, msgspec.json.encode(hint))))
