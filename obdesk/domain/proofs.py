"""The balance proof: from one observed day to the next, booked rows and balances must agree.

Per account and observed day: balance = balance of the first observed day + rows booked since. A day that
parts and comes back by itself was timing (a bank shows a balance before its rows, or after); only what
stays apart until the last observation breaks the proof. Nothing is ever added to make a sum fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from obdesk.domain.entities import AccountKind
from obdesk.domain.texts import mark, tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from obdesk.domain.ids import AccountId, ConnectionId
    from obdesk.domain.money import Money

NEAR_DAYS = 3
"""How far from the bad step a row may be booked and still explain it: a weekend."""


class ProofState(Enum):
    """How the proof of an account stands."""

    PROVED = "proved"
    BROKEN = "broken"
    TOO_FEW = "too_few"
    """Fewer than two observed days: there is nothing to compare yet."""
    NOT_APPLICABLE = "not_applicable"


class Cause(Enum):
    """What may explain a gap, the likeliest first."""

    HOLE = "hole"
    DUPLICATE = "duplicate"
    PENDING = "pending"
    OTHER_DAY = "other_day"
    EXTRA = "extra"
    PAIR = "pair"
    MISSING = "missing"


_CAUSES = {
    Cause.HOLE: mark("Days in between were never read."),
    Cause.DUPLICATE: mark("One transaction of this amount may be there twice."),
    Cause.PENDING: mark("The bank may count a pending transaction of this amount already."),
    Cause.OTHER_DAY: mark("A transaction of this amount may belong to the day before or after."),
    Cause.EXTRA: mark("A transaction of this amount is not in the bank's balance."),
    Cause.PAIR: mark("Two transactions together make this amount."),
    Cause.MISSING: mark("A transaction of this amount may be missing."),
}


def cause_text(cause: Cause) -> str:
    """Return a candidate cause as a sentence."""
    return tr(_CAUSES[cause])


_STATES = {
    ProofState.PROVED: mark("rows and balances agree"),
    ProofState.BROKEN: mark("rows and balances part"),
    ProofState.TOO_FEW: mark("not enough observed days yet"),
    ProofState.NOT_APPLICABLE: mark("not for this kind of account"),
}


def state_text(state: ProofState) -> str:
    """Return how a proof stands, in a few words."""
    return tr(_STATES[state])


class Observed(NamedTuple):
    """A balance observed on a day (ISO text), in minor units."""

    day: str
    balance_minor: int


class Verdict(NamedTuple):
    """What the proof found: observed days that agree, and the first from which on they do not."""

    days_proved: int
    first_bad_day: str | None = None
    since_day: str = ""
    """The observed day before the bad one: the gap opened in between."""
    gap_minor: int = 0
    """What the balance holds and the rows do not."""


class NearRow(NamedTuple):
    """A live row around the bad step."""

    id: int
    day: str
    amount_minor: int
    pending: bool


class Candidate(NamedTuple):
    """A cause that would explain the gap, with the rows that speak for it."""

    cause: Cause
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountProof:
    """The proof of one account, as it is shown."""

    account_id: AccountId
    connection_id: ConnectionId
    account_name: str
    bank: str
    state: ProofState
    checked_at: datetime | None
    days_proved: int
    first_bad_day: date | None
    gap: Money | None
    candidates: tuple[Candidate, ...]


def applies(kind: AccountKind) -> bool:
    """Tell whether a balance is the sum of booked rows.

    Not where prices move it (investments), where interest does (loans), where a month is settled at once
    (cards), nor where we do not know what kind it is.
    """
    match kind:
        case AccountKind.CHECKING | AccountKind.SAVINGS:
            return True
        case AccountKind.CARD | AccountKind.LOAN | AccountKind.INVESTMENT | AccountKind.OTHER:
            return False


def verdict(observed: Sequence[Observed], booked: Mapping[str, int], late: Mapping[str, int]) -> Verdict:
    """Compare observed balances (by rising day) with the sums of rows booked per day.

    `late` sums, per observed day, its rows that were first seen after the observation: they may be in
    that balance or not. There must be at least one observation.
    """
    days = iter(sorted(day for day in booked if day > observed[0].day))
    sums = list(_sums(observed, days, booked))
    offsets = [each.balance_minor - total for each, total in zip(observed, sums, strict=True)]
    both = [(offset, offset + late.get(each.day, 0)) for each, offset in zip(observed, offsets, strict=True)]
    found = [_against(reference, observed, both) for reference in dict.fromkeys(both[0])]
    return max(found, key=lambda each: (each.first_bad_day is None, each.first_bad_day or ""))


def _sums(observed: Sequence[Observed], days: Iterator[str], booked: Mapping[str, int]) -> Iterator[int]:
    """Yield, per observed day, the sum of rows booked after the first observed day and up to it."""
    ahead = next(days, None)
    total = 0
    for each in observed:
        while ahead is not None and ahead <= each.day:
            total += booked[ahead]
            ahead = next(days, None)
        yield total


def _against(reference: int, observed: Sequence[Observed], both: Sequence[tuple[int, int]]) -> Verdict:
    agrees = [reference in pair for pair in both]
    last_good = max(n for n, good in enumerate(agrees) if good)
    days_proved = sum(agrees[1:])
    if last_good == len(observed) - 1:
        return Verdict(days_proved)
    bad = last_good + 1
    return Verdict(days_proved, observed[bad].day, observed[last_good].day, both[bad][0] - reference)


def candidates(
    found: Verdict, rows: Sequence[NearRow], holes: Sequence[tuple[str, str]]
) -> tuple[Candidate, ...]:
    """Return what may explain a broken proof, the likeliest first; there is always one.

    `rows` are the live rows booked around the step and all pending ones; `holes` first and last days.
    """
    assert found.first_bad_day is not None
    since, until, gap = found.since_day, found.first_bad_day, found.gap_minor
    inside = [row for row in rows if not row.pending and since < row.day <= until]
    around = [row for row in rows if not row.pending and not since < row.day <= until]
    causes: list[Candidate] = []
    if any(first <= until and last > since for first, last in holes):
        causes.append(Candidate(Cause.HOLE))
    extra = [row for row in inside if row.amount_minor == -gap]
    twins = [row for row in around if row.amount_minor == -gap] if extra else []
    if len(extra) + len(twins) > 1:
        causes.append(Candidate(Cause.DUPLICATE, tuple(row.id for row in [*extra, *twins][:2])))
    for cause, few in (
        (Cause.PENDING, [row for row in rows if row.pending and row.amount_minor == gap]),
        (Cause.OTHER_DAY, [row for row in around if row.amount_minor == gap]),
        (Cause.EXTRA, extra),
    ):
        if few:
            causes.append(Candidate(cause, (few[0].id,)))
    pair = _pair(inside, -gap) or _pair(around, gap)
    if pair:
        causes.append(Candidate(Cause.PAIR, pair))
    return tuple(causes) or (Candidate(Cause.MISSING),)


def _pair(rows: Sequence[NearRow], total: int) -> tuple[int, ...]:
    """Return the first two rows that make a total together, or nothing."""
    waiting: dict[int, int] = {}
    for row in rows:
        if row.amount_minor in waiting:
            return waiting[row.amount_minor], row.id
        waiting.setdefault(total - row.amount_minor, row.id)
    return ()
