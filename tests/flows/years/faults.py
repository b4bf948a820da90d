"""What goes wrong how often, and what did: the dice of one simulated life."""

from __future__ import annotations

import random
from collections import Counter
from enum import Enum
from typing import TypeVar

T = TypeVar("T")


class Profile(Enum):
    """How rough a life is."""

    CALM = "calm"
    NORMAL = "normal"
    STORM = "storm"
    ONE = "one"
    """One kind of fault only, often: finds what others hide."""
    LIAR = "liar"
    """The relay is an adversary: it drops, repeats, reorders, invents and forgets, whatever is delivered."""
    SWIZZLE = "swizzle"
    """Provider, network, keyring and disk are taken away one by one and come back in any order."""


PER_REQUEST = {
    "http_5xx": 0.03,
    "http_429_retry_after": 0.01,
    "http_429": 0.01,
    "http_timeout": 0.02,
    "http_reset": 0.01,
    "http_truncated": 0.005,
    "http_wrong_type": 0.003,
    "http_stale_page": 0.005,
    "http_duplicate_page": 0.005,
    "http_401": 0.0005,
    "data_page_shift": 0.05,
}
PER_ACCOUNT_DAY = {
    "data_mutation": 0.05,
    "data_deletion": 0.01,
    "data_restore": 0.01,
    "data_reid": 0.01,
    "data_twins": 0.02,
    "data_unknown_enum": 0.01,
    "data_currency_change": 0.0012,
    "data_pending_drift": 0.10,
}
PER_DAY = {
    "bank_sca": 0.0015,
    "bank_wrongpass": 0.0015,
    "bank_down": 0.003,
    "bank_unknown_state": 0.0016,
    "bank_reissue": 0.0015,
    "provider_down": 0.004,
    "token_revoked": 0.002,
    "host_crash": 0.02,
    "host_power_loss": 0.005,
    "host_disk_full": 0.003,
    "host_clock_jump": 0.005,
    "host_suspend": 0.1,
    "host_offline": 0.01,
    "host_second_process": 0.01,
    "host_keyring_locked": 0.01,
    "host_newer_file": 0.0018,
    "host_keyring_changed": 0.002,
    "host_disk_fails": 0.002,
    "host_swizzled": 0.0,
    "hook_lost": 0.2,
    "hook_duplicated": 0.2,
    "hook_late": 0.1,
    "hook_reordered": 0.2,
    "hook_forged": 0.05,
    "relay_down": 0.01,
    "relay_lost": 0.003,
    "relay_restored": 0.004,
    "relay_crash_at_intake": 0.004,
}
KINDS = (
    *PER_REQUEST,
    *PER_ACCOUNT_DAY,
    *PER_DAY,
    "bank_consent_over",
    "data_pending_booked",
    "relay_drops",
    "relay_repeats",
    "relay_reorders",
    "relay_invents",
    "relay_forgets",
)
OFF: frozenset[str] = frozenset()
"""Kinds that are not let loose."""
_RARE_MAX = 0.4
_FACTOR = {
    Profile.CALM: 0.1,
    Profile.NORMAL: 1.0,
    Profile.STORM: 4.0,
    Profile.ONE: 0.0,
    Profile.SWIZZLE: 0.1,
    Profile.LIAR: 0.5,
}


class Dice:
    """All chance of one life; counts the faults that fired."""

    def __init__(self, seed: int, profile: Profile) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - chance, not secrets
        self.profile = profile
        self.fired: Counter[str] = Counter()
        self.quiet = False
        """Faults have stopped."""
        # By a clock that jumps nobody could tell how often a day something was done.
        self.off = OFF | {"host_clock_jump"} if profile is Profile.LIAR else OFF
        factor = _FACTOR[profile]
        self.rates = {
            kind: min(_RARE_MAX, rate * factor)
            for rates in (PER_REQUEST, PER_ACCOUNT_DAY, PER_DAY)
            for kind, rate in rates.items()
        }
        if profile is Profile.SWIZZLE:
            self.rates["host_swizzled"] = _RARE_MAX
        if profile is Profile.ONE:
            only = self.rng.choice(sorted(self.rates.keys() - self.off - {"host_swizzled"}))
            self.rates[only] = min(_RARE_MAX, 10 * (PER_REQUEST | PER_ACCOUNT_DAY | PER_DAY)[only])

    def happens(self, kind: str) -> bool:
        """Tell whether a fault fires now, and count it."""
        if self.quiet or kind in self.off or self.rng.random() >= self.rates[kind]:
            return False
        self.fired[kind] += 1
        return True

    def chance(self, probability: float) -> bool:
        """Tell whether something ordinary happens."""
        return self.rng.random() < probability
