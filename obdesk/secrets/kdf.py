"""Argon2id: from a passphrase or recovery code to a key that wraps the data key."""

from __future__ import annotations

from dataclasses import dataclass

from obdesk.secrets.errors import NotEnoughMemory

SALT_SIZE = 16
KEY_SIZE = 32


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """What one guess costs. Too little is refused, and too much: a hostile file must not hang us.

    The floor is OWASP's minimum for Argon2id: 19 MiB, two passes, one lane.
    """

    memory_kib: int
    passes: int
    lanes: int

    def __post_init__(self) -> None:
        if not 19 * 1024 <= self.memory_kib <= 4 * 1024 * 1024:
            raise ValueError("Argon2id memory must be between 19 MiB and 4 GiB")
        if not 2 <= self.passes <= 64:
            raise ValueError("Argon2id must make 2 to 64 passes")
        if not 1 <= self.lanes <= 16:
            raise ValueError("Argon2id must have 1 to 16 lanes")


DEFAULT_COST = Argon2Cost(memory_kib=256 * 1024, passes=3, lanes=2)
FLOOR_COST = Argon2Cost(memory_kib=19 * 1024, passes=2, lanes=1)


def derive_key(secret: bytes, salt: bytes, cost: Argon2Cost) -> bytes:
    """Return 32 bytes derived from `secret` with Argon2id version 1.3 (RFC 9106).

    Raises NotEnoughMemory when the machine cannot give the memory the cost asks for.
    """
    from argon2.exceptions import HashingError
    from argon2.low_level import Type, hash_secret_raw

    try:
        return hash_secret_raw(
            secret=secret,
            salt=salt,
            time_cost=cost.passes,
            memory_cost=cost.memory_kib,
            parallelism=cost.lanes,
            hash_len=KEY_SIZE,
            type=Type.ID,
        )
    except HashingError:
        raise NotEnoughMemory(cost.memory_kib // 1024) from None
