"""What a relay keeps, and what every store must be able to do; SQLite and Redis are the two.

Nothing here is readable to whoever steals it: secrets are kept as hashes or locked, ids as keyed digests
(`relay.server.keys`), hints sealed. Times are microseconds since 1970, of the relay's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.relay.protocol import SourceKind

MAILBOX_MAX = 1_000
"""More hints than this wait for no device: they become one that says that anything may have changed."""


LIVE_US = 7 * 24 * 3_600 * 1_000_000
"""A device that asked for nothing for longer shares nothing with others."""


class StoreDownError(Exception):
    """The store cannot write or read now; whoever asked must come again."""


class StoreRefusedError(StoreDownError):
    """The store may not be used as it is set up; the sentence tells the operator why and what helps."""


class Gzip(Enum):
    """Whether a source takes compressed bodies, and which bytes its signature is over."""

    OFF = "off"
    SIGNED_PLAIN = "signed-plain"
    SIGNED_COMPRESSED = "signed-compressed"


@dataclass(frozen=True, slots=True)
class Source:
    """One registration of webhooks at the aggregator."""

    id: str
    name: str
    kind: SourceKind
    secrets: tuple[bytes, ...]
    """The signing secrets, locked; two while one takes the other's place."""
    gzip: Gzip = Gzip.OFF
    bearer_seen_at_us: int | None = None
    delivered_at_us: int | None = None
    removed_at_us: int | None = None
    """Its addresses answer 410 from then on, and after the retention as if they had never been."""


@dataclass(frozen=True, slots=True)
class Device:
    """One desktop."""

    id: str
    source_id: str
    public_key: bytes
    route: bytes | None
    """The keyed digest of the user it belongs to; None in a personal source, and before it is known."""
    pulled_at_us: int | None = None
    """When it last asked for its hints, to the hour, or was paired."""
    seat: int | None = None
    """A number that it alone has of those that look at the same user and ask; None before it asked."""


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code for pairing that is good still."""

    source_id: str
    device_id: str | None = None
    """The device it made; asked with the same key again, it is this one and no other."""
    public_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """One hint on its way to one device."""

    device_id: str
    slot: bytes
    """What folds: a later hint of the same slot takes the place of the one that waits."""
    sealed: bytes
    dirty: bytes
    """A sealed hint that anything may have changed, kept instead where the mailbox is full."""


class Kept(Enum):
    """What became of a delivery."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    """Its payload id was seen before; nothing was kept again."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sealed hint in a mailbox."""

    seq: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Inbox:
    """What a pull finds."""

    epoch: str
    head: int
    """The highest number ever given in this mailbox; a cursor beyond it is of a store that was lost."""
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """How full a store is."""

    sources: int
    devices: int
    waiting: int
    oldest_at_us: int | None
    """When the hint that waits longest was received."""


class BrokerStep(Enum):
    """How far the making of a user for a device has come."""

    NONE = "none"
    BEGUN = "begun"
    """The aggregator was asked; whether it made a user is not known until it has answered."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Broker:
    """What is known of the making of a user for a device."""

    step: BrokerStep = BrokerStep.NONE
    user: bytes | None = None
    """The aggregator's id of the user, locked; None before it is known."""


class Store(Protocol):
    """A durable place: when a method that writes returns, a power cut loses nothing of it.

    Every method may raise StoreDownError. All that takes a device's id touches nothing of other devices.
    """

    async def epoch(self) -> str:
        """Return the name of this life of the store."""

    async def renew_epoch(self) -> str:
        """Begin a new life: every device will mark everything dirty."""

    async def add_source(self, source: Source, capability_hash: bytes) -> None:
        """Keep a source, in place of one with the same id; its devices and hints stay."""

    async def source(self, source_id: str) -> Source | None:
        """Return a source that was not removed."""

    async def source_of(self, capability_hash: bytes) -> Source | None:
        """Return the source with this address, a removed one too."""

    async def sources(self) -> tuple[Source, ...]:
        """Return all sources that were not removed, by name."""

    async def remove_source(self, source_id: str, now_us: int) -> bool:
        """Delete a source with its devices, hints and codes; its address is remembered as gone."""

    async def saw_bearer(self, source_id: str, now_us: int) -> None:
        """Keep that the aggregator sent a live token to a source."""

    async def add_code(self, code_hash: bytes, source_id: str, expires_at_us: int) -> None:
        """Keep a one-time code for pairing."""

    async def code(self, code_hash: bytes, now_us: int) -> Code | None:
        """Return a code; None where there is none or its time is over."""

    async def spend_code(
        self, code_hash: bytes, device: Device, token_hash: bytes, now_us: int
    ) -> str | None:
        """Make a device by a code and return its id; None where the code is not good for it.

        A code makes one device. Spent again for the same public key, whose owner did not hear of the first
        time, it gives that device the new token; what waits for it stays. Of two keys at once one succeeds.
        """

    async def add_device(self, device: Device, token_hash: bytes) -> None:
        """Keep a device, in place of one with the same id, whose hints are dropped then."""

    async def device_of(self, token_hash: bytes) -> Device | None:
        """Return the device that holds a token."""

    async def devices(self, source_id: str) -> tuple[Device, ...]:
        """Return the devices of a source."""

    async def set_route(self, device_id: str, route: bytes) -> None:
        """Keep which user a device has proved to be of."""

    async def pulled(self, device_id: str, now_us: int) -> None:
        """Keep that a device asked for its hints, and give it a seat that no other live one has."""

    async def remove_device(self, device_id: str) -> bool:
        """Delete a device with all that waits for it; that it was removed is remembered."""

    async def was_removed(self, device_id: str) -> bool:
        """Tell whether a device was removed, or its source: what it kept does not bring it back then."""

    async def recipients(self, source_id: str, route: bytes | None) -> tuple[Device, ...]:
        """Return the devices that what comes goes to: all of a source, or those of one user."""

    async def deliver(
        self, source_id: str, payload: bytes | None, mails: Sequence[Mail], now_us: int
    ) -> Kept:
        """Keep the hints of one delivery, all or none, remember its payload's digest, and wake who waits.

        A mail for a device that is gone meanwhile is dropped. The source's `delivered_at_us` follows.
        """

    async def inbox(self, device_id: str, after: int, limit: int) -> Inbox:
        """Return what waits for a device after a number, oldest first."""

    async def acknowledge(self, device_id: str, upto: int) -> None:
        """Delete what waits up to a number; twice is as good as once."""

    async def wait(self, device_id: str, after: int, timeout_s: float) -> None:
        """Return once something waits for a device after a number, or the time is over."""

    async def broker(self, device_id: str) -> Broker:
        """Return how far the making of a user for a device has come."""

    async def set_broker(self, device_id: str, was: BrokerStep, now: Broker) -> bool:
        """Keep how far it has come if it had come as far as `was`, and tell whether it had.

        Of two who try at once one succeeds.
        """

    async def purge(self, now_us: int) -> int:
        """Delete what is older than the retention: hints, payload digests, codes, removed sources.

        That a source's live token was seen is forgotten after that, too. Then what was deleted, by this or
        before, is made unreadable on the disk where it is time for that.
        """

    async def figures(self) -> Figures:
        """Return how full the store is."""

    async def ping(self) -> None:
        """Return when the store can be written; raises StoreDownError."""

    async def close(self) -> None:
        """Let go of it."""
