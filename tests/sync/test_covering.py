"""Each account of a bank is watched for itself: what one of them tells says nothing of another."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.entities import AccountKind, AccountState
from obdesk.domain.ids import ConnectionId
from obdesk.storage.store import Store
from obdesk.storage.writes import commits, connections, holes
from obdesk.sync.covering import watch
from obdesk.sync.saving import record, save
from tests.seed import KEY, NOW, SeedPage, answer_of, remote_account, remote_connection, row
from tests.sync.outcomes import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.domain.remote import RemoteAccount, RemoteTransaction
    from obdesk.storage.tx import Tx

LINK = ConnectionId(1)
ONE, TWO, THREE = (
    remote_account(number, str(number), kind=AccountKind.SAVINGS) for number in (1801, 1802, 1803)
)
LOST = ("2026-11-25", "2026-12-23")
"""What lies between the first answer and what a bank shows 120 days later."""


class Ledger:
    """A store that is asked after long absences, about several accounts."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.write_now(lambda tx: connections.adopt(tx, "powens", remote_connection(), NOW))

    def take(self, away: int, accounts: list[RemoteAccount], *rows: RemoteTransaction) -> None:
        """Keep an answer of so many days after the first one; each balance is another than before."""
        now = NOW + timedelta(days=away)
        told = [replace(each, balance_minor=away) for each in accounts]
        answer = answer_of(LINK, told, [SeedPage(rows)], series="delta", asked_at=now)

        def write(tx: Tx) -> None:
            record(tx, answer, save(tx, answer), outcome_of(LINK), now)

        self.store.write_now(write)

    def holes(self) -> list[tuple[int, str, str, str]]:
        """Return the account by the bank's number, the first and the last day, and whether it is open."""
        return self.store.read_now(
            lambda opened: list(
                opened.execute(
                    "SELECT a.provider_id, h.from_day, h.to_day, h.state FROM holes h "
                    "JOIN accounts a ON a.id = h.account_id ORDER BY h.id"
                )
            )
        )

    def settle(self, account_id: int, first: str, last: str) -> bool:
        days = (date.fromisoformat(first), date.fromisoformat(last))
        return self.store.write_now(lambda tx: holes.settle(tx, account_id, days, NOW))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Ledger(store)


def at(account: RemoteAccount, away: int) -> RemoteAccount:
    return replace(account, data_as_of=NOW + timedelta(days=away))


def test_F30_an_account_that_was_read_lately_hides_no_other_ones_absence(ledger: Ledger) -> None:
    ledger.take(0, [at(ONE, 0), at(TWO, 0), at(THREE, 0)], row(1), row(2, account=1802))
    ledger.take(60, [at(ONE, 60), at(TWO, 0), at(THREE, 0)])
    ledger.take(120, [at(ONE, 120), at(TWO, 120), at(THREE, 120)])
    assert ledger.holes() == [(1802, *LOST, "open"), (1803, *LOST, "open")]


def test_F30_where_a_bank_tells_no_clock_ours_counts(ledger: Ledger) -> None:
    silent = replace(ONE, data_as_of=None)
    ledger.take(0, [silent], row(1))
    ledger.take(120, [silent])
    assert ledger.holes() == [(1801, *LOST, "open")]


def test_F30_days_are_lost_although_no_row_came_after_them(ledger: Ledger) -> None:
    ledger.take(0, [at(ONE, 0)], row(1))
    ledger.take(120, [at(ONE, 120)])
    assert ledger.holes() == [(1801, *LOST, "open")]


def test_F30_the_rows_that_end_an_absence_narrow_what_it_lost(ledger: Ledger) -> None:
    ledger.take(0, [at(ONE, 0), at(TWO, 0)], row(1), row(2, account=1802))
    came = row(3, on="2026-12-20", label="LATE")
    ledger.take(120, [at(ONE, 120), at(TWO, 120)], came)
    assert ledger.holes() == [(1801, LOST[0], "2026-12-19", "open"), (1802, *LOST, "open")], (
        "the rows of one account cover no day of another"
    )


def test_an_absence_whose_rows_begin_where_the_last_answer_ended_lost_nothing(ledger: Ledger) -> None:
    ledger.take(0, [at(ONE, 0)], row(1))
    ledger.take(120, [at(ONE, 120)], row(3, on="2026-12-02", label="SOON AFTER"))
    assert ledger.holes() == []


