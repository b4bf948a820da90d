"""Addresses that a person types: taken apart without asking anybody, and never repeated with a password."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit


def split(url: str) -> SplitResult | None:
    """Return the parts of an address, None where it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is no number only shows when it is read
    except ValueError:
        return None
    return parts


def is_loopback(host: str) -> bool:
    """Tell whether `host` can only be this machine, without asking anybody."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def shown(text: str) -> str:
    """Return what was typed as it may be shown again: short, and without a password."""
    return re.sub(r"//[^/@]*@", "//", text)[:100]
