"""The pages of one answer, sorted into rows that are new for sure and rows to be matched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from obdesk.storage.heap import let_go
from obdesk.storage.writes import transactions
from obdesk.sync.totals import is_lacking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from obdesk.domain.ledger import KnownAccount
    from obdesk.domain.remote import RemoteTransaction, RowProblem
    from obdesk.providers.base import TransactionPage
    from obdesk.storage.tx import Tx

BATCH_ROWS = 20_000
"""Rows per search index batch: fewer cost more per row, more cost memory."""


@dataclass(slots=True)
class Work:
    """The state of one write while it goes through its pages."""

    tx: Tx
    now: datetime
    known: dict[int, KnownAccount]
    next_id: int
    first_id: int
    to_match: list[tuple[int, RemoteTransaction]] = field(default_factory=list)
    fresh: list[tuple[int, RemoteTransaction]] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    again: list[tuple[int, RemoteTransaction]] = field(default_factory=list)
    """Further versions of rows of this very answer, in accounts that were empty before it."""
    problems: list[tuple[int | None, RowProblem]] = field(default_factory=list)
    stamp: str = ""
    read: int = 0
    """Rows of all pages, refused ones left out."""
    unchanged: int = 0
    pages: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    pages_before: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    shadows: set[int] = field(default_factory=set)
    """Accounts listed under an id that is not theirs any more: their rows come under the other one."""

    def flush(self) -> None:
        """Write the new rows that were gathered."""
        self.next_id = transactions.insert_rows(self.tx, self.fresh, self.next_id, self.now)
        let_go(self.fresh)


def read_pages(
    work: Work,
    digests: Mapping[int, tuple[bytes, int]],
    pages: Sequence[TransactionPage],
    *,
    keep_all: bool,
    progress: Callable[[int, int | None], None] | None,
) -> bool:
    """Sort every page's rows into new and to be matched; tell whether no page was skipped.

    A page equal to the last answer's, by `digests`, holds nothing new and is not even decoded. When rows
    might have gone missing all pages are read, unless all are equal.
    """
    before = work.pages_before = dict(digests)
    same = {n for n, page in enumerate(pages) if n in before and before[n][0] == page.digest}
    if len(same) < len(before) or len(same) < len(pages):
        same = set() if keep_all else same
    exponents = {account.provider_id: account.exponent for account in work.known.values()}
    total = next((page.total for page in pages if page.total is not None), None)
    done = 0
    for number, page in enumerate(pages):
        if number in same:
            work.pages[number] = before[number]
            count = before[number][1]
            work.unchanged += count
            work.read += count
        else:
            decoded = page.decode(exponents)
            work.read += len(decoded.rows)
            count = len(decoded.rows) + len(decoded.problems)
            if not decoded.problems:  # what could not be kept is tried again, so its page is never skipped
                work.pages[number] = (page.digest, count)
            _sort_rows(work, decoded.rows)
            work.problems += [(_account_id(work, problem), problem) for problem in decoded.problems]
        done += count
        if progress is not None:
            progress(done, total)
    return not same or not pages


def lacks_rows(work: Work, pages: Sequence[TransactionPage]) -> bool:
    """Tell whether the pages hold fewer rows than the last of them says there are."""
    total = pages[-1].total if pages else None
    problems = (problem for _, problem in work.problems)
    return is_lacking(total, work.read, work.seen, [*work.to_match, *work.again], problems)


def _sort_rows(work: Work, rows: Sequence[RemoteTransaction]) -> None:
    known, fresh, seen, stamp = work.known, work.fresh, work.seen, work.stamp
    if work.shadows:
        known = {number: account for number, account in known.items() if number not in work.shadows}
    for row in rows:
        account = known.get(row.account_provider_id)
        if account is None:
            continue
        stamp = max(stamp, row.updated)
        if not account.empty:
            work.to_match.append((account.id, row))
        elif row.deleted or row.provider_id in seen:
            work.again.append((account.id, row))
        else:
            seen.add(row.provider_id)
            fresh.append((account.id, row))
    work.stamp = stamp
    if len(fresh) >= BATCH_ROWS:
        work.flush()


def _account_id(work: Work, problem: RowProblem) -> int | None:
    account = work.known.get(problem.account_provider_id or 0)
    return None if account is None else account.id
