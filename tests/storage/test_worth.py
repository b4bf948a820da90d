"""Totals add up per currency and say how old they are; flows belong to their month."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import AccountKind, AccountState
from obdesk.domain.freshness import FreshnessState
from obdesk.domain.ids import AccountId, ConnectionId
from obdesk.storage.queries import accounts, connections
from obdesk.storage.store import Store
from obdesk.storage.writes import accounts as account_writes
from obdesk.storage.writes import connections as connection_writes
from obdesk.sync.saving import record, save
from tests.seed import EUR, KEY, NOW, USD, SeedPage, answer_of, remote_account, remote_connection, row
from tests.sync.outcomes import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from obdesk.domain.entities import Account
    from obdesk.domain.remote import RemoteAccount, RemoteConnection, RemoteTransaction
    from obdesk.storage.tx import Tx

HOUR = timedelta(hours=1)


class Ledger:
    """A store and one way of filling it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def told(
        self,
        told: Sequence[RemoteAccount],
        rows: Sequence[RemoteTransaction] = (),
        *,
        remote: RemoteConnection | None = None,
        asked_at: datetime = NOW,
    ) -> ConnectionId:
        """Let a bank answer."""
        remote = remote or remote_connection()

        def write(tx: Tx) -> ConnectionId:
            connection_id = connection_writes.adopt(tx, "powens", remote, asked_at)
            answer = answer_of(
                connection_id, list(told), [SeedPage(tuple(rows))], remote=remote, asked_at=asked_at
            )
            saved = save(tx, answer)
            record(tx, answer, saved, outcome_of(connection_id), asked_at)
            return connection_id

        return self.store.write_now(write)

    def worth(self, now: datetime = NOW) -> dict[str, str]:
        found = self.store.read_now(accounts.net_worth, now)
        return {each.total.currency.code: each.total.text() for each in found}

    def account(self, name: str, now: datetime = NOW) -> Account:
        return next(each for each in self.store.read_now(accounts.accounts, now) if each.name == name)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Ledger(store)


def test_net_worth_is_one_exact_sum_per_currency(ledger: Ledger) -> None:
    ledger.told(
        [
            remote_account(1, "a", balance_minor=10),
            remote_account(2, "b", balance_minor=-2_500),
            remote_account(3, "dollars", currency=USD, balance_minor=999),
            remote_account(4, "silent", balance_minor=None),
        ]
    )
    assert ledger.worth() == {"EUR": "-24.90", "USD": "9.99"}
    (euros, dollars) = ledger.store.read_now(accounts.net_worth, NOW)
    assert (euros.account_count, dollars.account_count) == (2, 1)


def test_a_card_that_settles_on_an_account_is_not_counted_twice(ledger: Ledger) -> None:
    card = AccountKind.CARD
    ledger.told(
        [
            remote_account(1, "current", balance_minor=10_000),
            remote_account(2, "deferred card", kind=card, balance_minor=-3_000, parent=1),
            remote_account(3, "credit card", kind=card, balance_minor=-500),
        ]
    )
    assert ledger.worth() == {"EUR": "95.00"}
    assert ledger.account("deferred card").parent_id == ledger.account("current").id


def test_the_person_decides_what_counts(ledger: Ledger) -> None:
    ledger.told([remote_account(1, "a", balance_minor=100), remote_account(2, "b", balance_minor=7)])
    ledger.store.write_now(lambda tx: account_writes.set_in_net_worth(tx, AccountId(2), included=False))
    assert ledger.worth() == {"EUR": "1.00"}
    ledger.store.write_now(lambda tx: account_writes.rename(tx, AccountId(2), "mine"))
    assert ledger.worth() == {"EUR": "1.00"}
    assert not ledger.account("mine").in_net_worth
    ledger.store.write_now(lambda tx: account_writes.set_in_net_worth(tx, AccountId(2), included=True))
    assert ledger.worth() == {"EUR": "1.07"}


@pytest.mark.parametrize("state", [AccountState.DISABLED, AccountState.GONE])
def test_an_account_that_is_not_read_any_more_does_not_count(ledger: Ledger, state: AccountState) -> None:
    ledger.told([remote_account(1, "a", balance_minor=100), remote_account(2, "b", balance_minor=7)])
    ledger.told(
        [remote_account(1, "a", balance_minor=100), remote_account(2, "b", balance_minor=7, state=state)]
    )
    assert ledger.worth() == {"EUR": "1.00"}
    assert ledger.account("b").balance is not None, "its last figure is still shown"


def test_an_account_the_bank_lists_no_more_is_gone_with_its_history(ledger: Ledger) -> None:
    ledger.told([remote_account(1, "a"), remote_account(2, "b", balance_minor=7)], [row(5, account=2)])
    ledger.told([remote_account(1, "a")], asked_at=NOW + HOUR)
    assert ledger.account("b").state is AccountState.GONE
    count = ledger.store.read_now(lambda raw: raw.execute("SELECT count(*) FROM transactions").fetchone())
    assert count == (1,)
    ledger.told([remote_account(1, "a"), remote_account(2, "b", balance_minor=9)], asked_at=NOW + 2 * HOUR)
    back = ledger.account("b")
    assert back.state is AccountState.ACTIVE
    assert back.balance is not None
    assert back.balance.text() == "0.09"


def test_a_total_carries_the_date_of_its_oldest_part(ledger: Ledger) -> None:
    fresh, stale = remote_account(1, "a"), remote_account(2, "b")
    ledger.told([fresh, replace(stale, data_as_of=NOW - 80 * HOUR)])
    (worth,) = ledger.store.read_now(accounts.net_worth, NOW)
    assert worth.as_of == NOW - 80 * HOUR
    assert (worth.fresh_count, worth.account_count) == (1, 2)
    ledger.told([fresh, replace(stale, data_as_of=None)])
    (worth,) = ledger.store.read_now(accounts.net_worth, NOW)
    assert worth.as_of is None


