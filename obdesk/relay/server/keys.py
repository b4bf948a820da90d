"""One key of the operator's, never in the store, from which all that the store must not tell is derived.

Without it a stolen store holds digests and sealed boxes. With it a thief can forge deliveries and guess
ids by trying, and still reads no hint: those are sealed to keys that only desktops hold.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from typing import TYPE_CHECKING, Final

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from obdesk.relay.protocol import from_text, to_text

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES: Final = 32
_DIGEST_BYTES: Final = 16
_MARK_BYTES: Final = 9


class BadKeyError(Exception):
    """The key file holds no key, or what is locked was locked with another key."""


def hashed(secret: str) -> bytes:
    """Return what is kept of a secret of 256 random bits: its SHA-256.

    Nobody can guess such a secret, so a slow hash would add nothing; looking up by hash also means that
    no comparison takes longer for a better guess.
    """
    return hashlib.sha256(secret.encode()).digest()


def new_secret() -> str:
    """Return 256 random bits as text."""
    return to_text(secrets.token_bytes(32))


def new_code() -> str:
    """Return 128 random bits as text, which a person carries over once."""
    return to_text(secrets.token_bytes(16))


def new_id() -> str:
    """Return the name of something by chance; it is no secret.

    It does not begin with a dash, so that a command takes it for what it is.
    """
    made = to_text(secrets.token_bytes(16))
    return new_id() if made.startswith("-") else made


class Keys:
    """All that is derived from the operator's key; each use has a key of its own."""

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise BadKeyError("the relay's key has 32 bytes")
        self._master = master
        self._box = SecretBox(self._subkey(b"lock"))
        self._ids = hashlib.blake2b(key=self._subkey(b"ids"), digest_size=_DIGEST_BYTES)

    def _subkey(self, use: bytes) -> bytes:
        return hmac.digest(self._master, b"obdesk relay 1 " + use, "sha256")

    def _digest(self, *parts: str) -> bytes:
        # Lengths go in, so that no two lists of parts read alike.
        encoded = [part.encode() for part in parts]
        message = b"".join([b"%d:%b," % (len(part), part) for part in encoded])
        digest = self._ids.copy()
        digest.update(message)
        return digest.digest()

    def capability(self, source_id: str) -> str:
        """Return the unguessable part of a source's addresses.

        It follows from the key and the source's id, so that a source that has to be made again after the
        store was lost has the addresses the aggregator knows.
        """
        return to_text(hmac.digest(self._subkey(b"capability"), source_id.encode(), "sha256"))

    def source_id(self, name: str) -> str:
        """Return the id of the source with a name."""
        return to_text(self._digest("source", name))

    def route(self, source_id: str, user: str) -> bytes:
        """Return what stands for a user of a source."""
        return self._digest("user", source_id, user)

    def slot(self, device_id: str, connection: str | None) -> bytes:
        """Return what hints of one connection have in common in one mailbox."""
        return self._digest("slot", device_id, "" if connection is None else f"={connection}")

    def payload(self, source_id: str, payload_id: int) -> bytes:
        """Return what stands for a payload that was delivered."""
        return self._digest("payload", source_id, str(payload_id))

    def signature(self, source_id: str, signature: str) -> bytes:
        """Return what stands for a delivery without a payload id, by its signature."""
        return self._digest("signature", source_id, signature)

    def mark(self, device_id: str, epoch: str, seq: int) -> str:
        """Return what shows that a cursor was given to a device and was not thought up."""
        return to_text(self._digest("cursor", device_id, epoch, str(seq))[:_MARK_BYTES])

    def lock(self, secret: bytes) -> bytes:
        """Return a secret as the store may hold it."""
        return bytes(self._box.encrypt(secret))

    def unlock(self, locked: bytes) -> bytes:
        """Return a locked secret; raises BadKeyError."""
        try:
            return self._box.decrypt(locked)
        except (CryptoError, ValueError) as error:
            raise BadKeyError("this was locked with another key") from error


def load_or_make(path: Path) -> Keys:
    """Return the keys of a file, which is made where there is none, for its owner alone.

    Raises BadKeyError for a file that holds something else, OSError where it cannot be read.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return load(path)
    with os.fdopen(handle, "w") as file:
        file.write(f"{to_text(secrets.token_bytes(KEY_BYTES))}\n")
        file.flush()
        os.fsync(file.fileno())
    return load(path)


def load(path: Path) -> Keys:
    """Return the keys of a file; raises BadKeyError or OSError."""
    try:
        return Keys(from_text(path.read_text("ascii").strip()))
    except ValueError as error:
        raise BadKeyError("the key file holds no key") from error
