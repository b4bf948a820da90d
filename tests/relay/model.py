"""What a store should do, said plainly: dictionaries in memory, nothing durable, nobody waiting."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from obdesk.relay.protocol import RETENTION_S
from obdesk.relay.server.store import (
    LIVE_US,
    Broker,
    BrokerStep,
    Code,
    Device,
    Figures,
    Kept,
    Mail,
    Source,
    Waiting,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

RETENTION_US = RETENTION_S * 1_000_000


@dataclass(slots=True)
class Hint:
    """One that waits."""

    seq: int
    received_at_us: int
    sealed: bytes


@dataclass(slots=True)
class Box:
    """A device and what waits for it."""

    device: Device
    token: bytes
    head: int = 0
    broker: Broker = field(default_factory=Broker)
    hints: dict[bytes, Hint] = field(default_factory=dict)


class Model:
    """A store (obdesk.relay.server.store.Store) without durability, waiting and errors."""

    def __init__(self, mailbox_max: int) -> None:
        self._mailbox_max = mailbox_max
        self._sources: dict[str, Source] = {}
        self._addresses: dict[str, bytes] = {}
        self._codes: dict[bytes, tuple[Code, int]] = {}
        self._boxes: dict[str, Box] = {}
        self._payloads: dict[bytes, int] = {}
        self._removed: set[str] = set()

    def add_source(self, source: Source, capability_hash: bytes) -> None:
        """See Store."""
        self._sources[source.id] = source
        self._addresses[source.id] = capability_hash

    def source(self, source_id: str) -> Source | None:
        """See Store."""
        found = self._sources.get(source_id)
        return None if found is None or found.removed_at_us is not None else found

    def source_of(self, capability_hash: bytes) -> Source | None:
        """See Store."""
        ids = (source_id for source_id, address in self._addresses.items() if address == capability_hash)
        return next((self._sources[source_id] for source_id in ids), None)

    def sources(self) -> tuple[Source, ...]:
        """See Store."""
        live = (source for source in self._sources.values() if source.removed_at_us is None)
        return tuple(sorted(live, key=lambda source: source.name))

    def remove_source(self, source_id: str, now_us: int) -> bool:
        """See Store."""
        found = self.source(source_id)
        if found is None:
            return False
        self._sources[source_id] = replace(
            found, name="", secrets=(), bearer_seen_at_us=None, delivered_at_us=None, removed_at_us=now_us
        )
        for device in self.recipients(source_id, None):
            self.remove_device(device.id)
        self._codes = {code: kept for code, kept in self._codes.items() if kept[0].source_id != source_id}
        return True

    def saw_bearer(self, source_id: str, now_us: int) -> None:
        """See Store."""
        found = self.source(source_id)
        if found is not None:
            self._sources[source_id] = replace(
                found, bearer_seen_at_us=max(found.bearer_seen_at_us or 0, now_us)
            )

    def add_code(self, code_hash: bytes, source_id: str, expires_at_us: int) -> None:
        """See Store."""
        self._codes[code_hash] = (Code(source_id), expires_at_us)

    def code(self, code_hash: bytes, now_us: int) -> Code | None:
        """See Store."""
        code, expires_at_us = self._codes.get(code_hash, (None, now_us))
        return code if expires_at_us > now_us else None

    def spend_code(self, code_hash: bytes, device: Device, token_hash: bytes, now_us: int) -> str | None:
        """See Store."""
        code = self.code(code_hash, now_us)
        if code is None or code.source_id != device.source_id:
            return None
        if code.device_id is None:
            spent = replace(code, device_id=device.id, public_key=device.public_key)
            self._codes[code_hash] = (spent, self._codes[code_hash][1])
            self.add_device(device, token_hash)
            return device.id
        box = self._boxes.get(code.device_id)
        if box is None or code.public_key != device.public_key:
            return None
        box.token = token_hash
        if device.route is not None:
            self.set_route(code.device_id, device.route)
        return code.device_id

    def pulled(self, device_id: str, now_us: int) -> None:
        """See Store."""
        if device_id not in self._boxes:
            return
        own = self._boxes[device_id].device
        group = self.recipients(own.source_id, None)
        taken = {
            each.seat
            for each in group
            if each.id != own.id and each.route == own.route and each.pulled_at_us is not None
            if each.pulled_at_us > now_us - LIVE_US
        }
        free = min(set(range(len(taken) + 1)) - taken)
        seat = free if own.seat is None or own.seat in taken else own.seat
        self._boxes[device_id].device = replace(own, pulled_at_us=now_us, seat=seat)

    def add_device(self, device: Device, token_hash: bytes) -> None:
        """See Store."""
        before = self._boxes.get(device.id)
        head, broker = (0, Broker()) if before is None else (before.head, before.broker)
        self._boxes[device.id] = Box(device, token_hash, head, broker)

    def device_of(self, token_hash: bytes) -> Device | None:
        """See Store."""
        return next((box.device for box in self._boxes.values() if box.token == token_hash), None)

    def recipients(self, source_id: str, route: bytes | None) -> frozenset[Device]:
        """See Store; in no order."""
        devices = (box.device for box in self._boxes.values() if box.device.source_id == source_id)
        return frozenset(each for each in devices if route is None or each.route == route)

    def set_route(self, device_id: str, route: bytes) -> None:
        """See Store."""
        if device_id in self._boxes:
            self._boxes[device_id].device = replace(self._boxes[device_id].device, route=route, seat=None)

    def remove_device(self, device_id: str) -> bool:
        """See Store."""
        if self._boxes.pop(device_id, None) is None:
            return False
        self._removed.add(device_id)
        return True

    def was_removed(self, device_id: str) -> bool:
        """See Store."""
        return device_id in self._removed

    def deliver(self, source_id: str, payload: bytes | None, mails: Sequence[Mail], now_us: int) -> Kept:
        """See Store."""
        if payload is not None:
            if payload in self._payloads:
                return Kept.DUPLICATE
            self._payloads[payload] = now_us
        found = self.source(source_id)
        if found is not None:
            self._sources[source_id] = replace(found, delivered_at_us=max(found.delivered_at_us or 0, now_us))
        for mail in mails:
            box = self._boxes.get(mail.device_id)
            if box is None or box.device.source_id != source_id:
                continue
            box.head = max(box.head + 1, now_us)
            box.hints[mail.slot] = Hint(box.head, now_us, mail.sealed)
            if len(box.hints) > self._mailbox_max:
                box.hints = {b"": Hint(box.head, now_us, mail.dirty)}
        return Kept.STORED

    def inbox(self, device_id: str, after: int, limit: int) -> tuple[int, tuple[Waiting, ...]]:
        """See Store; without the epoch."""
        box = self._boxes.get(device_id)
        if box is None:
            return 0, ()
        found = sorted((hint.seq, hint.sealed) for hint in box.hints.values() if hint.seq > after)
        return box.head, tuple(Waiting(seq, sealed) for seq, sealed in found[:limit])

    def acknowledge(self, device_id: str, upto: int) -> None:
        """See Store."""
        box = self._boxes.get(device_id)
        if box is not None:
            box.hints = {slot: hint for slot, hint in box.hints.items() if hint.seq > upto}

    def broker(self, device_id: str) -> Broker:
        """See Store."""
        return self._boxes[device_id].broker if device_id in self._boxes else Broker()

    def set_broker(self, device_id: str, was: BrokerStep, now: Broker) -> bool:
        """See Store."""
        box = self._boxes.get(device_id)
        if box is None or box.broker.step is not was:
            return False
        box.broker = now
        return True

    def _hints(self) -> Iterator[Hint]:
        for box in self._boxes.values():
            yield from box.hints.values()

    def purge(self, now_us: int) -> int:
        """See Store."""
        old_us = now_us - RETENTION_US
        before = self._size()
        for box in self._boxes.values():
            box.hints = {slot: hint for slot, hint in box.hints.items() if hint.received_at_us > old_us}
        self._payloads = {digest: at_us for digest, at_us in self._payloads.items() if at_us > old_us}
        self._codes = {code: kept for code, kept in self._codes.items() if kept[1] > now_us}
        for source_id in self._gone(old_us):
            del self._sources[source_id], self._addresses[source_id]
        return before - self._size() + self._forgotten_bearers(old_us)

    def _forgotten_bearers(self, old_us: int) -> int:
        found = [each for each in self._sources.values() if (each.bearer_seen_at_us or old_us + 1) <= old_us]
        self._sources |= {each.id: replace(each, bearer_seen_at_us=None) for each in found}
        return len(found)

    def _size(self) -> int:
        return len(tuple(self._hints())) + len(self._payloads) + len(self._codes) + len(self._sources)

    def _gone(self, old_us: int) -> Iterable[str]:
        return [
            source.id
            for source in self._sources.values()
            if source.removed_at_us is not None and source.removed_at_us <= old_us
        ]

    def figures(self) -> Figures:
        """See Store."""
        ages = [hint.received_at_us for hint in self._hints()]
        return Figures(len(self.sources()), len(self._boxes), len(ages), min(ages, default=None))
