"""A transaction with everything a program may want of it, for lists that are not looked at row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from obdesk.domain.entities import TransactionRow


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """One row with the person's words and what identifies it elsewhere."""

    row: TransactionRow
    iban: str
    currency: str
    """Also known where the amount is not."""
    note: str
    provider_ids: tuple[str, ...]
    """The provider's current id first, former ones after it."""
