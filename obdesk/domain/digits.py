"""Minor units as digits: the one piece of money that needs no library, for whoever is in a hurry."""

from __future__ import annotations


def decimal_text(amount_minor: int, exponent: int) -> str:
    """Return minor units as a plain decimal string, without an exponent or a grouping sign."""
    if exponent == 0:
        return str(amount_minor)
    sign = "-" if amount_minor < 0 else ""
    digits = str(abs(amount_minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"
