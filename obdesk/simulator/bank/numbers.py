"""Account numbers that pass their check digits, and currencies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency as the API describes it; `precision` is the number of decimals."""

    code: str
    name: str
    symbol: str
    precision: int
    prefix: bool


CURRENCIES = {
    currency.code: currency
    for currency in (
        Currency("EUR", "Euro", "€", 2, prefix=False),
        Currency("USD", "US Dollar", "$", 2, prefix=True),
        Currency("GBP", "Pound Sterling", "£", 2, prefix=True),
        Currency("JPY", "Japanese Yen", "¥", 0, prefix=True),
        Currency("CHF", "Swiss Franc", "CHF", 2, prefix=False),
        Currency("TND", "Tunisian Dinar", "DT", 3, prefix=False),
    )
}


def _mod_97(text: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in text)) % 97


def iban(country: str, bban: str) -> str:
    """Return the IBAN of a national account number, with its two check digits."""
    check = 98 - _mod_97(f"{bban}{country}00")
    return f"{country}{check:02}{bban}"


def french_bban(bank: str, branch: str, account: str) -> str:
    """Return the French RIB of 23 digits, with its key."""
    key = 97 - (89 * int(bank) + 15 * int(branch) + 3 * int(account)) % 97
    return f"{bank}{branch}{account}{key:02}"
