"""What the ledger already knows, as the matching of a sync sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from obdesk.domain.remote import RemoteTransaction

if TYPE_CHECKING:
    from obdesk.domain.entities import AccountKind

_FIRST_FACT, _AFTER_FACTS = 2, 17  # `pending` up to `original_exponent` of RemoteTransaction

Facts = tuple[object, ...]
"""What the bank says of a transaction, in the order of RemoteTransaction's fields."""

FACT_NAMES = RemoteTransaction._fields[_FIRST_FACT:_AFTER_FACTS]
PENDING, BOOKED, DONE, AMOUNT, LABEL = (
    FACT_NAMES.index(name) for name in ("pending", "booked_on", "done_on", "amount_minor", "label")
)


def facts_of(remote: RemoteTransaction) -> Facts:
    """Return the bank's facts of a row: all but ids, deletion and stamp."""
    return remote[_FIRST_FACT:_AFTER_FACTS]


class KnownTransaction(NamedTuple):
    """A stored transaction: identity, tombstone, the provider's stamp, and the bank's facts."""

    id: int
    account_id: int
    provider_id: int
    deleted: bool
    updated: str
    facts: Facts

    @property
    def pending(self) -> bool:
        """Tell whether the row is not booked yet."""
        return bool(self.facts[0])

    @property
    def booked_on(self) -> str:
        """Return the booking date as ISO text."""
        return str(self.facts[1])

    @property
    def amount_minor(self) -> int | None:
        """Return the amount in minor units, None where the bank has not said it yet."""
        amount = self.facts[4]
        assert amount is None or isinstance(amount, int)
        return amount

    @property
    def label(self) -> str:
        """Return the bank's raw label."""
        return str(self.facts[5])


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """A stored account: identity and what reading its rows needs."""

    id: int
    provider_id: int
    exponent: int
    empty: bool
    """True while it holds no transaction at all: nothing fetched can be known."""
    former: bool = False
    """True where `provider_id` is one that the provider used before."""
    active: bool = True
    """False while the person does not share it, or the bank no longer lists it."""


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """A stored account as far as it can be recognised."""

    id: int
    provider_id: int
    kind: AccountKind
    iban: str
    number: str
    currency: str
    gone: bool
    """The bank no longer lists it, or its whole link has ended."""
    here: bool
    """It belongs to the connection that is being synced."""
    same_bank: bool
