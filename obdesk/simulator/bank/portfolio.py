"""What invested accounts hold, and what it is worth on a given day."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from obdesk.simulator.dice import dice

if TYPE_CHECKING:
    from obdesk.simulator.bank.accounts import BankAccount

_CENT = Decimal("0.01")
LIQUIDITY_CODE = "XX-liquidity"


@dataclass(frozen=True, slots=True)
class Security:
    """A fund or share that can be held; `base` is its quote around which it moves."""

    code: str
    label: str
    symbol: str | None
    asset_category: str
    base: Decimal
    srri: int


SECURITIES = (
    Security("FR0000000001", "FONDS MONDE ACTIONS C", None, "Actions monde", Decimal("90.40"), 5),
    Security("FR0000000019", "ETF EUROPE DIVIDENDES", "EUDV", "Actions Europe", Decimal("31.27"), 5),
    Security("LU0000000027", "OBLIGATIONS VERTES 2031", None, "Obligations", Decimal("102.15"), 3),
    Security("FR0000000035", "CHANTIERS DE L'ODET", "CODET", "Action française", Decimal("18.84"), 6),
    Security("FR0000000043", "FONDS EN EUROS SECURITE", None, "Fonds euros", Decimal("1.00"), 1),
)


@dataclass(frozen=True, slots=True)
class Position:
    """A quantity of one security, or cash when `security` is None."""

    security: Security | None
    quantity: Decimal
    unit_price: Decimal

    def unit_value(self, day: int) -> Decimal | None:
        """Return the quote on ordinal `day`; cash has none."""
        return None if self.security is None else quote(self.security, day)

    def valuation(self, day: int) -> Decimal:
        """Return what the position is worth on ordinal `day`."""
        unit = self.unit_value(day)
        return (self.quantity if unit is None else self.quantity * unit).quantize(_CENT)


def quote(security: Security, day: int) -> Decimal:
    """Return a believable quote: a slow swing of some per cent with a little daily noise."""
    phase = dice("phase", security.code).randrange(180)
    swing = abs((day + phase) % 180 - 90) * 700
    noise = dice("noise", security.code, day).randrange(-9_000, 9_000)
    rate = Decimal(970_000 + (swing + noise) * (security.srri - 1) // 5) / 1_000_000
    return (security.base * rate).quantize(_CENT)


def positions_of(account: BankAccount, seed: int) -> list[Position]:
    """Return what an invested account holds; the choice follows from the seed."""
    if not account.plan.invested:
        return []
    rng = dice(seed, "portfolio", account.number)
    chosen = rng.sample(SECURITIES, 4 if account.plan.kind == "pea" else 3)
    positions = [
        Position(
            security,
            (Decimal(4_000) / security.base * Decimal(rng.randrange(300, 1_600)) / 1_000).quantize(
                Decimal("0.0001")
            ),
            (security.base * Decimal(rng.randrange(720, 1_090)) / 1_000).quantize(_CENT),
        )
        for security in chosen
    ]
    return [*positions, Position(None, Decimal(rng.randrange(2_000, 90_000)) / 100, Decimal(1))]


def valuation(account: BankAccount, seed: int, day: int) -> Decimal:
    """Return what the whole account is worth on ordinal `day`."""
    return sum((position.valuation(day) for position in positions_of(account, seed)), Decimal(0))
