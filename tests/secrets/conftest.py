"""A vault in a folder of its own, with keyrings real and broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.secrets.kdf import FLOOR_COST
from obdesk.secrets.keyrings import SystemKeyring, open_keyring
from obdesk.secrets.vault import Vault
from tests.daemons.keyring import KeyringDaemon, running_keyring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from keyring.backend import KeyringBackend


PASSPHRASE = "correct horse battery"


def key_file(profile_dir: Path) -> Path:
    """Return where a profile's key file is."""
    return profile_dir / "vault.key"


def null_keyring() -> KeyringBackend:
    """Return the library's own backend that accepts everything and keeps nothing."""
    from keyring.backends.null import Keyring

    return Keyring()  # type: ignore[no-untyped-call] # the library leaves it untyped


@pytest.fixture(scope="session")
def shared_daemon() -> Iterator[KeyringDaemon]:
    with running_keyring() as daemon:
        yield daemon


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyringDaemon]:
    """Give a keyring that this test may lock and stop."""
    with running_keyring() as daemon:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", daemon.environ["DBUS_SESSION_BUS_ADDRESS"])
        yield daemon


@pytest.fixture
def keyring(shared_daemon: KeyringDaemon, monkeypatch: pytest.MonkeyPatch) -> SystemKeyring:
    """Give the keyring that all tests share; each profile has names of its own in it."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", shared_daemon.environ["DBUS_SESSION_BUS_ADDRESS"])
    return open_keyring()


@pytest.fixture
def profile_dir(tmp_path: Path) -> Path:
    return tmp_path / "profile"


@pytest.fixture
def vault(profile_dir: Path) -> Vault:
    """Give a vault whose passphrase is as cheap to check as the floor allows."""
    return Vault(profile_dir, cost=FLOOR_COST)