def test_F30_rows_that_come_while_nothing_else_moved_cover_their_days(ledger: Ledger) -> None:
    ledger.take(0, [at(ONE, 0)], row(1))
    for rows in ([], [row(3, on="2026-11-27", label="LATE")]):
        ledger.take(120, [at(ONE, 120)], *rows)
    assert ledger.holes() == [(1801, *LOST, "covered")]


def test_F30_what_covers_the_second_account_alone_closes_its_days_alone(ledger: Ledger) -> None:
    ledger.take(0, [at(ONE, 0), at(TWO, 0)], row(1), row(2, account=1802))
    ledger.take(120, [at(ONE, 120), at(TWO, 120)])
    ledger.take(121, [at(ONE, 121), at(TWO, 121)], row(4, account=1802, on="2026-11-27", label="LATE"))
    assert ledger.holes() == [(1801, *LOST, "open"), (1802, *LOST, "covered")]


@pytest.mark.parametrize("state", [AccountState.DISABLED, AccountState.GONE])
def test_an_account_that_is_not_followed_any_more_misses_nothing(ledger: Ledger, state: AccountState) -> None:
    ledger.take(0, [at(ONE, 0)], row(1))
    ledger.take(120, [replace(at(ONE, 120), state=state)])
    assert ledger.holes() == []


def test_an_account_that_is_new_misses_nothing(ledger: Ledger) -> None:
    ledger.take(0, [at(ONE, 0)], row(1))
    ledger.take(120, [at(TWO, 120), at(ONE, 120)], row(5, account=1802, on="2027-03-01"))
    assert ledger.holes() == [(1801, *LOST, "open")]


def test_the_accounts_whose_days_were_lost_or_found_are_named(ledger: Ledger) -> None:
    ledger.take(0, [at(ONE, 0), at(TWO, 0)], row(1), row(2, account=1802))

    def again(tx: Tx) -> list[int]:
        """Watch an answer that says what the last one said, so long after it."""
        stood = commits.stood(tx, LINK, set())
        silent = {number: {**account, "data_as_of": None} for number, account in stood.accounts.items()}
        before = stood._replace(accounts=silent)
        return watch(tx, LINK, before, before, (1, 2), NOW + timedelta(days=120))

    assert ledger.store.write_now(again) == [1, 2]
    assert ledger.store.write_now(again) == [1, 2], "still lost"


@pytest.mark.parametrize(("on", "closed"), [("2026-11-27", "covered"), ("2026-12-20", "open")])
def test_the_account_is_named_once_when_some_of_its_days_were_found(
    ledger: Ledger, on: str, closed: str
) -> None:
    ledger.take(0, [at(ONE, 0), at(TWO, 0)], row(1), row(2, account=1802))
    ledger.take(120, [at(ONE, 120), at(TWO, 120)])

    def found(tx: Tx) -> list[int]:
        stood = commits.stood(tx, LINK, set())
        (came,) = tx.rows("SELECT id FROM transactions WHERE account_id = 2")
        tx.execute("UPDATE transactions SET booked_on = ? WHERE id = ?", (on, *came))
        return watch(tx, LINK, stood, stood, (came[0], came[0]), NOW + timedelta(days=121))

    assert ledger.store.write_now(found) == [2]
    assert [state for *_, state in ledger.holes()] == ["open", closed]


def test_a_card_that_was_used_again_after_long_misses_days(ledger: Ledger) -> None:
    card = replace(ONE, kind=AccountKind.CARD)
    ledger.take(0, [at(card, 0)], row(1))
    ledger.take(120, [at(card, 120)], row(2, on="2027-03-01", label="LATE"))
    assert ledger.holes() == [(1801, *LOST, "open")]


def test_F30_days_in_which_nothing_is_missing_as_the_person_says_are_not_asked_about_again(
    ledger: Ledger,
) -> None:
    ledger.take(0, [at(ONE, 0)], row(1))
    ledger.take(120, [at(ONE, 120)])
    assert ledger.holes() == [(1801, *LOST, "open")]
    assert not ledger.settle(1, LOST[0], LOST[0])
    assert ledger.settle(1, *LOST)
    assert not ledger.settle(1, *LOST)
    assert ledger.holes() == [(1801, *LOST, "settled")]
    ledger.store.write_now(
        lambda tx: holes.open_hole(tx, 1, (date.fromisoformat(LOST[0]), date.fromisoformat(LOST[1])), NOW)
    )
    assert ledger.holes() == [(1801, *LOST, "settled")]
