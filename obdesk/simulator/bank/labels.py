"""One wording as a bank prints it, with everything that follows from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Party:
    """The other side of a transfer or direct debit."""

    name: str
    iban: str | None
    role: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """A purchase in another currency: `per_unit` account units are paid for one unit of `currency`."""

    currency: str
    per_unit: str
    commission_minor: int = 0


@dataclass(frozen=True, slots=True)
class Label:
    """A wording template and its facts.

    Templates may use {d} (day and month of purchase), {dmy} (compact date), {month}, {card} and
    {town}. `low` and `high` bound the amount in minor units of the account, signed.
    """

    kind: str
    original: str
    simple: str
    low: int
    high: int
    category: tuple[str, str | None] = ("uncategorized", None)
    weight: int = 1
    lag_days: int = 0
    pending: str | None = None
    hold_minor: int | None = None
    hold_unknown: bool = False
    party: Party | None = None
    foreign: Foreign | None = None
    round_to: int = 1

    def hold(self, minor: int) -> int | None:
        """Return the amount shown while pending: the purchase, a fixed hold, or None when unknown."""
        if self.hold_unknown:
            return None
        return minor if self.hold_minor is None else self.hold_minor


_MONTHS_FR = [
    "JANVIER",
    "FEVRIER",
    "MARS",
    "AVRIL",
    "MAI",
    "JUIN",
    "JUILLET",
    "AOUT",
    "SEPTEMBRE",
    "OCTOBRE",
    "NOVEMBRE",
    "DECEMBRE",
]
_MONTHS_EN = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


@lru_cache(maxsize=16_384)
def _date_words(day: int, french: bool) -> dict[str, str]:  # noqa: FBT001 - part of a cache key
    when = date.fromordinal(day)
    short = f"{when.day:02}/{when.month:02}" if french else f"{when.month:02}/{when.day:02}"
    months = _MONTHS_FR if french else _MONTHS_EN
    return {
        "d": short,
        "dmy": f"{when.day:02}{when.month:02}{when.year % 100:02}",
        "month": months[when.month - 1],
        "year": str(when.year),
    }


@dataclass(slots=True)
class Printer:
    """Prints labels for one account: its card, its town and the bank's language."""

    french: bool
    card: str
    town: str
    _words: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._words = {"card": self.card, "town": self.town}

    def original(self, label: Label, rday: int, *, coming: bool) -> str:
        """Return the raw wording of a row bought on `rday`."""
        template = label.pending if coming and label.pending else label.original
        return (
            template.format_map(_date_words(rday, self.french) | self._words) if "{" in template else template
        )

    def simple(self, label: Label) -> str:
        """Return the cleaned wording."""
        return label.simple.format_map(self._words) if "{" in label.simple else label.simple


_NOT_A_WORD = re.compile(r"[^a-zà-ÿ]+")


@lru_cache(maxsize=4_096)
def stem(wording: str) -> str:
    """Return the lower-case words of a wording without digits, as the clustering key."""
    return _NOT_A_WORD.sub(" ", wording.lower()).strip()
