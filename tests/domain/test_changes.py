"""A change says which kinds and ids were touched; merging changes loses none of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.changes import IDS_MAX, ChangeSet, Kind
from obdesk.domain.ledger import FACT_NAMES, facts_of
from obdesk.domain.remote import RemoteTransaction
from tests.seed import row

ids = st.one_of(st.none(), st.frozensets(st.integers(1, 50), min_size=1))
changes = st.dictionaries(st.sampled_from(Kind), ids).map(ChangeSet)


@given(changes, changes, changes)
def test_the_order_of_merging_does_not_matter(one: ChangeSet, two: ChangeSet, three: ChangeSet) -> None:
    assert one.merge(two) == two.merge(one)
    assert one.merge(two).merge(three) == one.merge(two.merge(three))


@given(changes)
def test_merging_with_itself_or_nothing_changes_nothing(change: ChangeSet) -> None:
    assert change.merge(change) == change
    assert change.merge(ChangeSet()) == change
    assert ChangeSet().merge(change) == change


@given(changes, changes)
def test_a_merged_change_touches_what_either_touched(one: ChangeSet, two: ChangeSet) -> None:
    both = one.merge(two)
    for kind in Kind:
        assert both.touches(kind) == (one.touches(kind) or two.touches(kind))
    assert bool(both) == (bool(one) or bool(two))


def test_no_ids_are_no_change_and_very_many_are_many() -> None:
    assert not ChangeSet.of(Kind.RUNS, [])
    assert ChangeSet.of(Kind.TRANSACTIONS, range(IDS_MAX)).touched[Kind.TRANSACTIONS] is not None
    assert ChangeSet.of(Kind.TRANSACTIONS, range(IDS_MAX + 1)) == ChangeSet.many(Kind.TRANSACTIONS)
    halves = ChangeSet.of(Kind.TRANSACTIONS, range(IDS_MAX)), ChangeSet.of(Kind.TRANSACTIONS, [-1])
    assert halves[0].merge(halves[1]) == ChangeSet.many(Kind.TRANSACTIONS)


def test_the_facts_of_a_row_are_the_fields_the_bank_tells_in_their_order() -> None:
    told = row()
    assert RemoteTransaction._fields[:2] == ("provider_id", "account_provider_id")
    assert RemoteTransaction._fields[17:] == ("deleted", "updated")
    assert (FACT_NAMES[0], FACT_NAMES[-1]) == ("pending", "original_exponent")
    assert dict(zip(FACT_NAMES, facts_of(told), strict=True)) == {
        name: getattr(told, name) for name in FACT_NAMES
    }


def test_what_is_known_of_a_row_is_read_from_the_right_fact() -> None:
    from obdesk.domain.ledger import KnownTransaction

    told = row(pending=True, on="2026-11-20", amount_minor=-77, label="A LABEL")
    known = KnownTransaction(1, 2, told.provider_id, deleted=False, updated="", facts=facts_of(told))
    assert (known.pending, known.booked_on, known.amount_minor, known.label) == (
        True,
        "2026-11-20",
        -77,
        "A LABEL",
    )