def test_a_call_that_brings_no_balance_does_not_make_the_old_one_look_newer(ledger: Ledger) -> None:
    ledger.told([replace(remote_account(1, "a", balance_minor=100), data_as_of=NOW - 30 * HOUR)])
    ledger.told([replace(remote_account(1, "a", balance_minor=None), data_as_of=NOW)], asked_at=NOW)
    shown = ledger.account("a")
    assert shown.balance is not None
    assert shown.balance.text() == "1.00"
    assert shown.freshness.data_as_of == NOW - 30 * HOUR
    assert shown.freshness.state is FreshnessState.AGEING


def test_the_worse_of_condition_and_age_is_shown(ledger: Ledger) -> None:
    ledger.told([remote_account(1, "a")], remote=remote_connection(condition=Condition.NEEDS_SCA))
    assert ledger.account("a").freshness.state is FreshnessState.NEEDS_YOU
    ledger.told([remote_account(1, "a")], remote=remote_connection(condition=Condition.BANK_DOWN))
    assert ledger.account("a").freshness.state is FreshnessState.DELAYED
    ledger.told([remote_account(1, "a")])
    assert ledger.account("a").freshness.state is FreshnessState.FRESH
    assert ledger.account("a", NOW + 100 * HOUR).freshness.state is FreshnessState.STALE
    assert ledger.account("a", NOW - 100 * HOUR).freshness.state is FreshnessState.UNKNOWN
    ledger.store.write_now(lambda tx: connection_writes.pause(tx, ConnectionId(1), paused=True))
    assert ledger.account("a").freshness.state is FreshnessState.PAUSED


def test_the_history_ends_with_today_and_follows_the_rows_back(ledger: Ledger) -> None:
    today = NOW.date()
    rows = [
        row(1, account=1, on=today.isoformat(), amount_minor=-300),
        row(2, account=1, on=(today - timedelta(days=40)).isoformat(), amount_minor=5_000),
        row(3, account=1, on=(today - timedelta(days=1)).isoformat(), amount_minor=-999, pending=True),
        row(4, account=1, on=(today - timedelta(days=400)).isoformat(), amount_minor=10_000),
    ]
    ledger.told([remote_account(1, "a", balance_minor=20_000)], rows)
    (worth,) = ledger.store.read_now(accounts.net_worth, NOW)
    by_day = {point.day: point.amount.text() for point in worth.history}
    assert worth.history[-1].day == today
    assert by_day[today] == "200.00"
    assert by_day[today - timedelta(days=1)] == "203.00"
    assert by_day[today - timedelta(days=40)] == "203.00"
    assert by_day[today - timedelta(days=41)] == "153.00"
    assert worth.change_30_days is not None
    assert worth.change_30_days.text() == "-3.00"
    assert len(worth.history) == 367


def test_the_history_does_not_begin_before_the_first_row(ledger: Ledger) -> None:
    ledger.told(
        [remote_account(1, "a")], [row(1, account=1, on=(NOW.date() - timedelta(days=3)).isoformat())]
    )
    (worth,) = ledger.store.read_now(accounts.net_worth, NOW)
    assert len(worth.history) == 4
    assert worth.change_30_days is None
    (quick,) = ledger.store.read_now(lambda raw: accounts.net_worth(raw, NOW, with_history=False))
    assert (quick.total, quick.history) == (worth.total, ())


def test_flows_are_those_of_booked_rows_of_the_calendar_month_per_currency(ledger: Ledger) -> None:
    ledger.told(
        [remote_account(1, "a"), remote_account(2, "b", currency=USD)],
        [
            row(1, account=1, on="2026-11-01", amount_minor=250_000),
            row(2, account=1, on="2026-11-30", amount_minor=-100),
            row(3, account=1, on="2026-10-31", amount_minor=-999),
            row(4, account=1, on="2026-12-01", amount_minor=-999),
            row(5, account=1, on="2026-11-15", amount_minor=-999, pending=True),
            row(6, account=2, on="2026-11-15", amount_minor=-5),
            row(7, account=1, on="2026-11-15", amount_minor=-50),
        ],
    )
    flows = ledger.store.read_now(accounts.month_flows, NOW)
    assert [(each.income.text(), each.spending.text(), each.income.currency) for each in flows] == [
        ("2500.00", "-1.50", EUR),
        ("0.00", "-0.05", USD),
    ]
    assert {each.first_day for each in flows} == {date(2026, 11, 1)}
    december = ledger.store.read_now(accounts.month_flows, NOW + timedelta(days=20))
    assert [each.spending.text() for each in december] == ["-9.99"]


def test_who_needs_the_person_comes_first_and_is_not_asked_before(ledger: Ledger) -> None:
    ledger.told([remote_account(1, "a")], remote=remote_connection("1", "A bank"))
    ledger.told(
        [remote_account(2, "b")], remote=remote_connection("2", "B bank", condition=Condition.BANK_DOWN)
    )
    ledger.told(
        [remote_account(3, "c")], remote=remote_connection("3", "C bank", condition=Condition.WRONG_PASSWORD)
    )
    found = ledger.store.read_now(connections.connections, NOW, 4 * HOUR)
    assert [each.bank for each in found] == ["C bank", "B bank", "A bank"]
    assert found[2].next_run_at == NOW + 4 * HOUR
    assert found[2].account_count == 1
