"""Rows of an answer that could not be kept: the bank lists them all the same, so they are not gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from obdesk.domain.ledger import KnownAccount, KnownTransaction
    from obdesk.domain.remote import RowProblem


@dataclass(frozen=True, slots=True)
class Refused:
    """What is known of the rows of an answer that could not be kept."""

    rows: frozenset[tuple[int | None, int]] = frozenset()
    """(Our account id, provider id); None where nobody can say of which account it is."""
    nameless: frozenset[int | None] = frozenset()
    """The accounts that hold a row of which not even the number could be read: it may be any of theirs."""

    def holds(self, row: KnownTransaction) -> bool:
        """Tell whether a known row is among them."""
        return (row.account_id, row.provider_id) in self.rows or (None, row.provider_id) in self.rows

    def hides(self, account_id: int) -> bool:
        """Tell whether any row of an account may be among them."""
        return account_id in self.nameless or None in self.nameless


def refused_of(problems: Iterable[RowProblem], known: Mapping[int, KnownAccount]) -> Refused:
    """Return the rows that problems are about, those of accounts that are not ours left out."""
    rows: set[tuple[int | None, int]] = set()
    nameless: set[int | None] = set()
    for problem in problems:
        number = problem.account_provider_id
        account = None if number is None else known.get(number)
        if number is not None and account is None:
            continue
        account_id = None if account is None else account.id
        if problem.subject.isdecimal():
            rows.add((account_id, int(problem.subject)))
        else:
            nameless.add(account_id)
    return Refused(frozenset(rows), frozenset(nameless))
