"""Money as integer minor units with a currency; mixing currencies raises, finer amounts are refused.

Exponents are those of ISO 4217 (list one); a currency that is not listed gets the exponent the
provider names, or two.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact

from obdesk.domain.digits import decimal_text

_EXPONENTS = {
    "BHD": 3, "BIF": 0, "CLF": 4, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0,
    "KMF": 0, "KRW": 0, "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0, "UYI": 0,
    "UYW": 4, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip
_TWO_DECIMALS = frozenset({
    "AUD", "BGN", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "INR",
    "MAD", "MXN", "NOK", "NZD", "PLN", "RON", "SEK", "SGD", "THB", "TRY", "UAH", "USD", "ZAR",
})  # fmt: skip
NO_CURRENCY = "XXX"
"""ISO 4217: no currency is involved. It stands where none is told: to guess one would show a wrong amount."""
MINOR_MAX = 2**63 - 1  # what one SQLite integer holds
# The usual context rounds to 28 digits in silence, which would hide the tail of a longer amount.
_EXACT = Context(prec=64, traps=[Inexact])


class MixedCurrenciesError(ValueError):
    """Two currencies met in one sum."""


class FinerThanCurrencyError(ValueError):
    """An amount has more decimals than its currency; rounding it would hide a mistake."""


class AmountTooLargeError(ValueError):
    """An amount does not fit a 64-bit count of minor units; no bank account holds that much."""


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency: its ISO 4217 code and the number of decimals of its minor unit."""

    code: str
    exponent: int

    @classmethod
    def of(cls, code: str, *, provider_exponent: int | None = None) -> Currency:
        """Return the currency for `code`; `provider_exponent` counts only where ISO 4217 is silent here."""
        known = _EXPONENTS.get(code)
        if known is None and code not in _TWO_DECIMALS and provider_exponent is not None:
            known = provider_exponent
        return cls(code, 2 if known is None else known)


def rescaled(minor: int | None, before: int, after: int) -> int | None:
    """Return an amount counted with `before` decimals as one with `after`; None where that cannot be said."""
    if minor is None:
        return None
    whole, finer = divmod(minor * 10**after, 10**before)
    return None if finer or abs(whole) > MINOR_MAX else whole


def minor_of(value: Decimal, exponent: int) -> int:
    """Return `value` in minor units; refuse what is finer, not finite or too large."""
    if not value.is_finite():
        raise AmountTooLargeError(str(value))
    if value.adjusted() > 18:
        raise AmountTooLargeError(str(value))
    try:
        scaled = value.scaleb(exponent, _EXACT)
    except Inexact:
        raise FinerThanCurrencyError(str(value)) from None
    minor = int(scaled)
    if minor != scaled:
        raise FinerThanCurrencyError(str(value))
    if abs(minor) > MINOR_MAX:
        raise AmountTooLargeError(str(value))
    return minor


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency in minor units (cents, pence, yen)."""

    amount_minor: int
    currency: Currency

    @classmethod
    def of(cls, value: Decimal, currency: Currency) -> Money:
        """Return `value` as money; an amount finer than the currency raises FinerThanCurrencyError."""
        return cls(minor_of(value, currency.exponent), currency)

    def __add__(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise MixedCurrenciesError(f"{self.currency.code} + {other.currency.code}")
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def decimal(self) -> Decimal:
        """Return the amount in major units, with exactly the currency's decimals."""
        return Decimal(self.amount_minor).scaleb(-self.currency.exponent)

    def text(self) -> str:
        """Return the amount for machines: a plain decimal string such as `-23.90`."""
        return decimal_text(self.amount_minor, self.currency.exponent)
