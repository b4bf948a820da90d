"""The OS keyring: a real one, a locked one, none, and those that do not deserve trust."""

from __future__ import annotations

import sys
import time
from textwrap import dedent
from threading import Event
from typing import TYPE_CHECKING

import pytest
from keyring.backend import KeyringBackend

from obdesk.secrets.errors import (
    KeyringLied,
    KeyringLocked,
    KeyringMissing,
    KeyringRefused,
    SecretTooLong,
    TooManySecrets,
)
from obdesk.secrets.keyrings import SystemKeyring, open_keyring, trusted_backends
from obdesk.secrets.tokens import KeyringTokens
from tests.secrets.conftest import null_keyring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.daemons.keyring import KeyringDaemon

SECRET = "planted-secret-9f27"


class BrokenKeyring(KeyringBackend):
    """Fails with an error that quotes what it was given, as some libraries do."""

    priority = 0

    def get_password(self, service: str, username: str) -> str | None:
        raise ValueError(SECRET, service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        raise ValueError(password, service, username)


class SilentKeyring(KeyringBackend):
    """Never answers, like a keyring whose prompt nobody sees."""

    priority = 0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # the library leaves it untyped
        self.released = Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.released.wait()
        return f"{service}{username}"

    def set_password(self, service: str, username: str, password: str) -> None:
        self.released.wait()
        del service, username, password


@pytest.fixture
def silent() -> Iterator[SilentKeyring]:
    keyring = SilentKeyring()
    yield keyring
    keyring.released.set()


def test_a_value_comes_back_until_it_is_deleted(keyring: SystemKeyring) -> None:
    keyring.put("a-profile/purpose", SECRET)
    assert open_keyring().get("a-profile/purpose") == SECRET
    keyring.put("a-profile/purpose", "another")
    assert keyring.get("a-profile/purpose") == "another"
    keyring.delete("a-profile/purpose")
    assert keyring.get("a-profile/purpose") is None
    keyring.delete("a-profile/purpose")


def test_the_longest_value_fits_and_a_longer_one_is_refused_before_it_is_sent(keyring: SystemKeyring) -> None:
    keyring.put("a-profile/long", "x" * 1000)
    with pytest.raises(SecretTooLong):
        keyring.put("a-profile/long", "y" * 1001)
    assert keyring.get("a-profile/long") == "x" * 1000


def test_a_locked_keyring_is_told_apart(daemon: KeyringDaemon) -> None:
    keyring = open_keyring()
    keyring.put("a-profile/purpose", SECRET)
    daemon.lock()
    with pytest.raises(KeyringLocked):
        keyring.get("a-profile/purpose")
    with pytest.raises(KeyringLocked):
        keyring.put("a-profile/purpose", "another")


def test_a_keyring_that_never_answers_counts_as_locked(silent: SilentKeyring) -> None:
    keyring = SystemKeyring(silent, "silent", timeout_s=0.05)
    asked_at = time.monotonic()
    with pytest.raises(KeyringLocked):
        keyring.get("a-profile/purpose")
    assert 0.05 <= time.monotonic() - asked_at < 2


def test_without_a_bus_there_is_no_keyring() -> None:
    with pytest.raises(KeyringMissing):
        open_keyring()


def test_with_a_bus_but_no_daemon_there_is_no_keyring(daemon: KeyringDaemon) -> None:
    keyring = open_keyring()
    daemon.stop()
    with pytest.raises(KeyringMissing):
        open_keyring()
    with pytest.raises(KeyringMissing):
        keyring.get("a-profile/purpose")


def test_only_trusted_backends_are_opened(keyring: SystemKeyring) -> None:
    assert keyring.backend_id in trusted_backends("linux")
    for path in ("keyring.backends.null.Keyring", "keyrings.alt.file.PlaintextKeyring", "os.system"):
        with pytest.raises(KeyringMissing):
            open_keyring(path)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32", "freebsd14"])
def test_every_platform_has_real_keyrings_only(platform: str) -> None:
    trusted = trusted_backends(platform)
    assert trusted
    assert not any(word in path for path in trusted for word in ("null", "fail", "chainer", "alt"))


def test_what_a_user_configures_has_no_effect(
    keyring: SystemKeyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stolen = tmp_path / "stolen"
    (tmp_path / "evil_keyring.py").write_text(
        dedent(f"""
            from pathlib import Path
            from keyring.backend import KeyringBackend

            Path({str(stolen)!r}).write_text("imported")

            class Keyring(KeyringBackend):
                priority = 99
                def get_password(self, service, username):
                    return "evil"
                def set_password(self, service, username, password):
                    Path({str(stolen)!r}).write_text(password)
        """)
    )
    config = tmp_path / "config" / "python_keyring"
    config.mkdir(parents=True)
    (config / "keyringrc.cfg").write_text(
        f"[backend]\ndefault-keyring=evil_keyring.Keyring\nkeyring-path={tmp_path}\n"
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "evil_keyring.Keyring")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("KEYRING_PROPERTY_PREFERRED_COLLECTION", "/org/freedesktop/secrets/collection/session")
    monkeypatch.setenv("KEYRING_PROPERTY_SCHEME", "KeePassXC")
    monkeypatch.setenv("KEYRING_PROPERTY_GET_PASSWORD", "nonsense")

    opened = open_keyring()
    opened.put("a-profile/configured", SECRET)

    assert keyring.get("a-profile/configured") == SECRET
    assert not stolen.exists()
    assert "evil_keyring" not in sys.modules


def test_the_same_configuration_would_have_worked_on_an_unguarded_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep the test above honest: this is the door that it finds closed."""
    import keyring.core

    config = tmp_path / "python_keyring"
    config.mkdir()
    (config / "keyringrc.cfg").write_text("[backend]\ndefault-keyring=keyring.backends.null.Keyring\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert type(keyring.core.load_config()) is type(null_keyring())


def test_a_keyring_that_keeps_nothing_is_caught() -> None:
    with pytest.raises(KeyringLied):
        SystemKeyring(null_keyring(), "null").put("a-profile/purpose", SECRET)


def test_a_backends_own_error_reaches_nobody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    keyring = SystemKeyring(BrokenKeyring(), "broken")  # type: ignore[no-untyped-call] # as above
    calls: list[Callable[[], object]] = [
        lambda: keyring.get("a"),
        lambda: keyring.put("a", SECRET),
        lambda: keyring.delete("a"),
    ]
    for call in calls:
        with pytest.raises(KeyringRefused) as caught:
            call()
        shown = caught.value
        assert "ValueError" in shown.cause
        assert SECRET not in f"{shown!r}{shown}{shown.cause}{shown.next_step}{caught.getrepr(style='long')}"
        assert shown.__cause__ is None
        assert shown.__context__ is None
    assert SECRET not in caplog.text


def test_tokens_are_entries_of_their_own_and_can_be_listed(keyring: SystemKeyring) -> None:
    tokens = KeyringTokens(keyring, "b-profile")
    assert tokens.names() == frozenset()
    tokens.put("powens/client-secret", "one")
    tokens.put("powens/user-token", "two")
    tokens.put("powens/user-token", "three")

    again = KeyringTokens(open_keyring(), "b-profile")
    assert again.names() == {"powens/client-secret", "powens/user-token"}
    assert again.get("powens/user-token") == "three"
    assert KeyringTokens(keyring, "c-profile").names() == frozenset()

    again.delete("powens/user-token")
    again.delete("powens/user-token")
    assert tokens.get("powens/user-token") is None
    assert tokens.names() == {"powens/client-secret"}


def test_deleting_the_last_token_leaves_nothing(shared_daemon: KeyringDaemon, keyring: SystemKeyring) -> None:
    tokens = KeyringTokens(keyring, "d-profile")
    tokens.put("powens/user-token", "one")
    tokens.delete("powens/user-token")
    assert not [account for account in shared_daemon.accounts() if account.startswith("d-profile")]


def test_more_tokens_than_can_be_listed_are_refused(keyring: SystemKeyring) -> None:
    tokens = KeyringTokens(keyring, "e-profile")
    keyring.put("e-profile/token-names", " ".join(f"{number:064}" for number in range(15)))
    tokens.put("just-fits", "value")
    with pytest.raises(TooManySecrets):
        tokens.put("one-more-name-than-fits", "value")
    assert tokens.get("one-more-name-than-fits") is None


@pytest.mark.parametrize("name", ["", "Upper", "with space", "new\nline", "../x", "x" * 65])
def test_odd_names_are_refused(keyring: SystemKeyring, name: str) -> None:
    with pytest.raises(ValueError, match="not a secret's name"):
        KeyringTokens(keyring, "f-profile").put(name, "value")
