"""The balance proof finds the day on which rows and balances part, and says what may explain it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from obdesk.domain.entities import AccountKind
from obdesk.domain.proofs import (
    Candidate,
    Cause,
    NearRow,
    Observed,
    ProofState,
    Verdict,
    applies,
    candidates,
    cause_text,
    state_text,
    verdict,
)

FIRST = date(2026, 3, 1)


def day(n: int) -> str:
    return (FIRST + timedelta(days=n)).isoformat()


class Made(NamedTuple):
    """A made ledger: amounts by day, and which days were observed."""

    booked: dict[str, int]
    observed: list[Observed]


@st.composite
def ledgers(draw: st.DrawFn) -> Made:
    """Rows on some of sixty days, and balances seen on some others, all true."""
    amounts = draw(st.dictionaries(st.integers(1, 59), st.integers(-9_999, 9_999), min_size=1))
    seen = draw(st.sets(st.integers(0, 59), min_size=2, max_size=20))
    opening = draw(st.integers(-100_000, 100_000))
    observed = [
        Observed(day(n), opening + sum(amount for on, amount in amounts.items() if on <= n))
        for n in sorted(seen)
    ]
    return Made({day(n): amount for n, amount in amounts.items()}, observed)


@given(ledgers())
def test_a_true_ledger_is_proved_on_every_observed_day(made: Made) -> None:
    assert verdict(made.observed, made.booked, {}) == Verdict(len(made.observed) - 1)


@given(ledgers(), st.data(), st.integers(1, 5_000))
def test_one_planted_error_is_found_on_its_day_with_its_gap(made: Made, data: st.DataObject, by: int) -> None:
    where = data.draw(st.integers(1, 59))
    last = int((date.fromisoformat(made.observed[-1].day) - FIRST).days)
    first = int((date.fromisoformat(made.observed[0].day) - FIRST).days)
    assume(first < where <= last)
    spoilt = {**made.booked, day(where): made.booked.get(day(where), 0) + by}
    found = verdict(made.observed, spoilt, {})
    bad = next(each.day for each in made.observed if each.day >= day(where))
    assert (found.first_bad_day, found.gap_minor) == (bad, -by)
    assert found.since_day == max(each.day for each in made.observed if each.day < bad)
    assert found.days_proved == sum(each.day < bad for each in made.observed) - 1


@given(ledgers(), st.data(), st.integers(1, 5_000))
def test_what_comes_back_by_itself_was_timing(made: Made, data: st.DataObject, by: int) -> None:
    assume(len(made.observed) > 2)
    where = data.draw(st.integers(1, len(made.observed) - 2))
    early = [
        each._replace(balance_minor=each.balance_minor + by) if n == where else each
        for n, each in enumerate(made.observed)
    ]
    assert verdict(early, made.booked, {}) == Verdict(len(made.observed) - 2)


def test_rows_of_the_observed_day_that_came_later_may_be_in_its_balance_or_not() -> None:
    observed = [Observed(day(0), 100), Observed(day(2), 70)]
    assert verdict(observed, {}, {day(0): -30}) == Verdict(1), "not yet in the first balance"
    assert verdict([Observed(day(0), 100), Observed(day(2), 100)], {}, {day(0): -30}) == Verdict(1)
    assert verdict([*observed, Observed(day(3), 40)], {day(3): -30}, {day(3): -30}) == Verdict(
        0, day(2), day(0), -30
    )


def test_one_observed_day_proves_nothing_yet() -> None:
    assert verdict([Observed(day(0), 5)], {day(1): 4}, {}) == Verdict(0)


BROKEN = Verdict(3, day(10), day(8), -500)


def rows(*told: tuple[int, int, int]) -> list[NearRow]:
    return [NearRow(n, day(on), amount, pending=False) for n, on, amount in told]


@pytest.mark.parametrize(
    ("near", "holes", "expected"),
    [
        (rows((1, 9, -20)), [], [Candidate(Cause.MISSING)]),
        (rows((1, 11, -500)), [], [Candidate(Cause.OTHER_DAY, (1,))]),
        (rows((1, 8, -500)), [], [Candidate(Cause.OTHER_DAY, (1,))]),
        (rows((1, 9, 500)), [], [Candidate(Cause.EXTRA, (1,))]),
        (
            rows((1, 9, 500), (2, 10, 500)),
            [],
            [Candidate(Cause.DUPLICATE, (1, 2)), Candidate(Cause.EXTRA, (1,))],
        ),
        (
            rows((1, 9, 500), (2, 7, 500)),
            [],
            [Candidate(Cause.DUPLICATE, (1, 2)), Candidate(Cause.EXTRA, (1,))],
        ),
        (rows((1, 9, 200), (2, 10, 300)), [], [Candidate(Cause.PAIR, (1, 2))]),
        (rows((1, 11, -200), (2, 12, -300)), [], [Candidate(Cause.PAIR, (1, 2))]),
        ([NearRow(4, day(10), -500, pending=True)], [], [Candidate(Cause.PENDING, (4,))]),
        ([], [(day(5), day(9))], [Candidate(Cause.HOLE)]),
        ([], [(day(5), day(8)), (day(11), day(12))], [Candidate(Cause.MISSING)]),
    ],
)
def test_candidate_causes(
    near: list[NearRow], holes: list[tuple[str, str]], expected: list[Candidate]
) -> None:
    assert list(candidates(BROKEN, near, holes)) == expected


def test_a_proof_is_for_accounts_whose_balance_is_the_sum_of_rows() -> None:
    assert {kind for kind in AccountKind if applies(kind)} == {AccountKind.CHECKING, AccountKind.SAVINGS}


def test_causes_and_states_have_words() -> None:
    assert all(cause_text(cause).endswith(".") for cause in Cause)
    assert len({state_text(state) for state in ProofState}) == len(ProofState)
