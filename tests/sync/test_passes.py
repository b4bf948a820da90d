"""One answer against the rows it speaks of: what is old news, what came back, what is gone, and how many."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.ledger import KnownTransaction, facts_of
from obdesk.sync.reconcile.passes import reconcile, share_an_id, supersedes
from obdesk.sync.reconcile.plan import Lessons, Plan, Stored, Withheld
from tests.seed import row

if TYPE_CHECKING:
    from obdesk.domain.remote import RemoteTransaction

ACCOUNT = 1
EARLY, LATER, LAST = "2026-11-24 05:00:00", "2026-11-24 12:00:00", "2026-11-25 05:00:00"
CAFE = row(1, label="CAFE LUX", amount_minor=-250, on="2026-11-10", updated=LATER)


def known(
    remote: RemoteTransaction, identity: int | None = None, account_id: int = ACCOUNT
) -> KnownTransaction:
    return KnownTransaction(
        remote.provider_id if identity is None else identity,
        account_id,
        remote.provider_id,
        remote.deleted,
        remote.updated,
        facts_of(remote),
    )


def take(*told: RemoteTransaction, complete: bool = False, **stored: Any) -> Plan:
    """Return what an answer does; that it does the same in the opposite order is checked on the way."""
    plan, reverse = (
        reconcile([(ACCOUNT, each) for each in rows], Stored(**stored), complete=complete)
        for rows in (told, told[::-1])
    )
    assert plan.unchanged == reverse.unchanged
    for pairs, others in ((plan.moved, reverse.moved), (plan.booked, reverse.booked)):
        assert sorted(pairs) == sorted(others)
    assert (plan.added, sorted(plan.shared)) == (reverse.added, sorted(reverse.shared))
    assert sorted(plan.removed) == sorted(reverse.removed)
    return plan


def by_id(*rows: KnownTransaction) -> dict[tuple[int, int], KnownTransaction]:
    return {(each.account_id, each.provider_id): each for each in rows}


def done(plan: Plan) -> dict[str, int]:
    """Return how many rows each kind of change concerns, where there are any."""
    kinds = ("added", "changed", "booked", "moved", "removed", "unsure", "stamped", "freed", "shared")
    found = {kind: len(getattr(plan, kind)) for kind in kinds} | {"unchanged": plan.unchanged}
    return {kind: count for kind, count in found.items() if count}


# Versions


@pytest.mark.parametrize(
    ("versions", "kept", "others"),
    [
        ([CAFE, CAFE], CAFE, []),
        ([CAFE, CAFE._replace(updated=LAST)], CAFE._replace(updated=LAST), []),
        ([CAFE._replace(label="B"), CAFE._replace(label="A")], CAFE._replace(label="B"), ["A"]),
        (
            [CAFE._replace(label="A", updated=LAST), CAFE._replace(label="B")],
            CAFE._replace(label="A", updated=LAST),
            [],
        ),
        ([CAFE._replace(label=each) for each in "ABC"], CAFE._replace(label="C"), ["A", "B"]),
        (
            [CAFE._replace(label="A"), CAFE._replace(label="B"), CAFE._replace(label="0", updated=LAST)],
            CAFE._replace(label="0", updated=LAST),
            [],
        ),
        (
            [CAFE._replace(label="A"), CAFE._replace(label="B"), CAFE._replace(updated=LAST, deleted=True)],
            None,
            [],
        ),
        ([CAFE, CAFE._replace(booked_on="2026-11-11")], CAFE._replace(booked_on="2026-11-11"), ["CAFE LUX"]),
        (
            [CAFE._replace(pending=True), CAFE._replace(pending=False)],
            CAFE._replace(pending=True),
            ["CAFE LUX"],
        ),
    ],
)
def test_of_several_versions_the_newest_counts_and_another_operation_is_named(
    versions: list[RemoteTransaction], kept: RemoteTransaction | None, others: list[str]
) -> None:
    for told in permutations(versions):
        plan = take(*told)
        assert plan.added == ([] if kept is None else [kept])
        assert [each.label for each in plan.shared] == others


def test_a_withdrawal_wins_over_what_has_its_stamp_and_no_other_operation_is_named() -> None:
    plan = take(CAFE._replace(label="Z"), CAFE._replace(deleted=True), known=by_id(known(CAFE)))
    assert done(plan) == {"removed": 1}
    plan = take(CAFE._replace(deleted=True), CAFE._replace(label="A", updated=LAST))
    assert done(plan) == {"added": 1}


def test_a_row_that_is_told_under_both_ids_of_its_account_is_one_operation() -> None:
    told = [(ACCOUNT, CAFE), (ACCOUNT, CAFE._replace(account_provider_id=9))]
    assert done(reconcile(told, Stored(), complete=False)) == {"added": 1}


def test_the_same_number_in_two_accounts_is_two_rows() -> None:
    plan = reconcile([(2, CAFE), (ACCOUNT, CAFE._replace(label="X"))], Stored(), complete=False)
    assert (plan.added, plan.shared) == ([CAFE._replace(label="X"), CAFE], [])


def test_what_is_stored_as_a_number_is_no_other_version() -> None:
    stored = known(CAFE)
    numbered = stored._replace(facts=(0, *stored.facts[1:]))
    assert not supersedes(CAFE, numbered)
    assert not supersedes(CAFE, stored)
    assert supersedes(CAFE._replace(updated=LAST), numbered)
    assert supersedes(CAFE._replace(deleted=True), numbered)
    assert supersedes(CAFE._replace(pending=True), numbered)
    assert not supersedes(CAFE, stored._replace(facts=(1, *stored.facts[1:])))
    assert not supersedes(CAFE._replace(updated=EARLY, label="Z"), numbered)


def test_two_live_rows_under_one_id_and_one_stamp_that_differ_are_two_operations() -> None:
    other = CAFE._replace(label="X")
    assert share_an_id(LATER, facts_of(CAFE), other)
    assert not share_an_id(EARLY, facts_of(CAFE), other)
    assert not share_an_id(LATER, facts_of(CAFE), CAFE)
    assert not share_an_id(LATER, facts_of(CAFE), other._replace(deleted=True))


# Known rows


@pytest.mark.parametrize(
    ("stored", "told", "what"),
    [
        ({}, {}, {"unchanged": 1}),
        ({}, {"updated": LAST}, {"unchanged": 1, "stamped": 1}),
        ({}, {"updated": EARLY}, {"unchanged": 1}),
        ({}, {"updated": ""}, {"unchanged": 1}),
        ({}, {"label": "X"}, {"changed": 1}),
        ({}, {"label": "X", "updated": "2026-11-24 10:00:00"}, {"changed": 1}),
        ({}, {"label": "X", "updated": "2026-11-24 09:59:59"}, {"unchanged": 1}),
        ({}, {"label": "X", "updated": ""}, {"changed": 1}),
        ({"updated": ""}, {"label": "X", "updated": EARLY}, {"changed": 1}),
        ({}, {"label": "X", "updated": "2026-11-24T05:00:00+00:00"}, {"changed": 1}),
        ({}, {"label": "X", "updated": "1"}, {"changed": 1}),
        ({}, {"deleted": True}, {"removed": 1}),
        ({}, {"deleted": True, "updated": EARLY}, {"unchanged": 1}),
        ({"deleted": True}, {"deleted": True}, {"unchanged": 1}),
        ({"deleted": True}, {"deleted": True, "updated": LAST}, {"unchanged": 1, "stamped": 1}),
        ({"deleted": True}, {}, {"unchanged": 1}),
        ({"deleted": True}, {"updated": LAST}, {"changed": 1}),
        ({"deleted": True, "updated": ""}, {}, {"changed": 1}),
        ({"deleted": True, "updated": ""}, {"updated": ""}, {"changed": 1}),
    ],
)
def test_what_a_word_on_a_known_row_does(
    stored: dict[str, Any], told: dict[str, Any], what: dict[str, int]
) -> None:
    old, same = known(CAFE._replace(**stored)), CAFE._replace(provider_id=2)
    far = CAFE._replace(provider_id=3, booked_on="2026-09-01", amount_minor=-9)
    assert done(take(CAFE._replace(**told), known=by_id(old))) == what
    beside = done(take(CAFE._replace(**told), same, far, known=by_id(old, known(same))))
    rest = {"added": 1, "unchanged": 1}
    assert beside == what | rest | {"unchanged": what.get("unchanged", 0) + 1}, "and so among others"


def test_withdrawals_of_rows_that_were_never_seen_are_no_news() -> None:
    plan = take(*(CAFE._replace(provider_id=n, deleted=True) for n in (1, 2)))
    assert done(plan) == {"unchanged": 2}


# Former ids


def test_a_row_goes_on_under_a_former_id_when_the_one_it_has_now_is_gone() -> None:
    mine = known(CAFE._replace(provider_id=9), 5)
    for how in ({"missing": (mine,), "live_rows": {ACCOUNT: 99}}, {"pending": (mine,)}):
        plan = take(CAFE, former={(ACCOUNT, 1): mine}, complete=True, **how)
        assert (plan.moved, done(plan)) == ([(mine, CAFE)], {"moved": 1})
    assert done(take(CAFE, former={(ACCOUNT, 1): mine})) == {"unchanged": 1}


def test_of_two_former_ids_that_come_again_one_is_the_row_and_the_other_old_news() -> None:
    mine = known(CAFE._replace(provider_id=9), 5)
    former = {(ACCOUNT, 1): mine, (ACCOUNT, 2): mine}
    again = CAFE._replace(provider_id=2)
    plan = take(again, CAFE, former=former, missing=(mine,), live_rows={ACCOUNT: 99}, complete=True)
    assert (plan.moved, done(plan)) == ([(mine, CAFE)], {"moved": 1, "unchanged": 1})
    newer = again._replace(updated=LAST)
    for told in permutations((CAFE, newer)):
        plan = take(*told, former=former, missing=(mine,), live_rows={ACCOUNT: 99}, complete=True)
        assert (plan.moved, done(plan)) == ([(mine, newer)], {"moved": 1, "unchanged": 1})
    plan = take(CAFE._replace(provider_id=8), CAFE, again, former=former | {(ACCOUNT, 8): mine})
    assert done(plan) == {"unchanged": 3}


def test_a_newer_word_on_a_former_id_of_a_row_that_lives_on_is_another_operation() -> None:
    mine = known(CAFE._replace(provider_id=9), 5)
    former, came = {(ACCOUNT, 1): mine}, CAFE._replace(updated=LAST)
    plan = take(came, former=former)
    assert (plan.added, plan.freed, done(plan)) == ([came], [(ACCOUNT, 1)], {"added": 1, "freed": 1})
    assert done(take(came, former=former, joined=frozenset({5}))) == {"unchanged": 1}
    unstamped = {(ACCOUNT, 1): mine._replace(updated="")}
    assert done(take(came, former=unstamped)) == {"unchanged": 1}


def test_a_withdrawn_row_comes_back_under_a_former_id_with_a_newer_word_only() -> None:
    mine = known(CAFE._replace(provider_id=9, deleted=True), 5)
    former = {(ACCOUNT, 1): mine}
    assert done(take(CAFE, former=former)) == {"unchanged": 1}
    assert done(take(CAFE._replace(updated=LAST), former=former)) == {"moved": 1}
    assert done(take(CAFE, former={(ACCOUNT, 1): mine._replace(updated="")})) == {"moved": 1}


# Equal rows under other ids


def test_of_equal_rows_those_that_go_now_go_on_first_and_the_oldest_of_them() -> None:
    gone = [known(CAFE._replace(provider_id=n, deleted=True), n) for n in (1, 2)]
    going = [known(CAFE._replace(provider_id=n), n) for n in (3, 4)]
    came = [CAFE._replace(provider_id=90 + n) for n in range(5)]

    def after(count: int) -> Plan:
        stored = {"deleted": tuple(gone), "missing": tuple(going), "live_rows": {ACCOUNT: 99}}
        return take(*came[:count], complete=True, **stored)

    for count in (1, 2, 3, 4, 5):
        assert len(after(count).added) == max(0, count - 4)
        assert len(after(count).removed) == max(0, 2 - count)
    moved = [(mine.id, remote.provider_id) for mine, remote in after(5).moved]
    assert moved == [(3, 90), (4, 91), (1, 92), (2, 93)]


# Reservations


def test_of_reservations_alike_the_first_becomes_the_first_that_came() -> None:
    waits = [known(CAFE._replace(provider_id=n, pending=True), n) for n in (1, 2)]
    came = [CAFE._replace(provider_id=n) for n in (8, 9)]
    plan = take(*came, pending=tuple(waits), complete=True)
    assert [(mine.id, remote.provider_id) for mine, remote in plan.booked] == [(1, 8), (2, 9)]
    plan = take(*came[:1], pending=tuple(waits), complete=True)
    assert ([mine.id for mine, _ in plan.booked], plan.added, [each.id for each in plan.removed]) == (
        [1],
        [],
        [2],
    )
    plan = take(*came, pending=tuple(waits[:1]), complete=True)
    assert ([remote.provider_id for _, remote in plan.booked], plan.added) == ([8], [came[1]])


def test_a_reservation_becomes_the_row_of_its_own_account_nearest_to_its_day() -> None:
    waits = known(CAFE._replace(pending=True))
    near, far = CAFE._replace(provider_id=9), CAFE._replace(provider_id=8, booked_on="2026-11-13")
    plan = take(far, near, pending=(waits,), complete=True)
    assert (plan.booked, plan.added) == ([(waits, near)], [far])
    plan = reconcile([(2, near), (ACCOUNT, near)], Stored(pending=(waits,)), complete=True)
    assert (plan.booked, plan.added) == ([(waits, near)], [near])
    plan = reconcile([(2, near)], Stored(pending=(waits,)), complete=True)
    assert (plan.booked, plan.added, plan.removed) == ([], [near], [waits])


def test_a_reservation_that_is_told_again_is_not_gone() -> None:
    told, silent = CAFE._replace(pending=True), known(CAFE._replace(provider_id=2, pending=True))
    stored = (known(told), silent)
    plan = take(told, known=by_id(*stored), pending=stored, complete=True)
    assert (plan.removed, done(plan)) == ([silent], {"removed": 1, "unchanged": 1})


def test_a_delta_takes_no_silence_for_an_end() -> None:
    waits, booked = known(CAFE._replace(pending=True)), known(CAFE._replace(provider_id=2), 2)
    plan = take(CAFE._replace(provider_id=9), pending=(waits,), missing=(booked,))
    assert done(plan) == {"added": 1}
    assert done(take(pending=(waits,), missing=(booked,), live_rows={ACCOUNT: 99}, complete=True)) == {
        "removed": 2
    }


# Too many at once


@pytest.mark.parametrize(
    ("missing", "of", "stays"),
    [(10, 10, False), (11, 22, False), (11, 21, True), (11, 0, True), (30, 30, True)],
)
def test_more_than_ten_rows_and_more_than_half_stay_until_that_is_said_again(
    missing: int, of: int, *, stays: bool
) -> None:
    rows = tuple(known(CAFE._replace(provider_id=n)) for n in range(1, missing + 1))
    plan = take(missing=rows, live_rows={ACCOUNT: of}, complete=True)
    assert plan.withheld == ({ACCOUNT: Withheld(missing, of)} if stays else {})
    assert len(plan.removed) == (0 if stays else missing)
    again = take(missing=rows, live_rows={ACCOUNT: of}, confirmed=frozenset({ACCOUNT}), complete=True)
    assert (again.withheld, len(again.removed)) == ({}, missing)
    uncounted = take(missing=rows, complete=True)
    assert uncounted.withheld == ({ACCOUNT: Withheld(missing, 0)} if missing > 10 else {})


def test_what_the_bank_withdraws_by_name_and_reservations_go_while_the_rest_stays() -> None:
    rows = tuple(known(CAFE._replace(provider_id=n)) for n in range(1, 12))
    other = known(CAFE._replace(provider_id=50), 50, 2)
    waits = known(CAFE._replace(provider_id=60, pending=True))
    named = known(CAFE._replace(provider_id=70, label="NAMED"))
    plan = take(
        CAFE._replace(provider_id=70, deleted=True),
        known=by_id(named),
        pending=(waits,),
        missing=(*rows, other),
        live_rows={ACCOUNT: 20, 2: 1},
        confirmed=frozenset({2}),
        complete=True,
    )
    assert plan.withheld == {ACCOUNT: Withheld(11, 20)}
    assert sorted(each.id for each in plan.removed) == [50, 60, 70]
    few = take(
        *(CAFE._replace(provider_id=n, deleted=True) for n in range(1, 12)),
        known=by_id(*rows),
        live_rows={ACCOUNT: 11},
        complete=True,
    )
    assert (few.withheld, len(few.removed)) == ({}, 11), "each was named"


def test_nothing_is_taught_or_known_where_nothing_is_said() -> None:
    assert done(reconcile([], Stored(), complete=True)) == {}
    assert (Stored().lessons, Stored().renumbered) == (Lessons(frozenset(), frozenset()), frozenset())
