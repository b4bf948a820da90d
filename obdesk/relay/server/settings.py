"""What a relay is told before it starts: defaults, then a file, then the environment, then the command line.

Each later one has the last word. What is not known is refused: a misspelt limit would be no limit.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields, replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from obdesk.relay.server.limits import Places, Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX: Final = "OBDESK_RELAY_"
CONFIG: Final = f"{PREFIX}CONFIG"
_SQLITE: Final = "sqlite:///"
_KIB: Final = 1024
_PORT_MAX: Final = 65_535


class SettingsError(Exception):
    """A setting that cannot be used; its text says which, and what is wrong, in a sentence."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where requests come in: a host and port, or a socket file."""

    host: str = "127.0.0.1"
    port: int = 8470
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """Where hints are kept; one of the two is given."""

    sqlite: Path | None = None
    redis: str | None = None


def _given_state() -> Path | None:
    """Return the place that a service manager gives for what has to stay."""
    given = os.environ.get("STATE_DIRECTORY")
    return Path(given.partition(":")[0]) if given else None


def _default_store() -> StoreUrl:
    """Return the place a service manager gives, or the person's own for such things."""
    given = _given_state()
    if given is not None:
        return StoreUrl(given / "relay.sqlite")
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return StoreUrl(Path(state) / "obdesk-relay" / "relay.sqlite")


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it, checked. Rates count for one worker."""

    store: StoreUrl
    key_file: Path
    """The operator's key; whoever holds it and the store can forge deliveries, and still reads no hint."""
    listen: Listen = Listen()
    workers: int = 1
    public_url: str | None = None
    """Under which the aggregator reaches the relay; without a path, for the path is signed."""
    trusted_proxies: Places = field(default=Places())
    """Whose X-Forwarded-For is believed."""
    metrics_from: Places = field(default=Places.parse(("127.0.0.0/8", "::1/128")))
    """Who may read /metrics, directly."""
    metrics_listen: Listen | None = None
    """An address for /metrics alone: the first worker's. The next ones' have the ports that follow."""
    api_url: str | None = None
    """The aggregator's API of the shared sources: the one address that this process ever connects to."""
    client_id: str | None = None
    client_secret_file: Path | None = None
    """With `client_id`: the relay makes users for its devices (the broker), which costs money there."""
    log_level: str = "info"
    body_kib: int = 16 * _KIB
    body_s: float = 10.0
    """How long a body may take to arrive."""
    head_kib: int = 32
    head_s: float = 10.0
    """How long the headers of a request may take."""
    connections: int = 20_000
    deliveries: Rate = field(default=Rate(200, 2_000))
    """For one source."""
    device: Rate = field(default=Rate(4, 60))
    """For one device."""
    address: Rate = field(default=Rate(100, 1_000))
    """For the devices of one network."""
    failures: Rate = field(default=Rate(1, 60))
    """For what is refused for a wrong secret, from one network."""
    pairings: Rate = field(default=Rate(0.2, 20))
    """For attempts to pair, from one network."""
    users: Rate = field(default=Rate(0.02, 5))
    """For tokens that one device asks the broker for."""

    @property
    def state(self) -> Path:
        """Where a host keeps what Redis must not: the place a service manager gives, or beside the key."""
        return _given_state() or self.key_file.parent

    @property
    def has_broker(self) -> bool:
        """Tell whether the relay makes users at the aggregator."""
        return self.client_id is not None


def _path(value: Any) -> Path:
    return Path(_text(value)).expanduser()


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text is expected")
    return value.strip()


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError("a number is expected") from None
    if isinstance(value, bool) or not 0 < number < 1e9:
        raise ValueError("a number above 0 is expected")
    return number


