"""What a relay and a desktop say to each other; the one module both sides share.

A relay keeps *hints*, never what the aggregator posted: that something happened to a connection, and when.
Each is sealed to one device's public key (libsodium's sealed box holds the key it is under), so whoever has
the relay's disk reads none. A hint never carries a figure, and nothing is believed because of it: it makes
the desktop ask.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import Enum
from itertools import count
from typing import Annotated, Final

import msgspec
from nacl.bindings import crypto_box_seal, crypto_box_SEALBYTES, crypto_secretbox
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.secret import SecretBox
from nacl.utils import random

VERSION: Final = "v1"
EVENTS: Final = (
    "USER_CREATED",
    "USER_DELETED",
    "USER_SYNCED",
    "CONNECTION_SYNCED",
    "CONNECTION_DELETED",
    "ACCOUNTS_FETCHED",
    "ACCOUNT_SYNCED",
    "ACCOUNT_CATEGORIZED",
    "ACCOUNT_FOUND",
    "ACCOUNT_ENABLED",
    "ACCOUNT_DISABLED",
    "ACCOUNT_OWNERSHIPS_FOUND",
    "TRANSACTION_ATTACHMENTS_FOUND",
    "SUBSCRIPTION_FOUND",
    "SUBSCRIPTION_SYNCED",
    "TRANSACTIONS_CLUSTERED",
)
"""The events a source has an address for, as the aggregator names them
(https://docs.powens.com/documentation/integration-guides/webhooks)."""
DIRTY: Final = "DIRTY"
"""The event of a hint that stands for many: anything may have changed, so all links are asked about."""
WAIT_MAX_S: Final = 25
"""The longest a pull may wait for news; proxies end a silent request after 30 seconds."""
LIMIT_MAX: Final = 100
"""The most hints in one answer."""
RETENTION_S: Final = 30 * 24 * 3600
"""How long a hint waits for its device."""
_PADDED: Final = 192
"""All hints have this length before they are sealed, so that a length tells nothing."""
_KEY_BYTES: Final = SecretBox.KEY_SIZE
_NONCE_BYTES: Final = SecretBox.NONCE_SIZE
_BOX_BYTES: Final = _KEY_BYTES + crypto_box_SEALBYTES
_CURSOR: Final = re.compile(r"([A-Za-z0-9_-]{22}):(0|[1-9][0-9]{0,17})(?::([A-Za-z0-9_-]{1,22}))?")


class Hint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """That something happened at the aggregator, and nothing about what."""

    event: str
    """One of EVENTS, or DIRTY."""
    received_at_us: int
    """When the relay received it, in microseconds since 1970."""
    connection: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    """The aggregator's id of the connection; None where the payload names none."""
    state: str | None = None
    """The connection's state as the aggregator names it; None is fine or not said."""
    payload_id: int | None = None
    """`id_webhook_data`."""


class BadHintError(Exception):
    """A sealed hint that this key does not open, or that holds something else."""


class Cursor(msgspec.Struct, frozen=True):
    """How far a device has read: within one life of the relay's store, by a number that only grows."""

    epoch: str
    """Made by chance whenever a store is made or was restored from a copy; 22 characters of base64url."""
    seq: int = 0
    mark: str = ""
    """By which the relay knows again that it gave this number; to a device it is a part of the text."""

    def __str__(self) -> str:
        return f"{self.epoch}:{self.seq}:{self.mark}" if self.mark else f"{self.epoch}:{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Return the cursor that `EPOCH:SEQ` means, with or without a mark, None where it is none."""
        found = _CURSOR.fullmatch(text)
        return None if found is None else cls(found[1], int(found[2]), found[3] or "")


class Problem(msgspec.Struct, frozen=True):
    """Why a request was not done, for a person (RFC 9457); sent as application/problem+json."""

    title: str
    status: int
    detail: str


class Pairing(msgspec.Struct, frozen=True, rename="camel"):
    """What a desktop sends to become a device (`POST /v1/devices`). One of `code` and `ticket` is given."""

    public_key: str
    """32 bytes of base64url: where hints for this device are sealed to."""
    code: str | None = None
    """The one-time code of the operator."""
    ticket: str | None = None
    """What an earlier pairing left: a device announces itself again with it after the store was lost."""
    user_code: str | None = None
    """A single-use code of the aggregator, which proves to a shared source whose user this is."""


class Paired(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a pairing."""

    token: str
    """256 random bits; the bearer of every later request. The relay keeps its hash."""
    ticket: str
    cursor: str
    is_shared: bool
    """Whether the source serves many people."""
    offers_users: bool = False
    """Whether the operator makes users at the aggregator for its devices (`POST /v1/users`)."""


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """One hint as it waits."""

    cursor: str
    sealed: str
    """A sealed box of base64url; `opened` turns it into a Hint."""


class Page(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a pull."""

    entries: tuple[Entry, ...]
    cursor: str
    """To be acknowledged and asked from next; of another epoch than asked from, all is to be marked dirty."""
    peers: int = 1
    """How many devices look at the same user, this one with them: they share what may be asked of banks.

    Those count that asked for their hints within a week.
    """
    bearer_seen_at_us: int | None = None
    """When the aggregator last sent a live user token to this source: it must be revoked, and HMAC set up.

    Within 30 days; never told of a source that serves many, as it is not known whose it was.
    """
    delivered_at_us: int | None = None
    """When a delivery with a good signature last came: to this source; for this user if it serves many."""
    seat: int | None = None
    """A number below 32 that none of these other devices has, and which stays: so they can take turns."""


class Ack(msgspec.Struct, frozen=True, rename="camel"):
    """All up to here is in the ledger's queue (`POST /v1/mailbox/ack`)."""

    upto: str


class UserToken(msgspec.Struct, frozen=True, rename="camel"):
    """A user's permanent token, made or renewed by the operator's application; the relay keeps none of it."""

    token: str
    user: str
    """The aggregator's id of the user."""
    ticket: str
    """In place of the one that the pairing gave: this one remembers the user."""


class UserWish(msgspec.Struct, frozen=True, rename="camel"):
    """What a device asks the broker for (`POST /v1/users`)."""

    renew: bool = False
    """A new token for the user this device has already, instead of a new user."""


class Seal:
    """Seals hints to one device: under a key by chance, which lies before each hint in a sealed box.

    Making a sealed box takes as long as all the rest of taking a delivery, so one serves for some hints in
    a row; whoever keeps a seal decides how long. What is stored can be read with the private key alone.

    Making one raises CryptoError or ValueError for what is no key that something can be sealed to.
    """

    def __init__(self, public_key: bytes) -> None:
        self._key = random(_KEY_BYTES)
        self._box = bytes(crypto_box_seal(self._key, public_key))
        self._numbers = count()

    def sealed(self, hint: Hint) -> bytes:
        """Return a hint that only the holder of the private key can read; all are of one length.

        Raises ValueError where a hint is too long to be hidden among the others.
        """
        plain = msgspec.json.encode(hint)
        if len(plain) > _PADDED:
            raise ValueError("the hint is longer than any should be")
        # Nobody else ever has this key, so a number used once is enough; chance would cost a system call.
        nonce = next(self._numbers).to_bytes(_NONCE_BYTES, "big")
        return self._box + nonce + bytes(crypto_secretbox(plain.ljust(_PADDED), nonce, self._key))


def sealed(public_key: bytes, hint: Hint) -> bytes:
    """Return a hint sealed with a seal of its own; raises what Seal raises."""
    return Seal(public_key).sealed(hint)


def opened(private_key: bytes, blob: bytes) -> Hint:
    """Return a hint that was sealed; raises BadHintError."""
    try:
        key = SealedBox(PrivateKey(private_key)).decrypt(blob[:_BOX_BYTES])
        return msgspec.json.decode(SecretBox(key).decrypt(blob[_BOX_BYTES:]), type=Hint)
    except (CryptoError, ValueError, msgspec.MsgspecError) as error:
        raise BadHintError from error


def to_text(raw: bytes) -> str:
    """Return bytes as base64url without padding (RFC 4648, section 5)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def from_text(text: str) -> bytes:
    """Return the bytes of base64url without padding; raises ValueError for anything else."""
    if not _ALPHABET.fullmatch(text):
        raise ValueError("not base64url")
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if to_text(raw) != text:
        raise ValueError("not base64url")
    return raw


class SourceKind(Enum):
    """Whom a source serves."""

    PERSONAL = "personal"
    """One person's own application: what comes goes to all devices."""
    SHARED = "shared"
    """An operator's application: what comes goes to the devices that proved to be the user's."""
