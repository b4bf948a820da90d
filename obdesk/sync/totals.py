"""Whether an answer holds as many rows as the aggregator says: fewer were lost between its pages.

What a total counts is documented nowhere. Where an answer that was read twice has fewer rows both times, it
counts something else there (rows that are withdrawn, or all of a link where only news were asked for). That
is remembered until an answer agrees with its total again, so that such an aggregator is not read twice every
time; a restart forgets it, which costs one more reading and no other harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.remote import RemoteTransaction, RowProblem


class Totals:
    """Which answers are held against their totals, by link and by what was asked for."""

    def __init__(self) -> None:
        self._odd: set[tuple[ConnectionId, str]] = set()

    def are_believed(self, connection_id: ConnectionId, series: str) -> bool:
        """Tell whether an answer that has fewer rows than its total says lacks some."""
        return (connection_id, series) not in self._odd

    def learn(self, connection_id: ConnectionId, series: str, *, lacking: bool) -> None:
        """Keep whether an answer that was believed had fewer rows than its total says."""
        if lacking:
            self._odd.add((connection_id, series))
        else:
            self._odd.discard((connection_id, series))


def is_lacking(
    total: int | None,
    read: int,
    seen: Collection[int],
    others: Sequence[tuple[int, RemoteTransaction]],
    problems: Iterable[RowProblem],
) -> bool:
    """Tell whether an answer holds fewer rows than its `total` says, each counted once.

    `read` is how many were read. Of these `seen` are the numbers of rows that came once so far, and `others`
    may repeat them or each other; the rest was not looked at. Refused rows, told by `problems`, come on top.
    """
    if total is None:
        return False
    numbers = {row.provider_id for _, row in others}
    repeated = len(others) - len(numbers)
    if seen:
        repeated += sum(number in seen for number in numbers)
    return read - repeated + _refused(problems, numbers, seen) < total


def _refused(problems: Iterable[RowProblem], numbers: Collection[int], seen: Collection[int]) -> int:
    """Return how many rows were refused: those that problems are about and that were not kept anyway."""
    named: set[int] = set()
    nameless = 0
    for problem in problems:
        if not problem.subject.isdecimal():
            nameless += 1
        else:
            named.add(int(problem.subject))
    return nameless + sum(number not in numbers and number not in seen for number in named)
