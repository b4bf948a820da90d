"""The key file on disk: private, never overwritten, told apart from a wrong secret, safe against crashes."""

from __future__ import annotations

import os
import pathlib
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from obdesk.domain.errors import Action
from obdesk.secrets import store
from obdesk.secrets.kdf import FLOOR_COST
from obdesk.secrets.keyfile_errors import (
    DatabaseWithoutKey,
    KeyFileDamaged,
    KeyFileNotWritten,
    KeyFileRefused,
    VaultExists,
    VaultMissing,
)
from obdesk.secrets.passphrases import Passphrase
from obdesk.secrets.vault import Vault
from tests.secrets.conftest import PASSPHRASE, key_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from obdesk.secrets.keyrings import SystemKeyring


def test_only_its_owner_can_read_it(vault: Vault, profile_dir: Path) -> None:
    vault.add_recovery(vault.create(Passphrase(PASSPHRASE)))
    assert stat.S_IMODE(profile_dir.stat().st_mode) == 0o700
    assert {path.name for path in profile_dir.iterdir()} == {"vault.key", "vault.key.previous"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in profile_dir.iterdir()} == {0o600}


def test_a_second_create_refuses_and_leaves_no_trace(vault: Vault, profile_dir: Path) -> None:
    created = vault.create(Passphrase(PASSPHRASE))
    before = key_file(profile_dir).read_bytes()
    with pytest.raises(VaultExists):
        vault.create(Passphrase("another passphrase"))
    assert key_file(profile_dir).read_bytes() == before
    assert vault.unlock_with_passphrase(Passphrase(PASSPHRASE)).data_key == created.data_key


