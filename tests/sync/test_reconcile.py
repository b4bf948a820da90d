"""Matching: what the bank says ends up in the ledger once, whatever the order, the repeats and the age."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.ledger import KnownTransaction, facts_of
from obdesk.sync.reconcile.likeness import drift_likeness, lesson_of
from obdesk.sync.reconcile.passes import reconcile
from obdesk.sync.reconcile.plan import Lessons, Plan, Stored
from tests.seed import row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.domain.remote import RemoteTransaction

ACCOUNT = 1
EARLY, LATER, LAST = "2026-11-24 05:00:00", "2026-11-24 12:00:00", "2026-11-25 05:00:00"


@dataclass
class Book:
    """A ledger of one account in memory, as plain as can be."""

    rows: dict[int, KnownTransaction] = field(default_factory=dict)
    former: dict[int, int] = field(default_factory=dict)
    """Our row ids by provider ids of before."""
    confirmed: frozenset[int] = frozenset()
    lessons: Lessons = field(default_factory=Lessons)
    worded: set[int] = field(default_factory=set)

    def take(self, told: Sequence[RemoteTransaction], *, complete: bool = False) -> Plan:
        """Take in an answer."""
        came = {each.provider_id for each in told}
        since = min((each.booked_on for each in told if not each.deleted), default="9999")
        live = [each for each in self.rows.values() if not each.deleted]
        covered = [each for each in live if not each.pending and each.booked_on >= since]
        stored = Stored(
            known={(ACCOUNT, each.provider_id): each for each in self.rows.values()},
            former={(ACCOUNT, number): self.rows[row_id] for number, row_id in self.former.items()},
            pending=tuple(each for each in live if each.pending),
            missing=tuple(each for each in covered if each.provider_id not in came) if complete else (),
            deleted=tuple(each for each in self.rows.values() if each.deleted and each.id in self.worded),
            live_rows={ACCOUNT: len(covered)},
            lessons=self.lessons,
            confirmed=self.confirmed,
        )
        plan = reconcile([(ACCOUNT, each) for each in told], stored, complete=complete)
        self.confirmed = frozenset(plan.withheld) if complete else self.confirmed
        for _, number in plan.freed:
            self.former.pop(number, None)
        for remote in plan.added:
            self._put(len(self.rows) + 1, remote)
        for mine, remote in [*plan.changed, *plan.booked, *plan.moved, *plan.stamped]:
            if mine.provider_id != remote.provider_id:
                self.former[mine.provider_id] = mine.id
                self.former.pop(remote.provider_id, None)
            self._put(mine.id, remote)
        stamps = {each.provider_id: each.updated for each in told if each.deleted}
        for mine in plan.removed:
            self.rows[mine.id] = mine._replace(deleted=True, updated=stamps.get(mine.provider_id, ""))
        return plan

    def _put(self, identity: int, remote: RemoteTransaction) -> None:
        self.rows[identity] = KnownTransaction(
            identity, ACCOUNT, remote.provider_id, remote.deleted, remote.updated, facts_of(remote)
        )

    def shown(self) -> set[tuple[int, object]]:
        return {(each.provider_id, each.facts) for each in self.rows.values() if not each.deleted}


def truth_of(told: Sequence[RemoteTransaction]) -> set[tuple[int, object]]:
    newest: dict[int, RemoteTransaction] = {}
    for each in told:
        if each.provider_id not in newest or newest[each.provider_id].updated <= each.updated:
            newest[each.provider_id] = each
    return {(each.provider_id, facts_of(each)) for each in newest.values() if not each.deleted}


def changes(plan: Plan) -> int:
    moved = len(plan.booked) + len(plan.moved)
    return len(plan.added) + len(plan.changed) + moved + len(plan.removed)


versions = st.builds(
    lambda number, amount, day, label, deleted, hour: row(
        number,
        on=f"2026-11-{day:02}",
        amount_minor=amount,
        label=label,
        deleted=deleted,
        # One stamp is one version; stamps of different versions lie hours apart.
        updated=f"2026-11-{1 + hour // 8:02} {hour % 8 * 3:02}:00:00",
    ),
    st.integers(1, 6),
    st.sampled_from([-100, -200, -300]),
    st.integers(1, 3),
    st.sampled_from(["CARTE PORT BREST", "VIR ZOE"]),
    st.booleans(),
    st.integers(0, 60),
)
answers = st.lists(versions, max_size=12, unique_by=lambda each: (each.provider_id, each.updated))


@given(answers)
def test_after_an_answer_the_ledger_says_what_the_bank_says(told: list[RemoteTransaction]) -> None:
    book = Book()
    book.take(told)
    assert book.shown() == truth_of(told)


@given(answers)
def test_the_same_answer_again_changes_nothing(told: list[RemoteTransaction]) -> None:
    book = Book()
    book.take(told)
    before = dict(book.rows)
    again = book.take(told)
    assert changes(again) == 0
    assert not again.stamped
    assert book.rows == before


@given(answers, st.data())
def test_the_order_of_rows_and_their_repeats_do_not_matter(
    told: list[RemoteTransaction], data: st.DataObject
) -> None:
    straight, shuffled = Book(), Book()
    straight.take(told)
    shuffled.take(data.draw(st.permutations([*told, *told[:3]])))
    assert straight.shown() == shuffled.shown()


@given(answers, st.data())
def test_answers_that_come_late_never_undo_newer_ones(
    told: list[RemoteTransaction], data: st.DataObject
) -> None:
    """However the versions are spread over answers, and in whatever order these come."""
    book = Book()
    for each in data.draw(st.permutations(told)):
        book.take([each])
    known = {each.provider_id for each in told if not each.deleted}
    # A deletion of a row that was never seen leaves nothing that an older answer could be held against.
    never_seen_first = {
        number
        for number in known
        if max((each for each in told if each.provider_id == number), key=lambda each: each.updated).deleted
    }
    assert {each for each in book.shown() if each[0] not in never_seen_first} == {
        each for each in truth_of(told) if each[0] not in never_seen_first
    }


@given(answers)
def test_no_provider_id_is_ever_there_twice(told: list[RemoteTransaction]) -> None:
    book = Book()
    for each in told:
        book.take([each])
    ids = [each.provider_id for each in book.rows.values()]
    assert len(ids) == len(set(ids))


def test_two_identical_coffees_stay_two() -> None:
    book = Book()
    coffees = [row(1, amount_minor=-250, label="CAFE"), row(2, amount_minor=-250, label="CAFE")]
    book.take(coffees, complete=True)
    book.take(coffees, complete=True)
    assert len(book.shown()) == 2


def test_a_deleted_row_comes_back_only_with_a_newer_word() -> None:
    book = Book()
    book.take([row(1, updated=EARLY)])
    book.take([row(1, updated=LATER, deleted=True)])
    assert book.shown() == set()
    for old in (EARLY, LATER):
        assert changes(book.take([row(1, updated=old)])) == 0
    assert changes(book.take([row(1, updated=LAST)])) == 1
    assert len(book.shown()) == 1


def test_a_deletion_that_was_confirmed_later_is_not_lifted_by_what_came_before() -> None:
    book = Book()
    book.take([row(1, updated=EARLY)])
    book.take([row(1, updated=EARLY, deleted=True)])
    book.take([row(1, updated=LAST, deleted=True)])
    assert changes(book.take([row(1, updated=LATER)])) == 0


def test_an_unchanged_row_under_a_newer_stamp_is_no_change_but_ends_older_ones() -> None:
    book = Book()
    book.take([row(1, amount_minor=-100, updated=EARLY)])
    assert changes(book.take([row(1, amount_minor=-100, updated=LAST)])) == 0
    assert changes(book.take([row(1, amount_minor=-999, updated=LATER)])) == 0
    assert {facts[4] for _, facts in book.shown()} == {-100}  # type: ignore[index]


def test_an_hour_that_repeats_in_october_is_no_proof_of_age() -> None:
    book = Book()
    book.take([row(1, amount_minor=-100, updated="2026-10-25 02:50:00")])
    assert changes(book.take([row(1, amount_minor=-200, updated="2026-10-25 02:10:00")])) == 1


def test_a_row_without_a_stamp_is_believed() -> None:
    book = Book()
    book.take([row(1, amount_minor=-100, updated="")])
    assert changes(book.take([row(1, amount_minor=-200, updated="")])) == 1
    assert changes(book.take([row(1, amount_minor=-200, updated="nonsense")])) == 0
    assert changes(book.take([row(1, amount_minor=-300, updated="2026")])) == 1


def pending_row(number: int = 1, **told: Any) -> RemoteTransaction:
    return row(number, pending=True, label="CB PORT BREST", payee="")._replace(**told)


def test_a_pending_row_that_books_under_its_own_id_stays_itself() -> None:
    book = Book()
    book.take([pending_row(amount_minor=-1_000, updated=EARLY)], complete=True)
    plan = book.take([row(1, amount_minor=-1_050, label="CARTE PORT BREST", updated=LATER)])
    assert (len(plan.changed), list(book.rows)) == (1, [1])
    assert not book.rows[1].pending


@pytest.mark.parametrize("told_of_deletion", [True, False])
def test_a_pending_row_that_books_under_another_id_stays_itself(*, told_of_deletion: bool) -> None:
    book = Book()
    book.take([pending_row(1, amount_minor=-1_000, updated=EARLY), row(8)], complete=True)
    answer = [row(9, amount_minor=-1_000, label="CARTE 24/11 PORT BREST", updated=LATER), row(8)]
    if told_of_deletion:
        answer.append(pending_row(1, amount_minor=-1_000, updated=LATER, deleted=True))
    plan = book.take(answer, complete=not told_of_deletion)
    assert [(stored.id, remote.provider_id) for stored, remote in plan.booked] == [(1, 9)]
    assert (plan.added, plan.removed) == ([], [])
    assert changes(book.take(answer, complete=not told_of_deletion)) == 0


@pytest.mark.parametrize(
    ("booked", "same"),
    [
        (row(9, amount_minor=-1_000, label="CARTE PORT BREST"), True),
        (row(9, amount_minor=-1_100, label="CARTE PORT BREST"), True),
        (row(9, amount_minor=-1_000, label="SOMETHING ELSE", on="2026-11-24"), True),
        (row(9, amount_minor=-1_400, label="CARTE PORT BREST"), False),
        (row(9, amount_minor=-1_100, label="CARTE PORT LILLE"), False),
        (row(9, amount_minor=-1_000, label="SOMETHING ELSE", on="2026-11-27"), False),
        (row(9, amount_minor=-1_000, label="CARTE PORT BREST", on="2026-12-10"), False),
        (row(9, amount_minor=1_000, label="CARTE PORT BREST"), False),
    ],
)
def test_how_much_a_row_may_change_when_it_books(booked: RemoteTransaction, *, same: bool) -> None:
    book = Book()
    book.take([pending_row(1, amount_minor=-1_000, updated=EARLY)], complete=True)
    plan = book.take([booked], complete=True)
    assert bool(plan.booked) == same
    assert (len(plan.added), len(plan.removed)) == ((0, 0) if same else (1, 1))


def test_a_reservation_without_an_amount_gets_it_when_it_books() -> None:
    book = Book()
    book.take([pending_row(1, amount_minor=None)], complete=True)
    assert len(book.take([row(9, amount_minor=-8_000, label="PORT BREST")], complete=True).booked) == 1


@given(st.permutations([9, 10, 11]))
def test_the_likeliest_successor_wins_whoever_comes_first(order: list[int]) -> None:
    came = {
        9: row(9, amount_minor=-1_000, label="CARTE PORT BREST", on="2026-11-23"),
        10: row(10, amount_minor=-1_100, label="CARTE PORT BREST", on="2026-11-23"),
        11: row(11, amount_minor=-2_000, label="CARTE PORT BREST", on="2026-11-23"),
    }
    book = Book()
    book.take([pending_row(1, amount_minor=-1_000), pending_row(2, amount_minor=-2_000)], complete=True)
    plan = book.take([came[number] for number in order], complete=True)
    assert {(stored.id, remote.provider_id) for stored, remote in plan.booked} == {(1, 9), (2, 11)}
    assert [remote.provider_id for remote in plan.added] == [10]
    assert plan.removed == []


def test_one_pending_row_never_becomes_two() -> None:
    book = Book()
    book.take([pending_row(1, amount_minor=-250)], complete=True)
    twins = [row(8, amount_minor=-250, label="PORT BREST"), row(9, amount_minor=-250, label="PORT BREST")]
    plan = book.take(twins, complete=True)
    assert (len(plan.booked), len(plan.added)) == (1, 1)


def test_a_missing_pending_row_is_gone_only_when_the_answer_is_complete() -> None:
    book = Book()
    book.take([pending_row(1), row(2)], complete=True)
    assert changes(book.take([row(2)], complete=False)) == 0
    plan = book.take([row(2)], complete=True)
    assert [stored.provider_id for stored in plan.removed] == [1]
    assert len(book.take([pending_row(1), row(2)], complete=True).changed) == 1, "it may come back"


def test_a_booked_row_is_gone_when_a_complete_answer_lacks_it_within_its_days() -> None:
    book = Book()
    book.take([row(1, on="2026-11-20"), row(2, on="2026-11-21"), row(3, on="2026-11-22")], complete=True)
    assert changes(book.take([row(3, on="2026-11-22")], complete=False)) == 0
    assert changes(book.take([row(3, on="2026-11-22")], complete=True)) == 0, "older than the bank serves"
    plan = book.take([row(1, on="2026-11-20"), row(3, on="2026-11-22")], complete=True)
    assert [stored.provider_id for stored in plan.removed] == [2]
    assert len(book.take([row(2, on="2026-11-21")]).changed) == 1, "a newer answer lifts the tombstone"


NONE = Lessons()


@pytest.mark.parametrize(
    ("told", "score"),
    [
        ({}, 100),
        ({"booked_on": "2026-11-24"}, 90),
        ({"booked_on": "2026-11-27"}, None),
        ({"amount_minor": -1}, 50),
        ({"amount_minor": -1, "label": "SOMETHING ELSE"}, None),
        ({"amount_minor": -1, "booked_on": "2026-11-24"}, None),
        ({"label": "CARTE 24/11 PORT BREST SARL"}, 83),
        ({"label": "SOMETHING ELSE"}, 50),
        ({"label": "SOMETHING ELSE", "counterparty": "Zoé"}, 80),
        ({"label": "SOMETHING ELSE", "counterparty_account": "FR76"}, 80),
    ],
)
def test_how_alike_rows_under_two_ids_are(told: dict[str, Any], score: int | None) -> None:
    first = row(1, label="CARTE PORT BREST")._replace(counterparty="ZOE", counterparty_account="FR76")
    other = first._replace(counterparty="", counterparty_account="")._replace(**told)
    found = drift_likeness(ACCOUNT, facts_of(first), facts_of(other), NONE)
    assert (None if found is None else found.score) == score
    unlike = Lessons(different=frozenset({lesson_of(ACCOUNT, first.label, other.label)}))
    assert drift_likeness(ACCOUNT, facts_of(first), facts_of(other), unlike) is None
    reserved = facts_of(first._replace(amount_minor=None))
    assert drift_likeness(ACCOUNT, reserved, facts_of(other), NONE) is None, "nothing is known of its amount"


@given(st.lists(st.sampled_from([-250, -300]), min_size=1, max_size=8), st.data())
def test_twins_that_all_come_back_under_new_ids_are_as_many(amounts: list[int], data: st.DataObject) -> None:
    """Whatever the order; none is doubled, merged or lost."""
    book = Book()
    book.take([row(n, amount_minor=each, label="CAFE") for n, each in enumerate(amounts, 1)], complete=True)
    again = [row(100 + n, amount_minor=each, label="CAFE") for n, each in enumerate(amounts)]
    plan = book.take(data.draw(st.permutations(again)), complete=True)
    assert (len(plan.moved), plan.added, plan.removed, plan.unsure) == (len(amounts), [], [], [])
    assert changes(book.take(again, complete=True)) == 0


def test_one_amount_at_one_shop_weeks_apart_is_two_operations() -> None:
    book = Book()
    book.take([row(1, label="PORT BREST", on="2026-11-20"), row(5, label="OLD", on="2026-10-01")])
    plan = book.take(
        [row(9, label="PORT BREST SARL", on="2026-11-02"), row(5, label="OLD", on="2026-10-01")],
        complete=True,
    )
    assert (len(plan.added), len(plan.removed), plan.moved, plan.unsure) == (1, 1, [], [])


def test_a_booked_row_that_goes_is_not_one_with_a_pending_row_that_comes() -> None:
    book = Book()
    book.take([row(1, label="PORT BREST"), row(5, label="OLD", on="2026-11-01")])
    plan = book.take(
        [pending_row(9, label="PORT BREST"), row(5, label="OLD", on="2026-11-01")], complete=True
    )
    assert (len(plan.added), len(plan.removed), plan.moved, plan.unsure) == (1, 1, [], [])


def test_a_withdrawn_row_that_returns_under_its_former_id_is_no_twin_of_one_that_comes() -> None:
    book = Book(worded={1})
    book.take([row(1, label="CAFE", updated=EARLY)], complete=True)
    book.take([row(9, label="CAFE", updated=EARLY)], complete=True)
    book.take([row(9, label="CAFE", deleted=True, updated=LATER)])
    plan = book.take([row(1, label="CAFE", updated=LAST), row(10, label="CAFE", updated=LAST)])
    assert [(mine.id, remote.provider_id) for mine, remote in plan.moved] == [(1, 1)]
    assert [remote.provider_id for remote in plan.added] == [10]


def test_a_close_call_is_asked_and_two_that_lead_alike_are_not_mixed_up() -> None:
    book = Book()
    book.take([row(1, label="PORT BREST", on="2026-11-20"), row(5, label="OLD", on="2026-11-01")])
    near = [
        row(8, label="PORT BREST SARL", on="2026-11-20"),
        row(9, label="PORT BREST SNC", on="2026-11-20"),
        row(5, label="OLD", on="2026-11-01"),
    ]
    plan = book.take(near, complete=True)
    assert plan.moved == []
    assert len(plan.unsure) == 1
    assert (len(plan.added), len(plan.removed)) == (2, 1)