def _whole(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError("a whole number is expected")
    return int(number)


def _places(value: Any) -> Places:
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("a list of networks is expected")
    try:
        return Places.parse(texts)
    except ValueError:
        raise ValueError('networks such as "10.0.0.0/8" are expected, or "unix"') from None


def _rate(value: Any) -> Rate:
    """Return a rate from `PER_SECOND/BURST`."""
    per_s, slash, burst = _text(value).partition("/")
    if not slash:
        raise ValueError('a rate such as "4/60" is expected: so many a second, and so many at once')
    return Rate(_number(per_s), _whole(burst))


def _listen(value: Any) -> Listen:
    text = _text(value)
    if text.startswith("unix:"):
        return Listen(path=_path(text.removeprefix("unix:")))
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > _PORT_MAX:
        raise ValueError("HOST:PORT or unix:PATH is expected")
    return Listen(host.strip("[]"), int(port))


def _listen_on_port(value: Any) -> Listen:
    found = _listen(value)
    if found.path is not None or not found.port:
        raise ValueError("HOST:PORT is expected")
    return found


def store_url(value: Any) -> StoreUrl:
    """Return what `sqlite:///PATH` or `redis://...` means; an absolute path makes four slashes."""
    text = _text(value)
    if text.startswith(_SQLITE) and len(text) > len(_SQLITE):
        return StoreUrl(Path(text.removeprefix(_SQLITE)).expanduser())
    if text.startswith(("redis://", "rediss://", "unix://")):
        return StoreUrl(redis=text)
    raise ValueError("sqlite:///PATH or redis://HOST:PORT/0 is expected")


def _url(value: Any) -> SplitResult:
    try:
        parts = urlsplit(_text(value))
        _port = parts.port
    except ValueError:
        raise ValueError("an address such as https://relay.example is expected") from None
    if not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("an address such as https://relay.example is expected")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("it must begin with https://")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _public_url(value: Any) -> str:
    parts = _url(value)
    if parts.path.strip("/"):
        raise ValueError("it must not have a path, which the aggregator would sign")
    return f"{parts.scheme}://{parts.netloc}"


def _api_url(value: Any) -> str:
    parts = _url(value)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _level(value: Any) -> str:
    level = _text(value).lower()
    if level not in {"debug", "info", "warning", "error"}:
        raise ValueError("debug, info, warning or error is expected")
    return level


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "store": store_url,
    "key_file": _path,
    "listen": _listen,
    "workers": _whole,
    "public_url": _public_url,
    "trusted_proxies": _places,
    "metrics_from": _places,
    "metrics_listen": _listen_on_port,
    "api_url": _api_url,
    "client_id": _text,
    "client_secret_file": _path,
    "log_level": _level,
    "body_kib": _whole,
    "body_s": _number,
    "head_kib": _whole,
    "head_s": _number,
    "connections": _whole,
    **dict.fromkeys(("deliveries", "device", "address", "failures", "pairings", "users"), _rate),
}
assert set(_READERS) == {each.name for each in fields(Settings)}


def load(
    flags: Mapping[str, str | None],
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings of a file, the environment and the command line; raises SettingsError."""
    around = os.environ if environ is None else environ
    given = {**_file(config, around), **_environment(around)}
    given |= {name: (name, value) for name, value in flags.items() if value is not None}
    found: dict[str, Any] = {}
    for name, (said, value) in given.items():
        try:
            found[name] = _READERS[name](value)
        except ValueError as error:
            raise SettingsError(f"The setting {said} cannot be used: {error}.") from error
    return _checked(found)


def _file(config: Path | None, around: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    path = config or (Path(around[CONFIG]) if around.get(CONFIG) else None)
    if path is None:
        return {}
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"The file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsError(f"The file {path} is not TOML: {error}.") from error
    for name in told:
        if name not in _READERS:
            raise SettingsError(f"The file {path} has a setting that does not exist: {name}.")
    return {name: (f"{name} in {path}", value) for name, value in told.items()}


def _environment(around: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    found: dict[str, tuple[str, Any]] = {}
    for variable, value in around.items():
        if not variable.startswith(PREFIX) or variable == CONFIG:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in _READERS:
            raise SettingsError(f"The environment has a setting that does not exist: {variable}.")
        found[name] = (variable, value)
    return found


def _checked(found: dict[str, Any]) -> Settings:
    """Return the settings, each for itself in order, if they also fit together."""
    store: StoreUrl = found.pop("store", None) or _default_store()
    key_file = found.pop("key_file", None)
    if key_file is None:
        if store.sqlite is None:
            raise SettingsError(
                "With Redis the setting key_file must be given: all workers need the same key, and it must"
                " not lie in Redis."
            )
        key_file = store.sqlite.with_name(store.sqlite.name + ".key")
    settings = replace(Settings(store, key_file), **found)
    if settings.workers > 1 and store.sqlite is not None:
        raise SettingsError(
            "An SQLite store has one writer, so workers must be 1. For more workers keep the hints in Redis"
            " (--store redis://...)."
        )
    if (settings.client_id is None) != (settings.client_secret_file is None):
        raise SettingsError("The settings client_id and client_secret_file go together.")
    if settings.client_id is not None and settings.api_url is None:
        raise SettingsError("To make users the relay must know the aggregator: give api_url.")
    return settings
