"""What of the ledger an answer is held against: no row too many, none too few, of no other account."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.entities import AccountState
from obdesk.domain.ids import ConnectionId, TransactionId
from obdesk.domain.ledger import KnownAccount
from obdesk.storage.store import Store
from obdesk.storage.writes import connections, edits, merges, suggestions
from obdesk.sync.matching import Scope, ShiftedError, WantsFullError, gather, known_rows, listed_accounts
from obdesk.sync.reconcile.plan import Lessons
from obdesk.sync.saving import record, save
from tests.seed import KEY, NOW, SeedPage, answer_of, remote_account, remote_connection, row
from tests.sync.outcomes import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.domain.remote import RemoteTransaction
    from obdesk.storage.tx import Tx
    from obdesk.sync.reconcile.plan import Stored

LINK = ConnectionId(1)
FULL = Scope(LINK, frozenset({1, 2}), full=True, complete=True, asked_at=NOW)
DELTA = replace(FULL, full=False, complete=False)
LATER = "2026-11-25 05:00:00"
TOLD = (
    row(1, on="2026-11-01", label="OLD"),
    row(2, on="2026-11-10", label="TEN"),
    row(3, on="2026-11-20", label="TWENTY"),
    row(4, on="2026-11-21", label="WAITS", pending=True),
    row(1, account=1802, on="2026-11-15", label="OTHER"),
    row(5, account=1802, on="2026-11-22", label="WAITS TOO", pending=True),
)
"""Our ids are 1 to 4 for those of account 1; 6 and 5 for the others, as the first shares its number."""


class Ledger:
    """Two accounts whose rows are known."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.write_now(lambda tx: connections.adopt(tx, "powens", remote_connection(), NOW))
        self.take(*TOLD)

    def take(self, *rows: RemoteTransaction, series: str = "full") -> None:
        accounts = [remote_account(1801, "one"), remote_account(1802, "two")]
        answer = answer_of(LINK, accounts, [SeedPage(rows)], series=series)

        def write(tx: Tx) -> None:
            record(tx, answer, save(tx, answer), outcome_of(LINK), NOW)

        self.store.write_now(write)

    def gathered(self, scope: Scope, *came: RemoteTransaction) -> Stored:
        rows = [(each.account_provider_id - 1800, each) for each in came]
        return self.store.write_now(lambda tx: gather(tx, scope, rows, known_rows(tx, rows)))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Ledger(store)


def test_one_number_in_two_accounts_is_two_rows(ledger: Ledger) -> None:
    found = ledger.gathered(FULL, TOLD[0], TOLD[4], TOLD[2]).known
    assert {key: each.id for key, each in found.items()} == {(1, 1): 1, (2, 1): 6, (1, 3): 3}
    assert set(ledger.gathered(FULL, TOLD[4], row(3, account=1802)).known) == {(2, 1)}


def test_F14_what_a_complete_answer_lacks_is_missing_from_its_oldest_row_on(ledger: Ledger) -> None:
    found = ledger.gathered(FULL, row(9, on="2026-11-10", label="NEW"), TOLD[2])
    assert [each.id for each in found.missing] == [2]
    assert found.live_rows == {1: 2}
    assert [each.id for each in found.pending] == [4, 5]
    assert [each.id for each in ledger.gathered(FULL, TOLD[0], TOLD[4]).missing] == [2, 3]
    assert ledger.gathered(FULL, TOLD[0], TOLD[4]).live_rows == {1: 3, 2: 1}
    assert ledger.gathered(FULL).missing == ()


def test_F14_a_withdrawal_reaches_back_only_where_its_row_was_not_known(ledger: Ledger) -> None:
    withdrawn = row(1, on="2026-11-01", deleted=True, updated=LATER)
    assert ledger.gathered(FULL, TOLD[2], withdrawn).missing == ()
    unknown = row(77, on="2026-11-01", deleted=True, updated=LATER)
    assert [each.id for each in ledger.gathered(FULL, TOLD[2], unknown).missing] == [1, 2]


def test_rows_of_an_account_that_is_not_spoken_of_are_not_missing(ledger: Ledger) -> None:
    only = replace(FULL, accounts=frozenset({2}))
    found = ledger.gathered(only, row(9, on="2026-11-01"), row(8, account=1802, on="2026-11-01"))
    assert [each.id for each in found.missing] == [6]
    assert [each.id for each in found.pending] == [5]


def test_an_answer_of_which_pages_were_skipped_says_nothing_of_what_it_lacks(ledger: Ledger) -> None:
    found = ledger.gathered(replace(FULL, complete=False), row(9, on="2026-11-01"))
    assert (found.missing, found.live_rows, found.pending) == ((), {}, ())


def test_F09_a_list_has_moved_where_one_row_came_twice_and_another_lacks(ledger: Ledger) -> None:
    first, second, third, *waiting = TOLD[0], TOLD[1], TOLD[2], TOLD[3], TOLD[5]
    everything = (first, second, third, *waiting, TOLD[4])
    assert ledger.gathered(FULL, *everything, first).missing == ()
    assert [each.id for each in ledger.gathered(FULL, first, third, *waiting, TOLD[4]).missing] == [2]
    for lacks in (second, waiting[0]):
        came = [each for each in everything if each is not lacks]
        with pytest.raises(ShiftedError):
            ledger.gathered(FULL, *came, first)
        ledger.gathered(replace(FULL, reread=True), *came, first)
        ledger.gathered(replace(FULL, complete=False), *came, first)


