"""The accounts as lines of text, for a demo that nobody watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.texts import tr
from obdesk.gui.widgets.status import glyph_of, word_of

if TYPE_CHECKING:
    from obdesk.domain.entities import Account


def accounts_table(accounts: tuple[Account, ...]) -> list[str]:
    """Return name, balance, as of and state in aligned columns."""
    rows = [(tr("Account"), tr("Balance"), tr("As of"), tr("State"))]
    rows += [
        (
            f"{account.bank}: {account.name}",
            "—" if account.balance is None else f"{account.balance.text()} {account.balance.currency.code}",
            _instant(account),
            word_of(glyph_of(account.freshness.state)),
        )
        for account in accounts
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:<{widths[2]}}  {row[3]}".rstrip()
        for row in rows
    ]


def _instant(account: Account) -> str:
    as_of = account.freshness.data_as_of
    return "—" if as_of is None else as_of.strftime("%Y-%m-%dT%H:%M:%SZ")
