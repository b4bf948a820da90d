"""The key file's format: the data key, wrapped once for each way of opening the profile.

Two lines of text. The first is `obdesk-key-file ` and the SHA-256 of the second, so that a damaged file is
told apart from a wrong secret. The second is canonical JSON: the format's number, the profile's random id,
the id of the current data key, the id of a pending one while a rotation is under way, and the slots.

A slot holds one data key, sealed with ChaCha20-Poly1305 under a key that seals nothing else: 32 random bytes
kept in the keyring, or Argon2id of a passphrase or recovery code over a fresh salt. One key, one seal: a
random 96-bit nonce cannot repeat, and the cipher needs no AES hardware to run in constant time. Everything
else in the slot, the format's number and the profile's id are its associated data.

A key's id is an HMAC of the key: it binds the file to exactly one key and tells nothing about 32 random
bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from obdesk.secrets.kdf import KEY_SIZE, SALT_SIZE, Argon2Cost, derive_key
from obdesk.secrets.keyfile_errors import KeyFileDamaged, KeyFileNewer
from obdesk.secrets.strict import Fields, MalformedError

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1
FILE_SIZE_MAX = 16 * 1024
SLOTS_MAX = 8
_MAGIC = b"obdesk-key-file "
_NONCE_SIZE = 12
_BOX_SIZE = KEY_SIZE + 16
_ID_SIZE = 16


class SlotKind(Enum):
    """The ways of opening a profile."""

    KEYRING = "keyring"
    PASSPHRASE = "passphrase"  # noqa: S105 - a kind, not a secret
    RECOVERY = "recovery"


class WrongSecretError(Exception):
    """The secret does not open the slot."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A data key under another key: nonce, and ciphertext with its tag."""

    nonce: bytes
    box: bytes


_UNSEALED = Sealed(nonce=b"", box=b"")


@dataclass(frozen=True, slots=True)
class KeyringSlot:
    """Opens with a secret in the OS keyring; says in which one and under which names."""

    slot_id: str
    key_id: str
    backend: str
    service: str
    account: str
    sealed: Sealed = _UNSEALED

    @property
    def kind(self) -> SlotKind:
        """The keyring."""
        return SlotKind.KEYRING


@dataclass(frozen=True, slots=True)
class DerivedSlot:
    """Opens with something a person knows or noted down: a passphrase or a recovery code."""

    kind: SlotKind
    slot_id: str
    key_id: str
    salt: bytes
    cost: Argon2Cost
    sealed: Sealed = _UNSEALED


Slot = KeyringSlot | DerivedSlot
_AnySlot = TypeVar("_AnySlot", KeyringSlot, DerivedSlot)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The whole file. `current` and `pending` are key ids; a slot belongs to one of them."""

    profile_id: str
    current: str
    pending: str | None
    slots: tuple[Slot, ...]

    def slot(self, kind: SlotKind) -> Slot | None:
        """Return the slot of that kind which holds the current data key, if there is one."""
        return next((slot for slot in self.slots if slot.kind is kind and slot.key_id == self.current), None)

    def with_slot(self, slot: Slot, *, without: frozenset[SlotKind]) -> KeyFile:
        """Return the file with `slot` in place of the current key's slots of the kinds in `without`."""
        kept = (old for old in self.slots if old.kind not in without or old.key_id != self.current)
        return replace(self, slots=(*kept, slot))


def new_id() -> str:
    """Return a random id for a profile or slot, as 32 hex digits."""
    return secrets.token_hex(_ID_SIZE)


def data_key_id(data_key: bytes) -> str:
    """Return the id of a data key: the same for the same key, telling nothing about it."""
    return hmac.digest(data_key, b"obdesk data key id", "sha256")[:_ID_SIZE].hex()


def seal(profile_id: str, slot: _AnySlot, data_key: bytes, wrapping_key: bytes) -> _AnySlot:
    """Return `slot` holding `data_key` sealed under `wrapping_key`, which must seal nothing else."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce = secrets.token_bytes(_NONCE_SIZE)
    box = ChaCha20Poly1305(wrapping_key).encrypt(nonce, data_key, _associated_data(profile_id, slot))
    return replace(slot, sealed=Sealed(nonce=nonce, box=box))


def unseal(profile_id: str, slot: Slot, wrapping_key: bytes) -> bytes:
    """Return the data key in `slot`. Raises WrongSecretError when `wrapping_key` is not the slot's."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    sealed = slot.sealed
    try:
        data_key = ChaCha20Poly1305(wrapping_key).decrypt(
            sealed.nonce, sealed.box, _associated_data(profile_id, slot)
        )
    except InvalidTag:
        raise WrongSecretError from None
    if not hmac.compare_digest(data_key_id(data_key), slot.key_id):
        raise WrongSecretError
    return data_key