def test_what_the_person_said_of_a_deleted_row_is_at_hand_when_a_new_one_comes(ledger: Ledger) -> None:
    for number, note in ((1, "mine"), (2, "mine too")):
        ledger.store.write_now(
            lambda tx, number=number, note=note: edits.edit_transaction(  # type: ignore[misc]
                tx, TransactionId(number), note=note, category=None, now=NOW
            )
        )
    ledger.take(row(1, on="2026-11-01", label="OLD", deleted=True, updated=LATER), series="delta")
    assert [each.id for each in ledger.gathered(FULL, row(9, label="NEW")).deleted] == [1]
    nobody = replace(FULL, accounts=frozenset())
    assert [each.id for each in ledger.gathered(nobody, row(9, label="NEW")).deleted] == [1]
    assert ledger.gathered(FULL, TOLD[2]).deleted == (), "no row is new"


def test_the_former_number_of_a_row_is_no_new_row(ledger: Ledger) -> None:
    ledger.take(*TOLD[:1], row(22, on="2026-11-10", label="TEN"), *TOLD[2:])
    found = ledger.gathered(FULL, *TOLD)
    assert {key: each.id for key, each in found.former.items()} == {(1, 2): 2}
    assert found.joined == frozenset(), "no person joined it"
    assert ledger.gathered(DELTA, TOLD[1]).former.keys() == {(1, 2)}, "and a delta with it is no riddle"


def test_what_the_person_taught_is_at_hand_where_a_row_is_new(ledger: Ledger) -> None:
    ledger.store.write_now(lambda tx: suggestions.learn(tx, (1, "a", "b"), NOW, same=True))
    assert ledger.gathered(FULL, row(9, label="NEW")).lessons == Lessons(frozenset({(1, "a", "b")}))
    assert ledger.gathered(FULL, TOLD[2]).lessons == Lessons()


def test_a_row_that_the_person_joined_from_two_is_known_as_such(ledger: Ledger) -> None:
    ledger.store.write_now(lambda tx: merges.merge(tx, 2, 3, "by hand", NOW))
    found = ledger.gathered(FULL, *TOLD)
    assert found.former.keys() == {(1, 3)}
    assert found.joined == {2}


def test_the_withdrawal_of_a_row_is_never_a_new_row(ledger: Ledger) -> None:
    gone = row(9, on="2026-11-10", label="TEN", deleted=True, updated=LATER)
    ledger.gathered(DELTA, gone)
    ledger.take(*TOLD[:1], row(22, on="2026-11-10", label="TEN"), *TOLD[2:])
    assert ledger.gathered(FULL, TOLD[1]._replace(deleted=True)).former == {}


def test_a_delta_is_a_riddle_where_a_new_row_may_be_one_that_we_have(ledger: Ledger) -> None:
    twin = row(9, on="2026-11-10", label="TEN")
    with pytest.raises(WantsFullError):
        ledger.gathered(DELTA, twin)
    ledger.gathered(DELTA, twin, TOLD[1])  # it is told beside the one that we have
    ledger.gathered(DELTA, twin._replace(account_provider_id=1802))
    ledger.gathered(FULL, twin)
    booked = row(9, on="2026-11-22", label="WAITS")
    with pytest.raises(WantsFullError):
        ledger.gathered(DELTA, booked)
    ledger.gathered(DELTA, booked, TOLD[3])


@pytest.mark.parametrize(
    ("asked_after", "full_after", "is_due"),
    [(10, 0, False), (11, 0, True), (11, 10, True), (12, 11, False), (60, 10, True), (60, 11, False)],
)
def test_a_pending_row_is_due_after_ten_days_until_everything_was_read(
    ledger: Ledger, asked_after: int, full_after: int, *, is_due: bool
) -> None:
    day = NOW - timedelta(days=3)  # that of the older one that waits
    scope = replace(DELTA, asked_at=day + timedelta(days=asked_after))
    ledger.store.write_now(
        lambda tx: connections.finish(
            tx, LINK, asked_at=day + timedelta(days=full_after), cursor=None, full=True
        )
    )
    if is_due:
        with pytest.raises(WantsFullError):
            ledger.gathered(scope, TOLD[2])
    else:
        ledger.gathered(scope, TOLD[2])
    ledger.gathered(scope, TOLD[2], TOLD[3], TOLD[5])  # who is told of is not silent


def test_only_accounts_that_are_followed_and_held_rows_are_spoken_of() -> None:
    known = {
        number: KnownAccount(number - 1800, number, 2, empty=number == 1803) for number in range(1801, 1806)
    }
    listed = [remote_account(number) for number in (1801, 1802, 1803)]
    listed += [remote_account(1804, state=AccountState.DISABLED), remote_account(1805)]
    assert listed_accounts(listed, known, {1805}) == {1, 2}
    assert listed_accounts(listed, known, set()) == {1, 2, 5}
