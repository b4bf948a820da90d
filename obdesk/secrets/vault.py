"""The vault of one profile: makes, hands out and re-wraps its database's key, and says where tokens live.

Everything here blocks (keyring, Argon2id, fsync): from a coroutine, `await asyncio.to_thread(vault.unlock)`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from obdesk.domain.errors import Action
from obdesk.secrets.errors import (
    KeyringEntryChanged,
    KeyringEntryMissing,
    KeyringMissing,
    NotThisWay,
    RecordedKeyringMissing,
    VaultProblem,
    WrongPassphrase,
    WrongRecoveryCode,
)
from obdesk.secrets.kdf import DEFAULT_COST, KEY_SIZE, Argon2Cost
from obdesk.secrets.keyfile import (
    DerivedSlot,
    KeyFile,
    KeyringSlot,
    SlotKind,
    WrongSecretError,
    data_key_id,
    derived_slot,
    new_id,
    open_derived_slot,
    seal,
    unseal,
)
from obdesk.secrets.keyfile_errors import VaultMissing
from obdesk.secrets.keyrings import SERVICE, SystemKeyring, open_keyring
from obdesk.secrets.passphrases import Passphrase, find_passphrase
from obdesk.secrets.recovery import RecoveryCode
from obdesk.secrets.store import KeyFileStore
from obdesk.secrets.tokens import KeyringTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from obdesk.secrets.keyfile import Slot
    from obdesk.secrets.tokens import TokenStore

_WRAPPING_KEY = re.compile(r"[0-9a-f]{64}")

logger = logging.getLogger(__name__)


class TokenHome(Enum):
    """Where a profile's tokens live: in the keyring if it opens with one, else in its encrypted database."""

    KEYRING = "keyring"
    DATABASE = "database"


@dataclass(frozen=True, slots=True)
class OpenedVault:
    """An open profile. `data_key` is SQLCipher's raw key, 32 bytes; drop the object to forget it.

    `tokens` is None when they live in the database, and when they live in a keyring that this way of opening
    did not use: then `rewrap_keyring` or `rewrap_passphrase` comes first.
    """

    profile_id: str
    data_key: bytes = field(repr=False)
    token_home: TokenHome
    tokens: TokenStore | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SlotDescription:
    """One way of opening the profile; the keyring's backend, or the memory Argon2id takes."""

    kind: SlotKind
    backend: str | None
    memory_kib: int | None


@dataclass(frozen=True, slots=True)
class VaultDescription:
    """What can be said without opening anything: the ways in, or what is wrong with the key file."""

    set_up: bool
    slots: tuple[SlotDescription, ...]
    problem: VaultProblem | None