def test_two_creating_at_once_leave_one_winner(
    vault: Vault, profile_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = vault.create(Passphrase(PASSPHRASE))
    monkeypatch.setattr(store.KeyFileStore, "refuse_existing", lambda _store: None)
    with pytest.raises(VaultExists):
        Vault(profile_dir, cost=FLOOR_COST).create(Passphrase("another passphrase"))
    assert vault.unlock_with_passphrase(Passphrase(PASSPHRASE)).data_key == created.data_key
    assert [path.name for path in profile_dir.iterdir()] == ["vault.key"]


def test_nothing_is_set_up(vault: Vault) -> None:
    with pytest.raises(VaultMissing):
        vault.unlock()


@pytest.mark.parametrize("name", ["obdesk.db", "ledger.sqlite", "x.sqlite3"])
def test_a_database_without_its_key_never_gets_a_new_one(vault: Vault, profile_dir: Path, name: str) -> None:
    profile_dir.mkdir(mode=0o700)
    (profile_dir / name).write_bytes(b"encrypted")
    calls: list[Callable[[], object]] = [vault.unlock, lambda: vault.create(Passphrase(PASSPHRASE))]
    for call in calls:
        with pytest.raises(DatabaseWithoutKey) as caught:
            call()
        assert caught.value.action is Action.RETRY
    assert [path.name for path in profile_dir.iterdir()] == [name]


def test_a_symbolic_link_is_refused(vault: Vault, profile_dir: Path) -> None:
    vault.create(Passphrase(PASSPHRASE))
    elsewhere = key_file(profile_dir).rename(profile_dir / "elsewhere")
    key_file(profile_dir).symlink_to(elsewhere)
    with pytest.raises(KeyFileRefused):
        vault.unlock_with_passphrase(Passphrase(PASSPHRASE))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_file_open_to_others_is_refused(vault: Vault, profile_dir: Path, mode: int) -> None:
    vault.create(Passphrase(PASSPHRASE))
    key_file(profile_dir).chmod(mode)
    with pytest.raises(KeyFileRefused):
        vault.unlock_with_passphrase(Passphrase(PASSPHRASE))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(vault: Vault, profile_dir: Path) -> None:
    vault.create(Passphrase(PASSPHRASE))
    os.chown(key_file(profile_dir), 65534, -1)
    with pytest.raises(KeyFileRefused):
        vault.unlock_with_passphrase(Passphrase(PASSPHRASE))


def test_a_pipe_or_a_folder_in_its_place_is_refused_at_once(vault: Vault, profile_dir: Path) -> None:
    profile_dir.mkdir(mode=0o700)
    os.mkfifo(key_file(profile_dir), 0o600)
    with pytest.raises(KeyFileRefused):
        vault.unlock()
    key_file(profile_dir).unlink()
    key_file(profile_dir).mkdir(mode=0o700)
    with pytest.raises(KeyFileRefused):
        vault.unlock()


def test_a_folder_others_can_write_to_is_refused(vault: Vault, profile_dir: Path) -> None:
    profile_dir.mkdir()
    profile_dir.chmod(0o777)
    with pytest.raises(KeyFileRefused):
        vault.create(Passphrase(PASSPHRASE))
    assert list(profile_dir.iterdir()) == []


def test_a_huge_file_is_not_read_to_its_end(vault: Vault, profile_dir: Path) -> None:
    vault.create(Passphrase(PASSPHRASE))
    os.truncate(key_file(profile_dir), 1 << 40)
    with pytest.raises(KeyFileDamaged):
        vault.unlock()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_a_damaged_file_is_told_apart_and_left_alone(tmp_path: Path, data: st.DataObject) -> None:
    vault = Vault(tmp_path / "damaged", cost=FLOOR_COST)
    file = key_file(tmp_path / "damaged")
    if not file.exists():
        vault.create(Passphrase(PASSPHRASE))
        (tmp_path / "intact").write_bytes(file.read_bytes())
    content = bytearray((tmp_path / "intact").read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    with pytest.raises(KeyFileDamaged):
        vault.unlock(ask=lambda: PASSPHRASE, environ={})
    with pytest.raises(VaultExists):
        vault.create(Passphrase(PASSPHRASE))
    assert file.read_bytes() == content


def test_the_previous_version_brings_a_damaged_file_back(vault: Vault, profile_dir: Path) -> None:
    created = vault.create(Passphrase(PASSPHRASE))
    vault.add_recovery(created)
    with pytest.raises(VaultExists):
        vault.restore_previous()
    key_file(profile_dir).write_bytes(b"damaged")
    with pytest.raises(KeyFileDamaged) as caught:
        vault.unlock()
    assert caught.value.previous_usable
    vault.restore_previous()
    assert vault.unlock_with_passphrase(Passphrase(PASSPHRASE)).data_key == created.data_key
    assert (profile_dir / "vault.key.damaged-1").read_bytes() == b"damaged"


def test_the_previous_version_brings_a_lost_file_back(vault: Vault, profile_dir: Path) -> None:
    created = vault.create(Passphrase(PASSPHRASE))
    vault.add_recovery(created)
    key_file(profile_dir).unlink()
    with pytest.raises(DatabaseWithoutKey) as caught:
        vault.create(Passphrase(PASSPHRASE))
    assert caught.value.previous_usable
    vault.restore_previous()
    assert vault.unlock_with_passphrase(Passphrase(PASSPHRASE)).data_key == created.data_key


def test_without_a_previous_version_there_is_nothing_to_bring_back(vault: Vault, profile_dir: Path) -> None:
    vault.create(Passphrase(PASSPHRASE))
    key_file(profile_dir).write_bytes(b"damaged")
    with pytest.raises(KeyFileDamaged) as caught:
        vault.restore_previous()
    assert not caught.value.previous_usable
    assert key_file(profile_dir).read_bytes() == b"damaged"


class PowerCutError(BaseException):
    """The process ends here; no handler for ordinary errors runs."""


def crashing_at(step: tuple[str, int], patch: pytest.MonkeyPatch) -> None:
    """End the process at the nth call of one function that changes the disk."""
    name, number = step
    owner = os if name == "fsync" else pathlib.Path
    original: Callable[..., object] = getattr(owner, name)
    calls = iter(range(100))

    def crash(*args: object, **options: object) -> object:
        if next(calls) == number:
            raise PowerCutError
        return original(*args, **options)

    patch.setattr(owner, name, crash)


STEPS = [*(("fsync", number) for number in range(4)), ("replace", 0), ("replace", 1), ("unlink", 0)]


@pytest.mark.parametrize("step", STEPS, ids=str)
@pytest.mark.parametrize("change", ["recovery", "keyring", "passphrase"])
def test_a_crash_at_any_step_leaves_a_file_that_opens(
    vault: Vault, keyring: SystemKeyring, monkeypatch: pytest.MonkeyPatch, step: tuple[str, int], change: str
) -> None:
    created = vault.create(keyring)
    code = vault.add_recovery(created).reveal()
    with monkeypatch.context() as patch:
        crashing_at(step, patch)
        try:
            if change == "recovery":
                code = vault.add_recovery(created).reveal()
            elif change == "keyring":
                vault.rewrap_keyring(created)
            else:
                vault.rewrap_passphrase(created, Passphrase(PASSPHRASE))
        except PowerCutError:
            pass
    assert vault.unlock(ask=lambda: PASSPHRASE, environ={}).data_key == created.data_key
    if change != "recovery":
        assert vault.unlock_with_recovery(code).data_key == created.data_key


@pytest.mark.parametrize("step", [("fsync", 0), ("fsync", 1), ("hardlink_to", 0), ("unlink", 0)], ids=str)
def test_a_crash_while_setting_up_leaves_nothing_or_a_profile_that_opens(
    vault: Vault, profile_dir: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[str, int]
) -> None:
    with monkeypatch.context() as patch:
        crashing_at(step, patch)
        with pytest.raises(PowerCutError):
            vault.create(Passphrase(PASSPHRASE))
    if key_file(profile_dir).exists():
        assert len(vault.unlock(ask=lambda: PASSPHRASE, environ={}).data_key) == 32
    else:
        created = vault.create(Passphrase(PASSPHRASE))
        assert vault.unlock(ask=lambda: PASSPHRASE, environ={}).data_key == created.data_key


@pytest.mark.parametrize("number", range(4))
def test_a_failing_disk_leaves_a_file_that_opens(
    vault: Vault, keyring: SystemKeyring, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    created = vault.create(keyring)
    with monkeypatch.context() as patch:
        calls = iter(range(100))
        original = os.fsync

        def fail(descriptor: int) -> None:
            if next(calls) == number:
                raise OSError(28, "No space left on device")
            original(descriptor)

        patch.setattr(os, "fsync", fail)
        with pytest.raises(KeyFileNotWritten, check=lambda error: "No space left" in error.cause):
            vault.rewrap_keyring(created)
    assert vault.unlock().data_key == created.data_key
