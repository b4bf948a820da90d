"""Instants, amounts and rows as the aggregator writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

if TYPE_CHECKING:
    from tests.flows.years.bank import Operation

ZONE = ZoneInfo("Europe/Paris")


def stamp(at: datetime) -> str:
    """Return an instant as the aggregator writes it: Paris time without saying so."""
    return _stamp(at.replace(microsecond=0))


@lru_cache(256)
def _stamp(at: datetime) -> str:
    return at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")


def instant(text: str) -> datetime:
    """Return the instant of a stamp; of the repeated hour the earlier."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def amount(minor: int, exponent: int) -> str:
    """Return an amount as a JSON number."""
    sign, digits = "-" if minor < 0 else "", f"{abs(minor):0{exponent + 1}d}"
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"


def body_of(operation: Operation, provider_id: int, deleted: datetime | None) -> bytes:
    """Return a row; a former id of an operation is told like a deleted one."""
    day = operation.day.isoformat()
    return msgspec.json.encode(
        {
            "id": provider_id,
            "id_account": operation.account.provider_id,
            "date": day,
            "rdate": day,
            "value": msgspec.Raw(amount(operation.minor, operation.account.exponent).encode()),
            "coming": operation.pending,
            "type": operation.kind,
            "original_wording": operation.label,
            "simplified_wording": operation.label.removeprefix("CARTE "),
            "deleted": None if deleted is None else stamp(deleted),
            "last_update": stamp(operation.updated if deleted is None else max(operation.updated, deleted)),
        }
    )
