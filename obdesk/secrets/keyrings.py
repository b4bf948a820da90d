"""The operating system's keyring, behind a short list of backends that we trust and build ourselves.

The keyring library would otherwise run whatever class a user's keyringrc.cfg, PYTHON_KEYRING_BACKEND or an
installed plug-in names, and take settings from KEYRING_PROPERTY_*: a quiet way to be handed every secret.
Here neither is read. Each write is read back, because a backend may accept a value and keep nothing.
"""

from __future__ import annotations

import importlib
import logging
import sys
import types
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, TypeVar

from obdesk.secrets.errors import (
    KeyringLied,
    KeyringLocked,
    KeyringMissing,
    KeyringProblem,
    KeyringRefused,
    SecretTooLong,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import secretstorage
    from keyring.backend import KeyringBackend

SERVICE: Final = "obdesk"
VALUE_LENGTH_MAX: Final = 1000
TIMEOUT_S: Final = 10.0
_PROMPT_S: Final = 600.0

_SECRET_SERVICE = "keyring.backends.SecretService.Keyring"  # noqa: S105 - a class path
_KWALLET = "keyring.backends.kwallet.DBusKeyring"
_KEYCHAIN = "keyring.backends.macOS.Keyring"
_WINDOWS = "keyring.backends.Windows.WinVaultKeyring"

_LOCKED_NAMES = frozenset({"KeyringLocked", "LockedException", "PromptDismissedException"})
_GONE_NAMES = frozenset({"SecretServiceNotAvailableException", "NoKeyringError"})

logger = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


def trusted_backends(platform: str = sys.platform) -> tuple[str, ...]:
    """Return the class paths of the backends trusted on `platform`, in the order they are tried."""
    if platform == "darwin":
        return (_KEYCHAIN,)
    if platform == "win32":
        return (_WINDOWS,)
    return (_SECRET_SERVICE, _KWALLET)


def open_keyring(backend_id: str | None = None, *, timeout_s: float = TIMEOUT_S) -> SystemKeyring:
    """Return the first trusted keyring that answers, or the one named `backend_id` if it is trusted.

    Raises KeyringMissing when none does. Blocks for up to `timeout_s` a backend: call it in a thread.
    """
    for candidate in trusted_backends():
        if backend_id not in {None, candidate}:
            continue
        try:
            backend = _bounded(partial(_build, candidate), timeout_s)
        except KeyringProblem as problem:
            logger.info("keyring backend %s is not usable here (%s)", candidate, type(problem).__name__)
            continue
        return SystemKeyring(backend, candidate, timeout_s=timeout_s)
    raise KeyringMissing


class SystemKeyring:
    """Named values in one backend of the OS keyring, under the service name `obdesk`.

    Every call blocks: use `asyncio.to_thread` from a coroutine. Each is bounded by `timeout_s` and does its
    work in a daemon thread, so that a keyring which never answers holds up neither the caller nor the exit.
    A prompt that the system shows stays open after the time-out; once answered, the next call succeeds.
    """

    def __init__(self, backend: KeyringBackend, backend_id: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._backend = backend
        self._timeout_s = timeout_s
        self.backend_id = backend_id

    def get(self, account: str, *, service: str = SERVICE) -> str | None:
        """Return the value kept under `account`, or None. Raises KeyringLocked, -Missing or -Refused."""
        return _bounded(lambda: self._backend.get_password(service, account), self._timeout_s)

    def put(self, account: str, value: str) -> None:
        """Keep `value` under `account` and read it back.

        Raises SecretTooLong above 1000 characters (Windows keeps no more than 1280), KeyringLied when it
        reads back differently, KeyringLocked, KeyringMissing or KeyringRefused.
        """
        if not value:
            raise ValueError("an empty value cannot be told from a missing one")
        if len(value) > VALUE_LENGTH_MAX:
            raise SecretTooLong(VALUE_LENGTH_MAX)
        _bounded(lambda: self._backend.set_password(SERVICE, account, value), self._timeout_s)
        if self.get(account) != value:
            raise KeyringLied(self.backend_id)

    def delete(self, account: str) -> None:
        """Remove `account`; nothing happens when there is none. Raises as `get` does."""
        if self.get(account) is not None:
            _bounded(lambda: self._backend.delete_password(SERVICE, account), self._timeout_s)

    def __repr__(self) -> str:
        return f"SystemKeyring({self.backend_id})"


def _build(path: str) -> KeyringBackend:
    module_name, _, class_name = path.rpartition(".")
    trusted: Any = getattr(importlib.import_module(module_name), class_name)
    # Reading `priority` asks the system whether the backend can work; it raises where it cannot.
    if trusted.priority <= 0:
        raise RuntimeError
    ours: dict[str, object] = {"set_properties_from_env": _ignore_environment}
    if path == _SECRET_SERVICE:
        ours["get_preferred_collection"] = _unlocked_collection
    pinned = types.new_class(class_name, (trusted,), exec_body=lambda body: body.update(ours))
    backend: KeyringBackend = pinned()
    return backend


def _ignore_environment(_backend: KeyringBackend) -> None:
    """Take no setting from KEYRING_PROPERTY_* variables."""


def _unlocked_collection(_backend: KeyringBackend) -> secretstorage.Collection:
    """Return the default collection, unlocked. The library's own way leaves its socket open on failure."""
    import secretstorage

    with ExitStack() as undo:
        bus = secretstorage.dbus_init()
        undo.callback(bus.close)
        collection = secretstorage.get_default_collection(bus)
        if collection.is_locked():
            collection.unlock(timeout=_PROMPT_S)
        collection.ensure_not_locked()
        undo.pop_all()
        return collection


def _bounded(ask: Callable[[], _Answer], timeout_s: float) -> _Answer:
    """Return what `ask` answers in a thread of its own, with its errors turned into ours."""
    future: Future[_Answer] = Future()

    def work() -> None:
        try:
            future.set_result(ask())
        except Exception as error:  # noqa: BLE001 - D-Bus, Keychain and Win32 bindings share no base class
            future.set_exception(error)

    Thread(target=work, name="keyring", daemon=True).start()
    try:
        error = future.exception(timeout_s)
    except TimeoutError:
        raise KeyringLocked from None
    if error is not None:
        # Not chained: a library's error can carry the value it failed on.
        raise _problem(error)
    return future.result()


def _problem(error: BaseException) -> KeyringProblem:
    """Turn a backend's error into ours. Class names, as most of these classes exist on one system only."""
    names = {type(error).__name__, type(error.__cause__).__name__}
    if names & _LOCKED_NAMES:
        return KeyringLocked()
    if names & _GONE_NAMES or isinstance(error, ImportError | FileNotFoundError | ConnectionError | EOFError):
        return KeyringMissing()
    return KeyringRefused(type(error).__name__)
