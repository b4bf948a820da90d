"""Who may ask how often: buckets that fill with time, of so many askers at most; where a request is from.

An address is its network (/24, for IPv6 /48), kept as a digest under a key that ends with the process.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from ipaddress import IPv4Network, IPv6Network

    from starlette.types import Scope

ASKERS_MAX: Final = 10_000
"""Of more askers than this, those not heard of for the longest time start over."""
_HOPS_MAX: Final = 16
"""Of a longer chain of proxies only so many of the nearest are looked at."""
_FORWARDING: Final = frozenset(
    {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"forwarded", b"via"}
)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second in the long run, and so many at once."""

    per_s: float
    burst: int


class Buckets:
    """One bucket for each asker, all alike; a bucket is the time at which it will be full again."""

    def __init__(self, rate: Rate, now_s: Callable[[], float]) -> None:
        assert rate.per_s > 0, "a rate of nothing would never let anybody in"
        self._step_s = 1 / rate.per_s
        self._span_s = self._step_s * max(rate.burst, 1)
        self._now_s = now_s
        self._full_at: OrderedDict[object, float] = OrderedDict()

    def wait_s(self, asker: object) -> float:
        """Return how long an asker has to wait for the next one; 0 when it is welcome."""
        full_at = self._full_at.get(asker)
        if full_at is None:
            return 0.0
        return max(0.0, full_at + self._step_s - self._span_s - self._now_s())

    def take(self, asker: object) -> None:
        """Count one; whether there is any is for `wait_s` to say."""
        now = self._now_s()
        # A bucket overdrawn by requests that began together is no deeper than empty.
        full_at = min(max(self._full_at.pop(asker, now), now) + self._step_s, now + self._span_s)
        self._full_at[asker] = full_at
        if len(self._full_at) > ASKERS_MAX:
            self._full_at.popitem(last=False)

    def ask(self, asker: object) -> float:
        """Count one if it is welcome and return 0, otherwise how long to wait."""
        wait_s = self.wait_s(asker)
        if not wait_s:
            self.take(asker)
        return wait_s

    def forget(self, asker: object) -> None:
        """Let an asker start over."""
        self._full_at.pop(asker, None)

    def __contains__(self, asker: object) -> bool:
        return asker in self._full_at

    def __len__(self) -> int:
        return len(self._full_at)


UNIX: Final = "unix"
"""In place of an address: whoever reaches the relay's socket file."""


@dataclass(frozen=True, slots=True)
class Places:
    """Some networks, and maybe the socket file."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unix: bool = False

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Places:
        """Return the places that some texts name; raises ValueError."""
        words = [text.strip() for text in texts if text.strip()]
        networks = tuple(ip_network(word, strict=False) for word in words if word != UNIX)
        return cls(networks, UNIX in words)

    def hold(self, address: IPv4Address | IPv6Address | None) -> bool:
        """Tell whether an address is in one of them; None is the socket file."""
        if address is None:
            return self.unix
        return any(address in network for network in self.networks)


@lru_cache(maxsize=4_096)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


class Addresses:
    """Where requests are from; what proxies say counts only where they are ours."""

    def __init__(self, proxies: Places) -> None:
        self._proxies = proxies
        key = secrets.token_bytes(16)

        @lru_cache(maxsize=4_096)
        def stand_in(address: IPv4Address | IPv6Address | None) -> bytes:
            if address is None:
                network = UNIX
            else:
                network = str(ip_network((address, 24 if address.version == 4 else 48), strict=False))
            return hashlib.blake2b(network.encode(), digest_size=8, key=key).digest()

        self._stand_in = stand_in

    @staticmethod
    def peer(scope: Scope) -> IPv4Address | IPv6Address | None:
        """Return the other end of the connection; None over a socket file."""
        client = scope.get("client")
        return _address(client[0]) if client else None

    def of(self, scope: Scope) -> IPv4Address | IPv6Address | None:
        """Return where a request is from: the nearest address that is no proxy of ours."""
        nearest = self.peer(scope)
        if not self._proxies.hold(nearest):
            return nearest
        told = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        for hop in reversed(told.decode("latin-1").split(",")[-_HOPS_MAX:]):
            address = _address(hop)
            if address is None:
                break
            nearest = address
            if not self._proxies.hold(address):
                break
        return nearest

    def asker(self, scope: Scope) -> bytes:
        """Return what stands for the network a request is from."""
        return self._stand_in(self.of(scope))


def is_forwarded(scope: Scope) -> bool:
    """Tell whether a request came through a proxy, by its own words."""
    return any(name in _FORWARDING for name, _ in scope["headers"])