def derived_slot(
    profile_id: str, kind: SlotKind, data_key: bytes, secret: bytes, cost: Argon2Cost
) -> DerivedSlot:
    """Return a slot that opens with `secret` at the price `cost`."""
    salt = secrets.token_bytes(SALT_SIZE)
    slot = DerivedSlot(kind=kind, slot_id=new_id(), key_id=data_key_id(data_key), salt=salt, cost=cost)
    return seal(profile_id, slot, data_key, derive_key(secret, salt, cost))


def open_derived_slot(profile_id: str, slot: DerivedSlot, secret: bytes) -> bytes:
    """Return the data key in `slot`. Raises WrongSecretError or NotEnoughMemory."""
    return unseal(profile_id, slot, derive_key(secret, slot.salt, slot.cost))


def encode_key_file(file: KeyFile) -> bytes:
    """Return the file's bytes: the same file always gives the same bytes."""
    body = _canonical(
        {
            "format": FORMAT,
            "profile": file.profile_id,
            "current": file.current,
            "pending": file.pending,
            "slots": [
                {**_open_fields(slot), "nonce": slot.sealed.nonce.hex(), "box": slot.sealed.box.hex()}
                for slot in file.slots
            ],
        }
    )
    return _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body + b"\n"


def decode_key_file(content: bytes) -> KeyFile:
    """Return what `encode_key_file` was given. Raises KeyFileDamaged or KeyFileNewer."""
    head, _, rest = content.partition(b"\n")
    body = rest.removesuffix(b"\n")
    if head != _MAGIC + hashlib.sha256(body).hexdigest().encode():
        raise KeyFileDamaged
    try:
        file = _file_from(body)
    except (ValueError, RecursionError):
        raise KeyFileDamaged from None
    # Only canonical bytes are ours; this also refuses duplicate keys and a missing last newline.
    if encode_key_file(file) != content:
        raise KeyFileDamaged
    return file


def _file_from(body: bytes) -> KeyFile:
    fields = Fields(json.loads(body))
    if fields.whole("format") > FORMAT:
        raise KeyFileNewer
    file = KeyFile(
        profile_id=fields.hexadecimal("profile", _ID_SIZE).hex(),
        current=fields.hexadecimal("current", _ID_SIZE).hex(),
        pending=fields.optional_hexadecimal("pending", _ID_SIZE),
        slots=tuple(_slot_from(Fields(item)) for item in fields.items("slots", SLOTS_MAX)),
    )
    fields.end()
    if any(slot.key_id not in {file.current, file.pending} for slot in file.slots):
        raise MalformedError("a slot belongs to no key")
    return file


def _slot_from(fields: Fields) -> Slot:
    kind = SlotKind(fields.text("kind"))
    slot_id = fields.hexadecimal("slot", _ID_SIZE).hex()
    key_id = fields.hexadecimal("key", _ID_SIZE).hex()
    sealed = Sealed(nonce=fields.hexadecimal("nonce", _NONCE_SIZE), box=fields.hexadecimal("box", _BOX_SIZE))
    slot: Slot
    if kind is SlotKind.KEYRING:
        slot = KeyringSlot(
            slot_id=slot_id,
            key_id=key_id,
            backend=fields.text("backend"),
            service=fields.text("service"),
            account=fields.text("account"),
            sealed=sealed,
        )
    else:
        slot = DerivedSlot(
            kind=kind,
            slot_id=slot_id,
            key_id=key_id,
            salt=fields.hexadecimal("salt", SALT_SIZE),
            cost=Argon2Cost(
                memory_kib=fields.whole("memory_kib"),
                passes=fields.whole("passes"),
                lanes=fields.whole("lanes"),
            ),
            sealed=sealed,
        )
    fields.end()
    return slot


def _open_fields(slot: Slot) -> dict[str, object]:
    """All of a slot but what is sealed."""
    shared: dict[str, object] = {"kind": slot.kind.value, "slot": slot.slot_id, "key": slot.key_id}
    match slot:
        case KeyringSlot():
            return {**shared, "backend": slot.backend, "service": slot.service, "account": slot.account}
        case DerivedSlot():
            cost = slot.cost
            return {
                **shared,
                "salt": slot.salt.hex(),
                "memory_kib": cost.memory_kib,
                "passes": cost.passes,
                "lanes": cost.lanes,
            }


def _associated_data(profile_id: str, slot: Slot) -> bytes:
    return _canonical({"format": FORMAT, "profile": profile_id, "slot": _open_fields(slot)})


def _canonical(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
