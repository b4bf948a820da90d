"""A real Secret Service on a D-Bus of its own: gnome-keyring in a folder that is gone afterwards.

No other program can be started from that bus, so no prompt ever appears and a locked keyring stays locked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import secretstorage
from jeepney import MatchRule, message_bus
from jeepney.io.blocking import (
    DBusConnection,
    Proxy,
    open_dbus_connection,
)
from secretstorage.util import DBusAddressWrapper, add_match_rules, format_secret, open_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROGRAMS = ("dbus-daemon", "gnome-keyring-daemon")
_UNLOCKING = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"
_SECRETS = "org.freedesktop.secrets"
_READY_S = 10.0
_PASSWORD = b"login password"
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class KeyringDaemon:
    """A running keyring, unlocked at first."""

    def __init__(self, environ: dict[str, str], keyring: subprocess.Popen[bytes]) -> None:
        self.environ = environ
        self._keyring = keyring

    def lock(self) -> None:
        """Lock it; nobody is there to answer its prompt."""
        with self._connected() as bus:
            secretstorage.get_default_collection(bus).lock()

    def unlock(self) -> None:
        """Unlock it as logging in does."""
        with self._connected() as bus:
            there = DBusAddressWrapper("/org/freedesktop/secrets", _UNLOCKING, bus)
            password = format_secret(open_session(bus), _PASSWORD, "text/plain")
            path = secretstorage.get_default_collection(bus).collection_path
            there.call("UnlockWithMasterPassword", "o(oayays)", path, password)

    def secrets(self) -> dict[str, bytes]:
        """Return what is kept, by the account names of the entries."""
        with self._connected() as bus:
            items = secretstorage.get_default_collection(bus).get_all_items()
            return {item.get_attributes()["username"]: item.get_secret() for item in items}

    def overwrite(self, values: Mapping[str, bytes]) -> None:
        """Put other values into entries that are there."""
        with self._connected() as bus:
            for item in secretstorage.get_default_collection(bus).get_all_items():
                item.set_secret(values[item.get_attributes()["username"]])

    def stop(self) -> None:
        """End the keyring; the bus goes on."""
        _end(self._keyring)

    def accounts(self) -> frozenset[str]:
        """Return the account names of all entries."""
        with self._connected() as bus:
            items = secretstorage.get_default_collection(bus).get_all_items()
            return frozenset(item.get_attributes().get("username", "") for item in items)

    @contextmanager
    def _connected(self) -> Iterator[DBusConnection]:
        with closing(open_dbus_connection(self.environ["DBUS_SESSION_BUS_ADDRESS"])) as bus:
            add_match_rules(bus)
            yield bus


@contextmanager
def running_keyring(run_as: Sequence[str] = ()) -> Iterator[KeyringDaemon]:
    """Start a keyring and its bus, and end both; `environ` is what a process needs to find them.

    `run_as` goes before both commands: a program that runs the rest as somebody else.
    """
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    assert not missing, f"these tests need {', '.join(missing)} (Debian: dbus, gnome-keyring)"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keyring-")))
        environ = {"PATH": os.environ["PATH"]}
        for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
            place = folder / name.lower()
            place.mkdir(mode=0o700)
            environ[name] = str(place)
        environ["DBUS_SESSION_BUS_ADDRESS"] = stack.enter_context(_running_bus(folder, environ, run_as))
        keyring = stack.enter_context(_running_daemon(environ, run_as))
        yield KeyringDaemon(environ, keyring)


@contextmanager
def _running_bus(folder: Path, environ: dict[str, str], run_as: Sequence[str]) -> Iterator[str]:
    config = folder / "bus.conf"
    config.write_text(_BUS.format(socket=folder / "bus"), encoding="utf-8")
    with subprocess.Popen(
        [*run_as, "dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--print-address"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as bus:
        try:
            assert bus.stdout is not None
            address = bus.stdout.readline().strip()
            assert address, "the bus did not start"
            yield address
        finally:
            _end(bus)


@contextmanager
def _running_daemon(environ: dict[str, str], run_as: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    with closing(open_dbus_connection(environ["DBUS_SESSION_BUS_ADDRESS"])) as bus:
        rule = MatchRule(type="signal", member="NameOwnerChanged")
        rule.add_arg_condition(0, _SECRETS)
        Proxy(message_bus, bus).AddMatch(rule)
        with (
            bus.filter(rule) as owned,
            subprocess.Popen(
                [*run_as, "gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
                env=environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as keyring,
        ):
            try:
                assert keyring.stdin is not None
                keyring.stdin.write(_PASSWORD)
                keyring.stdin.close()
                bus.recv_until_filtered(owned, timeout=_READY_S)
                yield keyring
            finally:
                _end(keyring)


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
