"""Where the embedded page may go, and which address ends the attempt: pure rules, no Qt.

The hosts of banks and aggregators cannot be known beforehand, so the rules are about the kind of address:
https to public names only, no other scheme at the top, nothing on the local network. The demo's own pages
are on loopback; only then loopback is allowed, with http.
"""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from publicsuffixlist import PublicSuffixList

PRIVATE_SUFFIXES = (
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "arpa",
    "onion",
    "invalid",
    "test",
    "example",
)
_RESOURCE_SCHEMES = frozenset({"https", "wss", "data", "blob"})
_LOCAL_SCHEMES = {"http": "https", "ws": "wss"}


class Verdict(Enum):
    """What becomes of a navigation."""

    ALLOW = "allow"
    REFUSE = "refuse"
    CAME_BACK = "came_back"
    WRONG_STATE = "wrong_state"


@dataclass(frozen=True, slots=True)
class Shown:
    """An address as the bar shows it: the registrable domain stands out from what is before it."""

    secure: bool
    before: str
    domain: str


class Gate:
    """The rules of one attempt; its way back opens once."""

    def __init__(
        self, *, page_url: str, redirect_uri: str, state: str, deadline_s: float, now_s: Callable[[], float]
    ) -> None:
        self._redirect = urlsplit(redirect_uri)
        self._state = state.encode()
        self._deadline_s = deadline_s
        self._now_s = now_s
        self._used = False
        self.local = is_loopback(urlsplit(page_url).hostname or "")
        """Whether the attempt's own page is on this computer: the demo."""

    def navigation(self, url: str, *, main_frame: bool, main_page: bool = True) -> Verdict:
        """Judge where a frame wants to go.

        Only the main frame of the main page can come back: pictures, frames, pop-ups and scripts of
        other pages can name our address too.
        """
        try:
            parts = urlsplit(url)
            is_back = self._is_redirect(parts)
        except ValueError:
            return Verdict.REFUSE
        if is_back:
            return self._back(parts) if main_frame and main_page else Verdict.REFUSE
        if url == "about:blank" or (url == "about:srcdoc" and not main_frame):
            return Verdict.ALLOW
        if not main_frame and parts.scheme in {"data", "blob"}:
            return Verdict.ALLOW
        allowed = self._may_reach(parts) and parts.scheme in {"https", "http"}
        return Verdict.ALLOW if allowed else Verdict.REFUSE

    def resource(self, url: str) -> bool:
        """Tell whether a page may fetch `url` (pictures, scripts, calls, sockets)."""
        try:
            parts = urlsplit(url)
            if self._is_redirect(parts):
                return False
        except ValueError:
            return False
        return parts.scheme in {"data", "blob"} or self._may_reach(parts)

    def _may_reach(self, parts: SplitResult) -> bool:
        host = parts.hostname or ""
        if parts.username is not None or parts.password is not None:
            return False
        if self.local and is_loopback(host):
            return _LOCAL_SCHEMES.get(parts.scheme, parts.scheme) in _RESOURCE_SCHEMES
        return parts.scheme in _RESOURCE_SCHEMES and is_public_name(host)

    def _is_redirect(self, parts: SplitResult) -> bool:
        mine = self._redirect
        return (
            parts.scheme == mine.scheme
            and parts.hostname == mine.hostname
            and _port(parts) == _port(mine)
            and parts.path == mine.path
        )

    def _back(self, parts: SplitResult) -> Verdict:
        if self._used or self._now_s() >= self._deadline_s or parts.username is not None:
            return Verdict.REFUSE
        # A second try with another state is a guess: the first answer, right or wrong, is the only one.
        self._used = True
        try:
            states = parse_qs(parts.query, strict_parsing=True, max_num_fields=32).get("state", [])
        except ValueError:
            states = []
        right = len(states) == 1 and hmac.compare_digest(states[0].encode(), self._state)
        return Verdict.CAME_BACK if right else Verdict.WRONG_STATE


def shown(url: str) -> Shown:
    """Return how the address bar shows `url`; foreign letters stay in their unmistakable xn-- form."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    domain = registrable(host)
    return Shown(parts.scheme == "https", host.removesuffix(domain), domain)


def registrable(host: str) -> str:
    """Return the part of `host` that somebody owns, by the public suffix list; else the host itself."""
    if not host or _is_address(host):
        return host
    owned = _suffixes().privatesuffix(host)
    return owned if isinstance(owned, str) else host


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this computer."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def is_public_name(host: str) -> bool:
    """Tell whether `host` is a name of the public internet; addresses in numbers never are one."""
    if _is_address(host) or "." not in host.strip("."):
        return False
    last = host.rstrip(".").rpartition(".")[2]
    return last not in PRIVATE_SUFFIXES and not last.isdigit() and not last.startswith("0x")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _port(parts: SplitResult) -> int | None:
    return parts.port or {"https": 443, "http": 80}.get(parts.scheme)


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
