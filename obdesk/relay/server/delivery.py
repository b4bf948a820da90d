"""From what a payload says to sealed hints in the mailboxes of the devices it is for, durably."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Final, NamedTuple, assert_never

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey

from obdesk.relay.protocol import DIRTY, Hint, Seal, SourceKind, sealed
from obdesk.relay.server.metrics import Fate, Operation
from obdesk.relay.server.store import Device, Kept, Mail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.relay.server.context import Context
    from obdesk.relay.server.keys import Keys
    from obdesk.relay.server.payload import Facts
    from obdesk.relay.server.store import Source

_ASIDE_MIN: Final = 8
"""For more devices than this it is sealed beside the loop, which others wait for."""
_SEAL_US: Final = 60 * 1_000_000
"""How long one seal serves for the hints of a device."""
_SEALS_MAX: Final = 10_000
_SLOTS_MAX: Final = 50_000


class _Kept(NamedTuple):
    """A seal with what changes nothing while it serves: the hint that stands for many."""

    made_us: int
    seal: Seal
    dirty: bytes


class Sealer:
    """Seals hints to devices."""

    def __init__(self, keys: Keys) -> None:
        self._slot = lru_cache(maxsize=_SLOTS_MAX)(keys.slot)
        # Nobody holds the private half: what is for nobody is sealed to it, so that it takes as long.
        self._nobody = bytes(PrivateKey.generate().public_key)
        self._seals: OrderedDict[tuple[str, bytes], _Kept] = OrderedDict()

    def mails(self, devices: Sequence[Device], hints: Sequence[Hint], now_us: int) -> list[Mail]:
        """Return every hint sealed to every device."""
        mails: list[Mail] = []
        for device in devices:
            try:
                kept = self._kept(device, now_us)
            except CryptoError:
                # Pairing refuses keys that nothing can be sealed to; one that came into the store in
                # another way must not keep the hint from all others.
                continue
            for hint in hints:
                slot = self._slot(device.id, hint.connection)
                mails.append(Mail(device.id, slot, kept.seal.sealed(hint), kept.dirty))
        return mails

    def nobodys(self, source_id: str, route: bytes | None) -> Device:
        """Return a device that does not exist, to seal to where there is none."""
        return Device((route or b"").hex(), source_id, self._nobody, route)

    def _kept(self, device: Device, now_us: int) -> _Kept:
        name = (device.id, device.public_key)
        kept = self._seals.get(name)
        if kept is None or not 0 <= now_us - kept.made_us < _SEAL_US:
            seal = Seal(device.public_key)
            kept = self._seals[name] = _Kept(now_us, seal, seal.sealed(Hint(DIRTY, now_us)))
            if len(self._seals) > _SEALS_MAX:
                self._seals.popitem(last=False)
        return kept


def dirty_of(public_key: bytes, now_us: int) -> bytes:
    """Return a sealed hint that anything may have changed; raises CryptoError for a key that takes none."""
    return sealed(public_key, Hint(DIRTY, now_us))


def hints_of(event: str, facts: Facts, now_us: int) -> list[Hint]:
    """Return what happened, one hint for each connection."""
    return [Hint(event, now_us, each.connection, each.state, facts.payload_id) for each in facts.touched]


class Delivery:
    """Keeps deliveries whose signature was found good."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sealer = Sealer(context.keys)

    async def keep(self, source: Source, event: str, facts: Facts, payload: bytes) -> Fate:
        """Keep what a delivery says for those it is for and return what became of it, once that is durable.

        `payload` is the digest by which a second time is known. Raises StoreDownError.
        """
        context = self._context
        now_us = context.clock_us()
        route = self._route(source, facts)
        found = await context.known.recipients(source.id, route)
        devices = found or (self._sealer.nobodys(source.id, route),)
        mails = await self._sealed(devices, hints_of(event, facts, now_us), now_us)
        if not found:
            mails = []
        asked = context.store.deliver(source.id, payload, mails, now_us)
        kept = await context.patience.ask(Operation.DELIVER, asked)
        match kept:
            case Kept.DUPLICATE:
                return Fate.DUPLICATE
            case Kept.STORED:
                return Fate.KEPT if mails else Fate.NOBODYS
            case _:
                assert_never(kept)

    def _route(self, source: Source, facts: Facts) -> bytes | None:
        match source.kind:
            case SourceKind.PERSONAL:
                return None
            case SourceKind.SHARED:
                # A payload without a user is asked about too, so that it takes as long as one with.
                return self._context.keys.route(source.id, facts.user or "")
            case _:
                assert_never(source.kind)

    async def _sealed(self, devices: Sequence[Device], hints: list[Hint], now_us: int) -> list[Mail]:
        began_s = perf_counter()
        if len(devices) < _ASIDE_MIN:
            mails = self._sealer.mails(devices, hints, now_us)
        else:
            mails = await asyncio.to_thread(self._sealer.mails, devices, hints, now_us)
        self._context.metrics.seal_seconds.observe(perf_counter() - began_s)
        return mails
