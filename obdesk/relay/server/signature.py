"""Whether a delivery is the aggregator's: an HMAC over method, path, date and raw body, and a date near now.

https://docs.powens.com/documentation/integration-guides/webhooks describes what is signed. It gives no
window for the date; a retry may carry the date of the first try.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

from obdesk.relay.protocol import RETENTION_S

if TYPE_CHECKING:
    from collections.abc import Iterable

_DATE: Final = re.compile(
    r"([0-9]{4}-[01][0-9]-[0-3][0-9])[T ]([0-2][0-9]:[0-5][0-9]:[0-5][0-9])(\.[0-9]{1,9})?(Z|\+00:?00)?"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
WINDOW_US: Final = 300 * 1_000_000
"""How far the clocks of both sides may be apart."""
RETRIES_US: Final = RETENTION_S * 1_000_000 - 2 * WINDOW_US
"""How old a retry may be: less than its payload id is remembered, even if it was first dated ahead of us."""


class Age(Enum):
    """How the date of a delivery lies to the moment it came."""

    NEAR = "near"
    LATE = "late"
    """Only a retry: good for a payload that names its id and was never seen."""
    OUT = "out"
    """Of the future, or older than what is remembered."""


def signed_path(capability: str, event: str) -> str:
    """Return the path of a hook as the aggregator signs it."""
    return f"/v1/hooks/{capability}/{event}"


def parts_of(path: str) -> tuple[str, str]:
    """Return the capability and the event of a hook's path; empty texts for another path."""
    parts = path.split("/")
    return (parts[3], parts[4]) if len(parts) == 5 else ("", "")


class Signer:
    """Signs with one secret, prepared for signing often."""

    def __init__(self, secret: bytes) -> None:
        self._keyed = hmac.new(secret, digestmod=hashlib.sha256)

    def sign(self, path: str, date: str, body: bytes) -> bytes:
        """Return what `BI-Signature` must be for a body that is posted to a path."""
        digest = self._keyed.copy()
        digest.update(f"POST.{path}.{date}.".encode())
        digest.update(body)
        return b64encode(digest.digest())


def is_signed(signers: Iterable[Signer], path: str, date: str, signature: str, body: bytes) -> bool:
    """Tell whether one of some signers made a signature; each is tried, so that time tells nothing."""
    given = signature.encode()
    is_good = False
    for signer in signers:
        is_good |= hmac.compare_digest(signer.sign(path, date, body), given)
    return is_good


def instant_us(date: str) -> int | None:
    """Return `BI-Signature-Date` in microseconds since 1970; None for what is no instant in UTC."""
    found = _DATE.fullmatch(date)
    if found is None:
        return None
    try:
        whole = datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00")
    except ValueError:
        return None
    fraction = found[3]
    micro = int(fraction[1:7].ljust(6, "0")) if fraction else 0
    return (whole - _EPOCH) // _SECOND * 1_000_000 + micro


def age(date_us: int, now_us: int) -> Age:
    """Return how a date lies to now."""
    if date_us > now_us + WINDOW_US or date_us < now_us - RETRIES_US:
        return Age.OUT
    return Age.NEAR if date_us >= now_us - WINDOW_US else Age.LATE
