"""The recovery code: 128 random bits as letters a person can copy; one more symbol catches typing errors.

Crockford's base 32: no I, L, O or U among the digits; I and L are read as 1, O as 0; case, spaces and hyphens
do not matter; the last symbol is the number modulo 37.
"""

from __future__ import annotations

import secrets

from obdesk.secrets.errors import RecoveryCodeMistyped

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECKS = _DIGITS + "*~$=U"
_READ_AS = str.maketrans("ILO", "110")
_DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2212")
_CODE_SIZE = 16
_LENGTH = 26
_GROUP = 4


class RecoveryCode:
    """A recovery code, hidden from every log and traceback; only `reveal` shows it."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _CODE_SIZE:
            raise ValueError("a recovery code has 128 bits")
        self._secret = secret

    @classmethod
    def new(cls) -> RecoveryCode:
        """Return a fresh random code."""
        return cls(secrets.token_bytes(_CODE_SIZE))

    @classmethod
    def parse(cls, typed: str) -> RecoveryCode:
        """Return the code a person typed; raises RecoveryCodeMistyped when it cannot be one."""
        symbols = "".join(typed.split()).upper().translate(_READ_AS)
        symbols = "".join(symbol for symbol in symbols if symbol not in _DASHES)
        if len(symbols) != _LENGTH + 1:
            raise RecoveryCodeMistyped
        number = 0
        for symbol in symbols[:_LENGTH]:
            digit = _DIGITS.find(symbol)
            if digit < 0:
                raise RecoveryCodeMistyped
            number = number * 32 + digit
        if _CHECKS[number % 37] != symbols[_LENGTH] or number >> (8 * _CODE_SIZE):
            raise RecoveryCodeMistyped
        return cls(number.to_bytes(_CODE_SIZE, "big"))

    def reveal(self) -> str:
        """Return the code in groups of four, for the one time a person is shown it."""
        number = int.from_bytes(self._secret, "big")
        digits = "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))
        symbols = digits + _CHECKS[number % 37]
        return "-".join(symbols[start : start + _GROUP] for start in range(0, len(symbols), _GROUP))

    def secret_bytes(self) -> bytes:
        """Return the 16 bytes for the key derivation; never shown or stored."""
        return self._secret

    def __repr__(self) -> str:
        return "RecoveryCode(hidden)"
