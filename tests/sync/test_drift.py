"""Rows that come back under other ids and say something slightly different: joined, asked about, or new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.domain.ledger import KnownTransaction, facts_of
from obdesk.sync.reconcile.likeness import lesson_of
from obdesk.sync.reconcile.passes import reconcile
from obdesk.sync.reconcile.plan import Lessons, Plan, Stored
from tests.seed import row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.domain.remote import RemoteTransaction

ACCOUNT = 1
NONE = Lessons()
SHOP = row(1, label="PORT BREST", amount_minor=-1_000, on="2026-11-10")
OTHER_DAY = SHOP._replace(done_on="2026-11-09")
"""As sure a match as there is, without being equal."""


def known(remote: RemoteTransaction, account_id: int = ACCOUNT) -> KnownTransaction:
    return KnownTransaction(
        remote.provider_id, account_id, remote.provider_id, False, remote.updated, facts_of(remote)
    )


def told(
    went: Sequence[RemoteTransaction],
    came: Sequence[RemoteTransaction],
    *,
    renumbered: bool = False,
    lessons: Lessons = NONE,
) -> Plan:
    """Return what a complete answer does that lacks `went` and has `came`, in whatever order."""
    plans = [
        reconcile(
            [(ACCOUNT, each) for each in rows],
            Stored(
                missing=tuple(known(each) for each in gone),
                live_rows={ACCOUNT: 99},
                lessons=lessons,
                renumbered=frozenset({ACCOUNT}) if renumbered else frozenset(),
            ),
            complete=True,
        )
        for gone, rows in ((went, came), (went[::-1], came[::-1]))
    ]
    assert moved(plans[0]) == moved(plans[1])
    assert asked(plans[0]) == asked(plans[1])
    return plans[0]


def moved(plan: Plan) -> list[tuple[int, int]]:
    return sorted((mine.id, remote.provider_id) for mine, remote in plan.moved)


def asked(plan: Plan) -> list[tuple[int, int, int]]:
    return sorted((each.stored.id, each.remote.provider_id, each.likeness.score) for each in plan.unsure)


def new(plan: Plan) -> list[int]:
    return [remote.provider_id for remote in plan.added]


def gone(plan: Plan) -> list[int]:
    return [mine.id for mine in plan.removed]


@pytest.mark.parametrize(
    ("came", "joined", "score"),
    [
        (OTHER_DAY, True, None),
        (SHOP._replace(booked_on="2026-11-13"), True, None),
        (SHOP._replace(label="PORT BREST SUD", booked_on="2026-11-11"), True, None),
        (SHOP._replace(label="PORT BREST SUD", booked_on="2026-11-12"), False, 63),
        (SHOP._replace(label="LUX"), False, 50),
        (SHOP._replace(label="LUX", booked_on="2026-11-11"), False, None),
        (SHOP._replace(amount_minor=-1_100), False, 50),
        (SHOP._replace(amount_minor=-9_999), False, 50),
        (SHOP._replace(amount_minor=-1_100, booked_on="2026-11-13"), False, 50),
        (SHOP._replace(amount_minor=-1_100, booked_on="2026-11-07"), False, 50),
        (SHOP._replace(amount_minor=-1_100, booked_on="2026-11-14"), False, None),
        (SHOP._replace(amount_minor=-1_100, label="PORT BREST SUD"), False, 50),
        (SHOP._replace(amount_minor=-1_400, label="PORT BREST SUD"), False, None),
        (OTHER_DAY._replace(pending=True), False, None),
    ],
)
def test_a_row_that_comes_as_one_goes_is_joined_where_sure_and_asked_about_where_likely(
    came: RemoteTransaction, score: int | None, *, joined: bool
) -> None:
    plan = told([SHOP], [came._replace(provider_id=9)])
    assert moved(plan) == ([(1, 9)] if joined else [])
    assert asked(plan) == ([] if score is None else [(1, 9, score)])
    assert (new(plan), gone(plan)) == (([], []) if joined else ([9], [1]))


def test_two_accounts_with_one_operation_each_do_not_exchange_them() -> None:
    plan = reconcile(
        [(2, OTHER_DAY._replace(provider_id=9)), (ACCOUNT, OTHER_DAY._replace(provider_id=9))],
        Stored(missing=(known(SHOP),), live_rows={ACCOUNT: 99}),
        complete=True,
    )
    assert [(mine.account_id, mine.id) for mine, _ in plan.moved] == [(ACCOUNT, 1)]
    assert (len(plan.added), plan.unsure) == (1, [])
    hers, his = known(SHOP), known(SHOP._replace(provider_id=2), 2)
    came = {1: OTHER_DAY._replace(provider_id=8), 2: OTHER_DAY._replace(provider_id=9)}
    plan = reconcile(came.items(), Stored(missing=(hers, his), live_rows={1: 99, 2: 99}), complete=True)
    assert sorted(plan.moved) == [(hers, came[1]), (his, came[2])]


def test_a_corrected_amount_is_taken_where_the_account_is_numbered_anew() -> None:
    came = [SHOP._replace(provider_id=9, amount_minor=-1_100)]
    assert moved(told([SHOP], came, renumbered=True)) == [(1, 9)]
    assert asked(told([SHOP], came)) == [(1, 9, 50)]


CORRECTED = SHOP._replace(provider_id=9, amount_minor=-1_100)


@pytest.mark.parametrize(
    "came", [CORRECTED._replace(booked_on="2026-11-09"), CORRECTED._replace(label="PORT BREST CORRIGE")]
)
def test_where_more_than_the_amount_was_corrected_it_is_asked_about_though_the_account_is_numbered_anew(
    came: RemoteTransaction,
) -> None:
    assert asked(told([SHOP], [came], renumbered=True)) == [(1, 9, 50)]


def test_a_match_that_leads_by_ten_is_taken_and_one_that_leads_by_less_is_asked_about() -> None:
    sure, next_day = OTHER_DAY._replace(provider_id=8), SHOP._replace(provider_id=9, booked_on="2026-11-11")
    plan = told([SHOP], [sure, next_day])
    assert (moved(plan), asked(plan), new(plan)) == ([(1, 8)], [], [9])
    alike = SHOP._replace(provider_id=8, label="PORT BREST SUD")
    plan = told([SHOP], [alike, next_day])
    assert (moved(plan), asked(plan), sorted(new(plan))) == ([], [(1, 9, 90)], [8, 9])
    day_before = next_day._replace(booked_on="2026-11-09")
    assert asked(told([SHOP], [alike, day_before])) == [(1, 9, 90)], "the likeliest, not the last"


def test_what_the_person_said_of_two_wordings_is_done_in_that_account() -> None:
    came, pair = [SHOP._replace(provider_id=9, label="LUX")], lesson_of(ACCOUNT, "LUX", SHOP.label)
    assert moved(told([SHOP], came, lessons=Lessons(same=frozenset({pair})))) == [(1, 9)]
    assert asked(told([SHOP], came, lessons=Lessons(different=frozenset({pair})))) == []
    other = Lessons(same=frozenset({lesson_of(2, "LUX", SHOP.label)}))
    assert asked(told([SHOP], came, lessons=other)) == [(1, 9, 50)]


def test_a_row_that_two_could_have_become_is_asked_about_for_both() -> None:
    went = [SHOP, SHOP._replace(provider_id=2, label="PORT BREST SUD NORD")]
    plan = told(went, [SHOP._replace(provider_id=9, label="PORT BREST SUD")])
    assert moved(plan) == []
    assert asked(plan) == [(1, 9, 83), (2, 9, 87)]
    assert (new(plan), sorted(gone(plan))) == ([9], [1, 2])


def test_of_two_that_went_the_one_that_leads_is_taken_and_nothing_is_left_to_ask() -> None:
    went = [SHOP, SHOP._replace(provider_id=2, label="LUX")]
    plan = told(went, [OTHER_DAY._replace(provider_id=9)])
    assert (moved(plan), asked(plan), new(plan), gone(plan)) == ([(1, 9)], [], [], [2])


def test_what_is_left_when_the_sure_ones_are_joined_is_asked_about() -> None:
    went = [SHOP, SHOP._replace(provider_id=2, label="LUX")]
    came = [OTHER_DAY._replace(provider_id=8), SHOP._replace(provider_id=9, label="CINEMA")]
    plan = told(went, came)
    assert (moved(plan), asked(plan)) == ([(1, 8)], [(2, 9, 50)])
    assert (new(plan), gone(plan)) == ([9], [2])


def test_twins_are_joined_as_a_group_and_the_one_too_many_is_gone_or_new() -> None:
    went = [SHOP._replace(provider_id=n) for n in (1, 2, 3)]
    came = [OTHER_DAY._replace(provider_id=n) for n in (7, 8, 9)]
    for fewer, more in ((1, 3), (3, 1), (2, 3), (3, 3)):
        plan = told(went[:fewer], came[:more])
        joined = min(fewer, more)
        assert (len({remote for _, remote in plan.moved}), plan.unsure) == (joined, [])
        assert [mine for mine, _ in moved(plan)] == [1, 2, 3][:joined], "those we have longest"
        assert (len(plan.added), len(plan.removed)) == (more - joined, fewer - joined)


def test_which_of_two_withdrawn_twins_goes_on_is_the_same_in_whatever_order_the_bank_names_them() -> None:
    twins = [SHOP, SHOP._replace(provider_id=2)]
    stored = Stored(known={(ACCOUNT, each.provider_id): known(each) for each in twins})
    withdrawn = [(ACCOUNT, each._replace(deleted=True)) for each in twins]
    for named in (withdrawn, withdrawn[::-1]):
        plan = reconcile([*named, (ACCOUNT, OTHER_DAY._replace(provider_id=9))], stored, complete=False)
        assert (moved(plan), gone(plan)) == ([(1, 9)], [2])


def test_twins_that_may_be_two_others_are_asked_about_two_by_two() -> None:
    went = [SHOP._replace(provider_id=n) for n in (1, 2, 3)]
    plan = told(went, [SHOP._replace(provider_id=n, label="LUX") for n in (8, 9)])
    assert asked(plan) == [(1, 8, 50), (2, 9, 50)]