class Vault:
    """The key of one profile's folder. It never overwrites a key, and never makes one beside a database."""

    def __init__(
        self,
        profile_dir: Path,
        *,
        cost: Argon2Cost = DEFAULT_COST,
        find_keyring: Callable[[str | None], SystemKeyring] = open_keyring,
    ) -> None:
        self._store = KeyFileStore(profile_dir)
        self._cost = cost
        self._find_keyring = find_keyring

    def describe(self) -> VaultDescription:
        """Return the ways in and the recorded keyring, without opening; never raises a VaultProblem."""
        try:
            file = self._store.load()
        except VaultMissing:
            return VaultDescription(set_up=False, slots=(), problem=None)
        except VaultProblem as problem:
            return VaultDescription(set_up=True, slots=(), problem=problem)
        return VaultDescription(set_up=True, slots=tuple(map(_describe_slot, file.slots)), problem=None)

    def create(self, unlock_with: SystemKeyring | Passphrase) -> OpenedVault:
        """Make a new data key and the key file of a profile that has neither key file nor database.

        Raises VaultExists, DatabaseWithoutKey, PassphraseTooShort, KeyringLied and other VaultProblem; then
        nothing was made.
        """
        self._store.refuse_existing()
        profile_id, data_key = new_id(), secrets.token_bytes(KEY_SIZE)
        if isinstance(unlock_with, SystemKeyring):
            slot: Slot = _keep_in_keyring(unlock_with, profile_id, data_key)
        else:
            slot = self._passphrase_slot(profile_id, data_key, unlock_with)
        file = KeyFile(profile_id=profile_id, current=data_key_id(data_key), pending=None, slots=(slot,))
        try:
            self._store.create(file)
        except VaultProblem:
            if isinstance(unlock_with, SystemKeyring):
                self._forget_unused(unlock_with, slot)
            raise
        logger.info("vault created, opens with its %s", slot.kind.value)
        keyring = unlock_with if isinstance(unlock_with, SystemKeyring) else None
        return _opened(file, data_key, keyring)

    def unlock(
        self, *, ask: Callable[[], str] | None = None, environ: Mapping[str, str] | None = None
    ) -> OpenedVault:
        """Open the profile the way it is set up: with its recorded keyring, or else with its passphrase.

        The passphrase comes from the file that OBDESK_PASSPHRASE_FILE names in `environ` (by default the
        process's), or from `ask`. Raises VaultMissing, DatabaseWithoutKey, KeyFileDamaged, KeyringLocked,
        KeyringEntryMissing, WrongPassphrase and other VaultProblem; nothing is ever changed.
        """
        file = self._store.load()
        slot = file.slot(SlotKind.KEYRING)
        if isinstance(slot, KeyringSlot):
            return self._unlock_with_keyring(file, slot)
        if file.slot(SlotKind.PASSPHRASE) is None:
            raise NotThisWay(_way_out(file))
        return self.unlock_with_passphrase(find_passphrase(os.environ if environ is None else environ, ask))

    def unlock_with_passphrase(self, passphrase: Passphrase) -> OpenedVault:
        """Open with a passphrase. Raises WrongPassphrase, NotThisWay and other VaultProblem."""
        file = self._store.load()
        try:
            return _opened(file, _derive_and_open(file, SlotKind.PASSPHRASE, passphrase.secret_bytes()))
        except WrongSecretError:
            raise WrongPassphrase from None

    def unlock_with_recovery(self, typed: str) -> OpenedVault:
        """Open with the recovery code as a person types it.

        Raises RecoveryCodeMistyped, WrongRecoveryCode, NotThisWay and other VaultProblem.
        """
        code = RecoveryCode.parse(typed)
        file = self._store.load()
        try:
            return _opened(file, _derive_and_open(file, SlotKind.RECOVERY, code.secret_bytes()))
        except WrongSecretError:
            raise WrongRecoveryCode from None

    def add_recovery(self, opened: OpenedVault) -> RecoveryCode:
        """Return a new recovery code, to be shown once; an earlier one opens the profile no more."""
        code = RecoveryCode.new()
        file = self._file_of(opened)
        slot = derived_slot(
            file.profile_id, SlotKind.RECOVERY, opened.data_key, code.secret_bytes(), self._cost
        )
        self._exchange(file, slot, without=frozenset({SlotKind.RECOVERY}))
        return code

    def rewrap_keyring(self, opened: OpenedVault) -> OpenedVault:
        """Open with this computer's keyring from now on: after a move, or where its entry does not fit.

        The new entry has a name of its own and is proved before the key file names it, so a crash at any
        point leaves a pair that fits. Passphrase and recovery code stay valid. Tokens then live in it.
        """
        file = self._file_of(opened)
        keyring = self._find_keyring(None)
        slot = _keep_in_keyring(keyring, file.profile_id, opened.data_key)
        try:
            new = self._exchange(file, slot, without=frozenset({SlotKind.KEYRING}))
        except VaultProblem:
            self._forget_unused(keyring, slot)
            raise
        _forget_entries(keyring, tuple(old for old in file.slots if old.kind is SlotKind.KEYRING))
        return _opened(new, opened.data_key, keyring)

    def rewrap_passphrase(self, opened: OpenedVault, passphrase: Passphrase) -> OpenedVault:
        """Open with `passphrase` from now on, in place of an earlier one or of the keyring.

        The recovery code stays valid. Tokens then live in the database: copy those in `opened.tokens` first.
        """
        file = self._file_of(opened)
        slot = self._passphrase_slot(file.profile_id, opened.data_key, passphrase)
        new = self._exchange(file, slot, without=frozenset({SlotKind.KEYRING, SlotKind.PASSPHRASE}))
        for old in file.slots:
            if isinstance(old, KeyringSlot):
                with contextlib.suppress(VaultProblem):
                    _forget_entries(self._find_keyring(old.backend), (old,))
        return _opened(new, opened.data_key)

    def restore_previous(self) -> None:
        """Put the key file's previous version back; a damaged one is set aside, never deleted.

        Raises VaultExists when the key file is in order, DatabaseWithoutKey or KeyFileDamaged when there is
        no usable previous version.
        """
        self._store.restore_previous()

    def _unlock_with_keyring(self, file: KeyFile, slot: KeyringSlot) -> OpenedVault:
        try:
            keyring = self._find_keyring(slot.backend)
            kept = keyring.get(slot.account, service=slot.service)
        except KeyringMissing:
            raise RecordedKeyringMissing(slot.backend, _way_out(file)) from None
        if kept is None:
            raise KeyringEntryMissing(_way_out(file))
        if not _WRAPPING_KEY.fullmatch(kept):
            raise KeyringEntryChanged(_way_out(file))
        try:
            data_key = unseal(file.profile_id, slot, bytes.fromhex(kept))
        except WrongSecretError:
            raise KeyringEntryChanged(_way_out(file)) from None
        return _opened(file, data_key, keyring)

    def _forget_unused(self, keyring: SystemKeyring, slot: Slot) -> None:
        """After a failed write: a file that may hold the slot after all must keep its entry."""
        if self._store.certainly_lacks(slot):
            _forget_entries(keyring, (slot,))

    def _passphrase_slot(self, profile_id: str, data_key: bytes, passphrase: Passphrase) -> DerivedSlot:
        passphrase.require_strength()
        return derived_slot(profile_id, SlotKind.PASSPHRASE, data_key, passphrase.secret_bytes(), self._cost)

    def _file_of(self, opened: OpenedVault) -> KeyFile:
        file = self._store.load()
        if file.profile_id != opened.profile_id or file.current != data_key_id(opened.data_key):
            raise ValueError("the opened vault belongs to another key file")
        return file

    def _exchange(self, file: KeyFile, slot: Slot, *, without: frozenset[SlotKind]) -> KeyFile:
        new = file.with_slot(slot, without=without)
        # What a person knew or noted down must stop opening the profile once it is replaced.
        replaced = (old for old in file.slots if old not in new.slots)
        forget_old = any(old.kind is not SlotKind.KEYRING for old in replaced)
        self._store.replace(file, new, forget_old=forget_old)
        logger.info("vault now also opens with its %s", slot.kind.value)
        return new


