"""The vault as a person meets it: set up, open, locked out in every way, let back in; never a lost key."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.errors import Action
from obdesk.secrets.errors import (
    KeyringEntryChanged,
    KeyringEntryMissing,
    KeyringLied,
    KeyringLocked,
    KeyringMissing,
    NotThisWay,
    PassphraseNeeded,
    PassphraseTooShort,
    RecordedKeyringMissing,
    RecoveryCodeMistyped,
    VaultProblem,
    WrongPassphrase,
    WrongRecoveryCode,
)
from obdesk.secrets.kdf import DEFAULT_COST, FLOOR_COST
from obdesk.secrets.keyfile import KeyringSlot, SlotKind, decode_key_file
from obdesk.secrets.keyfile_errors import (
    KeyFileChanged,
    KeyFileDamaged,
    KeyFileNotWritten,
)
from obdesk.secrets.keyrings import SERVICE, SystemKeyring, open_keyring
from obdesk.secrets.passphrases import Passphrase
from obdesk.secrets.vault import TokenHome, Vault
from tests.secrets.conftest import PASSPHRASE, key_file, null_keyring

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.daemons.keyring import KeyringDaemon


def keyring_slot(profile_dir: Path) -> KeyringSlot:
    slot = decode_key_file(key_file(profile_dir).read_bytes()).slot(SlotKind.KEYRING)
    assert isinstance(slot, KeyringSlot)
    return slot


def no_keyring(_backend_id: str | None) -> SystemKeyring:
    raise KeyringMissing


def typing_wrong(code: str) -> str:
    """Return the code with its first symbol changed."""
    return ("0" if code[0] != "0" else "1") + code[1:]


class TestKeyring:
    def test_what_was_created_opens_again_with_its_tokens(
        self, vault: Vault, profile_dir: Path, keyring: SystemKeyring
    ) -> None:
        created = vault.create(keyring)
        assert created.tokens is not None
        created.tokens.put("powens/user-token", "a token")

        opened = Vault(profile_dir).unlock()
        assert opened.data_key == created.data_key
        assert len(opened.data_key) == 32
        assert opened.token_home is TokenHome.KEYRING
        assert opened.tokens is not None
        assert opened.tokens.get("powens/user-token") == "a token"

    def test_opening_works_from_a_coroutine(self, vault: Vault, keyring: SystemKeyring) -> None:
        created = vault.create(keyring)

        async def unlock_in_thread() -> bytes:
            return (await asyncio.to_thread(vault.unlock)).data_key

        assert asyncio.run(unlock_in_thread()) == created.data_key

    def test_two_profiles_share_nothing(self, tmp_path: Path, keyring: SystemKeyring) -> None:
        first, second = Vault(tmp_path / "one").create(keyring), Vault(tmp_path / "two").create(keyring)
        assert first.data_key != second.data_key
        assert first.profile_id != second.profile_id
        assert Vault(tmp_path / "one").unlock().data_key == first.data_key

    def test_a_moved_folder_still_opens(
        self, vault: Vault, profile_dir: Path, keyring: SystemKeyring
    ) -> None:
        created = vault.create(keyring)
        moved = profile_dir.rename(profile_dir.with_name("moved"))
        assert Vault(moved).unlock().data_key == created.data_key

    def test_locked(self, vault: Vault, profile_dir: Path, daemon: KeyringDaemon) -> None:
        vault.create(open_keyring())
        before = key_file(profile_dir).read_bytes()
        daemon.lock()
        with pytest.raises(KeyringLocked) as caught:
            vault.unlock()
        assert caught.value.action is Action.UNLOCK_KEYRING
        assert key_file(profile_dir).read_bytes() == before

    def test_creating_in_a_locked_keyring_makes_nothing(
        self, vault: Vault, profile_dir: Path, daemon: KeyringDaemon
    ) -> None:
        keyring = open_keyring()
        daemon.lock()
        with pytest.raises(KeyringLocked):
            vault.create(keyring)
        assert not profile_dir.exists()

    def test_absent_names_the_keyring_that_holds_the_key(
        self, vault: Vault, keyring: SystemKeyring, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        vault.add_recovery(vault.create(keyring))
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        with pytest.raises(RecordedKeyringMissing) as caught:
            vault.unlock()
        assert keyring.backend_id in caught.value.cause
        assert caught.value.action is Action.USE_RECOVERY_CODE

    def test_entry_missing(self, vault: Vault, profile_dir: Path, keyring: SystemKeyring) -> None:
        vault.create(keyring)
        keyring.delete(keyring_slot(profile_dir).account)
        with pytest.raises(KeyringEntryMissing):
            vault.unlock()

    @pytest.mark.parametrize("value", ["00" * 32, "not a key", "00" * 31])
    def test_entry_changed(self, vault: Vault, profile_dir: Path, keyring: SystemKeyring, value: str) -> None:
        vault.create(keyring)
        keyring.put(keyring_slot(profile_dir).account, value)
        with pytest.raises(KeyringEntryChanged):
            vault.unlock()

    def test_a_keyring_that_keeps_nothing_is_refused_before_a_file_is_made(
        self, vault: Vault, profile_dir: Path
    ) -> None:
        with pytest.raises(KeyringLied):
            vault.create(SystemKeyring(null_keyring(), "null"))
        assert not profile_dir.exists()

    def test_a_file_that_cannot_be_written_leaves_no_entry_behind(
        self, profile_dir: Path, shared_daemon: KeyringDaemon, keyring: SystemKeyring
    ) -> None:
        profile_dir.write_text("in the way")
        before = shared_daemon.accounts()
        with pytest.raises(KeyFileNotWritten):
            Vault(profile_dir).create(keyring)
        assert shared_daemon.accounts() == before


class TestPassphrase:
    def test_what_was_created_opens_again(self, vault: Vault) -> None:
        created = vault.create(Passphrase(PASSPHRASE))
        opened = vault.unlock(ask=lambda: PASSPHRASE, environ={})
        assert opened.data_key == created.data_key
        assert opened.token_home is TokenHome.DATABASE
        assert opened.tokens is None

    def test_with_the_cost_that_people_get(self, profile_dir: Path) -> None:
        created = Vault(profile_dir).create(Passphrase(PASSPHRASE))
        description = Vault(profile_dir).describe()
        assert [slot.memory_kib for slot in description.slots] == [256 * 1024] == [DEFAULT_COST.memory_kib]
        assert Vault(profile_dir).unlock_with_passphrase(Passphrase(PASSPHRASE)).data_key == created.data_key

    def test_wrong(self, vault: Vault, profile_dir: Path) -> None:
        vault.create(Passphrase(PASSPHRASE))
        before = key_file(profile_dir).read_bytes()
        for wrong in ("correct horse batterY", "", "\udcff"):
            with pytest.raises(WrongPassphrase):
                vault.unlock(ask=partial(str, wrong), environ={})
        assert key_file(profile_dir).read_bytes() == before

    def test_nobody_to_ask(self, vault: Vault) -> None:
        vault.create(Passphrase(PASSPHRASE))
        with pytest.raises(PassphraseNeeded):
            vault.unlock(environ={})

    def test_a_short_one_is_refused_and_nothing_made(self, vault: Vault, profile_dir: Path) -> None:
        with pytest.raises(PassphraseTooShort):
            vault.create(Passphrase("seven77"))
        assert not profile_dir.exists()

    def test_the_same_letters_composed_otherwise_open_it(self, vault: Vault) -> None:
        created = vault.create(Passphrase("caf\u00e9 cr\u00e8me"))
        assert vault.unlock_with_passphrase(Passphrase("cafe\u0301 cre\u0300me")).data_key == created.data_key

    def test_a_keyring_profile_has_no_passphrase(self, vault: Vault, keyring: SystemKeyring) -> None:
        vault.create(keyring)
        with pytest.raises(NotThisWay):
            vault.unlock_with_passphrase(Passphrase(PASSPHRASE))


class TestRecovery:
    def test_the_code_opens_when_the_keyring_is_gone_and_a_new_keyring_takes_over(
        self, vault: Vault, profile_dir: Path, shared_daemon: KeyringDaemon, keyring: SystemKeyring
    ) -> None:
        created = vault.create(keyring)
        code = vault.add_recovery(created).reveal()
        old_account = keyring_slot(profile_dir).account
        keyring.put(old_account, "00" * 32)

        opened = vault.unlock_with_recovery(code.lower().replace("-", " "))
        assert opened.data_key == created.data_key
        assert opened.token_home is TokenHome.KEYRING
        assert opened.tokens is None

        rewrapped = vault.rewrap_keyring(opened)
        assert rewrapped.tokens is not None
        assert vault.unlock().data_key == created.data_key
        assert old_account not in shared_daemon.accounts()
        assert vault.unlock_with_recovery(code).data_key == created.data_key

    def test_the_code_opens_a_profile_whose_passphrase_is_forgotten(self, vault: Vault) -> None:
        created = vault.create(Passphrase(PASSPHRASE))
        code = vault.add_recovery(created).reveal()
        opened = vault.unlock_with_recovery(code)
        vault.rewrap_passphrase(opened, Passphrase("a new passphrase"))
        assert vault.unlock_with_passphrase(Passphrase("a new passphrase")).data_key == created.data_key
        with pytest.raises(WrongPassphrase):
            vault.unlock_with_passphrase(Passphrase(PASSPHRASE))

    def test_typing_errors_and_foreign_codes_are_told_apart(self, vault: Vault, tmp_path: Path) -> None:
        code = vault.add_recovery(vault.create(Passphrase(PASSPHRASE))).reveal()
        other = Vault(tmp_path / "other", cost=FLOOR_COST)
        foreign = other.add_recovery(other.create(Passphrase(PASSPHRASE))).reveal()
        with pytest.raises(RecoveryCodeMistyped):
            vault.unlock_with_recovery(typing_wrong(code))
        with pytest.raises(WrongRecoveryCode):
            vault.unlock_with_recovery(foreign)

    def test_a_newer_code_replaces_the_older_everywhere(self, vault: Vault, profile_dir: Path) -> None:
        opened = vault.create(Passphrase(PASSPHRASE))
        first = vault.add_recovery(opened).reveal()
        second = vault.add_recovery(opened).reveal()
        with pytest.raises(WrongRecoveryCode):
            vault.unlock_with_recovery(first)
        assert vault.unlock_with_recovery(second).data_key == opened.data_key
        assert [path.name for path in profile_dir.iterdir()] == ["vault.key"]

    def test_without_a_code_there_is_none_to_use(self, vault: Vault, tmp_path: Path) -> None:
        code = vault.add_recovery(vault.create(Passphrase(PASSPHRASE))).reveal()
        other = Vault(tmp_path / "other", cost=FLOOR_COST)
        other.create(Passphrase(PASSPHRASE))
        with pytest.raises(NotThisWay) as caught:
            other.unlock_with_recovery(code)
        assert caught.value.action is Action.USE_PASSPHRASE


class TestChangingTheWayIn:
    def test_from_keyring_to_passphrase_and_back(
        self, vault: Vault, shared_daemon: KeyringDaemon, keyring: SystemKeyring
    ) -> None:
        created = vault.create(keyring)
        with_passphrase = vault.rewrap_passphrase(created, Passphrase(PASSPHRASE))
        assert with_passphrase.token_home is TokenHome.DATABASE
        assert not [
            name for name in shared_daemon.accounts() if name.startswith(f"{created.profile_id}/data")
        ]
        assert vault.unlock(ask=lambda: PASSPHRASE, environ={}).data_key == created.data_key

        with_keyring = vault.rewrap_keyring(with_passphrase)
        assert with_keyring.token_home is TokenHome.KEYRING
        assert vault.unlock().data_key == created.data_key
        assert vault.unlock_with_passphrase(Passphrase(PASSPHRASE)).data_key == created.data_key

    def test_another_process_wrote_first(
        self, profile_dir: Path, keyring: SystemKeyring, shared_daemon: KeyringDaemon
    ) -> None:
        vault = Vault(profile_dir, cost=FLOOR_COST)
        opened = vault.create(keyring)

        def interrupted(backend_id: str | None) -> SystemKeyring:
            vault.add_recovery(opened)
            return open_keyring(backend_id)

        before = shared_daemon.accounts()
        with pytest.raises(KeyFileChanged):
            Vault(profile_dir, find_keyring=interrupted).rewrap_keyring(opened)
        assert shared_daemon.accounts() == before
        assert vault.unlock().data_key == opened.data_key

    def test_a_vault_opened_elsewhere_is_refused(self, vault: Vault, tmp_path: Path) -> None:
        vault.create(Passphrase(PASSPHRASE))
        foreign = Vault(tmp_path / "foreign", cost=FLOOR_COST).create(Passphrase(PASSPHRASE))
        with pytest.raises(ValueError, match="another key file"):
            vault.add_recovery(foreign)


def test_the_doctor_sees_the_ways_in_without_opening(
    vault: Vault, profile_dir: Path, keyring: SystemKeyring
) -> None:
    assert not vault.describe().set_up
    vault.add_recovery(vault.create(keyring))
    description = Vault(profile_dir, find_keyring=no_keyring).describe()
    assert [(slot.kind, slot.backend) for slot in description.slots] == [
        (SlotKind.KEYRING, keyring.backend_id),
        (SlotKind.RECOVERY, None),
    ]
    key_file(profile_dir).write_bytes(b"damaged")
    description = vault.describe()
    assert description.set_up
    assert isinstance(description.problem, KeyFileDamaged)


def test_no_secret_in_any_text(
    vault: Vault, profile_dir: Path, keyring: SystemKeyring, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    created = vault.create(keyring)
    assert created.tokens is not None
    created.tokens.put("powens/user-token", "planted-token-41")
    code = vault.add_recovery(created)
    wrapping_key = keyring.get(keyring_slot(profile_dir).account, service=SERVICE)
    assert wrapping_key is not None
    passphrase = Passphrase(PASSPHRASE)
    texts = [caplog.text, repr(passphrase), str(passphrase), repr(code), f"{code}"]
    for value in (created, vault, vault.unlock(), vault.describe(), created.tokens, keyring):
        texts += [repr(value), str(value)]
    attempts: list[Callable[[], object]] = [
        lambda: vault.unlock_with_passphrase(passphrase),
        lambda: vault.unlock_with_recovery(typing_wrong(code.reveal())),
        lambda: vault.create(passphrase),
    ]
    for attempt in attempts:
        with pytest.raises(VaultProblem) as caught:
            attempt()
        error = caught.value
        texts += [repr(error), error.title, error.cause, error.next_step]
    everything = "\n".join(texts)
    hidden = [
        created.data_key.hex(),
        repr(created.data_key),
        wrapping_key,
        PASSPHRASE,
        code.reveal(),
        "planted-token-41",
    ]
    assert [secret for secret in hidden if secret in everything] == []
