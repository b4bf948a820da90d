"""The options that choose transactions, the same for lists and exports."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import typer

from obdesk.domain.filters import TransactionFilter, parse_search
from obdesk.domain.ids import AccountId
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Sequence


def day(text: str) -> date:
    """Return the calendar date of an option such as `2026-03-01`; anything else is a usage error."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(tr("a date looks like 2026-03-01")) from None


def chosen(
    search: str, accounts: Sequence[int], date_from: date | None, date_to: date | None
) -> TransactionFilter:
    """Return the filter of the options; `search` speaks the language of the window's search field."""
    if date_from is not None and date_to is not None and date_from > date_to:
        raise typer.BadParameter(tr("--from is later than --to"))
    found = parse_search(search)
    return replace(
        found,
        accounts=frozenset(map(AccountId, accounts)),
        date_from=date_from or found.date_from,
        date_to=date_to or found.date_to,
    )