def _opened(file: KeyFile, data_key: bytes, keyring: SystemKeyring | None = None) -> OpenedVault:
    home = TokenHome.DATABASE if file.slot(SlotKind.KEYRING) is None else TokenHome.KEYRING
    return OpenedVault(
        profile_id=file.profile_id,
        data_key=data_key,
        token_home=home,
        tokens=None if keyring is None else KeyringTokens(keyring, file.profile_id),
    )


def _derive_and_open(file: KeyFile, kind: SlotKind, secret: bytes) -> bytes:
    slot = file.slot(kind)
    if not isinstance(slot, DerivedSlot):
        raise NotThisWay(_way_out(file))
    return open_derived_slot(file.profile_id, slot, secret)


def _keep_in_keyring(keyring: SystemKeyring, profile_id: str, data_key: bytes) -> KeyringSlot:
    wrapping_key = secrets.token_bytes(KEY_SIZE)
    slot_id = new_id()
    slot = KeyringSlot(
        slot_id=slot_id,
        key_id=data_key_id(data_key),
        backend=keyring.backend_id,
        service=SERVICE,
        account=f"{profile_id}/data-key-{slot_id}",
    )
    keyring.put(slot.account, wrapping_key.hex())
    return seal(profile_id, slot, data_key, wrapping_key)


def _forget_entries(keyring: SystemKeyring, slots: tuple[Slot, ...]) -> None:
    """Remove entries that open nothing any more; one that stays behind does no harm."""
    for slot in slots:
        if isinstance(slot, KeyringSlot) and slot.backend == keyring.backend_id:
            with contextlib.suppress(VaultProblem):
                keyring.delete(slot.account)


def _way_out(file: KeyFile) -> Action:
    if file.slot(SlotKind.PASSPHRASE) is not None:
        return Action.USE_PASSPHRASE
    if file.slot(SlotKind.RECOVERY) is not None:
        return Action.USE_RECOVERY_CODE
    return Action.RETRY


def _describe_slot(slot: Slot) -> SlotDescription:
    match slot:
        case KeyringSlot():
            return SlotDescription(kind=slot.kind, backend=slot.backend, memory_kib=None)
        case DerivedSlot():
            return SlotDescription(kind=slot.kind, backend=None, memory_kib=slot.cost.memory_kib)
